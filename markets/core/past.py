"""Bars out of a price history: five-minute closes of a line of prices, gaps left as gaps."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from markets.core.bars import BAR_MS
from markets.core.tick import Flags
from markets.core.types import ONE


def closes(points: Iterable[tuple[int, int]], *, since: int, until: int) -> dict[int, int]:
    """Close (ms UTC) -> price of the bars that begin at `since` or later and close by `until`.

    `points` are (instant in ms UTC, price in micro) in any order; of several in one bar the latest
    counts, of several at one instant the first. A bar without a point is absent, never filled from
    the one before. Prices at 0, at a dollar or beyond are no prices.
    """
    latest: dict[int, tuple[int, int]] = {}
    for at, price in points:
        close = (at // BAR_MS + 1) * BAR_MS
        if not (since <= close - BAR_MS and close <= until and 0 < price < ONE):
            continue
        held = latest.get(close)
        if held is None or at > held[0]:
            latest[close] = (at, price)
    return {close: latest[close][1] for close in sorted(latest)}


def moves(prices: NDArray[np.int32], known: Flags) -> NDArray[np.int32]:
    """1 where a bar and the one just before are known and their prices differ, else 0.

    That is the least number of changes which a line of closes proves.
    """
    found = np.zeros(len(prices), dtype=np.int32)
    found[1:] = known[1:] & known[:-1] & (prices[1:] != prices[:-1])
    return found
