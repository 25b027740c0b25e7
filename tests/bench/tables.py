"""The archive's costs on the database: sealing a day, thinning it."""

from collections.abc import Iterator
from time import perf_counter

from django.db import connection
from django.utils import timezone

from markets import models, stages
from markets.core.tick import Tick, Universe
from markets.selectors import ticks, universes
from markets.selectors.universes import Tracked
from markets.services import catalogue, rows, sealing, thinning
from markets.services.rows import Step

BATCH = 100


def stored(universe: Universe) -> Tracked:
    """The universe as rows, and as they come back."""
    keys = catalogue.store(list(universe.markets), 1)
    members = [[keys[market.id], market.volume_24h] for market in universe.markets]
    row = models.Universe.objects.create(effective_at=1, members=members)
    return universes.load(row.pk)


def collected(found: Iterator[Tick]) -> int:
    """The ticks as collect writes them; returns how many."""
    known, previous, batch, count = None, None, list[Step](), 0
    for tick in found:
        if known is None:
            known = stored(tick.universe)
        object.__setattr__(tick, "universe", known.universe)
        batch.append(Step(previous, tick, (), None))
        previous, count = tick, count + 1
        if len(batch) == BATCH:
            _write(batch, known)
            batch = []
    if batch and known:
        _write(batch, known)
    return count


def _write(batch: list[Step], known: Tracked) -> None:
    first, last = batch[0].tick.id, batch[-1].tick.id
    with stages.advance(ticks.COLLECT, from_=first - 1, to=last):
        rows.write(batch, known, checkpoint=b"", recorded_at=timezone.now())


def lines(long: Iterator[Tick]) -> Iterator[str]:
    """The figures of three days of fifty markets."""
    began = perf_counter()
    count = collected(long)
    yield f"three days of 50 markets collected in {perf_counter() - began:.1f} s"
    with stages.advance("desk", from_=0, to=count):
        pass
    newest = ticks.last_tick()
    assert newest is not None
    steps: list[float] = []
    while True:
        began = perf_counter()
        if not sealing.run(newest.at, seconds=0.001).steps:
            break
        steps.append(perf_counter() - began)
    days = models.SealedDay.objects.count()
    yield f"sealing: {sum(steps) / days:.1f} s a day, longest step {max(steps):.1f} s"
    yield _thinned(newest.at)


def _thinned(at: int) -> str:
    held: list[float] = []
    move = thinning._moved

    def moved(*asked: object) -> None:
        move(*asked)
        if connection.in_atomic_block:
            held.append(perf_counter() - started[0])

    started = [0.0]
    drop = thinning.drop

    def dropped(chunk: thinning.Run) -> int:
        started[0] = perf_counter()
        return drop(chunk)

    thinning._moved, thinning.drop = moved, dropped
    before, began = models.Snapshot.objects.count(), perf_counter()
    deleted = thinning.run(at, seconds=1e9)
    thinning._moved, thinning.drop = move, drop
    took = perf_counter() - began
    held.sort()
    return (
        f"thinning: {deleted:,} of {before:,} rows in {took:.1f} s with pauses, {len(held)} "
        f"transactions, median {held[len(held) // 2] * 1e3:.0f} ms, longest {held[-1] * 1e3:.0f} ms"
    )
