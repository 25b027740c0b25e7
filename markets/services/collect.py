"""Collect: read every tracked market's books, make ticks of them, store each exactly once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from markets import stages
from markets.core import grids
from markets.core.assembly import assemble
from markets.core.bars import BAR_MS, OpenBar
from markets.core.grids import Grid
from markets.core.ports import Source, SourceDown
from markets.core.tick import Tick, Universe, empty
from markets.core.types import Resolution
from markets.selectors import bars, ticks, universes
from markets.selectors.universes import Tracked
from markets.services import regrid, resolutions, rows, sources
from markets.services import universe as listing
from markets.services.rows import Step

log = logging.getLogger(__name__)


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
    return done


def collect(source: Source, at: int) -> Collected:
    """One cycle scheduled at `at` (ms UTC); raises Overtaken when another worker was faster."""
    return collect_many(source, [at])


def collect_many(source: Source, ats: Sequence[int]) -> Collected:
    """Several scheduled times in order, read first and then stored in one transaction.

    A source that is down ends the batch; what was read before is stored. A cycle in which nothing
    new was observed makes no tick and counts as failed.
    """
    known = universes.newest()
    position = stages.position(ticks.COLLECT)
    if known is None:
        log.warning("No market is tracked yet: the next sync of the markets chooses them.")
        return Collected(position)
    warm = _take(position)
    steps, failures = _read(source, ats, known.universe, warm)
    if steps:
        _store(source, steps, known, position)
        _tell(steps)
    if failures:
        stages.tally(ticks.FAILURES, failures)
    _keep(warm, position + len(steps))
    if warm.stated:
        regrid.take(warm.stated, ats[-1])
    anomalies = sum(len(step.flaws) for step in steps)
    return Collected(position + len(steps), len(steps), anomalies, failures)


def forget() -> None:
    """Drop what was kept between cycles; the next one rebuilds it from rows."""
    global _warm
    _warm = None


def _read(
    source: Source, ats: Sequence[int], universe: Universe, warm: _Warm
) -> tuple[list[Step], int]:
    """The cycles that brought a tick, and how many brought none; no transaction is open."""
    asked = resolutions.markets_to_ask(universe)
    warm.said.load(asked)
    steps: list[Step] = []
    failures = 0
    try:
        for at in ats:
            step = _cycle(source, at, universe, warm=warm, asked=asked)
            if step is None:
                failures += 1
            else:
                steps.append(step)
    except SourceDown as down:
        log.warning("The exchange could not be read: %s", down.reason)
        failures += 1
    return steps, failures


def _cycle(
    source: Source, at: int, universe: Universe, *, warm: _Warm, asked: list[str]
) -> Step | None:
    """Read the books of every market whose outcome is open, and make the next tick of them."""
    learn = getattr(source, "learn", None)
    if learn:
        learn(universe.markets)
    live = [market for market in universe.markets if not warm.said.final(market.id)]
    books = source.books([token.id for market in live for token in market.tokens], at)
    refused, warm.stated = dict(source.refused), grids.restated(universe, books)
    due = resolutions.due(source, at, warm.said)
    facts = _outcomes(source, at, asked, warm.said) if due else ()
    tick, flaws = assemble(
        universe,
        warm.tick or empty(universe),
        books=books,
        refused=refused,
        resolutions=facts,
        depth_levels=settings.PQAP.collection.depth_levels,
    )
    if tick is None:
        log.warning("No new book among %d markets; there is no tick this time.", len(live))
        return None
    before, warm.tick = warm.tick, tick
    warm.said.learn(facts)
    if due:
        warm.said.asked_at = at
    return Step(before, tick, flaws, warm.bar.add(tick))


def _outcomes(
    source: Source, at: int, asked: list[str], said: resolutions.Said
) -> tuple[Resolution, ...]:
    """News of outcomes; a source that fails only here does not cost the books just read."""
    try:
        return resolutions.news(source, at, asked, said)
    except SourceDown as down:
        log.warning("The outcomes could not be read: %s", down.reason)
        return ()


def _store(source: Source, steps: list[Step], known: Tracked, position: int) -> None:
    checkpoint, now = source.checkpoint(), timezone.now()
    with stages.advance(ticks.COLLECT, from_=position, to=position + len(steps)):
        written = rows.write(steps, known, checkpoint=checkpoint, recorded_at=now)
        stages.tally(ticks.SNAPSHOTS, written)


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
    return _Warm(position, found[-1], bar)
