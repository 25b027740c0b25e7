"""Planted bad reads: what a real exchange's interface gets wrong now and then."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from markets.core.book import GHOST_ASK, GHOST_BID, Anomaly, Pair
from markets.core.types import ONE, Book, Level
from markets.sources.synthetic.draws import uniform
from markets.sources.synthetic.scripts import Ints

SHARE = 0.003
"""Share of a market's reads that are bad."""

KINDS = (
    Anomaly.TORN,
    Anomaly.GHOST,
    Anomaly.CROSSED,
    Anomaly.MISSING,
    Anomaly.MIRROR_GAP,
)
_STRAY = 10_000 * ONE


def bad_reads(seed: int, at: int, keys: Ints) -> Mapping[int, Anomaly]:
    """Which of the markets (by key) are read badly at `at`, and how; a pure function."""
    luck: NDArray[np.float64] = uniform(seed, at, keys * 4 + 2)
    hit = np.flatnonzero(luck < SHARE)
    return {int(keys[i]): KINDS[int(luck[i] / SHARE * len(KINDS))] for i in hit}


def spoil(pair: Pair, kind: Anomaly, tick_size: int) -> tuple[Book | None, Book | None]:
    """The pair as a bad read of this kind shows it; None where a book is missing."""
    yes, no = pair.yes, pair.no
    match kind:
        case Anomaly.TORN:
            return yes, replace(no, venue_at=no.venue_at - 1_700)
        case Anomaly.GHOST:
            return _ghost(yes), _ghost(no)
        case Anomaly.CROSSED:
            return replace(yes, asks=(yes.bids[0], *yes.asks)), no
        case Anomaly.MIRROR_GAP:
            return yes, replace(no, bids=_lowered(no.bids, 2 * tick_size) or no.bids)
        case _:
            return None, no


def _ghost(book: Book) -> Book:
    return replace(book, bids=(Level(GHOST_BID, _STRAY),), asks=(Level(GHOST_ASK, _STRAY),))


def _lowered(levels: tuple[Level, ...], by: int) -> tuple[Level, ...]:
    return tuple(Level(each.price - by, each.size) for each in levels if each.price > by)
