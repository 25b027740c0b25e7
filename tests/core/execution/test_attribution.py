"""Where a result came from: the parts close to zero against it, whatever happens."""

from hypothesis import given, settings

from execution.core import attribution, engine
from execution.core.attribution import Attribution
from execution.core.types import Fill, Side
from markets.core.types import Resolution, Status
from tests.builders import NOON, book, micro, tick, universe
from tests.core.execution.test_properties import WORLD, turns
from tests.trading import CONTROLS, SETTING, VENUE, account, bet, opinions


@given(turns())
@settings(max_examples=150, deadline=None, print_blob=True)
def test_the_parts_of_every_account_are_its_result_to_the_micro_dollar(history):
    portfolio, fills = account(), []
    for number, (books, bets, leave, ends) in enumerate(history):
        over = [Resolution("m-1", Status.RESOLVED, NOON, ends)] if ends else []
        now = tick(WORLD, books, at=NOON + number * 10_000, id=number + 1, resolutions=over)
        portfolio, facts = engine.step(
            portfolio, now, bets, opinions(now, leave), control=CONTROLS, venue=VENUE,
            setting=SETTING,
        )  # fmt: skip
        fills += [fact for fact in facts if isinstance(fact, Fill)]

        parts = attribution.of_account(portfolio, fills)
        assert attribution.gap(portfolio, parts) == 0, parts
        held = portfolio.positions.values()
        for key in (lambda f: f.market, lambda f: f.strategy, lambda f: f.token):
            pieces = attribution.by(key, fills, held).values()
            assert sum(pieces, Attribution(rebates=portfolio.rebates)) == parts


def bought_and_sold(bid: str):
    """A hundred shares bought at 0.42 on a fair value of 0.41, sold when it is elsewhere."""
    world = universe(*WORLD.markets[1:])
    portfolio, fills = account(), []
    shown = [("0.40", "0.42"), ("0.40", "0.43"), (bid, "0.80"), (bid, "0.80")]
    for number, (low, high) in enumerate(shown):
        at = NOON + number * 10_000
        books = {"yes-2": book("yes-2", ((low, 500),), ((high, 500),), at)}
        now = tick(world, books, at=at, id=number + 1)
        bets = [bet("yes-2", market="m-2", size=100, limit="0.45")] if number == 0 else []
        portfolio, facts = engine.step(
            portfolio, now, bets, opinions(now, {0: 3} if number == 2 else None),
            control=CONTROLS, venue=VENUE, setting=SETTING,
        )  # fmt: skip
        fills += [fact for fact in facts if isinstance(fact, Fill)]
    return portfolio, fills


def test_a_purchase_is_parted_into_spread_latency_and_depth():
    _, fills = bought_and_sold("0.50")
    buy = next(fill for fill in fills if fill.side is Side.BUY)
    parts = attribution.of_fill(buy)

    assert buy.price == micro("0.43")
    assert (parts.spread, parts.latency, parts.slippage) == (micro(1), micro(1), 0)


def test_what_fair_value_gained_is_the_signals():
    portfolio, fills = bought_and_sold("0.50")
    parts = attribution.of_account(portfolio, fills)

    # the microprice went from 0.41 to 0.65: a hundred shares gained 24, and 15 of it the bid took
    assert parts.signal == micro(24)
    assert parts.spread == micro(1) + micro(15)
    assert parts.result == portfolio.equity - portfolio.deposits == micro(7)


def test_a_gap_is_seen():
    portfolio, fills = bought_and_sold("0.50")
    parts = attribution.of_account(portfolio, fills[:-1])

    assert attribution.gap(portfolio, parts) != 0
