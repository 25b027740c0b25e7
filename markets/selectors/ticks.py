"""Ticks read back exactly as they were assembled, and what a restarted worker starts from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.db import connection

from markets import models, stages
from markets.core.bars import BAR_MS, SealedBar
from markets.core.tick import Ints, Tick
from markets.core.types import PastBar
from markets.selectors import bars, learnt, universes
from markets.selectors.bars import newest_bar_times
from markets.selectors.universes import Tracked

__all__ = [
    "Counts",
    "Failures",
    "LastTick",
    "Window",
    "checkpoint",
    "counts",
    "failures",
    "forget",
    "last_tick",
    "newest_bar_times",
    "open_bar",
    "tick_before",
    "ticks_after",
    "window",
]

COLLECT = "collect"
SNAPSHOTS = "collect.snapshots"
FAILURES = "collect.failures"
"""Names of the stage that writes ticks and of its running totals."""

WEEK_MS = 7 * 86_400_000
HOUR_MS = 3_600_000

_SNAPSHOTS = """
    SELECT market_id, bid, ask, bid_size, ask_size, bid_valid, ask_valid,
           observed_at, venue_at, coherent, depth, no_depth
    FROM market_snapshots WHERE tick_id BETWEEN %s AND %s ORDER BY tick_id, market_id"""

_DEPTH = """
    SELECT m.id, (
        SELECT s.depth FROM market_snapshots s
        WHERE s.market_id = m.id AND s.tick_id < %s AND s.depth IS NOT NULL
        ORDER BY s.tick_id DESC LIMIT 1)
    FROM markets_market m WHERE m.id IN ({marks})"""

_newest_read: Tick | None = None
"""The last tick handed out: the depth its successor carries forward."""


class Window(NamedTuple):
    """A week of sealed bars, the open bar's ticks (at least the last two), and the imported bars
    of that week which ticks have brought so far, to be read once."""

    bars: list[SealedBar]
    ticks: list[Tick]
    past: Iterable[PastBar]


class LastTick(NamedTuple):
    """The newest tick: its id, its event time (ms UTC) and when it was written."""

    id: int
    at: int
    recorded_at: datetime


class Counts(NamedTuple):
    """Collection totals: ticks and snapshots since the beginning, whatever was thinned since."""

    ticks: int
    snapshots: int
    anomalies: int
    markets: int


class Failures(NamedTuple):
    """Cycles that brought no tick, since the beginning, and when the last one was."""

    count: int
    last_at: datetime | None


def ticks_after(position: int, limit: int) -> list[Tick]:
    """Up to `limit` ticks with ids above `position`, in order, equal to the ticks assembled."""
    global _newest_read
    rows = models.Tick.objects.filter(pk__gt=position).order_by("pk")
    heads = list(rows.values_list("pk", "at", "universe_id")[:limit])
    if not heads:
        return []
    first, last = heads[0][0], heads[-1][0]
    snapshots, news = _snapshots(first, last), learnt.between(first, last)
    found: list[Tick] = []
    carry, start = _carried(first, universes.load(heads[0][2])), 0
    for id_, at, version in heads:
        known = universes.load(version)
        stop = start + len(known.keys)
        tick = _tick(known, snapshots[start:stop], carry, id_, at, news.on(id_))
        carry, start = dict(zip(known.keys, tick.depth, strict=True)), stop
        found.append(tick)
    _newest_read = found[-1]
    return found


def window(position: int) -> Window:
    """What a panel standing at `position` had seen, for `Panel.rebuild`."""
    ticks = open_bar(position)
    if not ticks:
        return Window([], [], ())
    until = ticks[-1].at // BAR_MS * BAR_MS
    after = until - WEEK_MS
    past = bars.past(position, after=after, until=until)
    return Window(bars.sealed(after=after, until=until), ticks, past)


def open_bar(position: int) -> list[Tick]:
    """The ticks up to `position` of the bar then open, and in any case the last two."""
    rows = models.Tick.objects.filter(pk__lte=position).order_by("-pk")
    newest = rows.values_list("at", flat=True).first()
    if newest is None:
        return []
    began = newest // BAR_MS * BAR_MS
    inside = rows.filter(at__gte=began).count()
    taken = max(inside, 2)
    return ticks_after(max(position - taken, 0), min(taken, position))


def last_tick() -> LastTick | None:
    """The newest tick, None before the first."""
    rows = models.Tick.objects.order_by("-pk").values_list("pk", "at", "recorded_at")
    newest = rows.first()
    return LastTick(*newest) if newest else None


def tick_before(at: int, position: int) -> tuple[int, int] | None:
    """Id and time of the newest tick not later than `at` (ms UTC) that a stage which has come to
    `position` has done; None where none is in the tables."""
    rows = models.Tick.objects.filter(at__lte=at, pk__lte=position).order_by("-at")
    return rows.values_list("pk", "at").first()


def checkpoint(position: int) -> bytes:
    """What the source must be handed to go on after tick `position`; empty before the first."""
    rows = models.Tick.objects.filter(pk=position).values_list("checkpoint", flat=True)
    return bytes(rows.first() or b"")


def counts(now: int | None = None) -> Counts:
    """Collection totals; anomalies are those of the hour before `now` (ms UTC, the newest tick)."""
    newest = last_tick()
    until = now if now is not None else (newest.at if newest else 0)
    known = universes.newest()
    return Counts(
        ticks=stages.position(COLLECT),
        snapshots=stages.position(SNAPSHOTS),
        anomalies=models.Anomaly.objects.filter(last_at__gt=until - HOUR_MS).count(),
        markets=len(known.keys) if known else 0,
    )


def failures() -> Failures:
    """How often, and when last, a collect cycle brought no tick."""
    row = models.Cursor.objects.filter(name=FAILURES).first()
    return Failures(row.position, row.moved_at) if row else Failures(0, None)


def forget() -> None:
    """Drop what was kept in memory; needed only where the database itself is replaced."""
    global _newest_read
    _newest_read = None


def _tick(
    known: Tracked,
    rows: Sequence[tuple],
    carry: Mapping[int, bytes],
    id_: int,
    at: int,
    news: learnt.News,
) -> Tick:
    """One tick from its snapshot rows, which come ordered by market key."""
    place = _places(known)
    if [row[0] for row in rows] != sorted(known.keys):
        raise LookupError(f"tick {id_} lacks snapshots of its universe; it cannot be replayed")
    table = np.empty((9, len(rows)), dtype=np.int64)
    table[:, place] = np.array([row[1:10] for row in rows], dtype=np.int64).reshape(-1, 9).T
    depth: list[bytes] = [b""] * len(rows)
    apart: dict[int, bytes] = {}
    for column, row in zip(place.tolist(), rows, strict=True):
        depth[column] = carry[row[0]] if row[10] is None else bytes(row[10])
        if row[11] is not None:
            apart[column] = bytes(row[11])
    flags = table[[4, 5, 8]].astype(np.bool_)
    bid, ask, bid_size, ask_size, _, _, observed_at, venue_at, _ = table
    return Tick(
        at=at,
        universe=known.universe,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        bid_valid=flags[0],
        ask_valid=flags[1],
        observed_at=observed_at,
        venue_at=venue_at,
        coherent=flags[2],
        depth=tuple(depth),
        no_depth=apart,
        resolutions=news.resolutions,
        prints=news.prints,
        past=news.past,
        id=id_,
    )


def _places(known: Tracked) -> Ints:
    """The column of each market in the order of the keys."""
    return np.argsort(np.array(known.keys, dtype=np.int64), kind="stable")


def _snapshots(first: int, last: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOTS, [first, last])
        return cursor.fetchall()


def _carried(first: int, known: Tracked) -> Mapping[int, bytes]:
    """The depth in force before tick `first`, by market key."""
    before = _newest_read
    if before is not None and before.id == first - 1:
        keys = universes.load(before.universe.version).keys
        return dict(zip(keys, before.depth, strict=True))
    if first == 1:
        return {}
    marks = ", ".join(["%s"] * len(known.keys))
    with connection.cursor() as cursor:
        cursor.execute(_DEPTH.format(marks=marks), [first, *known.keys])
        return {key: bytes(depth) for key, depth in cursor.fetchall() if depth is not None}
