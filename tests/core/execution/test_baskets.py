"""Baskets: all legs, or what was had is mended once and then sold again."""

from dataclasses import replace

import pytest

from execution.core import engine, state
from execution.core.controls import latch
from execution.core.portfolio import deposit
from execution.core.types import (
    Disposed,
    EndReason,
    Fill,
    Operation,
    OperationKind,
    Order,
    OrderState,
    Portfolio,
    Purpose,
    Refusal,
    Side,
)
from markets.core.types import ONE, Resolution, Status
from strategies.core.types import Basket, Plan
from tests.builders import NOON, book, market, micro, tick, universe
from tests.core.execution.test_properties import agree, ledger
from tests.trading import CONTROLS, SETTING, VENUE, account, bet, opinions

HOLD = Plan(max_hold_ms=0, hold_to_resolution=True)
EVENT = universe(*(market(f"m-{n}", neg_risk=True, fee_rate="0") for n in (1, 2, 3)))
NO = (("0.35", 900),)
"""YES bids at which NO costs 0.65: three of them cost 1.95 and are worth two dollars."""


def at(number: int, thin: str = "", asks=(("0.37", 900),)):
    """The tick `number` steps after noon; nobody bids for the YES token `thin`."""
    when = NOON + number * 10_000
    books = {
        m.yes.id: book(m.yes.id, (("0.20", 900),) if m.yes.id == thin else NO, asks, when)
        for m in EVENT.markets
    }
    return tick(EVENT, books, at=when, id=number + 1)


def basket(size: int = 50, legs: int = 3, **changes: object) -> Basket:
    bets = tuple(
        replace(
            bet(f"no-{n}", market=f"m-{n}", limit="0.65", fair="0.667", size=size, plan=HOLD),
            leg=n - 1, edge=micro("0.05"), variance=0.0,
        )
        for n in range(1, legs + 1)
    )  # fmt: skip
    return replace(Basket("tester", "1", NOON, bets, convert=True), **changes)


def run(held, now, *signals, **options):
    control = options.pop("control", CONTROLS)
    return engine.step(
        held, now, signals, opinions(now), control=control, venue=VENUE, setting=SETTING, **options
    )


def play(*ticks, **options):
    """The account after a basket stated on the first tick, and all that happened."""
    held, every = account(), []
    for number, now in enumerate(ticks):
        signals = [basket(**options)] if number == 0 else []
        held, facts = run(held, now, *signals)
        every += facts
        assert state.load(state.dump(held)) == held
    return held, every


def pick(facts, kind, **having):
    return [
        fact
        for fact in facts
        if isinstance(fact, kind) and all(getattr(fact, k) == v for k, v in having.items())
    ]


class TestWhole:
    def test_all_legs_go_out_on_one_tick_fill_or_kill_and_of_one_size(self):
        held, facts = play(at(0))

        orders = pick(facts, Order)
        assert {o.type for o in orders} == {"FOK"}
        assert len({o.group for o in orders}) == 1
        assert {o.size for o in orders} == {micro(50)}
        assert len(held.baskets) == 1

    def test_when_all_are_had_the_event_is_converted(self):
        held, facts = play(*(at(n) for n in range(6)))

        assert held.baskets == {}
        assert [o.kind for o in pick(facts, Operation, state="done")] == [OperationKind.CONVERT]
        assert held.positions == {}
        assert held.cash == micro(1000) + micro("2.5"), "50 sets bought at 1.95, worth 2"
        assert held.realized == micro("2.5")

    def test_its_signals_are_traded(self):
        _, facts = play(at(0), at(1))

        assert [d.disposition for d in pick(facts, Disposed)] == ["resting"] * 3 + ["traded"] * 3


