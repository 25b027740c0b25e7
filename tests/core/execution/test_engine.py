"""`step`: one account through a tick, with limits, halts and exits."""

from dataclasses import replace

import pytest

from execution.core import engine
from execution.core.controls import Controls, apply
from execution.core.types import (
    Change,
    ChangeKind,
    Disposed,
    Equity,
    Fill,
    Halt,
    JournalEntry,
    Order,
    OrderState,
    Portfolio,
    Refusal,
)
from markets.core.tick import Tick
from strategies.core.types import LEAVE_YES, STOP, Bet
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import CONTROLS, HOUR, LIMITS, SETTING, VENUE, account, bet, opinions

WORLD = universe(market(fee_rate="0.04"), market("m-2"))


def world_tick(number: int, bids=(("0.40", 500),), asks=(("0.42", 500),), **extra) -> Tick:
    at = NOON + number * 10_000
    books = {m.yes.id: book(m.yes.id, bids, asks, at) for m in WORLD.markets}
    return tick(WORLD, books, at=at, id=number + 1, **extra)


def run(
    portfolio: Portfolio,
    now: Tick,
    *bets: Bet,
    control: Controls = CONTROLS,
    leave: dict[int, int] | None = None,
    **options,
):
    return engine.step(
        portfolio, now, bets, opinions(now, leave), control=control, venue=VENUE, setting=SETTING,
        **options,
    )  # fmt: skip


def bought(size: int = 100, **options) -> Portfolio:
    placed, _ = run(account(), world_tick(0), bet(size=size), **options)
    held, _ = run(placed, world_tick(1))
    return held


