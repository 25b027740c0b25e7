"""What strategies' signals came to in a tick: the base account's facts, counted once each."""

from execution.core.funnel import came
from execution.core.types import (
    AccountName,
    Disposed,
    Disposition,
    Fill,
    Liquidity,
    Order,
    OrderType,
    Purpose,
    Refusal,
    RefusalCode,
    Side,
)
from strategies.core.journal import Came
from tests.builders import NOON


def order(name: str, purpose: Purpose = Purpose.ENTRY, account="base", at: int = NOON) -> Order:
    return Order(
        name, account, "one", "m", "t", "Yes", Side.BUY, OrderType.FAK, 1, 1, purpose, at, at
    )  # fmt: skip


def fill(name: str, order: str, liquidity=Liquidity.TAKER) -> Fill:
    return Fill(
        name, order, AccountName.BASE, "one", "m", "t", "Yes", Side.BUY, 1, 1, 1, 0, liquidity, "",
        NOON, NOON,
    )  # fmt: skip


def refusal(signal: str, code=RefusalCode.CASH, account=AccountName.BASE, strategy="one"):
    return Refusal(account, strategy, "m", "t", signal, code, "", "", NOON)


def test_orders_count_once_and_only_those_made_now_to_open():
    facts = [
        order("a"), order("a"), order("b", Purpose.QUOTE), order("c", Purpose.EXIT),
        order("old", at=NOON - 1), order("d", account="optimistic"),
    ]  # fmt: skip

    assert came(NOON, facts) == {"one": Came(ordered=2)}


def test_an_order_that_fills_at_three_levels_filled_once():
    facts = [fill("1", "a"), fill("2", "a"), fill("3", "b"), fill("4", "", Liquidity.SETTLEMENT)]

    assert came(NOON, facts) == {"one": Came(filled=2)}


def test_what_was_sized_to_zero_is_not_also_refused():
    facts = [
        refusal("s-1", RefusalCode.MIN_SIZE),
        Disposed("s-1", Disposition.SIZED_TO_ZERO, "MIN_SIZE", NOON),
        refusal("s-2"),
        Disposed("s-2", Disposition.REFUSED, "CASH", NOON),
        refusal("s-3"),
        refusal("s-2", account=AccountName.PESSIMISTIC),
        refusal("", RefusalCode.NOT_EMPTY, strategy=""),
    ]

    assert came(NOON, facts) == {"one": Came(refused=(("CASH", 2),), sized_to_zero=1)}


def test_a_tick_without_news_says_nothing():
    assert came(NOON, []) == {}
