"""Which days lie in the archive, which wait for it, and which rows a stage still needs."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from markets import models, stages
from markets.archive.days import DAY_MS, DayFolder, day_of
from markets.core.bars import BAR_MS
from markets.core.types import DayState

READERS = ("collect", "desk")
"""Stages that read ticks back from the tables when they start."""


def folder(began: int) -> DayFolder:
    """Where the files of the day that began at `began` (ms UTC) lie."""
    return DayFolder(Path(settings.PATHS.archive), began)


def sealed(since: int, until: int) -> list[models.SealedDay]:
    """Sealed days that overlap [since, until), oldest first."""
    rows = models.SealedDay.objects.filter(state=DayState.SEALED, began_at__lt=until)
    return list(rows.filter(began_at__gt=since - DAY_MS).order_by("began_at"))


def finished() -> Iterator[tuple[int, models.SealedDay | None]]:
    """(start, row) of every day with ticks that a tick of a later day has ended, oldest first.

    Event time decides, not the clock: `at` only grows, so such a day can get no further tick.
    """
    newest = models.Tick.objects.order_by("-pk").values_list("at", flat=True).first()
    rows = {row.began_at: row for row in models.SealedDay.objects.all()}
    after = 0
    while newest is not None:
        later = models.Tick.objects.filter(at__gte=after).order_by("at")
        at = later.values_list("at", flat=True).first()
        if at is None or day_of(at) >= day_of(newest):
            return
        yield day_of(at), rows.get(day_of(at))
        after = day_of(at) + DAY_MS


def needed_from() -> tuple[int, int]:
    """(tick id, at) of the oldest tick that a stage which starts now would read.

    Each begins with the ticks of the bar open at its cursor, at least two. A stage that never ran
    needs all.
    """
    position = min(stages.position(name) for name in READERS)
    at = models.Tick.objects.filter(pk=position).values_list("at", flat=True).first()
    if at is None:
        return 0, 0
    inside = models.Tick.objects.filter(at__gte=at // BAR_MS * BAR_MS).order_by("at")
    first, began = inside.values_list("pk", "at")[0]
    return (first, began) if first < position else (position - 1, at // BAR_MS * BAR_MS - BAR_MS)


def reason(began: int) -> str:
    """Why a day could not be sealed, "" if nothing is known against it."""
    row = models.SealedDay.objects.filter(pk=began).values_list("reason", flat=True).first()
    return row or ""
