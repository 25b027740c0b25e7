"""What an account can lose at worst, event by event."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import exposure
from execution.core.exposure import Exposure, Group, Place, Stake
from execution.core.types import Order, OrderType, Portfolio, Position, Purpose, Side
from markets.core.types import ONE
from tests.builders import NOON, market, micro, universe
from tests.trading import PLAN

NAMES = ("A", "B", "C", "D")


def stake(name: str, side: str, size: int, price: str, *, sure: bool = True) -> Stake:
    shares = micro(size)
    return Stake(name, 0 if side == "YES" else 1, shares, shares * micro(price) // ONE, sure)


GOLDEN = (
    stake("A", "YES", 100, "0.40"), stake("B", "YES", 50, "0.30"), stake("C", "NO", 80, "0.85"),
)  # fmt: skip


class TestWorstCase:
    def test_the_worked_example_of_an_exclusive_event(self):
        states = exposure.exclusive("ABC")

        assert [-exposure.lost(GOLDEN, state) for state in states] == [
            micro(57), micro(7), micro(-123), micro(-43),
        ]  # fmt: skip
        assert exposure.event_loss(GOLDEN, states) == micro(123)

    def test_a_pair_counts_as_cash(self):
        pair = stake("A", "YES", 10, "0.40"), stake("A", "NO", 10, "0.60")

        assert exposure.event_loss(pair, exposure.ordinary("A")) == 0
        assert exposure.event_loss(pair, exposure.exclusive("A")) == 0

    def test_a_half_and_half_end_is_looked_at_where_it_can_happen(self):
        assert exposure.ordinary("A")[-1].pays("A", 1) == ONE // 2
        assert all(state.pays("A", 0) in (0, ONE) for state in exposure.exclusive("AB"))

    def test_markets_of_an_ordinary_event_are_independent(self):
        held = stake("A", "YES", 10, "0.40"), stake("B", "YES", 10, "0.30")

        assert Group(Place("e", False, "e", ""), held).loss == micro(7)
        assert Group(Place("e", True, "e", ""), held).loss == micro(7)

    def test_two_no_shares_of_exclusive_outcomes_cannot_both_lose(self):
        held = stake("A", "NO", 10, "0.60"), stake("B", "NO", 10, "0.50")

        assert Group(Place("e", False, "e", ""), held).loss == micro(11)
        assert Group(Place("e", True, "e", ""), held).loss == micro(1)

    def test_an_open_buy_counts_as_filled_only_where_that_is_worse(self):
        held = stake("A", "YES", 10, "0.40")
        hedge = stake("A", "NO", 10, "0.55", sure=False)

        assert exposure.event_loss((held,), exposure.ordinary("A")) == micro(4)
        assert exposure.event_loss((held, hedge), exposure.ordinary("A")) == micro(4)
        assert exposure.event_loss((replace(hedge, sure=True), held), exposure.ordinary("A")) == 0


@st.composite
def stakes(draw, names=NAMES):
    shares = draw(st.integers(1, 500)) * 10_000
    cost = draw(st.integers(0, shares))
    return Stake(
        draw(st.sampled_from(names)), draw(st.integers(0, 1)), shares, cost, draw(st.booleans())
    )


HELD = st.lists(stakes(), max_size=8).map(tuple)
KINDS = st.booleans().map(lambda both: Place("e", both, "e", ""))


@given(KINDS, HELD)
def test_a_loss_is_never_negative_and_never_more_than_the_cost(kind, held):
    assert 0 <= Group(kind, held).loss <= sum(each.cost for each in held)


@given(KINDS, HELD, HELD)
def test_two_accounts_in_one_lose_no_more_than_each_by_itself(kind, one, other):
    both = Group(kind, one + other).loss

    assert both <= Group(kind, one).loss + Group(kind, other).loss


@given(KINDS, HELD, st.integers(0, 7))
def test_removing_a_holding_raises_the_loss_by_no_more_than_it_could_have_gained(kind, held, which):
    """It may raise it: a hedge that goes takes its protection with it."""
    gone = held[which : which + 1]
    rest = held[:which] + held[which + 1 :]
    gain = sum(max(0, each.size - each.cost) for each in gone)

    assert Group(kind, rest).loss <= Group(kind, held).loss + gain


@given(KINDS, HELD, st.integers(0, 7))
def test_where_nothing_hedges_removing_a_holding_never_raises_the_loss(kind, held, which):
    """YES shares alone all lose when no outcome is named, so the loss is their cost."""
    held = tuple(replace(each, index=0) for each in held)

    assert Group(kind, held[:which] + held[which + 1 :]).loss <= Group(kind, held).loss


@given(KINDS, HELD, st.integers(0, 7))
def test_an_order_taken_back_never_raises_the_loss(kind, held, which):
    held = tuple(replace(each, sure=place != which) for place, each in enumerate(held))

    assert Group(kind, held[:which] + held[which + 1 :]).loss <= Group(kind, held).loss


@given(HELD, st.sampled_from(NAMES))
def test_an_ordinary_market_does_not_care_which_token_is_called_yes(held, name):
    kind = Place("e", False, "e", "")
    swapped = tuple(
        replace(each, index=1 - each.index) if each.market == name else each for each in held
    )

    assert Group(kind, swapped).loss == Group(kind, held).loss


@given(HELD.map(lambda held: tuple(replace(each, market="A") for each in held)))
def test_an_exclusive_event_of_one_market_does_not_care_either(held):
    kind = Place("e", True, "e", "")
    swapped = tuple(replace(each, index=1 - each.index) for each in held)

    assert Group(kind, swapped).loss == Group(kind, held).loss


@given(KINDS, HELD, stakes(), st.integers(1, ONE), st.integers(0, 2_000_000))
def test_the_room_is_the_largest_size_that_keeps_within(kind, held, new, price, allowed):
    group = Group(kind, held)
    room = group.room(replace(new, cost=price), allowed)

    def loss(size):
        cost = size * price // ONE
        return group.having(replace(new, size=size, cost=cost, sure=False)).loss

    if room == exposure.UNBOUNDED:
        assert loss(micro(10**6)) == group.loss
        return
    if room:
        assert loss(room) <= max(allowed, group.loss)
    more = room + 10 * ONE
    assert loss(more) > allowed or loss(more) <= group.loss


WORLD = universe(
    market("m-1", event="race", neg_risk=True),
    market("m-2", event="race", neg_risk=True),
    market("m-3", event="coin"),
)


def position(name: str, index: int, size: int, price: str, **changed) -> Position:
    shares = micro(size)
    return replace(
        Position("tester", name, f"{name}/{index}", "", index, shares, shares * micro(price) // ONE,
                 NOON, PLAN),
        **changed,
    )  # fmt: skip


def open_buy(name: str, index: int, size: int, reserved: str, **changed) -> Order:
    return replace(
        Order("o", "base", "tester", name, f"{name}/{index}", "", Side.BUY, OrderType.GTC,
              micro("0.5"), micro(size), Purpose.ENTRY, NOON, NOON, index=index,
              reserved=micro(reserved)),
        **changed,
    )  # fmt: skip


def holding(*positions: Position, orders: tuple[Order, ...] = ()) -> Portfolio:
    return Portfolio(
        "base",
        positions={(p.strategy, p.token): p for p in positions},
        orders={o.id: o for o in orders},
    )


class TestAccount:
    def test_exclusive_outcomes_are_taken_together_and_events_apart(self):
        account = holding(
            position("m-1", 1, 10, "0.60"),
            position("m-2", 1, 10, "0.50"),
            position("m-3", 0, 10, "0.20"),
        )
        found = Exposure.of(account, WORLD)

        assert {key: group.loss for key, group in found.groups.items()} == {
            "race": micro(1), "coin": micro(2),
        }  # fmt: skip
        assert found.total == micro(3)

    def test_an_open_buy_counts_with_its_fee_and_a_sale_not_at_all(self):
        buying = open_buy("m-3", 0, 10, "5.2")
        selling = replace(buying, id="s", side=Side.SELL)

        assert Exposure.of(holding(orders=(buying, selling)), WORLD).total == micro("5.2")

    def test_a_decided_holding_is_no_longer_at_stake(self):
        decided = position("m-3", 0, 10, "0.20", payout=0)

        assert Exposure.of(holding(decided), WORLD).total == 0

    def test_a_market_no_longer_tracked_stands_by_itself_at_its_whole_cost(self):
        gone = position("m-9", 1, 10, "0.60", event="old")

        assert Exposure.of(holding(gone), WORLD).groups["old"].loss == micro(6)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_an_event_stays_exclusive_when_one_of_its_markets_is_gone(self, order):
        both = (
            position("m-1", 1, 10, "0.60"),
            position("m-9", 1, 10, "0.50", event="race"),
        )
        account = holding(*(both[place] for place in order))

        assert Exposure.of(account, WORLD).groups["race"].loss == micro(1)
