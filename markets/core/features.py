"""Statistics of many markets at once: pure functions of arrays, one row a market, bars along it.

Every reduction runs along its own contiguous row, so a market's figure does not depend on which
other markets were computed with it.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from math import erfc, log, sqrt
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from markets.core.book import CENT
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import Floats

MAD_TO_STD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""

LAG = 12
"""Bars that the variance ratio compares with one bar."""

BLOCK = 64
"""Rows that are reduced together: a week of them fits a processor's cache."""

Figures = TypeVar("Figures", bound=tuple[NDArray[Any], ...])

LEVEL = np.dtype([("price", "<i4"), ("size", "<i8")])
"""One level as `book.pack` writes it; two count bytes precede them."""

MOST = 9 * 10**12
"""Nine million shares in micro: the largest size whose value still fits int64."""


def near_depths(blobs: list[bytes]) -> tuple[Ints, Ints, Ints, Ints]:
    """What rests within a cent of each touch of packed YES books: its value to both tokens.

    Returns micro-dollars for YES bids, YES asks, NO bids, NO asks (a YES ask at p is a NO bid at
    1 - p). Levels beyond nine million shares count as nine million.
    """
    bids = np.array([blob[0] if blob else 0 for blob in blobs], dtype=np.int64)
    asks = np.array([blob[1] if blob else 0 for blob in blobs], dtype=np.int64)
    levels = np.frombuffer(b"".join(blob[2:] for blob in blobs), dtype=LEVEL)
    counts = np.stack((bids, asks), axis=1).ravel()
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    price = levels["price"].astype(np.int64)
    size = np.minimum(levels["size"], MOST)
    best = np.repeat(price[np.minimum(starts, max(len(price) - 1, 0))], counts) if len(price) else 0
    near = np.abs(price - best) <= CENT
    yes = _segments(np.where(near, price * size // ONE, 0), starts, counts)
    no = _segments(np.where(near, (ONE - price) * size // ONE, 0), starts, counts)
    return yes[0::2], yes[1::2], no[1::2], no[0::2]


def _segments(values: Ints, starts: Ints, counts: Ints) -> Ints:
    total = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(values)))
    return np.asarray(total[starts + counts] - total[starts])


def medians(values: Floats, valid: Flags) -> Floats:
    """Median of the valid entries of each row, 0 where there are none."""
    count = valid.sum(axis=1)
    ordered = np.sort(np.where(valid, values, np.inf), axis=1)
    row = np.arange(len(values))
    low, high = ordered[row, np.maximum(count - 1, 0) // 2], ordered[row, count // 2]
    return np.where(count > 0, (low + high) / 2, 0.0)


def robust_spread(values: Floats, valid: Flags) -> Floats:
    """Standard deviation of each row as a normal one with the same median deviation would have."""
    middle = medians(values, valid)
    return MAD_TO_STD * medians(np.abs(values - middle[:, None]), valid)


def steps(x: Floats, valid: Flags, apart: int = 1) -> tuple[Floats, Flags]:
    """Change of x over `apart` bars where both ends were observed, 0 elsewhere."""
    both = valid[:, apart:] & valid[:, :-apart]
    return np.where(both, x[:, apart:] - x[:, :-apart], 0.0), both


def step_size(x: Floats, valid: Flags) -> Floats:
    """Root mean square change of one bar."""
    change, both = steps(x, valid)
    return np.asarray(np.sqrt((change * change).sum(axis=1) / np.maximum(both.sum(axis=1), 1)))


def blockwise(figure: Callable[..., Figures]) -> Callable[..., Figures]:
    """The same figures, some rows at a time, so that what is between fits a processor's cache."""

    @wraps(figure)
    def of_blocks(*series: NDArray[Any]) -> Figures:
        starts = range(0, max(len(series[0]), 1), BLOCK)
        found = [figure(*(each[at : at + BLOCK] for each in series)) for at in starts]
        return found[0] if len(found) == 1 else _joined(found)

    return of_blocks


def _joined(found: Sequence[Figures]) -> Figures:
    return cast(Figures, tuple(np.concatenate(parts) for parts in zip(*found, strict=True)))


@blockwise
def pull(x: Floats, valid: Flags, gap: Floats, known: Flags) -> tuple[Floats, Floats, Ints]:
    """How much of the gap one bar closes: regression of the change on the gap before it.

    The gap is instrumented by the one a bar earlier: a price that bounces between bid and ask then
    does not look like one that reverts, because a bounce is gone after one bar. Returns the rate
    per bar (negative when the gap widens), its t-statistic, robust to changing volatility, and the
    number of bars it rests on. The half-life is ln 2 / rate.
    """
    change, both = steps(x, valid)
    both = both[:, 1:] & known[:, 1:-1] & known[:, :-2]
    n = np.maximum(both.sum(axis=1), 1)
    moved, now, earlier = (
        _centered(each, both, n) for each in (change[:, 1:], gap[:, 1:-1], gap[:, :-2])
    )
    shared = _dot(earlier, now)
    usable = shared > 0
    slope = np.where(usable, _dot(earlier, moved) / np.where(usable, shared, 1.0), 0.0)
    error = earlier * (moved - slope[:, None] * now)
    noise = np.sqrt(_dot(error, error)) / np.where(usable, shared, 1.0)
    certain = usable & (noise > 0)
    t = np.where(certain, -slope / np.where(certain, noise, 1.0), 0.0)
    return np.where(usable, -slope, 0.0), t, both.sum(axis=1)


def _dot(one: Floats, other: Floats) -> Floats:
    """Each row's sum of products, without an array of them."""
    return np.asarray(np.einsum("ij,ij->i", one, other))


def _centered(values: Floats, valid: Flags, count: Ints) -> Floats:
    """Valid values less their row's mean, 0 elsewhere."""
    kept = np.where(valid, values, 0.0)
    return np.where(valid, kept - (kept.sum(axis=1) / count)[:, None], 0.0)


@blockwise
def variance_ratio(x: Floats, valid: Flags) -> tuple[Floats, Floats, Ints]:
    """Variance of LAG-bar changes over LAG times that of one-bar changes, 1 for a random walk.

    Overlapping, with the z-score of Lo and MacKinlay that is robust to changing volatility.
    Returns ratio, z (0 where undefined) and the number of one-bar changes.
    """
    change, both = steps(x, valid)
    count = both.sum(axis=1)
    n = np.maximum(count, 2)
    drift = change.sum(axis=1) / n
    square = np.where(both, change - drift[:, None], 0.0) ** 2
    total = square.sum(axis=1)
    far, ends = steps(x, valid, LAG)
    far = np.where(ends, far - LAG * drift[:, None], 0.0)
    scale = LAG * ends.sum(axis=1) * (1 - LAG / np.maximum(n, LAG + 1))
    usable = (total > 0) & (scale > 0)
    one, many = total / (n - 1), _dot(far, far) / np.where(usable, scale, 1.0)
    ratio = np.where(usable, many / np.where(usable, one, 1.0), 1.0)
    noise = _ratio_noise(square, np.where(usable, total, 1.0))
    return (
        ratio,
        np.where(noise > 0, (ratio - 1) / np.sqrt(np.where(noise > 0, noise, 1.0)), 0),
        count,
    )


def _ratio_noise(square: Floats, total: Floats) -> Floats:
    """Variance of the variance ratio under a random walk with changing volatility."""
    noise = np.zeros(len(square))
    for lag in range(1, LAG):
        shared = _dot(square[:, lag:], square[:, :-lag]) / (total * total)
        noise += (2 * (LAG - lag) / LAG) ** 2 * shared
    return noise


def lower_tail(z: Floats) -> Floats:
    """Chance that a standard normal falls below z."""
    return np.array([0.5 * erfc(-value / sqrt(2)) for value in z.tolist()], dtype=np.float64)


def discoveries(p: Floats, tested: Flags, rate: float) -> Flags:
    """Which tests stand when a share `rate` of the findings may be false (Benjamini-Hochberg)."""
    order = np.flatnonzero(tested)[np.argsort(p[tested], kind="stable")]
    bound = rate * np.arange(1, len(order) + 1) / max(len(order), 1)
    passed = np.flatnonzero(p[order] <= bound)
    found = np.zeros(len(p), dtype=np.bool_)
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found


def half_life(rate: Floats) -> Floats:
    """Bars until half the gap is closed at a rate per bar; infinite when it does not close."""
    return np.where(rate > 0, log(2) / np.where(rate > 0, rate, 1.0), np.inf)
