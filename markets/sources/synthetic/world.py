"""The state of the simulated world, and its one move: a step to a later instant."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from markets.core.types import ONE
from markets.sources.synthetic import motion
from markets.sources.synthetic.draws import dice
from markets.sources.synthetic.listing import DAY, EXCLUDED_SLOTS
from markets.sources.synthetic.motion import OPEN, SPLIT
from markets.sources.synthetic.scripts import Cast, Floats, Ints, Script, cast, script

PAST_KEPT = 96
"""Paid events remembered, about a month of them; an older one is forgotten."""


@dataclass(frozen=True, slots=True)
class Running:
    """An event on show.

    After a rumor `refuted_at` is when it will be decided for `leaning`; before, 0 and OPEN.
    """

    number: int
    slot: int
    born_at: int
    refuted_at: int = 0
    leaning: int = OPEN
    decided_at: int = 0
    outcome: int = OPEN


@dataclass(frozen=True, slots=True)
class Past:
    """An event that was paid out at `at`."""

    number: int
    slot: int
    born_at: int
    outcome: int
    at: int


@dataclass(frozen=True, eq=False)
class World:
    """Everything the world remembers, as of its last step.

    Arrays have a row for each outcome of `running`, in order: `weight` is the log of the fair
    probability, `noise` what traders add to its logit; `shown` (micro), `spread` (ticks),
    `revision` (step) and `touched_at` (ms) describe the book last put up.
    """

    seed: int
    regular: int
    at: int
    step: int
    running: tuple[Running, ...]
    past: tuple[Past, ...]
    weight: NDArray[np.float32]
    noise: NDArray[np.float32]
    shown: NDArray[np.int32]
    spread: NDArray[np.int32]
    revision: NDArray[np.int32]
    touched_at: Ints

    @property
    def cast(self) -> Cast:
        """The scripts of the running events as columns."""
        born = tuple((each.number, each.slot, each.born_at) for each in self.running)
        return _cast(self.seed, self.regular, born)

    def script(self, event: Running | Past) -> Script:
        """The script of one of this world's events."""
        return script(self.seed, event.number, event.slot, event.born_at, self.regular)


def begin(seed: int, regular: int, at: int) -> World:
    """The world on its first day; its dates hang on that day, not on the millisecond."""
    running = tuple(Running(slot, slot, at - at % DAY) for slot in range(regular + EXCLUDED_SLOTS))
    none = np.empty(0)
    empty = World(seed, regular, at, 0, (), (), *(none,) * 5, np.empty(0, dtype=np.int64))
    return _with_rows(empty, running, [_opening(empty, each) for each in running])


def advance(world: World, at: int) -> World:
    """The world at a later instant, in one step of whatever length."""
    throw = dice(world.seed, 3, world.step + 1)
    crew, dt = world.cast, at - world.at
    weight = world.weight.astype(np.float64)
    fair = np.exp(weight)
    decided_at, refuted_at = _column(world, "decided_at"), _column(world, "refuted_at")
    leaning = _column(world, "leaning")

    called = motion.called(crew, fair, at=at, dt=dt, refuted_at=refuted_at, throw=throw)
    outcome = np.where(refuted_at > 0, leaning, motion.outcomes(crew, fair, throw))
    fresh = called & (decided_at == 0)
    still = fresh | (decided_at > 0)
    weight = motion.learn(crew, weight, still=still, dt=dt, throw=throw)
    weight = motion.pin(crew, weight, fresh=fresh, outcome=outcome)
    noise = motion.trade(crew, world.noise, still=still, dt=dt, throw=throw)
    struck, truth = motion.rumors(crew, fair, noise, dt=dt, throw=throw)
    struck &= ~still & (refuted_at == 0)
    delay = throw.exponential(motion.RUMOR_DELAY, len(struck)).astype(np.int64)

    running = tuple(
        replace(
            each,
            refuted_at=int(at + delay[i]) if struck[i] else each.refuted_at,
            leaning=int(truth[i]) if struck[i] else each.leaning,
            decided_at=at if fresh[i] else each.decided_at,
            outcome=int(outcome[i]) if fresh[i] else each.outcome,
        )
        if struck[i] or fresh[i]
        else each
        for i, each in enumerate(world.running)
    )
    moved = replace(world, at=at, step=world.step + 1, running=running)
    touched = motion.touched(crew, dt=dt, throw=throw) | fresh[crew.event]
    spread = motion.spreads(crew, throw)
    return _succeed(_show(moved, weight, noise, np.where(touched, spread, 0)))


def payouts(outcome: int, index: int) -> tuple[int, int]:
    """What YES and NO of an event's market `index` pay."""
    if outcome == SPLIT:
        return (ONE // 2, ONE // 2)
    return (ONE, 0) if outcome == index else (0, ONE)


def _column(world: World, name: str) -> Ints:
    return np.array([getattr(each, name) for each in world.running], dtype=np.int64)


def _show(world: World, weight: Floats, noise: Floats, spread: Ints) -> World:
    """Put new books up where `spread` is not 0; elsewhere the old ones stay."""
    new = spread > 0
    value = motion.price(weight, noise)
    return replace(
        world,
        weight=weight.astype(np.float32),
        noise=noise.astype(np.float32),
        shown=np.where(new, value, world.shown).astype(np.int32),
        spread=np.where(new, spread, world.spread).astype(np.int32),
        revision=np.where(new, world.step, world.revision).astype(np.int32),
        touched_at=np.where(new, world.at, world.touched_at),
    )


Rows = tuple[NDArray[np.generic], ...]
_ROWS = ("weight", "noise", "shown", "spread", "revision", "touched_at")


def _succeed(world: World) -> World:
    """Pay what is due and put a new event into each slot that became free.

    Numbers run on within a slot, so who succeeds whom does not depend on the hour the world began.
    """
    ends = [each.decided_at + world.script(each).challenge for each in world.running]
    due = [
        each.decided_at > 0 and world.at >= end
        for each, end in zip(world.running, ends, strict=True)
    ]
    if not any(due):
        return world
    running, rows, past = [], [], list(world.past)
    parts = zip(
        *(np.split(getattr(world, name), world.cast.first[1:]) for name in _ROWS), strict=True
    )
    for each, paid, kept in zip(world.running, due, parts, strict=True):
        if paid:
            past.append(Past(each.number, each.slot, each.born_at, each.outcome, world.at))
            each = Running(each.number + len(world.running), each.slot, world.at)
        running.append(each)
        rows.append(_opening(world, each) if paid else kept)
    return _with_rows(replace(world, past=tuple(past[-PAST_KEPT:])), tuple(running), rows)


def _opening(world: World, event: Running) -> Rows:
    """The first rows of a new event."""
    plan = world.script(event)
    throw = dice(world.seed, 4, event.number)
    noise = plan.noise * throw.standard_normal(plan.rows)
    whole = np.ones(plan.rows, dtype=np.int64)
    shown = motion.price(plan.start, noise)
    return plan.start, noise, shown, plan.spread, world.step * whole, world.at * whole


def _with_rows(world: World, running: tuple[Running, ...], rows: list[Rows]) -> World:
    kinds = (np.float32, np.float32, np.int32, np.int32, np.int32, np.int64)
    columns = {
        name: np.concatenate(parts).astype(kind)
        for name, parts, kind in zip(_ROWS, zip(*rows, strict=True), kinds, strict=True)
    }
    return replace(world, running=running, **columns)


@lru_cache(maxsize=8)
def _cast(seed: int, regular: int, born: tuple[tuple[int, int, int], ...]) -> Cast:
    return cast([script(seed, *each, regular) for each in born])
