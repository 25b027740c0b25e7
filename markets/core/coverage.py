"""How much of a span was seen: tracked time less the gaps, in whole milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from markets.core.tick import Ints
from markets.core.types import ONE


@dataclass(frozen=True, slots=True)
class Share:
    """Milliseconds in which a market was to be read, and those of them that are covered."""

    tracked: int = 0
    seen: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.tracked + other.tracked, self.seen + other.seen)

    @property
    def micro(self) -> int | None:
        """The covered share, rounded down so that only a whole one reads 1; None of nothing."""
        return self.seen * ONE // self.tracked if self.tracked else None


class Silences:
    """Silences of the whole collector: disjoint stretches (ms UTC), asked how much lies inside."""

    def __init__(self, stretches: Sequence[tuple[int, int]]) -> None:
        ordered = np.array(sorted(stretches), dtype=np.int64).reshape(-1, 2)
        self._since, self._until = ordered[:, 0], ordered[:, 1]
        self._before = np.concatenate(([0], np.cumsum(self._until - self._since)))

    def within(self, since: Ints, until: Ints) -> Ints:
        """Silent ms inside each [since, until]; 0 where it is empty."""
        inside: Ints = self._up_to(np.maximum(since, until)) - self._up_to(since)
        return inside

    def _up_to(self, at: Ints) -> Ints:
        """Silent ms before each instant."""
        place = np.searchsorted(self._since, at, side="right")
        total: Ints = self._before[place]
        running = np.where(place > 0, place - 1, 0)
        if len(self._until):
            total = total - np.maximum(self._until[running] - at, 0) * (place > 0)
        return total


def clipped(since: Ints, until: Ints, span: tuple[int, int]) -> tuple[Ints, Ints]:
    """Stretches cut to a span; those outside it come out empty."""
    first, last = span
    start: NDArray[np.int64] = np.clip(since, first, last)
    end: NDArray[np.int64] = np.clip(until, first, last)
    return start, np.maximum(start, end)
