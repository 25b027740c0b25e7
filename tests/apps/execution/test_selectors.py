"""What the selectors say of the rows: figures, questions in one query, pages, the ledger."""

import pytest

from execution import models
from execution.core import state
from execution.core.types import Portfolio, Position
from execution.selectors import accounts, control, orders
from markets.selectors import catalogue, history
from strategies.core.types import Plan
from strategies.selectors import journal as opinions
from tests import rows
from tests.builders import NOON, micro

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    rows.desk(NOON)


def test_capital_comes_base_first_with_its_figures(desk):
    base, pessimistic, optimistic = accounts.capital()

    assert (base.account, pessimistic.account, optimistic.account) == (
        "base", "pessimistic", "optimistic",
    )  # fmt: skip
    assert base.pnl == base.equity - base.deposits
    assert base.pnl_percent == base.pnl * 100 // 1000
    assert base.unrealized_pnl == sum(
        held.unrealized_pnl for held in accounts.holdings(account="base").rows
    )
    assert pessimistic.equity < base.equity < optimistic.equity


def test_a_holding_is_averaged_over_its_cost(desk):
    held = {one.market: one for one in accounts.holdings(account="base").rows}

    assert held[rows.condition(1)].average_price == 428_000
    assert held[rows.condition(1)].unrealized_pnl == micro("49.44") - micro("51.36")
    assert held[rows.condition(4)].question.startswith("Will Norway")


def test_locked_capital_is_the_cost_of_what_cannot_just_be_sold(desk):
    held = models.Position.objects.filter(account="base")
    held.filter(market=rows.condition(0)).update(state="disputed")
    held.filter(market=rows.condition(1)).update(state="resolved")

    assert accounts.locked_capital() == {"disputed": micro("32.81"), "resolved": micro("51.36")}
    assert accounts.locked_capital(account="optimistic") == {}
    assert [one.locked for one in accounts.capital()] == [micro("84.17"), 0, 0]
    assert [one.market for one in accounts.holdings(account="base", state="disputed").rows] == [
        rows.condition(0)
    ]


def test_a_decided_holding_says_its_payout_and_when_it_is_cash(desk, django_assert_num_queries):
    key = ("mean_reversion_v1", rows.token(1, 0))
    waiting = Position(
        key[0], rows.condition(1), key[1], "Yes", 0, micro(120), micro("51.36"), NOON,
        Plan(max_hold_ms=1), payout=micro(1), redeem_at=NOON + 900_000,
    )  # fmt: skip
    models.Account.objects.filter(name="base").update(
        state=state.dump(Portfolio("base", positions={key: waiting}, owed=micro(3)))
    )
    models.Position.objects.filter(account="base", token=key[1]).update(state="resolved")

    with django_assert_num_queries(3):
        found = accounts.holdings(limit=100).rows
    decided = [one for one in found if one.state == "resolved"]

    assert [(one.account, one.payout, one.redeem_at) for one in decided] == [
        ("base", micro(1), NOON + 900_000)
    ]
    assert {(one.payout, one.redeem_at) for one in found if one not in decided} == {(None, None)}
    assert accounts.capital()[0].owed == micro(3)


def test_a_closed_position_is_no_holding(desk):
    models.Position.objects.filter(account="base").update(size=0)

    assert accounts.holdings(account="base").rows == ()
    assert accounts.holding_count() == 0


def test_results_add_realized_and_unrealized(desk):
    [(name, result)] = accounts.results().items()
    realized = sum(models.Trade.objects.values_list("realized_pnl", flat=True))

    assert name == "mean_reversion_v1"
    assert (result.trades, result.realized_pnl) == (35, realized)
    assert result.pnl == realized + accounts.capital()[0].unrealized_pnl


def test_equity_is_thinned_to_the_last_point_of_each_interval(desk):
    hourly = accounts.equity(account="base", every_ms=3_600_000).rows
    every = accounts.equity(account="base", limit=1000).rows
    last = {}
    for point in every:  # newest first: the first one met in an hour is its last
        last.setdefault(point.at // 3_600_000, point)

    assert list(hourly) == list(last.values())


def test_many_trades_ask_for_their_questions_once(desk, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert len(orders.trades(limit=1000).rows) == 35
    with django_assert_num_queries(2):
        assert len(opinions.signals(limit=1000).rows) == 30
    with django_assert_num_queries(2):
        assert len(accounts.holdings(limit=1000).rows) == 15


def test_a_market_we_no_longer_know_keeps_its_trades(desk):
    models.Trade.objects.update(market="0xgone")

    assert {line.question for line in orders.trades().rows} == {""}


def test_names_follow_the_newest_terms(desk):
    assert catalogue.names([rows.condition(0), "0xgone"]) == {
        rows.condition(0): catalogue.Name(
            "Will the Fed cut rates by 25 bps at the December meeting?",
            "market-0",
            NOON + 9 * rows.DAY + 5 * rows.HOUR,
            "open",
        )
    }


def test_a_limit_in_force_is_the_override_else_the_file(desk):
    found = {limit.name: limit for limit in control.limits()}

    strategy, market = found["max_capital_per_strategy"], found["max_capital_per_market"]
    assert (strategy.limit, strategy.source) == (micro(300), "override")
    assert (market.limit, market.source) == (micro(100), "configuration")


def test_waiting_decisions_are_those_no_tick_applied(desk):
    assert control.waiting() == ()
    models.Change.objects.create(
        kind="halt", scope="all", who="anna", why="lunch", recorded_at=rows.moment(NOON)
    )

    assert [(one.kind, one.who) for one in control.waiting()] == [("halt", "anna")]


def test_a_balanced_ledger_is_no_fault_and_a_gap_is_named(desk):
    for kind, debits, credits in (("CASH", 5, 0), ("CAPITAL", 0, 5)):
        models.LedgerAccount.objects.create(
            account="base", kind=kind, asset="USD", debits=debits, credits=credits
        )
    assert control.ledger_fault() == ""
    models.LedgerAccount.objects.create(
        account="base", kind="POSITION", asset="token", debits=3, credits=0
    )

    assert "account base is out of balance by 3 micro of token" in control.ledger_fault()


def test_the_newest_look_counts_reasons(desk):
    looks = opinions.looks()

    assert looks["mean_reversion_v1"].silent["WARMUP"] == 12
    assert looks["mean_reversion_v1"].tick == 40


def test_every_silence_has_its_meaning():
    from strategies.core.types import Silence

    assert set(opinions.MEANING) == set(Silence)


def test_history_reads_an_incoherent_no_book_as_it_was(desk):
    from markets import models as markets
    from markets.core import book as books
    from tests.builders import book

    blob = books.pack(book(bids=(("0.30", 5),), asks=(("0.39", 5),)), 10)
    row = markets.Snapshot.objects.filter(tick_id=40, market=rows.markets()[0])
    row.update(coherent=False, no_depth=blob)
    points = history.history(
        rows.condition(0), since=NOON - rows.HOUR, until=NOON, every_ms=0, limit=100
    )

    assert (points[-1].no_bid, points[-1].no_ask) == (300_000, 390_000)
    assert points[-2].no_ask == 1_000_000 - points[-2].yes_bid
    assert history.history("0xgone", since=0, until=NOON, every_ms=0, limit=1) is None
