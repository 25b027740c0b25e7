"""Faults of books as rows: one a fault, however many reads it lasts."""

from collections.abc import Iterable, Mapping

from django.db import connection

from markets import models
from markets.core.assembly import Flaw

QUIET_MS = 300_000
"""A fault not seen for so long is over; the same one is a new anomaly then."""

_SEEN = "UPDATE markets_anomaly SET last_at = %s, count = count + %s WHERE id = %s"


def note(seen: Iterable[tuple[int, int, tuple[Flaw, ...]]], key_of: Mapping[str, int]) -> None:
    """Store what was wrong with reads, given as (tick id, its `at` in ms UTC, flaws), in order.

    A fault seen again within QUIET_MS goes on in its row. Runs in the caller's transaction.
    """
    found = [
        (tick_id, at, key_of[flaw.market], flaw.code)
        for tick_id, at, flaws in seen
        for flaw in flaws
    ]
    if not found:
        return
    standing = _standing(found[0][1] - QUIET_MS)
    fresh: list[models.Anomaly] = []
    touched: dict[int, models.Anomaly] = {}
    for tick_id, at, key, code in found:
        row = standing.get((key, code))
        if row is None or row.last_at < at - QUIET_MS:
            row = models.Anomaly(
                tick_id=tick_id, at=at, market_id=key, code=code, last_at=at, count=0
            )
            fresh.append(row)
            standing[key, code] = row
        elif row.pk is not None and row.pk not in touched:
            touched[row.pk], row.count = row, 0
        row.last_at, row.count = at, row.count + 1
    models.Anomaly.objects.bulk_create(fresh)
    with connection.cursor() as cursor:
        cursor.executemany(_SEEN, [(row.last_at, row.count, pk) for pk, row in touched.items()])


def _standing(since: int) -> dict[tuple[int, str], models.Anomaly]:
    """The newest row of each fault seen since then."""
    rows = models.Anomaly.objects.filter(last_at__gte=since).order_by("last_at", "pk")
    return {(row.market_id, row.code): row for row in rows}
