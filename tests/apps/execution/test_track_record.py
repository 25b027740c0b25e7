"""A track record from rows: its parts, its statistics, and what is hidden until there is enough."""

import random

import pytest

from execution import models
from execution.core import state
from execution.core.eras import Imported
from execution.core.types import Portfolio, Position, Scores, Trial
from execution.selectors import attribution, checks, control, statistics, trials
from strategies.core.types import Plan
from tests import rows
from tests.builders import DAY, NOON, micro

pytestmark = pytest.mark.django_db

NAME = "mean_reversion_v1"


@pytest.fixture
def base():
    """An account opened a hundred days ago with a thousand dollars."""
    return models.Account.objects.create(
        name="base", opened_at=NOON - 100 * DAY, seed=1, config_digest="x", initial=micro(1000),
        cash=micro(1000), equity=micro(1000), deposits=micro(1000), marked_at=NOON,
    )  # fmt: skip


def bought(number: int, price: str = "0.42", market: str | None = None, **given) -> models.Trade:
    """A hundred shares at a fair value two cents below, a cent of it spread, a cent latency."""
    return trade(
        f"buy-{number}", number, market, side="buy", price=micro(price),
        notional=100 * micro(price), fee=micro("0.5"), realized_pnl=-micro("0.5"),
        fair_value=100 * micro(price) - micro(2), spread_cost=micro(1), latency_cost=micro(1),
        **given,
    )  # fmt: skip


def settled(number: int, pays: str, price: str = "0.42", market: str | None = None) -> models.Trade:
    """The same hundred shares paid out."""
    paid, cost = 100 * micro(pays), 100 * micro(price)
    return trade(
        f"end-{number}", number, market, side="sell", price=micro(pays), notional=paid, fee=0,
        realized_pnl=paid - cost, fair_value=paid, settlement_gain=paid - (cost - micro(2)),
        liquidity="settlement",
    )  # fmt: skip


def trade(id: str, number: int, market: str | None, **given) -> models.Trade:
    fresh = {
        "account": "base", "strategy": NAME, "market": market or f"m-{number}",
        "token": f"t-{number}", "outcome": "Yes", "size": micro(100), "liquidity": "taker",
        "evidence": "", "book_at": NOON, "at": NOON - 90 * DAY + number * DAY, "tick_id": 1,
    }  # fmt: skip
    return models.Trade.objects.create(id=id, **{**fresh, **given})


def hold(number: int, market: str | None = None, value: str = "50", strategy: str = NAME) -> None:
    models.Position.objects.create(
        account="base", strategy=strategy, market=market or f"m-{number}", token=f"t-{number}",
        outcome="Yes", size=micro(100), cost=micro(42), fair_cost=micro(40), value=micro(value),
        opened_at=NOON,
    )  # fmt: skip


def worth(account: models.Account) -> None:
    """Equity as the trades and holdings make it."""
    moved = sum(
        (row.notional if row.side == "sell" else -row.notional) - row.fee
        for row in models.Trade.objects.all()
    )
    account.cash = account.deposits + moved
    account.equity = account.cash + sum(p.value for p in models.Position.objects.all())
    account.save()


def curve(account: models.Account, days: int, step: str = "1.5") -> None:
    """Equity four times a day that goes up and down."""
    luck = random.Random(4)
    for number in range(days * 4):
        value = micro(1000) + int(micro(step) * number / 4) + luck.randrange(-5, 6) * micro(1)
        at = NOON - (days * 4 - number) * DAY // 4
        models.Equity.objects.create(
            account=account.name, at=at, cash=value, reserved=0, equity=value, drawdown=number * 7
        )


def test_parts_close_against_the_result_and_a_gap_is_a_fault_with_its_amount(base):
    bought(1)
    settled(1, "1")
    bought(2)
    hold(2)
    worth(base)

    assert attribution.gaps() == {"base": 0}
    parts = statistics.performance().attribution
    assert (parts.settlement, parts.open, parts.fees) == (micro(60), micro(10), micro(1))
    assert (parts.spread, parts.latency, parts.slippage) == (micro(2), micro(2), 0)
    assert parts.result == base.equity - base.deposits

    models.Trade.objects.filter(id="buy-1").update(spread_cost=micro(1) + 3)
    found = [fault for fault in checks.faults() if "explains" in fault]
    assert found == ["account base: no part of its result explains 3 micro-dollars of it"]


