"""Thinning: of a sealed day's old snapshots the last of each slot stays, the others are deleted.

A snapshot without depth shows the depth stored before it. Whoever deletes snapshots hands the
newest depth among them on to the first tick that stays, so that every chain stays whole. Deleting
goes in small transactions with pauses between them: collect writes to the same file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from time import monotonic, sleep

from django.conf import settings
from django.db import connection, transaction

from markets import models
from markets.selectors import days
from markets.services import sealing

HOUR_MS = 3_600_000
ROWS_AT_ONCE = 2_000
PAUSE_SECONDS = 0.005
"""Rows a transaction deletes, a tick at least, and the shortest pause after it."""

_HAND_ON = """
    UPDATE market_snapshots SET depth = (
        SELECT s.depth FROM market_snapshots s
        WHERE s.market_id = market_snapshots.market_id AND s.tick_id BETWEEN %s AND %s
        AND s.depth IS NOT NULL ORDER BY s.tick_id DESC LIMIT 1)
    WHERE tick_id = %s AND depth IS NULL"""

_DELETE = "DELETE FROM market_snapshots WHERE tick_id BETWEEN %s AND %s"


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive ticks whose snapshots may go: from `first` to `last`, followed by `heir`."""

    first: int
    last: int
    heir: int


def run(at: int, *, seconds: float = 5) -> int:
    """Thin what is due for about `seconds`; returns the snapshots deleted.

    Due is what is older than `collection.keep_raw_hours`, counted back from the newest tick, in
    sealed days whose files are there, and no stage would still read.
    """
    until, deleted = monotonic() + seconds, 0
    for day in days.sealed(0, at + 1):
        if day.thinned_to >= day.last_tick or day.pruned or not sealing.trusted(day, at):
            continue
        for chunk in plan(day, horizon(at, settings.PQAP.collection.keep_raw_hours)):
            if monotonic() >= until:
                return deleted
            deleted += _thin(day, chunk)
    return deleted


def horizon(at: int, hours: int) -> int:
    """The instant `hours` before the newest tick, or before `at` if that is earlier (ms UTC)."""
    newest = models.Tick.objects.order_by("-pk").values_list("at", flat=True).first() or 0
    return min(newest, at) - hours * HOUR_MS


def plan(day: models.SealedDay, before: int) -> Iterator[Run]:
    """The ticks of a day that go, in order; those at or after `before` and those needed stay.

    A slot is thinned once it lies behind `before` as a whole; the last tick of each slot, and so
    of each day, stays.
    """
    needed, _ = days.needed_from()
    slot_ms = settings.PQAP.collection.snapshot_seconds * 1000
    rows = models.Tick.objects.filter(pk__gt=day.thinned_to, pk__lte=day.last_tick)
    rows = rows.filter(pk__gte=day.first_tick, pk__lt=needed, at__lt=before).order_by("pk")
    heads = rows.values_list("pk", "at")
    for slot, found in groupby(heads, key=lambda head: head[1] // slot_ms):
        keys = [key for key, _ in found]
        if (slot + 1) * slot_ms <= before or keys[-1] == day.last_tick:
            yield Run(keys[0], keys[-1] - 1, keys[-1])


def rows_of(first: int, last: int) -> int:
    """How many snapshots the ticks from `first` to `last` have left."""
    return models.Snapshot.objects.filter(tick_id__gte=first, tick_id__lte=last).count()


def drop(chunk: Run) -> int:
    """Delete the snapshots of consecutive ticks inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_HAND_ON, [chunk.first, chunk.last, chunk.heir])
        cursor.execute(_DELETE, [chunk.first, chunk.last])
        return cursor.rowcount


def pieces(chunk: Run, markets: int) -> Iterator[Run]:
    """The same ticks in pieces small enough for one transaction each."""
    step = max(ROWS_AT_ONCE // max(markets, 1), 1)
    for first in range(chunk.first, chunk.last + 1, step):
        last = min(first + step - 1, chunk.last)
        yield Run(first, last, last + 1)


def breathe(began: float) -> None:
    """Leave the database to others for as long as it was held."""
    sleep(max(monotonic() - began, PAUSE_SECONDS))


def _thin(day: models.SealedDay, chunk: Run) -> int:
    deleted = 0
    for piece in pieces(chunk, day.snapshots // max(day.ticks, 1)):
        began = monotonic()
        with transaction.atomic():
            deleted += drop(piece)
            _moved(day, piece.last)
        breathe(began)
    _moved(day, chunk.heir)
    return deleted


def _moved(day: models.SealedDay, to: int) -> None:
    day.thinned_to = to
    models.SealedDay.objects.filter(pk=day.pk).update(thinned_to=to)
