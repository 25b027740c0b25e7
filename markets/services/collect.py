"""Collect: read every tracked market's books, make ticks of them, store each exactly once."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from markets import stages
from markets.core import grids
from markets.core.assembly import Flaw, assemble
from markets.core.bars import BAR_MS, OpenBar
from markets.core.gaps import Record
from markets.core.grids import Grid
from markets.core.ports import Source, SourceDown
from markets.core.tick import Tick, Universe, empty
from markets.core.types import Resolution
from markets.selectors import bars, ticks, universes
from markets.selectors import continuity as continued
from markets.selectors.universes import Tracked
from markets.services import continuity, prints, regrid, resolutions, rows, sources, standing
from markets.services import universe as listing
from markets.services.rows import Step

log = logging.getLogger(__name__)

CYCLE_SHARE = 0.8
"""The part of the time between two looks that one may take: books first, then what is left."""
LONGEST_CYCLE_SECONDS = 20.0
ASKING_SHARE = 0.875
"""The part of a cycle after which nothing new is asked."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one call brought: the newest tick id, ticks stored, flawed books, cycles in vain."""

    position: int = 0
    ticks: int = 0
    anomalies: int = 0
    failures: int = 0


@dataclass(slots=True)
class _Warm:
    """What a worker keeps between cycles; true at `position` only."""

    position: int
    tick: Tick | None = None
    bar: OpenBar = field(default_factory=OpenBar)
    said: resolutions.Said = field(default_factory=resolutions.Said)
    stated: dict[str, Grid] = field(default_factory=dict)
    heard: prints.Heard = field(default_factory=prints.Heard)
    watch: continuity.Watch = field(default_factory=continuity.Watch)


@dataclass(slots=True)
class _Found:
    """What the cycles of one call brought: ticks, what they add to the record, cycles in vain."""

    steps: list[Step] = field(default_factory=list)
    records: list[tuple[int, Record]] = field(default_factory=list)
    failures: int = 0


_warm: _Warm | None = None


def run(at: int) -> Collected:
    """One cycle from the configured source; finding that another worker was faster is fine."""
    if universes.newest() is None:
        listing.run(at)  # The exchange was silent at the start: do not wait for the next sync.
    source = sources.current(settings.PQAP)
    try:
        done = collect(source, at)
    except stages.Overtaken:
        sources.forget()
        return Collected()
    except BaseException:
        sources.forget()
        raise
    sources.moved(done.position)
    sources.report(at)
    return done


def cycle_seconds(collection: Any) -> float:
    """How long one cycle may read: 8 s of a poll of 10, never so long that the task is cut off."""
    return min(CYCLE_SHARE * collection.poll_seconds, LONGEST_CYCLE_SECONDS)


def collect(source: Source, at: int) -> Collected:
    """One cycle scheduled at `at` (ms UTC); raises Overtaken when another worker was faster."""
    return collect_many(source, [at])


def collect_many(source: Source, ats: Sequence[int], every: int | None = None) -> Collected:
    """Several scheduled times in order, read first and then stored in one transaction.

    A source that is down ends the batch; what was read before is stored. A cycle in which nothing
    new was observed makes no tick and counts as failed. `every` is the ms between two looks, that
    of the configuration unless given: what is confirmed less often is a gap.
    """
    known = universes.newest()
    position = stages.position(ticks.COLLECT)
    if known is None:
        log.warning("No market is tracked yet: the next sync of the markets chooses them.")
        return Collected(position)
    warm = _take(position)
    found = _read(source, ats, known.universe, warm, every or _poll_ms())
    if found.steps:
        _store(source, found, known, position, warm)
        _tell(found.steps)
    elif found.failures:
        stages.tally(ticks.FAILURES, found.failures)
    steps = found.steps
    _keep(warm, position + len(steps))
    if warm.stated:
        regrid.take(warm.stated, ats[-1])
    anomalies = sum(len(step.flaws) for step in steps)
    return Collected(position + len(steps), len(steps), anomalies, found.failures)


def forget() -> None:
    """Drop what was kept between cycles; the next one rebuilds it from rows."""
    global _warm
    _warm = None


def _read(
    source: Source, ats: Sequence[int], universe: Universe, warm: _Warm, every: int
) -> _Found:
    """The cycles that brought a tick, and how many brought none; no transaction is open."""
    asked = resolutions.markets_to_ask(universe, ats[-1])
    warm.said.load(asked)
    warm.watch.failed = continued.failed_since_the_newest_tick()
    found = _Found()
    try:
        for at in ats:
            warm.watch.due(at, every)
            step = _cycle(source, at, universe, warm=warm, asked=asked, found=found, every=every)
            if step is None:
                _failed(found, warm)
            else:
                found.steps.append(step)
    except SourceDown as down:
        log.warning("The exchange could not be read: %s", down.reason)
        _failed(found, warm)
    finally:
        _bound(source, None)
    return found