def test_trades_from_before_results_were_divided_stand_aside(base):
    bought(1)
    settled(1, "1")
    columns = dict.fromkeys(attribution.COLUMNS.values(), 0)
    del columns["fee"]
    models.Trade.objects.update(fair_value=0, **columns)
    worth(base)

    parts = statistics.performance().attribution
    assert attribution.gaps() == {"base": 0}
    assert (parts.undivided, parts.settlement, parts.fees) == (micro(58), 0, micro("0.5"))


def test_cuts_sum_to_the_whole(base):
    rows.catalogue(NOON)
    bought(1, market=rows.condition(0))
    settled(1, "1", market=rows.condition(0))
    bought(2, "0.85", market=rows.condition(1), strategy="dual_arb_v1")
    hold(3, market=rows.condition(2))
    found = statistics.performance()

    for name, cut in found.cuts.items():
        assert sum(part.result for part in cut.values()) == found.attribution.result, name
    assert set(found.cuts["category"]) == {"economics", "politics", "culture"}
    assert set(found.cuts["strategy"]) == {NAME, "dual_arb_v1"}
    assert set(found.cuts["event"]) == {"event-0", "event-1", "event-2"}
    assert set(found.cuts["price"]) == {"0.30 to 0.70", "0.70 to 0.90"}
    assert set(found.cuts["liquidity"]) == {"taker", "settlement", "open"}
    assert found.cuts["price"]["0.30 to 0.70"].settlement == micro(60), "by what shares had cost"


def test_only_closed_events_count(base):
    for number in range(1, 5):
        bought(number)
    settled(1, "1")
    settled(2, "0")
    hold(3)
    hold(4)
    found = statistics.performance(strategy=NAME)

    assert (found.clusters, found.open_clusters, found.trades) == (2, 2, 6)
    assert found.statistics["win_rate"].value == 0.5
    # 42 cents a share and the half dollar of fees on 42 dollars
    assert found.statistics["breakeven"].value == pytest.approx(0.425)
    assert found.pnl == micro("57.5") - micro("42.5") + 2 * (micro(8) - micro("0.5"))


def test_sharpe_and_its_kin_are_hidden_together_and_say_why(base):
    curve(base, 59)
    for number in range(1, 41):
        bought(number)
        settled(number, "1" if number % 2 else "0")
    found = statistics.performance().statistics
    for name in ("sharpe", "sharpe_corrected", "psr", "dsr", "days_needed"):
        assert found[name].value is None
        assert found[name].note == "59 days of 60 needed", name

    models.Equity.objects.all().delete()
    curve(base, 70)
    models.Trade.objects.filter(id__in=[f"end-{n}" for n in range(1, 13)]).delete()
    for number in range(1, 13):
        hold(number)
    assert statistics.performance().statistics["sharpe"].note == "28 closed events of 30 needed"


def test_a_long_record_shows_its_statistics_with_intervals(base):
    curve(base, 70)
    for number in range(1, 41):
        bought(number)
        settled(number, "1" if number % 2 else "0")
    performance = statistics.performance()
    found = performance.statistics

    assert performance.days == 70
    assert found["sharpe"].low < found["sharpe"].value < found["sharpe"].high
    assert 0.5 < found["psr"].value <= 1
    assert found["days_needed"].value > 1
    assert found["dsr"].note == "one strategy alone was tried: see psr"
    assert found["event_mean"].value == pytest.approx((57.5 - 42.5) / 2)
    assert found["event_mean"].low < 7.5 < found["event_mean"].high
    assert found["concentration"].value == pytest.approx(5 / 20)
    assert found["drawdown"].value == pytest.approx(279 * 7 / 1e6)
    again = statistics.performance()
    assert again.statistics == found


def test_the_best_of_several_strategies_is_deflated(base):
    for number in range(1, 41):
        name = NAME if number % 2 else "dual_arb_v1"
        bought(number, strategy=name)
        settled(number, "1" if number % 3 else "0")
        models.Trade.objects.filter(id=f"end-{number}").update(strategy=name)
    curve(base, 70)
    found = statistics.performance().statistics

    assert "2 strategies tried" in found["dsr"].note
    assert found["dsr"].value < found["psr"].value


