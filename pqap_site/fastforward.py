"""The demo lives through the time it was off: five-minute ticks through the same two stages.

Runs in `runpqap` before the workers start, never as a task. Each batch is collected, then traded,
each in its one short transaction, so that a Ctrl-C or a kill -9 loses at most the batch at hand.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings

from execution.services import desk
from markets.selectors import ticks
from markets.services import collect, sources, universe

STEP_MS = 300_000
BATCH = 48
"""Ticks in one transaction: four hours of the world, well under a second of work."""
REACH = timedelta(days=7)

Progress = Callable[[int, int], None]


def begins(now: datetime) -> int:
    """When a desk opened now has its first day, ms UTC: the simulated world has a past."""
    return _ms(now - REACH) if settings.PQAP.exchange.source == "synthetic" else _ms(now)


def due(now: datetime) -> list[int]:
    """Times (ms UTC) the simulated world has not lived through yet, at most seven days of them."""
    if settings.PQAP.exchange.source != "synthetic":
        return []
    until = _ms(now)
    newest = ticks.last_tick()
    since = max(newest.at if newest else 0, _ms(now - REACH))
    first = (since // STEP_MS + 1) * STEP_MS
    return list(range(first, until + 1, STEP_MS))


def run(now: datetime, progress: Progress) -> int:
    """Bring world and desk up to `now`; calls `progress(done, total)` after each batch."""
    while desk.advance(now=now):
        pass
    schedule = due(now)
    for done, batch in _batches(schedule):
        universe.run(batch[0])
        collected = collect.collect_many(sources.current(settings.PQAP), batch, every=STEP_MS)
        sources.moved(collected.position)
        while desk.advance(now=datetime.now(UTC), late_allowed=True):
            pass
        progress(done, len(schedule))
    for stage in (desk, collect, sources, ticks):
        stage.forget()  # The workers keep their own; this process only watches them from now on.
    return len(schedule)


def _batches(schedule: list[int]) -> Iterator[tuple[int, list[int]]]:
    for start in range(0, len(schedule), BATCH):
        batch = schedule[start : start + BATCH]
        yield start + len(batch), batch


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
