"""Ticks of any span, wherever they lie: sealed days come from the archive, the rest from tables.

A sealed day gives the very ticks that were assembled while its raw files are kept. Later it gives
the same ticks without depth: every touch column and every fact, but no books below the touch, and
no NO book apart. A day that is not sealed yet comes from the tables, with depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from markets import models
from markets.archive import series
from markets.archive.days import DAY_MS, DayFolder
from markets.core.tick import Tick
from markets.selectors import days, ticks
from markets.sources.recording import NotARecording, Recording

ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive time [since, until) (ms UTC) that lies in one place: a sealed day or, with
    `day` None, the tables.
    """

    since: int
    until: int
    day: models.SealedDay | None = None

    @property
    def folder(self) -> DayFolder:
        """The sealed day's folder."""
        assert self.day is not None
        return days.folder(self.day.began_at)


def ticks_between(since: int, until: int, *, depth: bool = True) -> Iterator[Tick]:
    """The ticks with `since` <= at < `until` (ms UTC), in order; without `depth`, books are empty.

    Raises NotARecording when a sealed day's file is missing or damaged.
    """
    for stretch in stretches(since, until):
        if stretch.day is None:
            yield from _from_tables(stretch, depth)
        else:
            yield from _from_archive(stretch, depth)


def stretches(since: int, until: int) -> list[Stretch]:
    """The span cut at the borders of its sealed days."""
    found, at = [], since
    for day in days.sealed(since, until):
        if day.began_at > at:
            found.append(Stretch(at, day.began_at))
        end = min(day.began_at + DAY_MS, until)
        found.append(Stretch(max(day.began_at, at), end, day))
        at = end
    return [*found, Stretch(at, until)] if at < until else found


def _from_tables(stretch: Stretch, depth: bool) -> Iterator[Tick]:
    inside = models.Tick.objects.filter(at__gte=stretch.since, at__lt=stretch.until)
    first = inside.order_by("at").values_list("pk", flat=True).first()
    last = inside.order_by("-at").values_list("pk", flat=True).first()
    if first is None or last is None:
        return
    after, limit = first - 1, 1
    while after < last:
        found = ticks.ticks_after(after, min(limit, last - after))
        for tick in found:
            yield tick if depth else tick.without_depth()
        after = found[-1].id
        limit = max(ROWS_AT_ONCE // len(found[-1].universe), 1)


def _from_archive(stretch: Stretch, depth: bool) -> Iterator[Tick]:
    assert stretch.day is not None
    files = stretch.day.files.exclude(digest="").order_by("last_tick")
    names = list(files.values_list("name", flat=True)) if stretch.day.raw_kept else []
    try:
        recordings = [Recording(stretch.folder.path / name) for name in names]
    except NotARecording:
        stretch.day.refresh_from_db()
        if stretch.day.raw_kept:
            raise
        recordings = []  # Just pruned.
    for recording in recordings:
        yield from recording.between(stretch.since, stretch.until, depth=depth)
    if not recordings:
        yield from series.ticks(stretch.folder, stretch.since, stretch.until)