def test_a_deposit_is_no_return(base):
    entry = models.JournalEntry.objects.create(
        id="d", account="base", kind="deposit", cause="c", at=NOON - DAY // 2, tick_id=1,
        recorded_at=rows.moment(NOON),
    )  # fmt: skip
    cash, capital = (
        models.LedgerAccount.objects.create(account="base", kind=kind, asset="USD")
        for kind in ("CASH", "CAPITAL")
    )
    models.Posting.objects.create(
        entry=entry, debit=cash, credit=capital, asset="USD", amount=micro(1000)
    )
    for day, value in ((2, 1000), (1, 1000), (0, 2000)):
        models.Equity.objects.create(
            account="base", at=NOON - day * DAY, cash=0, reserved=0, equity=micro(value),
            drawdown=0,
        )  # fmt: skip

    assert statistics._returns(base, "")[0] == [0.0, 0.0]


def test_a_later_account_under_the_same_name_leaves_the_old_trades_out(base):
    bought(1)
    bought(95)
    base.era, base.opened_at = 2, NOON - DAY
    base.save()

    assert statistics.performance().trades == 1


def test_nothing_was_traded_yet(base):
    found = statistics.performance(strategy=NAME)

    assert (found.trades, found.clusters, found.since, found.trial) == (0, 0, None, None)
    assert all(figure.value is None and figure.note for figure in found.statistics.values())
    assert statistics.performance(account="optimistic") is None


def with_trial(base: models.Account, **given) -> None:
    base.state = state.dump(Portfolio("base", trials={NAME: Trial(**given)}))
    base.save()


def test_a_trial_is_told_in_plain_units(base):
    scores = Scores(2, 320_000, 480_000, 1_000_000, 1_200_000, 160_000, 20_000)
    with_trial(base, clusters=12, losses=12, evidence=3_148_371, cusum=7_500_000, scores=scores)
    found = statistics.performance(strategy=NAME).trial

    assert found.evidence == pytest.approx(23.3, abs=0.01)
    assert (found.disappointment, found.losses) == (7.5, 12)
    assert (found.brier.value, found.market_brier.value) == (0.16, 0.24)
    assert found.lead.value == pytest.approx(0.08)
    assert found.shadow.note == "no event is closed yet"
    assert statistics.performance(account="base").trial is None


def test_what_shadows_came_to_stands_beside_the_reason(base):
    models.StrategyState.objects.create(
        name=NAME, state="auto_disabled", reason="9 in a row lost", suspended="9 in a row lost",
        suspended_at=NOON,
    )  # fmt: skip
    with_trial(base, suspended_at=NOON)
    [switch] = control.switches()
    assert switch.reason == f"9 in a row lost. {trials.NOTHING}"

    with_trial(base, suspended_at=NOON, shadow=(10_000, -20_000, 30_000, 0, 5_000, 5_000))
    [switch] = control.switches()
    assert "Since then 6 shadow events, mean +0.50 cents a share, 90 % interval" in switch.reason
    assert switch.suspended_at == NOON


def test_an_account_taken_over_from_a_file_began_with_what_it_brought(base):
    bought(1)
    held = Position(
        NAME, "m-2", "t-2", "Yes", 0, micro(100), micro(42), NOON, Plan(1), fair_cost=micro(40)
    )  # fmt: skip
    file = Imported("0" * 64, True, micro(900), micro(1000), -micro(58), 0, 0, (held,))
    change = models.Change.objects.create(
        kind="import", scope="base", value=file.dump(), who="ann", why="moved",
        recorded_at=rows.moment(NOON),
    )  # fmt: skip
    models.JournalEntry.objects.create(
        id="i", account="base", kind="import", cause=f"change {change.pk}", at=NOON - DAY,
        tick_id=1, recorded_at=rows.moment(NOON),
    )  # fmt: skip
    hold(2)
    models.Account.objects.update(cash=micro(900), equity=micro(950))

    assert attribution.gaps() == {"base": 0}
    parts = statistics.performance().attribution
    assert (parts.undivided, parts.open) == (-micro(60), micro(10))
