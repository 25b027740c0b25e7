"""Sealing: a finished day's ticks go to the archive, and count as there once read back equal.

A day is sealed step by step, each step one file, so that a worker is never busy for long and one
that is killed goes on where it was: raw parts in order, then the touch files, then the list of
ticks. A file counts when its row exists, and the row is written after the file was read from the
disk and compared. One process at a time holds the archive's lock.
"""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

import pyarrow as pa
from django.conf import settings
from django.db import transaction

from markets import archive, models
from markets.archive import days as layout
from markets.archive import lock, touch
from markets.archive.ticklist import TickList
from markets.core.digest import TickDigest
from markets.core.tick import Tick
from markets.core.types import DayState, FeedState
from markets.selectors import days, ticks
from markets.services import feeds
from markets.sources.recording import Recording

log = logging.getLogger(__name__)

FEED = "archive"
PART_ROWS = 500_000
READ_ROWS = 20_000
TOUCH_ROWS = 2_000_000
TOUCH_MARKETS = 200
"""Rows of a raw part, rows read from the tables at once, and the most of one touch file."""

RETRY_MS = 3_600_000
ROOM_BYTES = 256 << 20
ROW_BYTES = 60
"""Free space asked for: a reserve, and what a row with depth takes at worst once compressed."""


class NoRoom(Exception):
    """The disk has too little space left; the text says how much."""


class Unequal(Exception):
    """The archive does not hold what the tables hold; the text says where."""


BAD = (Unequal, LookupError, OSError, ValueError, pa.ArrowException)
"""What a damaged file or a tick without its rows raises; anything else is a fault of ours."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a call did: steps taken, days completed, and whether another process was at it."""

    steps: int = 0
    days: int = 0
    busy: bool = False


def run(at: int, *, seconds: float = 10, day: int | None = None) -> Sealed:
    """Seal what is finished, oldest day first or just `day`, for about `seconds`.

    `at` (ms UTC) stamps what is written. A day that fails is told of, left in the tables as it is,
    and tried again after an hour, or when it is named.
    """
    until, steps, done = monotonic() + seconds, 0, 0
    with lock.held(settings.PATHS.archive) as mine:
        if not mine:
            return Sealed(busy=True)
        for began, row in days.finished():
            if day not in (None, began) or not _due(row, at, named=day is not None):
                continue
            while not steps or monotonic() < until:
                steps += 1
                state = _attempt(began, at)
                done += state is DayState.SEALED
                if state is not DayState.SEALING:
                    break
    return Sealed(steps, done)


def check(row: models.SealedDay) -> None:
    """Read every file of a sealed day from the disk; raises Unequal when one is not as sealed."""
    for file in row.files.order_by("name"):
        path = days.folder(row.began_at).path / file.name
        if not path.is_file() or layout.sha256(path) != file.sha256:
            raise Unequal(f"{path} is missing or is not the file that was sealed.")


def trusted(row: models.SealedDay, at: int, *, read: bool = False) -> bool:
    """Whether a sealed day's files are there, each as long as sealed; with `read`, byte for byte.

    If not, it is told, and not asked again for an hour.
    """
    if row.reason and 0 <= at - row.tried_at < RETRY_MS:
        return False
    try:
        if read:
            check(row)
        else:
            _check_sizes(row)
    except Unequal as wrong:
        row.reason, row.tried_at = str(wrong), at
        row.save(update_fields=["reason", "tried_at"])
        feeds.note(FEED, FeedState.DOWN, at=at, reason=row.reason)
        log.error("Nothing of %s is deleted: %s", layout.date_of(row.began_at), wrong)
        return False
    if row.reason:
        row.reason = ""
        row.save(update_fields=["reason"])
        _well(at)
    return True


def _check_sizes(row: models.SealedDay) -> None:
    for file in row.files.order_by("name"):
        path = days.folder(row.began_at).path / file.name
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise Unequal(f"{path} is missing or is not the file that was sealed.")


def _due(row: models.SealedDay | None, at: int, *, named: bool) -> bool:
    if row is None or row.state == DayState.SEALING:
        return True
    waited = not 0 <= at - row.tried_at < RETRY_MS
    return row.state == DayState.FAILED and (named or waited)


def _attempt(began: int, at: int) -> DayState:
    """One step of one day, with whatever goes wrong told and stored."""
    row = _row(began, at)
    try:
        state = _step(row, at)
    except NoRoom as full:
        _tell(row, DayState.FAILED, str(full), at, FeedState.DEGRADED)
        return DayState.FAILED
    except BAD as wrong:
        row.files.all().delete()
        _tell(row, DayState.FAILED, f"{type(wrong).__name__}: {wrong}", at, FeedState.DOWN)
        return DayState.FAILED
    if state is DayState.SEALED:
        _well(at)
    return state


def _well(at: int) -> None:
    """The archive is well again when nothing is known against any day."""
    if not models.SealedDay.objects.exclude(reason="").exists():
        feeds.note(FEED, FeedState.OK, at=at)


def _row(began: int, at: int) -> models.SealedDay:
    """The day's row, with its ticks as the tables count them; a failed one starts over."""
    inside = models.Tick.objects.filter(at__gte=began, at__lt=began + layout.DAY_MS)
    keys = list(inside.order_by("pk").values_list("pk", flat=True))
    values = {
        "state": DayState.SEALING,
        "first_tick": keys[0],
        "last_tick": keys[-1],
        "ticks": len(keys),
        "tried_at": at,
    }
    row, _ = models.SealedDay.objects.update_or_create(began_at=began, defaults=values)
    return row


