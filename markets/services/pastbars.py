"""Imported bars as rows: stored once, and later brought into the panel by a tick."""

from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from markets import models
from markets.core.bars import BAR_MS
from markets.core.tick import Tick
from markets.core.window import WEEK

AT_ONCE = 10
"""Markets that one tick brings: some 20,000 bars, a tenth of a second for whoever learns them."""

_BAR = """
    INSERT INTO markets_bar (at, market_id, bid, ask, micro, changes, count, imported)
    VALUES (%s, %s, %s, %s, %s, %s, 0, %s) ON CONFLICT (at, market_id) DO NOTHING"""


@transaction.atomic
def store(market: int, closes: Mapping[int, int]) -> int:
    """Store closes (ms UTC -> micro) as imported bars of a market (local key), in order of time.

    Bars that are there already stay as they are, own ones above all. Returns how many are new;
    they wait for a tick to bring them.
    """
    if not closes:
        return 0
    span = models.Bar.objects.filter(market_id=market, at__gte=min(closes), at__lte=max(closes))
    known = set(span.values_list("at", flat=True))
    rows = [
        (at, market, price, price, price, int(closes.get(at - BAR_MS, price) != price), True)
        for at, price in closes.items()
        if at not in known
    ]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(_BAR, rows)
    _wait(market, len(rows), rows[-1][0])
    return len(rows)


def claim(tick: Tick, keys: Sequence[int]) -> int:
    """Let a tick that is being stored bring imported bars of its markets; how many it brings.

    Belongs into the transaction that stores the tick, after the bars it sealed: whatever is
    claimed has closed before the tick's own bar began. `keys` are the local keys of its markets.
    """
    until = tick.at // BAR_MS * BAR_MS
    rows = models.PastImport.objects.filter(waiting=True, newest_at__lte=until).order_by("pk")
    waiting = list(rows.values_list("pk", "bars"))
    if not waiting:
        return 0
    here = set(keys)
    chosen = [(key, bars) for key, bars in waiting if key in here][:AT_ONCE]
    fresh = models.Bar.objects.filter(
        market_id__in=[key for key, _ in chosen],
        imported=True,
        learnt_tick_id=None,
        at__gt=until - WEEK * BAR_MS,
        at__lte=until,
    )
    brought = fresh.update(learnt_tick_id=tick.id)
    for key, bars in chosen:
        # An import that came in between has raised the count, and goes on waiting.
        models.PastImport.objects.filter(pk=key, bars=bars).update(waiting=False)
    return brought


def _wait(market: int, added: int, newest_at: int) -> None:
    models.PastImport.objects.bulk_create(
        [models.PastImport(market_id=market)], ignore_conflicts=True
    )
    row = models.PastImport.objects.select_for_update().get(pk=market)
    row.bars += added
    row.newest_at = max(row.newest_at, newest_at)
    row.waiting = True
    row.save(update_fields=["bars", "newest_at", "waiting"])
