"""Sealed bars read back as columns."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
from django.db.models import Max, Min

from markets import models
from markets.core.bars import BAR_MS, SealedBar
from markets.core.types import PastBar
from markets.core.window import WEEK
from markets.selectors import universes


class Readiness(NamedTuple):
    """Bars a market has of the last seven days, how many of them are imported, how many are
    needed, and when that many will be there if none is missed from now on (ms UTC)."""

    have: int
    imported: int
    need: int
    ready_at: int


def sealed(*, after: int, until: int) -> list[SealedBar]:
    """Bars that closed in (after, until], oldest first, as they were when they were sealed.

    A bar in which no market was observed has no rows and is absent. Imported bars are not here:
    the panel learns them from ticks, see `past`.
    """
    rows = models.Bar.objects.filter(at__gt=after, at__lte=until, imported=False).order_by("at")
    fields = ("at", "market_id", "bid", "ask", "micro", "changes", "count")
    version_at = _versions(after - BAR_MS, until)
    return [
        _bar(at, universes.load(version_at(at)), list(found))
        for at, found in groupby(rows.values_list(*fields), key=lambda row: row[0])
    ]


def past(position: int, *, after: int, until: int) -> Iterator[PastBar]:
    """Imported bars that closed in (after, until] and were learnt on ticks up to `position`.

    Grouped by market, oldest first, read while they are used: there may be millions.
    """
    rows = models.Bar.objects.filter(
        imported=True, learnt_tick_id__lte=position, at__gt=after, at__lte=until
    ).order_by("market_id", "at")
    found = rows.values_list("market__condition_id", "at", "micro")
    return (PastBar(*row) for row in found.iterator(chunk_size=20_000))


def readiness(
    markets: Collection[str], *, at: int | None = None, need: int = WEEK
) -> dict[str, Readiness]:
    """How far each given market (condition id) is from `need` bars within seven days.

    Counted back from `at` (ms UTC), by default the newest tick. Unknown markets are absent, and so
    is everything before the first tick.
    """
    if not 0 < need <= WEEK:
        raise ValueError(f"need must be from 1 to {WEEK} bars, was {need}")
    if at is None:
        at = models.Tick.objects.aggregate(Max("at"))["at__max"]
    if at is None:
        return {}
    until = at // BAR_MS * BAR_MS
    known = models.Market.objects.filter(condition_id__in=markets)
    keys = dict(known.values_list("pk", "condition_id"))
    present: dict[int, set[int]] = {key: set() for key in keys}
    imported = dict.fromkeys(keys, 0)
    rows = models.Bar.objects.filter(market_id__in=keys, at__gt=until - WEEK * BAR_MS)
    for key, close, is_imported in rows.filter(at__lte=until).values_list(
        "market_id", "at", "imported"
    ):
        present[key].add(close)
        imported[key] += is_imported
    return {
        keys[key]: Readiness(len(closes), imported[key], need, _ready_at(closes, until, need))
        for key, closes in present.items()
    }


def newest_bar_times() -> dict[str, int]:
    """When the newest bar observed of each tracked market closed, ms UTC, by condition id."""
    known = universes.newest()
    if known is None:
        return {}
    seen = models.Bar.objects.filter(market_id__in=known.keys, imported=False)
    rows = seen.values_list("market_id")
    newest = dict(rows.annotate(newest=Max("at")))
    pairs = zip(known.universe.markets, known.keys, strict=True)
    return {market.id: newest[key] for market, key in pairs if key in newest}


def _ready_at(present: set[int], until: int, need: int) -> int:
    """When the window will hold `need` bars: each missing one leaves it seven days after."""
    allowed = WEEK - need
    closes = range(until, until - WEEK * BAR_MS, -BAR_MS)
    missing = (close for close in closes if close not in present)
    first_too_many = next((close for n, close in enumerate(missing) if n == allowed), None)
    return until if first_too_many is None else first_too_many + WEEK * BAR_MS


def _bar(at: int, known: universes.Tracked, rows: Iterable[tuple[int, ...]]) -> SealedBar:
    n = len(known.keys)
    place = {key: column for column, key in enumerate(known.keys)}
    kept = [row for row in rows if row[1] in place]
    columns = np.array([place[row[1]] for row in kept], dtype=np.int64)
    table = np.zeros((5, n), dtype=np.int64)
    table[:, columns] = np.array([row[2:] for row in kept], dtype=np.int64).reshape(-1, 5).T
    valid = np.zeros(n, dtype=np.bool_)
    valid[columns] = True
    bid, ask, micro, changes, count = table
    return SealedBar(at, known.universe, bid, ask, micro, changes, count, valid)


def _versions(after: int, until: int) -> Callable[[int], int]:
    """Bar close -> the universe version of the last tick inside that bar."""
    rows = models.Tick.objects.filter(at__gte=after, at__lt=until)
    spans = list(rows.values_list("universe_id").annotate(Min("at")).order_by("at__min"))
    starts = [start for _, start in spans]
    return lambda at: spans[bisect_left(starts, at) - 1][0]
