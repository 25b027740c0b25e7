"""Standing quotes: where they stand, what they sell first, and when they leave."""

from dataclasses import replace
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import engine, operations, quoting
from execution.core.controls import Controls, latch
from execution.core.types import (
    Disposed,
    Disposition,
    EndReason,
    Fill,
    Operation,
    Order,
    OrderState,
    Refusal,
    Side,
)
from markets.core.types import ONE
from strategies.core.types import Plan, Quote, quote_id
from tests.builders import NOON, book, market, micro, printed, tick, universe
from tests.trading import CONTROLS, LIMITS, SETTING, VENUE, account, opinions

WORLD = universe(market(fee_rate="0.05"), market("m-2"))
HOLD = Plan(max_hold_ms=10**12)


def logit(chance: float) -> float:
    return log(chance / (1 - chance))


def quote(fair: float = 0.41, half: float = 0.05, **changes: object) -> Quote:
    made = Quote("tester", "1", NOON, "m-1", logit(fair), half, 0.002, micro(20), micro(60), HOLD)
    return replace(made, **changes)


def at(number: int, bids=(("0.38", 100),), asks=(("0.44", 100),), **extra):
    when = NOON + number * 10_000
    return tick(
        WORLD, {"yes-1": book(bids=bids, asks=asks, at=when)}, at=when, id=number + 1, **extra
    )


def run(held, now, *quotes, control: Controls = CONTROLS, **options):
    return engine.step(
        held, now, quotes, opinions(now), control=control, venue=VENUE, setting=SETTING, **options
    )


def resting(held) -> dict[str, tuple[str, int, int]]:
    return {
        order.token: (order.side, order.price, order.left)
        for order in held.orders.values()
        if order.state in (OrderState.PLACED, OrderState.RESTING)
    }


