"""Reading one order book: best, depth, the mirror, and what is absurd."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from markets.core.types import ONE, Book, Level

GHOST_BID = 10_000
GHOST_ASK = 990_000
"""A book whose whole market is 0.01 bid, 0.99 ask is the exchange's placeholder, not a quote."""

CENT = 10_000


class Anomaly(StrEnum):
    """Why a book read from the exchange was refused or flagged; counted, never traded on."""

    CROSSED = "CROSSED"
    GHOST = "GHOST"
    OFF_GRID = "OFF_GRID"
    EMPTY = "EMPTY"
    TORN = "TORN"
    MIRROR_GAP = "MIRROR_GAP"
    BACKWARDS = "BACKWARDS"
    MISSING = "MISSING"
    BAD_PAYLOAD = "BAD_PAYLOAD"
    HASH = "HASH"
    STALE = "STALE"
    ONE_SIDED = "ONE_SIDED"
    MISMATCH = "MISMATCH"


def best_bid(book: Book) -> Level | None:
    """The highest bid, or None when that side is empty."""
    return book.bids[0] if book.bids else None


def best_ask(book: Book) -> Level | None:
    """The lowest ask, or None when that side is empty."""
    return book.asks[0] if book.asks else None


def mirror(book: Book, token: str) -> Book:
    """The other token's view of the same book: its bid at p is this one's ask at 1 - p."""
    return Book(
        token=token,
        bids=tuple(Level(ONE - level.price, level.size) for level in book.asks),
        asks=tuple(Level(ONE - level.price, level.size) for level in book.bids),
        observed_at=book.observed_at,
        venue_at=book.venue_at,
        hash=book.hash,
    )


def near_depth(levels: tuple[Level, ...], within: int = CENT) -> int:
    """Micro-dollars resting no further than `within` from the best level of one side."""
    if not levels:
        return 0
    best = levels[0].price
    return sum(
        level.price * level.size // ONE for level in levels if abs(level.price - best) <= within
    )


def absurdity(book: Book, tick_size: int) -> Anomaly | None:
    """Why this book alone must be refused, or None: empty, off its grid, crossed or ghost.

    A book that states another grid than `tick_size` is off it, whatever its prices are.
    """
    bids, asks = book.bids, book.asks
    if not bids and not asks:
        return Anomaly.EMPTY
    if book.tick_size and book.tick_size != tick_size:
        return Anomaly.OFF_GRID
    for side in (bids, asks):
        for level in side:
            price = level.price
            if level.size <= 0 or not 0 < price < ONE or price % tick_size:
                return Anomaly.OFF_GRID
    if bids and asks:
        bid, ask = bids[0].price, asks[0].price
        if bid >= ask:
            return Anomaly.CROSSED
        if bid <= GHOST_BID and ask >= GHOST_ASK:
            return Anomaly.GHOST
    return None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both tokens' books of one market as one read showed them."""

    yes: Book
    no: Book


def incoherence(pair: Pair, tick_size: int, max_gap_ms: int = 500) -> Anomaly | None:
    """Why the two books do not show one instant, or None.

    TORN when the exchange changed them more than `max_gap_ms` apart; MIRROR_GAP when a touch of
    NO differs from the mirror of YES by more than one tick.
    """
    yes, no = pair.yes, pair.no
    if yes.venue_at and no.venue_at and abs(yes.venue_at - no.venue_at) > max_gap_ms:
        return Anomaly.TORN
    for side, other in ((yes.asks, no.bids), (yes.bids, no.asks)):
        if bool(side) != bool(other):
            return Anomaly.MIRROR_GAP
        if side and abs(side[0].price + other[0].price - ONE) > tick_size:
            return Anomaly.MIRROR_GAP
    return None


def one_sided(book: Book) -> bool:
    """Whether only buyers, or only sellers, are shown: a price nobody is ready to contradict."""
    return bool(book.bids) != bool(book.asks)


def sort_levels(levels: Iterable[Level], *, bids: bool) -> tuple[Level, ...]:
    """Levels best first, whatever order the exchange sent them in."""
    return tuple(sorted(levels, key=lambda level: -level.price if bids else level.price))


_COUNTS = struct.Struct("<BB")
_LEVEL = struct.Struct("<iq")


@lru_cache(maxsize=512)
def _layout(levels: int) -> struct.Struct:
    """The counts of both sides, then so many levels."""
    return struct.Struct("<BB" + "iq" * levels)


def pack(book: Book, levels: int) -> bytes:
    """The best `levels` of each side in 12 bytes a level; equal books pack to equal bytes."""
    bids, asks = book.bids[:levels], book.asks[:levels]
    flat: list[int] = []
    for level in bids:
        flat += (level.price, level.size)
    for level in asks:
        flat += (level.price, level.size)
    return _layout(len(bids) + len(asks)).pack(len(bids), len(asks), *flat)


def unpack(blob: bytes, token: str, observed_at: int, venue_at: int = 0) -> Book:
    """The book that `pack` stored; an empty blob is a book with no orders."""
    if not blob:
        return Book(token, (), (), observed_at, venue_at)
    bids, asks = _COUNTS.unpack_from(blob)
    rows = [Level(*row) for row in _LEVEL.iter_unpack(blob[_COUNTS.size :])]
    return Book(token, tuple(rows[:bids]), tuple(rows[bids : bids + asks]), observed_at, venue_at)