def _cycle(
    source: Source,
    at: int,
    universe: Universe,
    *,
    warm: _Warm,
    asked: list[str],
    found: _Found,
    every: int,
) -> Step | None:
    """Read the books of every market whose outcome is open, and make the next tick of them."""
    learn = getattr(source, "learn", None)
    if learn:
        learn(universe.markets)
    left = _bound(source, cycle_seconds(settings.PQAP.collection))
    read = np.array([not warm.said.final(market.id) for market in universe.markets], dtype=np.bool_)
    live = [universe.markets[column] for column in np.flatnonzero(read).tolist()]
    books = source.books([token.id for market in live for token in market.tokens], at)
    refused, warm.stated = dict(source.refused), grids.restated(universe, books)
    due = left() > 0 and resolutions.due(source, at, warm.said)
    facts = _outcomes(source, at, asked, warm.said) if due else ()
    trades = _trades(source, at, universe, warm.heard, [market.id for market in live], left)
    tick, flaws = assemble(
        universe,
        warm.tick or empty(universe),
        books=books,
        refused=refused,
        resolutions=facts,
        prints=trades.prints,
        depth_levels=settings.PQAP.collection.depth_levels,
    )
    flaws += _flagged(source, universe)
    if tick is None:
        log.warning("No new book among %d markets; there is no tick this time.", len(live))
        return None
    before, warm.tick = warm.tick, tick
    warm.said.learn(facts)
    warm.heard.learn(trades)
    if due:
        warm.said.asked_at = at
    found.records.append((tick.id, warm.watch.follow(tick, flaws, read, every)))
    return Step(before, tick, flaws, warm.bar.add(tick))


def _failed(found: _Found, warm: _Warm) -> None:
    found.failures += 1
    warm.watch.failed += 1


def _bound(source: Source, seconds: float | None) -> Callable[[], float]:
    """Tell a source that talks to the network by when to have done; the seconds left to ask it
    something new, which stops a little earlier: an answer takes time."""
    end_within = getattr(source, "end_within", None)
    if end_within:
        end_within(seconds)
    until = time.monotonic() + (seconds or 0) * ASKING_SHARE
    return lambda: until - time.monotonic()


def _trades(
    source: Source,
    at: int,
    universe: Universe,
    heard: prints.Heard,
    read: Sequence[str],
    left: Callable[[], float],
) -> prints.Told:
    """Trades not known yet; a source that fails only here does not cost the books just read."""
    try:
        return prints.news(source, at, universe, heard, read=read, left=left)
    except SourceDown as down:
        log.warning("The trades could not be read: %s", down.reason)
        return prints.Told(at)


def _outcomes(
    source: Source, at: int, asked: list[str], said: resolutions.Said
) -> tuple[Resolution, ...]:
    """News of outcomes; a source that fails only here does not cost the books just read."""
    try:
        return resolutions.news(source, at, asked, said)
    except SourceDown as down:
        log.warning("The outcomes could not be read: %s", down.reason)
        return ()


def _flagged(source: Source, universe: Universe) -> tuple[Flaw, ...]:
    """Books handed out although they had been wrong: set right with the same read, and counted."""
    named = getattr(source, "flagged", {})
    return tuple(
        Flaw(market.id, code)
        for market in universe.markets
        if (code := named.get(market.yes.id) or named.get(market.no.id))
    )


def _store(source: Source, found: _Found, known: Tracked, position: int, warm: _Warm) -> None:
    steps, checkpoint, now = found.steps, source.checkpoint(), timezone.now()
    with stages.advance(ticks.COLLECT, from_=position, to=position + len(steps)):
        written = rows.write(steps, known, checkpoint=checkpoint, recorded_at=now)
        stages.tally(ticks.SNAPSHOTS, written)
        if found.failures:
            stages.tally(ticks.FAILURES, found.failures)
        continuity.write(found.records, known, untold=warm.watch.failed)
        standing.follow([step.tick for step in steps])


def _tell(steps: list[Step]) -> None:
    tick = steps[-1].tick
    before = steps[-1].previous.at if steps[-1].previous else 0
    fresh = int((tick.observed_at > before).sum())
    flaws = sum(len(step.flaws) for step in steps)
    batch = f", {len(steps)} ticks" if len(steps) > 1 else ""
    log.info("Refreshed prices: %d markets, %d anomalies%s", fresh, flaws, batch)


def _take(position: int) -> _Warm:
    """The warm state if it stands at `position`, else one rebuilt from rows.

    It is taken out, so that a cycle that fails half way leaves nothing behind.
    """
    global _warm
    warm, _warm = _warm, None
    return warm if warm and warm.position == position else _rebuilt(position)


def _keep(warm: _Warm, position: int) -> None:
    global _warm
    warm.position = position
    _warm = warm


def _rebuilt(position: int) -> _Warm:
    """The newest tick, and the open bar filled again from its own ticks."""
    found = ticks.open_bar(position)
    if not found:
        return _Warm(position)
    began = found[-1].at // BAR_MS * BAR_MS
    closed = bars.sealed(after=began - 1, until=began)
    bar = OpenBar.after(closed[0] if closed else None)
    for tick in found:
        if tick.at >= began:
            bar.add(tick)
    return _Warm(
        position,
        found[-1],
        bar,
        heard=prints.Heard(since=found[-1].at),
        watch=continuity.resume(found[-1]),
    )


def _poll_ms() -> int:
    return int(settings.PQAP.collection.poll_seconds * 1000)