def pick(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


class TestPrices:
    def test_rounds_away_from_the_middle(self):
        found = quoting.prices(quote(0.2925, 0.03692, skew_per_share=0), 0, market(), (None, None))

        assert (found.bid, found.ask) == (micro("0.28"), micro("0.31"))

    def test_leans_against_what_is_held(self):
        flat = quoting.prices(quote(), 0, market(tick_size="0.001"), (None, None))
        long = quoting.prices(quote(), micro(50), market(tick_size="0.001"), (None, None))

        assert long.bid < flat.bid
        assert long.ask < flat.ask

    def test_never_crosses_the_touch(self):
        found = quoting.prices(quote(0.60), 0, market(), (micro("0.38"), micro("0.44")))

        assert found.bid == micro("0.43")

    @given(
        st.floats(0.02, 0.98), st.floats(0.001, 2), st.integers(-200, 200),
        st.sampled_from(["0.1", "0.01", "0.001", "0.0025"]),
    )  # fmt: skip
    def test_bid_below_ask_on_the_grid(self, fair, half, held, grid):
        shown = market(tick_size=grid)
        found = quoting.prices(quote(fair, half), micro(held), shown, (None, None))

        for price in (found.bid, found.ask):
            assert price is None or (price % shown.terms.tick_size == 0 and 0 < price < ONE)
        if found.bid and found.ask:
            assert found.bid < found.ask

    @given(st.floats(0.05, 0.95), st.floats(0.01, 1), st.integers(-100, 100))
    def test_yes_and_no_swapped_quote_the_mirror(self, fair, half, held):
        shown = market(tick_size="0.001")
        yes = quoting.prices(quote(fair, half), micro(held), shown, (None, None))
        no = quoting.prices(
            replace(quote(fair, half), fair=-quote(fair).fair), micro(-held), shown, (None, None)
        )

        for ours, theirs in ((yes.bid, no.ask), (yes.ask, no.bid)):
            if ours is not None and theirs is not None:
                assert abs(ours - (ONE - theirs)) <= shown.terms.tick_size  # a float's last bit


class TestStanding:
    def test_flat_it_buys_both_tokens(self):
        held, facts = run(account(), at(0), quote())

        assert resting(held) == {
            "yes-1": (Side.BUY, micro("0.39"), micro(20)),
            "no-1": (Side.BUY, micro("0.57"), micro(20)),
        }
        assert all(order.post_only for order in pick(facts, Order))

    def test_an_order_in_its_place_keeps_it(self):
        held, _ = run(account(), at(0), quote())
        held, facts = run(held, at(1), quote())

        assert [order.state for order in pick(facts, Order)] == [OrderState.RESTING] * 2
        assert len(held.orders) == 2

    def test_a_moved_quote_replaces_its_orders(self):
        held, _ = run(account(), at(0), quote(0.41))
        held, facts = run(held, at(1), quote(0.42))

        gone = [o for o in pick(facts, Order) if o.state is OrderState.CANCELLED]
        assert {o.reason for o in gone} == {EndReason.WITHDRAWN}
        assert resting(held)["yes-1"][1] == micro("0.40")

    def test_a_quote_no_longer_stated_is_withdrawn(self):
        held, _ = run(account(), at(0), quote())
        held, _ = run(held, at(1))

        assert held.orders == {}
        assert held.cash == micro(1000)

    def test_a_quote_leaves_a_book_not_confirmed_for_too_long(self):
        held, _ = run(account(), at(0), quote())
        late = at(7)
        stale = replace(late, observed_at=late.observed_at - 60_001)

        assert run(held, stale, quote())[0].orders == {}

    def test_halted_disabled_and_unknown_markets_have_no_quotes(self):
        halted = latch(CONTROLS, "all", "test")

        assert run(account(), at(0), quote(), control=halted)[0].orders == {}
        off = Controls.of(frozenset(), LIMITS)
        assert run(account(), at(0), quote(), control=off)[0].orders == {}
        assert run(account(), at(0), quote(market="m-9"))[0].orders == {}

    def test_nothing_fills_under_a_halt(self):
        held, _ = run(account(), at(0), quote())
        held, _ = run(held, at(1), quote())
        through = at(2, prints=[printed("0.30", 500, NOON + 15_000)])

        held, facts = run(held, through, quote(), control=latch(CONTROLS, "market:m-1", "test"))

        assert pick(facts, Fill) == []
        assert held.orders == {}

    def test_a_lapsed_tick_moves_no_quote(self):
        held, _ = run(account(), at(0), quote(0.41))
        held, _ = run(held, at(1), quote(0.45), lapsed=True)

        assert resting(held)["yes-1"][1] == micro("0.39")


class TestInventory:
    def filled(self):
        """20 YES bought by a print through the bid."""
        held, _ = run(account(), at(0), quote())
        held, _ = run(held, at(1), quote())
        held, facts = run(held, at(2, prints=[printed("0.30", 20, NOON + 15_000)]), quote())
        assert [f.liquidity for f in pick(facts, Fill)] == ["maker"]
        return held

    def test_what_is_held_is_sold_before_the_other_token_is_bought(self):
        held = self.filled()
        sides = {token: side for token, (side, _, _) in resting(held).items()}

        assert {o.side for o in held.orders.values() if o.token == "yes-1"} >= {Side.SELL}
        assert "no-1" not in sides

    def test_only_the_reducing_side_at_the_limit(self):
        held = self.filled()
        full = quote(max_inventory=micro(20))
        held, _ = run(held, at(3), full)

        assert {o.side for o in held.orders.values()} == {Side.SELL}

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 80)), max_size=12))
    def test_inventory_stays_within_its_limit(self, hits):
        held, _ = run(account(), at(0), quote())
        for number, (sell, size) in enumerate(hits, 1):
            hit = printed(
                "0.10" if sell else "0.90", size, NOON + number * 10_000 - 1,
                side="sell" if sell else "buy",
            )  # fmt: skip
            held, _ = run(held, at(number, prints=[hit]), quote())
            yes, no = (held.positions.get(("tester", t)) for t in ("yes-1", "no-1"))
            net = (yes.size if yes else 0) - (no.size if no else 0)
            assert abs(net) <= micro(60)
            assert held.cash >= 0

    def test_a_stock_of_sets_is_split_and_both_tokens_are_offered(self):
        stocked = quote(split=micro(30))
        held, facts = run(account(), at(0), stocked)
        assert [o.size for o in pick(facts, Operation)] == [micro(30)]

        for number in range(1, 5):
            held, _ = run(held, at(number), stocked)

        assert {o.side for o in held.orders.values()} == {Side.SELL}
        assert {o.token for o in held.orders.values()} == {"yes-1", "no-1"}
        assert operations.merge_pairs(held, at(5), quoting.kept_sets([stocked]))[1] == []


