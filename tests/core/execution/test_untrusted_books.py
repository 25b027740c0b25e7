"""No anomaly is ever traded on: whatever a read got wrong, no order of either side fills on it."""

from dataclasses import replace

import numpy as np
import pytest

from execution.core.types import Order, OrderState, OrderType, Purpose, Side
from markets.core.assembly import assemble
from markets.core.book import Anomaly, mirror
from markets.core.tick import Tick, empty
from markets.core.types import Book
from tests.builders import NOON, book, micro, universe
from tests.trading import VENUE

LATER = NOON + 10_000
WORLD = universe()
GOOD = book("yes-1", [("0.40", 500)], [("0.42", 500)], at=LATER, venue_at=NOON)
Read = tuple[Book | None, Book | None, dict[str, Anomaly]]


def both(yes: Book, **of_no: object) -> Read:
    return yes, replace(mirror(yes, "no-1"), **of_no), {}


def sides(bids: list, asks: list) -> Book:
    return book("yes-1", bids, asks, at=LATER, venue_at=NOON)


READS: dict[Anomaly, Read] = {
    Anomaly.CROSSED: both(sides([("0.43", 500)], [("0.42", 500)])),
    Anomaly.GHOST: both(sides([("0.01", 500)], [("0.99", 500)])),
    Anomaly.OFF_GRID: both(replace(GOOD, tick_size=1_000)),
    Anomaly.EMPTY: both(sides([], [])),
    Anomaly.TORN: both(GOOD, venue_at=NOON + 501),
    Anomaly.MIRROR_GAP: both(GOOD, asks=mirror(GOOD, "no-1").asks[:0]),
    Anomaly.BACKWARDS: both(replace(GOOD, venue_at=NOON - 60_000)),
    Anomaly.MISSING: (GOOD, None, {"no-1": Anomaly.MISSING}),
    Anomaly.BAD_PAYLOAD: (None, mirror(GOOD, "no-1"), {"yes-1": Anomaly.BAD_PAYLOAD}),
    Anomaly.MISMATCH: (GOOD, None, {"no-1": Anomaly.MISMATCH}),
    Anomaly.HASH: (GOOD, None, {"no-1": Anomaly.HASH}),
    Anomaly.STALE: both(replace(GOOD, observed_at=NOON - 1)),
    Anomaly.ONE_SIDED: both(sides([("0.40", 500)], [])),
}


def held() -> Tick:
    """One market with a good book, read at noon."""
    yes = replace(GOOD, observed_at=NOON)
    given = {"yes-1": yes, "no-1": mirror(yes, "no-1")}
    tick, _ = assemble(WORLD, empty(WORLD), books=given, refused={}, depth_levels=10)
    assert tick is not None
    return tick


def after(read: Read) -> tuple[Tick, set[Anomaly]]:
    """The tick a read makes of the one held, or that one carried to a later time."""
    yes, no, refused = read
    given = {each.token: each for each in (yes, no) if each}
    before = held()
    tick, flaws = assemble(WORLD, before, books=given, refused=refused, depth_levels=10)
    return tick or replace(before, at=LATER, id=2), {flaw.code for flaw in flaws}


def orders() -> list[Order]:
    """Both sides of both tokens, priced to take whatever is shown."""
    return [
        Order(
            f"o-{token}-{side}", "base", "tester", "m-1", token, token, side, OrderType.FAK,
            micro("0.99" if side is Side.BUY else "0.01"), micro(10), Purpose.ENTRY,
            NOON + 1, NOON + 250, reserved=micro(100),
        )
        for token in ("yes-1", "no-1")
        for side in (Side.BUY, Side.SELL)
    ]  # fmt: skip


def filled(tick: Tick) -> int:
    matches, _ = VENUE.match(orders(), tick, {})
    return sum(match.order.state is OrderState.FILLED for match in matches)


def test_a_good_book_is_traded_on():
    tick, codes = after(both(GOOD))

    assert codes == set()
    assert filled(tick) == 4


def test_every_anomaly_is_here():
    assert set(READS) == set(Anomaly)


@pytest.mark.parametrize("code", list(READS))
def test_nothing_fills_on(code):
    tick, codes = after(READS[code])

    assert codes == {code}
    assert filled(tick) == 0
    fresh = tick.observed_at >= LATER
    assert not np.any(fresh & tick.coherent), "what is flagged is not coherent"
