"""Which markets exclude each other: the neg-risk events of a universe, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from markets.core.types import Market

FEWEST = 2
"""Outcomes an event must have here, for anything to exclude anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """The neg-risk events with several markets here, by id, and their markets' columns by id.

    `columns` holds one event after the other; event i has those from `starts[i]` on, to the start
    of the next or the end. `number` is column -> i. The order depends on ids alone, not on the
    universe's.
    """

    events: tuple[str, ...]
    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    number: Mapping[int, int]

    def of(self, number: int) -> list[int]:
        """The columns of one event's markets, in the order of their ids."""
        stop = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.columns)
        found: list[int] = self.columns[self.starts[number] : stop].tolist()
        return found

    def sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sum over each event's markets of a column of integers."""
        if not len(self.starts):
            return np.zeros(0, dtype=np.int64)
        totals: NDArray[np.int64] = np.add.reduceat(values[self.columns], self.starts)
        return totals


def rivals(markets: Sequence[Market]) -> Rivals:
    """The neg-risk events among these markets; one that has a single market here is left out."""
    members: dict[str, list[tuple[str, int]]] = {}
    for column, market in enumerate(markets):
        if market.event.neg_risk:
            members.setdefault(market.event.id, []).append((market.id, column))
    several = {id: sorted(own) for id, own in sorted(members.items()) if len(own) >= FEWEST}
    columns = [column for own in several.values() for _, column in own]
    sizes = [0, *(len(own) for own in several.values())]
    return Rivals(
        events=tuple(several),
        columns=np.array(columns, dtype=np.int64),
        starts=np.cumsum(sizes[:-1], dtype=np.int64)[: len(several)],
        number={c: i for i, own in enumerate(several.values()) for _, c in own},
    )
