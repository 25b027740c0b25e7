"""How much of a move goes on: a ridge regression over all markets, judged by events."""

from dataclasses import dataclass

import numpy as np

from markets.core.tick import Flags, Ints
from markets.core.window import Floats

RIDGE_EVENTS = 10
"""How many average events' weight pulls a category towards the pool, and the pool towards 0."""

LEAST_EVENTS = 8
"""Events below which nothing is estimated."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """By category: the share of a move that goes on, and its t-statistic clustered by event.

    `events` counts those of the category that told anything, `pooled` those of all. Slope and t
    are 0 where nothing is estimated.
    """

    slope: Floats
    t: Floats
    events: Ints
    pooled: int


def slopes(
    moved: Floats, after: Floats, usable: Flags, *, event: Ints, category: Ints, categories: int
) -> Slopes:
    """Regress `after` on `moved` (markets by times), without a constant, category by category.

    Each category is shrunk towards the pool and the pool towards 0. All observations of an event
    hang together, however many and whenever: errors are clustered by event (Liang, Zeger 1986).
    The slope's sign is free. Changing the sign of a market's line in both changes nothing.
    """
    moved, after = np.where(usable, moved, 0.0), np.where(usable, after, 0.0)
    weight, shared = _cells(moved * moved, event, category, categories)
    product, _ = _cells(moved * after, event, category, categories)
    told = weight > 0
    count = int(told.sum())
    owner = shared % categories
    counts = np.bincount(owner[told], minlength=categories)
    if count < LEAST_EVENTS:
        nothing = np.zeros(categories)
        return Slopes(nothing, nothing, counts, count)
    ridge = RIDGE_EVENTS * float(weight.sum()) / count
    whole = float(weight.sum()) + ridge
    pool = float(product.sum()) / whole
    pool_noise = float(((product - pool * weight) ** 2).sum()) * count / (count - 1) / whole**2
    size = np.bincount(owner, weights=weight, minlength=categories) + ridge
    slope = (np.bincount(owner, weights=product, minlength=categories) + ridge * pool) / size
    error = (product - slope[owner] * weight) ** 2
    own = np.bincount(owner, weights=error, minlength=categories)
    fewer = counts / np.maximum(counts - 1, 1)
    # The pool holds the category's own data: their errors may go together, so they add up.
    noise = (np.sqrt(own * fewer) + ridge * np.sqrt(pool_noise)) / size
    return Slopes(slope, slope / np.where(noise > 0, noise, np.inf), counts, count)


def _cells(values: Floats, event: Ints, category: Ints, categories: int) -> tuple[Floats, Ints]:
    """Sums by event and category, and which cell (event * categories + category) each one is."""
    length = (int(event.max()) + 1) * categories if len(event) else 0
    found: Floats = np.zeros(length)
    np.add.at(found, event * categories + category, values.sum(axis=1))
    return found, np.arange(length, dtype=np.int64)
