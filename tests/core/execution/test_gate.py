"""The gate inside `step`: what is refused on the way from a signal to an order, and stored."""

from dataclasses import replace

from execution.core import engine
from execution.core.controls import Controls
from execution.core.engine import Setting
from execution.core.risk import LIMIT_NAMES
from execution.core.types import Order, Refusal, Side
from strategies.core.types import LEAVE_YES
from tests.builders import NOON, book, market, micro, tick, universe
from tests.core.execution.test_engine import bought, pick, run, world_tick
from tests.trading import LIMITS, SETTING, SIZING, VENUE, account, bet, opinions

RACE = universe(
    market("m-1", event="race", neg_risk=True, fee_rate="0"),
    market("m-2", event="race", neg_risk=True, fee_rate="0"),
)


def under(**limits) -> Controls:
    return Controls.of(frozenset({"tester"}), replace(LIMITS, **limits))


def refused(facts):
    return [(each.code, each.limit, each.value) for each in pick(facts, Refusal)]


def test_one_order_too_many_in_a_minute_is_refused_with_both_counts():
    bets = bet(size=10), bet("yes-2", market="m-2", size=10)

    placed, facts = run(
        account(), world_tick(0), *bets, control=under(max_orders_per_minute=micro(1))
    )

    assert len(pick(facts, Order)) == 1
    assert refused(facts) == [("ORDER_RATE", "1", "2")]
    _, later = run(placed, world_tick(7), *bets, control=under(max_orders_per_minute=micro(1)))
    assert [order.market for order in pick(later, Order) if order.state == "placed"] == ["m-2"]


def test_a_carried_book_that_is_too_old_is_refused_with_both_ages():
    fresh = world_tick(0)
    carried = replace(fresh, at=NOON + 20_000, id=2)

    _, facts = run(account(), carried, bet())

    assert refused(facts) == [("STALE", "15000", "20000")]


def test_an_event_without_room_is_sized_to_zero_and_says_what_is_at_stake():
    placed, _ = run(account(), world_tick(0), bet(size=100))
    stake = str(placed.reserved)

    _, facts = run(
        placed, world_tick(0), bet("yes-2", market="m-2"), control=under(max_event_loss=micro(46))
    )

    assert refused(facts) == [("EVENT_CAP", str(micro(46)), stake)]


def test_exits_count_in_the_order_rate_and_are_never_refused():
    control = under(max_orders_per_minute=micro(1))
    busy = replace(bought(), placed=(NOON + 19_000,))

    selling, facts = run(busy, world_tick(2), leave={0: LEAVE_YES}, control=control)

    assert [order.side for order in pick(facts, Order)] == [Side.SELL]
    assert len(selling.placed) == 2


def test_bets_of_one_strategy_on_excluding_outcomes_are_sized_together():
    """One for A and one against B lose together when B wins."""
    books = {m.yes.id: book(m.yes.id, (("0.24", 9000),), (("0.50", 9000),)) for m in RACE.markets}
    now = tick(RACE, books)
    against_a = bet("no-1", market="m-1", limit="0.76", fair="0.86", size=10**5, variance=0.0)
    for_b = bet("yes-2", market="m-2", limit="0.50", fair="0.60", size=10**5, variance=0.0)
    wide = dict.fromkeys(LIMIT_NAMES - {"max_drawdown"}, micro(10**6))
    setting = Setting(replace(SIZING, risk_free=0, kelly_fraction=100_000), SETTING.zone)

    def sizes(*bets):
        _, facts = engine.step(
            account(), now, bets, opinions(now), control=under(**wide), venue=VENUE,
            setting=setting,
        )  # fmt: skip
        return {order.market: order.size for order in pick(facts, Order)}

    together, alone = sizes(against_a, for_b), {**sizes(against_a), **sizes(for_b)}

    assert 0 < together["m-1"] < alone["m-1"]
    assert 0 < together["m-2"] <= alone["m-2"]
