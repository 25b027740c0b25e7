"""Outcomes through the desk stage: stored, restarted in between, corrected, and in balance."""

from dataclasses import replace

import pytest
from django.utils import timezone

from execution import models
from execution.core.types import ChangeKind
from execution.selectors import accounts, checks, facts, outcomes
from execution.services import changes, desk, opening
from markets import models as seen
from markets.core.types import ONE
from markets.services import collect, universe
from markets.sources.synthetic import SyntheticSource
from strategies.library import REGISTRY
from tests.flows import taker

pytestmark = pytest.mark.usefixtures("database")

START = 1_767_225_600_000
YES, NO = (ONE, 0), (0, ONE)


@pytest.fixture(autouse=True)
def world(database, settings):
    """Forty collected ticks, a strategy that trades often, and payment a minute after an outcome.

    The strategy has traded for ten ticks and is then switched off, so that only outcomes move.
    """
    taker.register()
    settings.PQAP = replace(
        settings.PQAP,
        enabled_strategies=("taker",),
        strategies={**settings.PQAP.strategies, "taker": taker.Params()},
        paper=replace(settings.PQAP.paper, redeem_minutes=1),
    )
    opening.open_accounts(START)
    source = SyntheticSource(seed=1)
    universe.sync_markets(source, START)
    collect.collect_many(source, [START + 10_000 * n for n in range(40)])
    go(10)
    yield
    REGISTRY.pop("taker", None)


def go(batch: int) -> None:
    """The desk through some ticks, from its rows alone."""
    desk.forget()
    assert desk.advance(now=timezone.now(), late_allowed=True, batch=batch) == batch
    assert checks.faults() == []


def tell(tick: int, market: str, status: str, pays=None, proposed=None) -> None:
    """What a tick brings of an outcome, as collecting would have stored it."""
    seen.Resolution.objects.create(
        market=seen.Market.objects.get(condition_id=market),
        tick_id=tick,
        status=status,
        at=START + tick,
        yes_payout=pays and pays[0],
        no_payout=pays and pays[1],
        yes_proposed=proposed and proposed[0],
        no_proposed=proposed and proposed[1],
    )


@pytest.fixture
def held(world):
    """A holding of the base account that stays: no strategy trades any more."""
    row = models.Position.objects.filter(account="base").order_by("-cost").first()
    assert row is not None
    changes.record(kind=ChangeKind.HALT, scope="all", who="ann", why="only outcomes from here on")
    return row


def shown(held) -> str:
    return models.Position.objects.get(pk=held.pk).state


def wins(held) -> tuple[int, int]:
    return YES if _index(held) == 0 else NO


def loses(held) -> tuple[int, int]:
    return NO if wins(held) == YES else YES


def _index(held) -> int:
    return seen.Token.objects.get(token_id=held.token).index


def paid(held, **how):
    return models.Trade.objects.filter(
        account="base", token=held.token, liquidity="settlement", **how
    )


def test_a_holding_is_shown_as_argued_then_decided_then_paid(held):
    tell(11, held.market, "proposed", proposed=wins(held))
    go(1)
    assert shown(held) == "proposed"
    assert accounts.locked_capital()["proposed"] >= held.cost

    tell(12, held.market, "resolved", pays=wins(held))
    go(1)
    assert shown(held) == "resolved"
    [line] = accounts.holdings(account="base", market=held.market, state="resolved").rows
    assert (line.payout, line.mark) == (ONE, ONE)
    assert line.value == held.size
    assert not paid(held).exists()

    go(5)
    assert shown(held) == "resolved"
    go(1)

    assert not models.Position.objects.filter(pk=held.pk).exists()
    assert paid(held).get().notional == held.size
    assert "settlement" in [news.kind for news in facts.news(17, 18)]
    said = {line.status: line for line in outcomes.resolutions(market=held.market).rows}
    index = "yes" if _index(held) == 0 else "no"
    assert getattr(said["resolved"], f"paid_{index}") == held.size
    assert said["proposed"].proposed == wins(held)


def test_corrected_twice_after_the_payment_it_ends_where_it_began(held):
    tell(11, held.market, "resolved", pays=wins(held))
    go(10)
    before = models.Account.objects.get(name="base")
    first = paid(held).get()

    tell(21, held.market, "resolved", pays=loses(held))
    go(1)

    back = paid(held, side="buy").get()
    assert back.evidence == f"corrected: pays 0 instead of 1, reverses {first.id}"
    entry = models.JournalEntry.objects.get(kind="reverse", account="base", cause=first.id)
    assert entry.posting_set.count() == 2
    assert "correction" in [news.kind for news in facts.news(20, 21)]
    base = models.Account.objects.get(name="base")
    assert base.cash == before.cash - held.size
    assert base.realized == before.realized - held.size

    tell(22, held.market, "resolved", pays=wins(held))
    go(1)

    base = models.Account.objects.get(name="base")
    assert (base.cash, base.realized) == (before.cash, before.realized)
    assert paid(held).count() == 5


def test_a_payout_that_was_withdrawn_is_owed_until_cash_comes(held):
    tell(11, held.market, "resolved", pays=wins(held))
    go(10)
    poorest = min(models.Account.objects.values_list("cash", flat=True))
    changes.record(kind=ChangeKind.WITHDRAW, value=str(poorest), who="ann", why="all of it")
    go(1)
    left = models.Account.objects.get(name="base").cash

    tell(22, held.market, "resolved", pays=loses(held))
    go(1)

    owed = held.size - left
    assert owed > 0
    assert accounts.capital()[0].owed == owed
    assert accounts.capital()[0].cash == 0

    changes.record(kind=ChangeKind.DEPOSIT, value=str(owed + 7), who="ann", why="paid back")
    go(1)

    base = accounts.capital()[0]
    assert (base.owed, base.cash) == (0, 7)
    assert models.JournalEntry.objects.filter(kind="repay", account="base").count() == 1


def test_a_debt_the_ledger_does_not_know_is_noticed(held):
    row = models.Account.objects.get(name="base")
    models.Account.objects.filter(name="base").update(state={**row.state, "owed": 5})

    assert "account base shows debt of 5, the ledger holds 0" in checks.faults()