def pick(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


class TestEntry:
    def test_an_order_fills_on_the_next_tick_never_on_its_own(self):
        placed, facts = run(account(), world_tick(0), bet(size=100))

        assert not pick(facts, Fill)
        assert pick(facts, Order)[0].state is OrderState.PLACED

        held, facts = run(placed, world_tick(1))

        assert pick(facts, Fill)[0].price == micro("0.42")
        assert pick(facts, Fill)[0].evidence == (
            "book crossed at level 1: 500 displayed, 0 already taken by us, 500 believed"
        )
        assert held.positions[("tester", "yes-1")].size == micro(100)

    def test_reserves_at_the_limit_and_gives_the_surplus_back(self):
        placed, _ = run(account(), world_tick(0), bet(size=100))

        assert placed.reserved > micro(45)
        assert placed.cash + placed.reserved == micro(1000)

        held, _ = run(placed, world_tick(1))

        assert held.reserved == 0
        assert held.cash == micro(1000) - micro(42) - micro("0.97440")

    def test_a_standing_bet_orders_once(self):
        placed, _ = run(account(), world_tick(0), bet(size=100))
        held, facts = run(placed, world_tick(1), bet(size=100))
        _, more = run(held, world_tick(2), bet(size=100))

        assert not pick(facts, Order)[1:]
        assert not pick(more, Order)

    def test_disabled_means_shadow(self):
        _, facts = run(account(), world_tick(0), bet(), control=Controls.of(frozenset(), LIMITS))

        assert [f.disposition for f in pick(facts, Disposed)] == ["shadow"]
        assert not pick(facts, Order)
        assert not pick(facts, Refusal)

    def test_a_lapsed_tick_opens_nothing(self):
        _, facts = run(account(), world_tick(0), bet(), lapsed=True)

        assert [f.code for f in pick(facts, Refusal)] == ["LAPSED"]
        assert not pick(facts, Order)


class TestLimits:
    def test_the_market_cap_bounds_the_size(self):
        limits = replace(LIMITS, max_capital_per_market=micro(20))
        placed, facts = run(
            account(),
            world_tick(0),
            bet(size=500),
            control=Controls.of(frozenset({"tester"}), limits),
        )

        assert 0 < placed.reserved <= micro(20)
        assert pick(facts, Order)

    def test_no_room_for_a_minimum_order_is_sized_to_zero_with_the_cap_named(self):
        limits = replace(LIMITS, max_capital_per_market=micro(2))
        _, facts = run(
            account(),
            world_tick(0),
            bet(size=500),
            control=Controls.of(frozenset({"tester"}), limits),
        )

        refusal = pick(facts, Refusal)[0]
        assert (refusal.code, refusal.limit) == ("MARKET_CAP", str(micro(2)))
        assert pick(facts, Disposed)[0].disposition == "sized_to_zero"

    def test_a_refusal_is_told_once_while_nothing_changes(self):
        limits = replace(LIMITS, max_capital_per_market=micro(2))
        control = Controls.of(frozenset({"tester"}), limits)
        first, _ = run(account(), world_tick(0), bet(), control=control)

        _, facts = run(first, world_tick(1), bet(), control=control)

        assert not pick(facts, Refusal)

    def test_the_strategy_cap_counts_all_its_markets(self):
        limits = replace(LIMITS, max_capital_per_strategy=micro(60))
        control = Controls.of(frozenset({"tester"}), limits)
        bets = bet(size=100), bet("yes-2", market="m-2", size=100)

        placed, _ = run(account(), world_tick(0), *bets, control=control)

        assert placed.reserved <= micro(60)
        assert [o.size < micro(100) for o in placed.orders.values()] == [False, True]


class TestBreakers:
    def test_daily_loss_stops_openings_until_the_next_day(self):
        held = bought()
        control = Controls.of(frozenset({"tester"}), replace(LIMITS, daily_loss_limit=micro(10)))
        crash = world_tick(2, bids=(("0.20", 500),), asks=(("0.22", 500),))

        stopped, facts = run(held, crash, bet("yes-2", market="m-2"), control=control)

        assert stopped.day_stopped
        assert pick(facts, Refusal)[0].code == "DAILY_LOSS"

        tomorrow = world_tick(2 + 8640, bids=(("0.20", 500),), asks=(("0.22", 500),))
        rolled, _ = run(stopped, tomorrow, control=control)

        assert not rolled.day_stopped

    @pytest.mark.parametrize("name", ["base", "optimistic"])
    def test_drawdown_stops_the_account_and_only_base_latches_the_switch(self, name):
        held = replace(bought(), account=name)
        control = Controls.of(frozenset({"tester"}), replace(LIMITS, max_drawdown=20_000))
        crash = world_tick(2, bids=(("0.10", 500),), asks=(("0.12", 500),))

        stopped, facts = run(held, crash, control=control)

        assert stopped.stopped
        assert bool(pick(facts, Halt)) == (name == "base")

    def test_resume_rebases_the_high_water(self):
        stopped = replace(bought(), stopped=True)

        resumed, _ = run(
            stopped, world_tick(2), changes=[Change(ChangeKind.RESUME, "all", "", "a", "b")]
        )

        assert not resumed.stopped
        assert resumed.drawdown == 0


class TestHalt:
    @pytest.mark.parametrize("scope", ["all", "strategy:tester", "market:m-1"])
    def test_nothing_is_made_and_nothing_fills_under_a_halt(self, scope):
        halted = apply(CONTROLS, Change(ChangeKind.HALT, scope, "", "a", "stop"))
        placed, _ = run(account(), world_tick(0), bet())

        after, facts = run(placed, world_tick(1), bet(), control=halted)

        assert not pick(facts, Fill)
        assert after.orders == {}
        assert after.cash == micro(1000)

    def test_other_scopes_do_not_stop_it(self):
        halted = apply(CONTROLS, Change(ChangeKind.HALT, "market:m-2", "", "a", "stop"))

        placed, _ = run(account(), world_tick(0), bet(), control=halted)

        assert placed.orders


class TestExit:
    def test_leaves_when_the_strategy_says_so(self):
        selling, facts = run(bought(), world_tick(2), leave={0: LEAVE_YES})
        closed, facts = run(selling, world_tick(3))

        assert closed.positions == {}
        assert pick(facts, Fill)[0].price == micro("0.40")

    def test_leaves_when_its_time_is_up(self):
        late = world_tick(1 + 6 * HOUR // 10_000)
        selling, _ = run(bought(), late)

        assert [o.reason for o in selling.orders.values()] == ["time"]

    def test_a_stop_keeps_the_market_shut_for_a_day(self):
        selling, _ = run(bought(), world_tick(2), leave={0: LEAVE_YES + STOP})
        closed, _ = run(selling, world_tick(3))

        assert closed.cooldowns == {("tester", "m-1"): NOON + 30_000 + 24 * HOUR}
        _, facts = run(closed, world_tick(4), bet())

        assert pick(facts, Refusal)[0].code == "COOLDOWN"

    def test_a_rule_that_is_done_pauses_for_an_hour_even_at_a_loss(self):
        crash = world_tick(2, bids=(("0.30", 500),), asks=(("0.32", 500),))
        selling, _ = run(bought(), crash, leave={0: LEAVE_YES})
        closed, _ = run(selling, world_tick(3))

        assert closed.cooldowns == {("tester", "m-1"): NOON + 30_000 + HOUR}

    def test_a_closed_market_is_left_alone_until_it_resolves(self):
        shut = replace(WORLD.markets[0].terms, accepting_orders=False)
        closed = replace(WORLD.markets[0], terms=shut)
        now = replace(world_tick(2), universe=universe(closed, WORLD.markets[1], version=2))

        kept, facts = run(bought(), now, leave={0: LEAVE_YES})

        assert kept.positions
        assert not pick(facts, Order)

    def test_orders_one_exit_at_a_time(self):
        selling, _ = run(bought(), world_tick(2), leave={0: LEAVE_YES})

        assert len(selling.orders) == 1


class TestMarks:
    def test_holdings_are_worth_what_the_bids_pay_after_fees(self):
        held = bought()

        fee = micro("0.96000")
        assert held.positions[("tester", "yes-1")].value == micro(40) - fee
        assert held.equity == held.cash + micro(40) - fee

    def test_no_bid_no_worth(self):
        gone, _ = run(bought(), world_tick(2, bids=()))

        assert gone.positions[("tester", "yes-1")].value == 0

    def test_equity_is_recorded_once_a_bar_and_whenever_something_is_booked(self):
        first, facts = run(account(), world_tick(0))
        _, quiet = run(first, world_tick(1))

        assert pick(facts, Equity)
        assert not pick(quiet, Equity)


def test_profit_and_loss_closes_to_zero():
    held = bought()
    selling, _ = run(held, world_tick(2), leave={0: LEAVE_YES})
    closed, _ = run(selling, world_tick(3))

    assert closed.equity - closed.deposits == closed.realized
    unrealized = sum(p.value - p.cost for p in held.positions.values())
    assert held.equity - held.deposits == held.realized + unrealized


def test_every_booking_names_one_cause_once():
    placed, first = run(account(), world_tick(0), bet())
    _, second = run(placed, world_tick(1))
    ids = [entry.id for entry in pick(first + second, JournalEntry)]

    assert len(ids) == len(set(ids)) == 3
