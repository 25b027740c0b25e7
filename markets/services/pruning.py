"""Pruning: rows of sealed days go after `retention_days`, raw files after `keep_raw_days`.

The archive's tick lists and touch files stay for good, and so do outcomes and the catalogue.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from markets import models
from markets.archive import lock
from markets.archive.days import DAY_MS, date_of
from markets.core.bars import BAR_MS
from markets.selectors import days
from markets.selectors.ticks import WEEK_MS
from markets.services import sealing, thinning
from markets.services.thinning import Run

log = logging.getLogger(__name__)

_BY_TICK = ("markets_print", "markets_anomaly")
BARS_AT_ONCE_MS = 12 * BAR_MS


@dataclass(slots=True)
class Pruned:
    """What went, or would go: rows by table, raw files and their bytes."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0

    def add(self, table: str, rows: int) -> None:
        """Count rows of a table."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


def tidy(at: int, *, seconds: float = 10) -> Pruned | None:
    """Thin and prune for about `seconds`; None when another process is at the archive."""
    with lock.held(settings.PATHS.archive) as mine:
        if not mine:
            return None
        began = monotonic()
        thinned = thinning.run(at, seconds=seconds)
        done = run(at, seconds=seconds - (monotonic() - began))
    done.add("market_snapshots", thinned)
    return done


def run(at: int, *, seconds: float = 5) -> Pruned:
    """Delete what has outlived its time, for about `seconds`; `at` is now (ms UTC)."""
    until, done = monotonic() + seconds, Pruned()
    for day in _outlived(at):
        if monotonic() >= until:
            return done
        _prune(day, done)
    _bars(at, until, done)
    for day in _raw_outlived(at):
        if monotonic() < until:
            _unlink(day, at, done)
    return done


def would(at: int) -> Pruned:
    """What thinning and `run` would delete now, however long it took."""
    told = Pruned()
    due = thinning.horizon(at, settings.PQAP.collection.keep_raw_hours)
    for day in days.sealed(0, at + 1):
        if day.thinned_to < day.last_tick and not day.pruned:
            chunks = thinning.plan(day, due)
            told.add("market_snapshots", sum(thinning.rows_of(c.first, c.last) for c in chunks))
    for day in _outlived(at):
        inside = {"tick_id__gte": day.first_tick, "tick_id__lte": day.last_tick}
        told.add("ticks", models.Tick.objects.filter(pk__lte=day.last_tick,
                                                     pk__gte=day.first_tick).count())  # fmt: skip
        told.add("prints", models.Print.objects.filter(**inside).count())
        told.add("anomalies", models.Anomaly.objects.filter(**inside).count())
        told.add("market_snapshots", thinning.rows_of(day.first_tick, day.last_tick))
    told.add("bars", _old_bars(at).count())
    for day in _raw_outlived(at):
        for file in _raw(day):
            told.files, told.bytes = told.files + 1, told.bytes + file.bytes
    return told


def _outlived(at: int) -> Iterator[models.SealedDay]:
    """Sealed days that ended before the retention, and that no stage or panel still needs."""
    before = min(_retained(at), _needed_at())
    for day in days.sealed(0, before):
        if not day.pruned and day.began_at + DAY_MS <= before:
            yield day


def _retained(at: int) -> int:
    return thinning.horizon(at, settings.PQAP.collection.retention_days * 24)


def _needed_at() -> int:
    """A panel is rebuilt from a week of bars, which name the universe of ticks inside them."""
    return days.needed_from()[1] - WEEK_MS - 2 * BAR_MS


def _prune(day: models.SealedDay, done: Pruned) -> None:
    """Delete a day's rows, snapshots first: their ticks are what they refer to."""
    whole = Run(day.first_tick, day.last_tick, day.last_tick + 1)
    left = thinning.rows_of(day.first_tick, day.last_tick)
    for piece in thinning.pieces(whole, -(-left // day.ticks)):
        began = monotonic()
        with transaction.atomic():
            done.add("market_snapshots", thinning.drop(piece))
        thinning.breathe(began)
    began = monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _BY_TICK:
            cursor.execute(
                f"DELETE FROM {table} WHERE tick_id BETWEEN %s AND %s",
                [day.first_tick, day.last_tick],
            )
            done.add(table.removeprefix("markets_") + "s", cursor.rowcount)
        cursor.execute(
            "DELETE FROM markets_tick WHERE id BETWEEN %s AND %s", [day.first_tick, day.last_tick]
        )
        done.add("ticks", cursor.rowcount)
        gone = {"pruned": True, "thinned_to": day.last_tick}
        models.SealedDay.objects.filter(pk=day.pk).update(**gone)
    thinning.breathe(began)
    log.info("Pruned %s", date_of(day.began_at))


def _old_bars(at: int) -> QuerySet[models.Bar]:
    """Bars that outlived the retention; one that came with a tick stays as long as that tick."""
    oldest = models.Tick.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    alone = Q(learnt_tick_id=None) | Q(learnt_tick_id__lt=oldest)
    return models.Bar.objects.filter(alone, at__lte=min(_retained(at), _needed_at()))


def _bars(at: int, until: float, done: Pruned) -> None:
    """Delete old bars, an hour of them at a time."""
    old = _old_bars(at)
    while monotonic() < until:
        began = monotonic()
        first = old.order_by("at").values_list("at", flat=True).first()
        if first is None:
            return
        done.add("bars", old.filter(at__lte=first + BARS_AT_ONCE_MS)._raw_delete(old.db))
        thinning.breathe(began)


def _raw_outlived(at: int) -> Iterator[models.SealedDay]:
    """Days whose raw files may go: old enough, and their rows thinned."""
    before = thinning.horizon(at, settings.PQAP.collection.keep_raw_days * 24)
    for day in days.sealed(0, before):
        if day.began_at + DAY_MS <= before and day.thinned_to >= day.last_tick and _raw(day):
            yield day


def _raw(day: models.SealedDay) -> list[models.ArchiveFile]:
    return list(day.files.exclude(digest=""))


def _unlink(day: models.SealedDay, at: int, done: Pruned) -> None:
    """Delete a day's raw files, once all its files have been read again and are right.

    The row says first that they are gone: what a crash leaves is deleted the next time.
    """
    if day.raw_kept and not sealing.trusted(day, at, read=True):
        return
    models.SealedDay.objects.filter(pk=day.pk).update(raw_kept=False)
    for file in _raw(day):
        (days.folder(day.began_at).path / file.name).unlink(missing_ok=True)
        file.delete()
        done.files, done.bytes = done.files + 1, done.bytes + file.bytes
