"""Sealed bars read back as columns."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import groupby

import numpy as np
from django.db.models import Max, Min

from markets import models
from markets.core.bars import BAR_MS, SealedBar
from markets.selectors import universes


def sealed(*, after: int, until: int) -> list[SealedBar]:
    """Bars that closed in (after, until], oldest first, as they were when they were sealed.

    A bar in which no market was observed has no rows and is absent. Imported bars are left out:
    the panel that was running never saw them.
    """
    rows = models.Bar.objects.filter(at__gt=after, at__lte=until, imported=False).order_by("at")
    fields = ("at", "market_id", "bid", "ask", "micro", "changes", "count")
    version_at = _versions(after - BAR_MS, until)
    return [
        _bar(at, universes.load(version_at(at)), list(found))
        for at, found in groupby(rows.values_list(*fields), key=lambda row: row[0])
    ]


def newest_bar_times() -> dict[str, int]:
    """When the newest bar of each tracked market closed, ms UTC, by condition id."""
    known = universes.newest()
    if known is None:
        return {}
    rows = models.Bar.objects.filter(market_id__in=known.keys).values_list("market_id")
    newest = dict(rows.annotate(newest=Max("at")))
    pairs = zip(known.universe.markets, known.keys, strict=True)
    return {market.id: newest[key] for market, key in pairs if key in newest}


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