class TestRisk:
    def test_a_refused_quote_is_stored_once(self):
        poor = replace(LIMITS, max_capital_per_market=micro(5))
        control = Controls.of(frozenset({"tester"}), poor)
        held, facts = run(account(), at(0), quote(), control=control)

        assert {r.code for r in pick(facts, Refusal)} == {"MARKET_CAP"}
        assert pick(run(held, at(1), quote(), control=control)[1], Refusal) == []

    @pytest.mark.parametrize("stop", ["stopped", "day_stopped"])
    def test_a_stopped_account_takes_its_bids_back(self, stop):
        held, _ = run(account(), at(0), quote())
        held = replace(held, **{stop: True})

        held, _ = run(held, at(1), quote())

        assert held.orders == {}


def fates(facts) -> list[tuple[Disposition, str]]:
    told = pick(facts, Disposed)
    assert {fact.signal for fact in told} <= {quote_id(quote())}
    return [(fact.disposition, fact.reason) for fact in told]


class TestFates:
    """What became of a quote is told when it changes, and only then."""

    def test_one_that_stands_rests_and_says_so_once(self):
        held, first = run(account(), at(0), quote())
        held, second = run(held, at(1), quote())

        assert fates(first) == [(Disposition.RESTING, "")]
        assert fates(second) == []
        assert {order.signal for order in held.orders.values()} == {quote_id(quote())}

    def test_one_of_a_strategy_that_is_off_is_a_shadow(self):
        off = replace(CONTROLS, enabled=frozenset())

        _, facts = run(account(), at(0), quote(), control=off)

        assert fates(facts) == [(Disposition.SHADOW, "DISABLED")]

    def test_a_halt_and_its_end_are_told(self):
        held, _ = run(account(), at(0), quote())
        held, halted = run(held, at(1), quote(), control=latch(CONTROLS, "all", "a test"))
        held, resumed = run(held, at(2), quote())

        assert fates(halted) == [(Disposition.REFUSED, "HALTED")]
        assert fates(resumed) == [(Disposition.RESTING, "")]

    def test_one_that_no_money_is_left_for_is_refused_with_the_code(self):
        tight = replace(CONTROLS, limits=replace(LIMITS, max_capital_per_market=micro(1)))

        _, facts = run(account(), at(0), quote(), control=tight)

        assert fates(facts) == [(Disposition.REFUSED, "MARKET_CAP")]
        assert {fact.signal for fact in pick(facts, Refusal)} == {quote_id(quote())}

    def test_one_too_small_to_stand_is_sized_to_zero(self):
        _, facts = run(account(), at(0), quote(size=micro(1)))

        assert fates(facts) == [(Disposition.SIZED_TO_ZERO, "MIN_SIZE")]

    def test_a_stale_book_refuses_it(self):
        late = replace(at(6), observed_at=at(0).observed_at - 60_000)

        _, facts = run(account(), late, quote())

        assert fates(facts) == [(Disposition.REFUSED, "STALE")]

    def test_a_fill_is_told_once_and_the_rest_goes_on_resting(self):
        still = quote(skew_per_share=0)
        held, _ = run(account(), at(0), still)
        held, _ = run(held, at(1), still)
        held, filled = run(held, at(2, prints=[printed("0.30", 5, NOON + 15_000)]), still)
        held, after = run(held, at(3), still)

        assert pick(filled, Fill)
        assert any(order.filled for order in held.orders.values())
        assert (Disposition.TRADED, "") in fates(filled)
        assert (Disposition.TRADED, "") not in fates(after)
