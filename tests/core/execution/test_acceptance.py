"""The exchange's door: what it would turn away, with the reason it would give."""

from dataclasses import replace

import pytest

from execution.core import acceptance
from execution.core.types import EndReason, Order, OrderType, Purpose, Side
from tests.builders import NOON, book, market, micro, tick, universe

TUESDAY_7_NEW_YORK = 1_767_700_800_000 + 30_000
"""2026-01-06 12:00:30 UTC."""


def order(**changes: object) -> Order:
    made = Order(
        "o-1", "base", "maker", "m-1", "yes-1", "Yes", Side.BUY, OrderType.GTC, micro("0.40"),
        micro(50), Purpose.QUOTE, NOON, NOON + 250, tick_size=micro("0.01"), touch=micro("0.42"),
    )  # fmt: skip
    return replace(made, **changes)


def answer(made: Order, at: int = NOON + 10_000, **terms: object) -> EndReason | None:
    accepting = terms.pop("accepting", True)
    item = market(**terms)
    item = replace(item, terms=replace(item.terms, accepting_orders=accepting))
    return acceptance.turned_away(made, tick(universe(item), {"yes-1": book(at=at)}, at=at))


def test_a_good_order_is_let_in():
    assert answer(order()) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": micro("0.405")}, EndReason.OFF_GRID),
        ({"price": 0}, EndReason.OFF_GRID),
        ({"price": micro("1")}, EndReason.OFF_GRID),
        ({"size": micro("4.99")}, EndReason.MIN_SIZE),
        ({"price": micro("0.42"), "post_only": True}, EndReason.CROSSES_BOOK),
        ({"type": OrderType.FAK, "post_only": True}, EndReason.NOT_POST_ONLY),
        ({"type": OrderType.FOK, "post_only": True}, EndReason.NOT_POST_ONLY),
        ({"type": OrderType.FAK, "size": micro(2)}, EndReason.MIN_NOTIONAL),
        ({"price": micro("0.42"), "size": micro("2.38")}, EndReason.MIN_NOTIONAL),
        ({"type": OrderType.GTD, "expires_at": NOON + 180_249}, EndReason.BAD_EXPIRATION),
        ({"token": "yes-9"}, EndReason.NOT_ACCEPTING),
    ],
)
def test_turned_away(changes, reason):
    assert answer(order(**changes)) is reason


def test_three_minutes_ahead_is_enough_for_a_date():
    assert answer(order(type=OrderType.GTD, expires_at=NOON + 180_250)) is None


def test_a_taking_order_may_be_smaller_than_a_resting_one():
    assert answer(order(type=OrderType.FAK, size=micro(3))) is None


def test_a_sale_is_worth_what_is_bid():
    selling = order(type=OrderType.FAK, side=Side.SELL, price=micro("0.01"), size=micro(3))

    assert answer(selling) is None
    assert answer(replace(selling, size=micro(2))) is EndReason.MIN_NOTIONAL


def test_an_unknown_fee_a_shut_market_and_a_restart():
    assert answer(order(), fee_rate=None) is EndReason.FEE_UNKNOWN
    assert answer(order(), accepting=False) is EndReason.NOT_ACCEPTING
    assert answer(order(), at=TUESDAY_7_NEW_YORK) is EndReason.RESTART


def test_marketable_means_its_limit_reached_the_other_side_when_it_was_decided():
    assert not acceptance.marketable(order(price=micro("0.41")))
    assert acceptance.marketable(order(price=micro("0.42")))
    assert not acceptance.marketable(order(touch=0))
    assert acceptance.marketable(order(side=Side.SELL, price=micro("0.42")))
    assert not acceptance.marketable(order(side=Side.SELL, price=micro("0.43")))
