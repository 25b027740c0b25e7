"""Events and categories of a universe as numbers, so that columns can be summed by them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from markets.core.tick import Flags, Ints, Universe
from strategies.core.types import digest


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Each market's event and category as a place in `events` and `categories`.

    A market without an event stands for itself. `exclusive` marks the events of which exactly one
    market resolves YES and no outcome is unnamed; `key` is a digest of all of it.
    """

    event: Ints
    category: Ints
    events: tuple[str, ...]
    categories: tuple[str, ...]
    exclusive: Flags
    key: str


@lru_cache(maxsize=4)
def groups(universe: Universe) -> Groups:
    """The groups of a universe; computed once for each."""
    events: dict[str, int] = {}
    categories: dict[str, int] = {}
    exclusive: dict[int, bool] = {}
    of_event, of_category = [], []
    for market in universe.markets:
        event = events.setdefault(market.event.id or market.id, len(events))
        of_event.append(event)
        of_category.append(categories.setdefault(market.category, len(categories)))
        one_comes = market.event.neg_risk and not market.event.augmented
        exclusive[event] = exclusive.get(event, True) and one_comes
    return Groups(
        event=np.array(of_event, dtype=np.int64),
        category=np.array(of_category, dtype=np.int64),
        events=tuple(events),
        categories=tuple(categories),
        exclusive=np.array(list(exclusive.values()), dtype=np.bool_),
        key=digest(of_event, of_category, *events, *categories, *exclusive.values()),
    )