class TestBroken:
    def test_a_missing_leg_is_tried_once_more_at_what_the_edge_allows(self):
        held, facts = play(at(0), at(1, thin="yes-3"))

        (repair,) = pick(facts, Order, purpose=Purpose.REPAIR)
        assert repair.token == "no-3"
        assert repair.price == micro("0.70")
        assert held.baskets

    def test_a_mended_basket_is_whole(self):
        held, facts = play(at(0), at(1, thin="yes-3"), *(at(n) for n in range(2, 7)))

        assert held.baskets == {}
        assert pick(facts, Operation, state="done")
        assert held.positions == {}

    def test_what_was_had_is_sold_when_mending_fails(self):
        held, facts = play(at(0), *(at(n, thin="yes-3") for n in range(1, 5)))

        sales = pick(facts, Fill, side=Side.SELL)
        assert {f.token for f in sales} == {"no-1", "no-2"}
        assert {o.reason for o in pick(facts, Order, side=Side.SELL)} == {EndReason.LEG_FAILED}
        assert held.positions == {}
        assert held.baskets == {}
        assert held.realized == -micro("2"), "two legs bought at 0.65 and sold at 0.63"

    def test_none_had_is_no_position(self):
        held, facts = play(at(0), replace(at(1), depth=(b"",) * 3))

        assert held.positions == {}
        assert held.baskets == {}
        assert held.cash == micro(1000)
        assert len(pick(facts, Order, state=OrderState.CANCELLED)) == 3

    def test_a_halt_stops_the_mending_and_the_selling(self):
        held, _ = play(at(0), at(1, thin="yes-3"))
        halted = latch(CONTROLS, "all", "test")

        held, facts = run(held, at(2, thin="yes-3"), control=halted)
        assert not [o for o in pick(facts, Order) if o.state is OrderState.PLACED]
        for number in range(3, 7):
            held, facts = run(held, at(number, thin="yes-3"))
        assert held.baskets == {}
        assert held.positions == {}

    def test_books_balance_whatever_happens(self):
        _, start = deposit(Portfolio("base"), micro(1000), NOON - 1000, "test")
        held, facts = play(at(0), *(at(n, thin="yes-3") for n in range(1, 5)))

        agree(held, ledger([*start, *facts]))


class TestSizing:
    def test_the_smallest_leg_decides(self):
        when = NOON
        books = {
            m.yes.id: book(
                m.yes.id, (("0.35", 30 if m.id == "m-2" else 900),), (("0.37", 9),), when
            )
            for m in EVENT.markets
        }
        thin = tick(EVENT, books, at=when, id=1)

        _, facts = run(account(), thin, basket())

        assert {o.size for o in pick(facts, Order)} == {micro(30)}

    def test_cash_bounds_all_legs_together(self):
        _, facts = run(account(cash=60), at(0), basket())

        sizes = {o.size for o in pick(facts, Order)}
        assert len(sizes) == 1
        assert micro("30.5") < sizes.pop() < micro("30.8")

    @pytest.mark.parametrize("cash", [1, 0])
    def test_too_little_of_it_is_refused_with_the_cap(self, cash):
        _, facts = run(account(cash=cash), at(0), basket())

        assert pick(facts, Order) == []
        assert {r.code for r in pick(facts, Refusal)} <= {"CASH", "MIN_SIZE", "MARKET_CAP"}
        assert {d.disposition for d in pick(facts, Disposed)} == {"sized_to_zero"}

    def test_more_legs_than_a_request_takes_are_refused(self):
        wide = basket()
        wide = replace(wide, legs=wide.legs * 6)

        _, facts = run(account(), at(0), wide)

        assert {r.code for r in pick(facts, Refusal)} == {"BATCH_LIMIT"}

    def test_a_standing_basket_is_bought_once(self):
        held, _ = run(account(), at(0), basket())
        held, facts = run(held, at(1), basket())

        assert not [o for o in pick(facts, Order) if o.state is OrderState.PLACED]


class TestDecided:
    """A leg's market is decided while the basket is being put together."""

    OVER = Resolution("m-1", Status.RESOLVED, NOON, (ONE, 0))

    def test_an_order_that_went_with_its_market_is_a_missing_leg(self):
        held, facts = play(at(0), replace(at(1), resolutions=(self.OVER,)), at(2), at(3), at(4))

        assert [order.reason for order in pick(facts, Order, market="m-1")][1:2] == ["RESOLVED"]
        assert held.baskets == {}

    def test_a_market_that_is_tracked_no_more_is_not_tried_again(self):
        gone = universe(*EVENT.markets[1:])
        books = {
            m.yes.id: book(m.yes.id, NO, (("0.37", 900),), NOON + 10_000) for m in gone.markets
        }
        alone = tick(gone, books, at=NOON + 10_000, id=2, resolutions=(self.OVER,))

        held, facts = play(at(0), alone, at(2), at(3))

        assert held.baskets == {}
        assert not pick(facts, Order, market="m-1", purpose=Purpose.REPAIR)

    def test_what_was_had_of_a_decided_market_waits_for_its_payout(self):
        over = replace(at(2, thin="yes-2"), resolutions=(self.OVER,))

        held, facts = play(at(0), at(1, thin="yes-2"), over, at(3), at(4))

        assert held.baskets == {}
        assert {order.market for order in pick(facts, Order, side=Side.SELL)} == {"m-3"}
        assert held.positions["tester", "no-1"].resolved