def _step(row: models.SealedDay, at: int) -> DayState:
    """The next file of a day, or its last act."""
    folder = days.folder(row.began_at)
    folder.path.mkdir(parents=True, exist_ok=True)
    layout.sweep(folder.path)
    files = {file.name: file for file in row.files.all()}
    parts = sorted((f for f in files.values() if f.digest), key=lambda file: file.last_tick)
    after = parts[-1].last_tick if parts else row.first_tick - 1
    if after < row.last_tick:
        _raw(row, folder, len(parts), after)
        return DayState.SEALING
    recordings = [Recording(folder.path / part.name) for part in parts]
    markets = sorted({m for each in recordings for u in each.universes for m in u.column})
    size = max(min(TOUCH_MARKETS, TOUCH_ROWS // row.ticks), 1)
    shares = [markets[start : start + size] for start in range(0, len(markets), size)]
    for number in range(len(shares)):
        if folder.touch(number).name not in files:
            _touch(row, folder, number, shares, recordings)
            return DayState.SEALING
    _finish(row, folder, recordings, at)
    return DayState.SEALED


def _raw(row: models.SealedDay, folder: layout.DayFolder, number: int, after: int) -> None:
    """Write the ticks behind `after` as the next raw part, and compare it with the tables."""
    path, wrote, read = folder.raw(number), TickDigest(), TickDigest()
    _check_room(folder, PART_ROWS)
    archive.write_recording(path, _digested(_stored(after, row.last_tick), wrote))
    layout.leave_memory(path)
    for _ in _digested(archive.read_recording(path), read):
        pass
    last = after + wrote.ticks
    counted = models.Snapshot.objects.filter(tick_id__gt=after, tick_id__lte=last).count()
    if not wrote.rows == read.rows == counted or wrote.hexdigest() != read.hexdigest():
        raise Unequal(f"{path}: {counted} rows are in the table, {read.rows} were read back.")
    _keep(row, path.name, last, wrote.rows, digest=read.hexdigest())


def _stored(after: int, last: int) -> Iterator[Tick]:
    """Ticks from the tables, in order, until a raw part is full or `last` has come."""
    rows, limit = 0, 1
    while after < last and rows < PART_ROWS:
        found = [tick for tick in ticks.ticks_after(after, limit) if tick.id <= last]
        yield from found
        after = found[-1].id
        rows += sum(len(tick.universe) for tick in found)
        limit = max(READ_ROWS // len(found[-1].universe), 1)


def _digested(found: Iterator[Tick], digest: TickDigest) -> Iterator[Tick]:
    for tick in found:
        digest.add(tick)
        yield tick


def _touch(
    row: models.SealedDay,
    folder: layout.DayFolder,
    number: int,
    shares: list[list[str]],
    recordings: list[Recording],
) -> None:
    """Turn one share of the markets from the raw parts on the disk, write it and read it back."""
    path, turned = folder.touch(number), touch.Turned(shares[number], row.ticks)
    _check_room(folder, row.ticks * len(shares[number]))
    for recording in recordings:
        for block in recording.blocks():
            turned.take(block)
    rows = touch.write(path, turned, [share[0] for share in shares])
    layout.leave_memory(path)
    touch.check(path, turned)
    _keep(row, path.name, row.last_tick, rows)


def _finish(
    row: models.SealedDay,
    folder: layout.DayFolder,
    recordings: list[Recording],
    at: int,
) -> None:
    """Write the list of ticks, compare the day's counts with the tables, and call it sealed."""
    listed, rows = TickList(), 0
    for recording in recordings:
        for tick in recording.ticks(depth=False):
            listed.add(tick)
            rows += len(tick.universe)
    inside = {"tick_id__gte": row.first_tick, "tick_id__lte": row.last_tick}
    counted = models.Snapshot.objects.filter(**inside).count()
    turned = sum(file.snapshots for file in row.files.filter(digest=""))
    if len(listed) != row.ticks or not counted == rows == turned:
        raise Unequal(
            f"{folder.path}: the tables hold {row.ticks} ticks and {counted} rows, the archive "
            f"{len(listed)} ticks, {rows} rows with depth and {turned} rows of touch."
        )
    listed.write(folder)
    with transaction.atomic():
        for path in (folder.ticks, folder.said):
            _keep(row, path.name, row.last_tick, 0)
        row.state, row.reason, row.snapshots, row.sealed_at = DayState.SEALED, "", rows, at
        row.raw_kept, row.thinned_to = True, 0
        row.save()
    for stray in set(folder.path.iterdir()) - {folder.path / file.name for file in row.files.all()}:
        stray.unlink()
    log.info("Sealed %s: %d ticks, %d rows", folder.path.name, row.ticks, rows)


def _keep(row: models.SealedDay, name: str, last_tick: int, rows: int, digest: str = "") -> None:
    path = days.folder(row.began_at).path / name
    models.ArchiveFile.objects.update_or_create(
        day=row,
        name=name,
        defaults={
            "last_tick": last_tick,
            "snapshots": rows,
            "bytes": path.stat().st_size,
            "sha256": layout.sha256(path),
            "digest": digest,
        },
    )


def _check_room(folder: layout.DayFolder, rows: int) -> None:
    free, needed = shutil.disk_usage(folder.path).free, ROOM_BYTES + rows * ROW_BYTES
    if free < needed:
        raise NoRoom(
            f"{folder.path} needs {needed >> 20} MB of free disk for its next file and has "
            f"{free >> 20} MB; free some, or set PQAP_DATA to a larger disk."
        )


def _tell(row: models.SealedDay, state: DayState, reason: str, at: int, feed: FeedState) -> None:
    row.state, row.reason, row.tried_at = state, reason, at
    row.save()
    feeds.note(FEED, feed, at=at, reason=reason)
    date = layout.date_of(row.began_at)
    log.error("The day %s could not be sealed and stays in the database: %s", date, reason)
