"""The covered share of any span: time in which a market was read, less its gaps."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from markets.core.coverage import Share, Silences, clipped
from markets.core.gaps import GapReason
from markets.core.tick import Ints
from markets.selectors import continuity
from markets.selectors.continuity import Lasting

Stretches = Ints
"""Rows of (a market key, from when, until when)."""


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """Stints and gaps of a span, read once and asked about any part of it.

    A market counts from when it was read until it left. What lies after `now` does not count, nor
    does time in which a market took no orders and showed no book.
    """

    now: int
    stints: Stretches
    silences: Silences
    missed: Stretches
    asleep: Stretches

    def share(self, since: int, until: int) -> Share:
        """The covered part of [since, until) over every market read then."""
        _, tracked, seen = self._columns(since, until)
        return Share(int(tracked.sum()), int(seen.sum()))

    def by_market(self, since: int, until: int) -> dict[int, Share]:
        """The same for each market (by key) read in the span."""
        keys, tracked, seen = self._columns(since, until)
        pairs = zip(tracked.tolist(), seen.tolist(), strict=True)
        return {key: Share(*pair) for key, pair in zip(keys.tolist(), pairs, strict=True)}

    def _columns(self, since: int, until: int) -> tuple[Ints, Ints, Ints]:
        """Markets by key, the ms in which each was to be read, and those of them covered."""
        span = (since, max(min(until, self.now), since))
        inside = (self.stints[:, 1] < span[1]) & (self.stints[:, 2] > since)
        keys = np.unique(self.stints[inside, 0])
        where, start, end = _cut(self.stints, keys, span)
        silent = _summed(self.silences.within(start, end), where, len(keys))
        tracked = _summed(end - start, where, len(keys))
        missed, asleep = (
            _summed(stop - begin, of, len(keys))
            for of, begin, stop in (_cut(part, keys, span) for part in (self.missed, self.asleep))
        )
        return keys, tracked - asleep, tracked - silent - missed - asleep


def read(
    since: int, until: int, *, now: int, every: int, keys: Collection[int] | None = None
) -> Seen:
    """The record of [since, until) as of `now` (ms UTC), with one look every `every` ms.

    `keys` asks for some markets only. Thinned ticks change nothing: gaps and stints are kept.
    """
    span = (since, max(min(until, now), since))
    open_ = continuity.lasting(now, every)
    stints = [
        (key, begun, now if ended is None else ended)
        for key, begun, ended in continuity.stints(*span, keys)
    ]
    silences, missed, asleep = _gaps(span, open_)
    return Seen(now, _table(stints), Silences(silences), _table(missed), _table(asleep))


def coverage(since: int, until: int, *, now: int, every: int) -> Share:
    """The covered part of [since, until) over every market read then."""
    return read(since, until, now=now, every=every).share(since, until)


def coverage_by_market(
    since: int, until: int, *, now: int, every: int, keys: Collection[int] | None = None
) -> dict[int, Share]:
    """The same for each market (by key) read in the span; `keys` asks for some only."""
    return read(since, until, now=now, every=every, keys=keys).by_market(since, until)


def _gaps(
    span: tuple[int, int], open_: Lasting
) -> tuple[list[tuple[int, int]], list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Silences of all, what markets missed alone, and when they had nothing to show."""
    rows = continuity.overlapping(*span).order_by()
    silences: list[tuple[int, int]] = []
    missed: list[tuple[int, ...]] = []
    asleep: list[tuple[int, ...]] = []
    for key, since, until, reason in rows.values_list("market_id", "since", "until", "reason"):
        if key is None:
            silences.append((since, until))
        else:
            (asleep if reason == GapReason.NOT_TRADING else missed).append((key, since, until))
    if open_.silent_since is not None:
        silences.append((open_.silent_since, open_.now))
    late = open_.late.tolist()
    resting = continuity.not_trading() - continuity.faults(open_).keys() if late else set()
    for at in late:
        stretch = (open_.keys[at], int(open_.marks[at]), open_.until)
        (asleep if stretch[0] in resting else missed).append(stretch)
    return silences, missed, asleep


def _table(rows: list[tuple[int, ...]]) -> Stretches:
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _cut(stretches: Stretches, keys: Ints, span: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
    """Whose each stretch is (a place in `keys`), and both its ends cut to the span; others' left
    out."""
    where = np.searchsorted(keys, stretches[:, 0])
    ours = where < len(keys)
    ours[ours] = keys[where[ours]] == stretches[ours, 0]
    return where[ours], *clipped(stretches[ours, 1], stretches[ours, 2], span)


def _summed(values: Ints, where: Ints, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, where, values)
    return total
