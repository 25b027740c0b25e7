"""Moments in which a strategy wants to trade, taken from the world in which it earns money."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache

from markets.core.bars import OpenBar, SealedBar
from markets.core.panel import Panel
from markets.core.tick import Tick, Universe
from markets.core.types import Market
from markets.core.window import DAY
from strategies.core.ports import Strategy
from strategies.core.types import Basket, Opinion, Signal
from tests.worlds import rules
from tests.worlds.plants import PLANTS
from tests.worlds.truth import Shape
from tests.worlds.world import World

SHAPE = Shape(days=9, events=24, many=8, shortest=40, longest=60)
WARM_BARS = 2_016
EVERY = 4
"""Bars between the moments at which a rule is asked while one is searched for."""
SEED = 11
SEEDS: Mapping[str, int] = {"momentum_v1": 35}
"""Trends that stand out of two dozen events are rare: a world that has one within a day."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A week of bars and two ticks, each in a bar of its own; `signals` are said at the second."""

    rule: Strategy
    bars: tuple[SealedBar, ...]
    previous: Tick
    tick: Tick
    _known: dict[str, Opinion] = field(default_factory=dict)
    _past: list[Panel] = field(default_factory=list)

    def opinion(self) -> Opinion:
        """What the rule believes, asked of a panel that nobody else has seen; asked once."""
        if "said" not in self._known:
            self._known["said"] = self.rule.evaluate(self.panel())
        return self._known["said"]

    def panel(self) -> Panel:
        """A panel of its own after the second tick; scenes made of this one share the first."""
        if not self._past:
            self._past.append(Panel.rebuild(self.bars, [self.previous]))
        panel = deepcopy(self._past[0])
        panel.advance(self.tick)
        return panel

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What the rule says there."""
        return self.opinion().signals

    def markets(self) -> tuple[Market, ...]:
        """The markets of the first thing it says."""
        first = self.signals[0]
        names = [leg.market for leg in first.legs] if isinstance(first, Basket) else [first.market]
        world = self.tick.universe
        return tuple(world.markets[world.column[name]] for name in names)

    def columns(self) -> list[int]:
        """Their columns."""
        return [self.tick.universe.column[market.id] for market in self.markets()]

    def with_tick(self, tick: Tick) -> "Scene":
        """The same past, and another second tick."""
        return replace(self, tick=tick, _known={})

    def in_world(self, change: Callable[[Market], Market]) -> "Scene":
        """The same with every market's terms changed by the second tick."""
        world = self.tick.universe
        changed = Universe(world.version + 1, tuple(map(change, world.markets)))
        return self.with_tick(replace(self.tick, universe=changed))


@dataclass(frozen=True, eq=False)
class Days:
    """The bars of a small world, a week and a day, and the ticks from the end of the week on."""

    world: World
    bars: tuple[SealedBar, ...]
    ticks: tuple[Tick, ...]

    def before(self, place: int) -> tuple[SealedBar, ...]:
        """The bars that are closed at the tick in that place."""
        return self.bars[: WARM_BARS + place]


def fresh(name: str) -> World:
    """The world in which a strategy earns money, small, drawn anew."""
    return World(SHAPE, seed=SEEDS.get(name, SEED), plant=PLANTS[name])


@lru_cache
def days(name: str) -> Days:
    """That world's bars and its last ticks."""
    world, collector, bars, ticks = fresh(name), OpenBar(), list[SealedBar](), list[Tick]()
    for tick in world.ticks():
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
        if len(bars) >= WARM_BARS:
            ticks.append(tick)
        if len(ticks) == DAY:
            break
    return Days(world, tuple(bars), tuple(ticks))


@lru_cache
def rule(name: str) -> Strategy:
    """The strategy, told what such a world teaches."""
    return rules.rule(name, days(name).world, **rules.OWN.get(name, {}))


@lru_cache
def first(name: str) -> Scene:
    """The first moment after a week at which the strategy says something in its own world."""
    for place, panel in moments(days(name)):
        if place % EVERY == 1 and rule(name).evaluate(panel).signals:
            known = days(name)
            return Scene(rule(name), known.before(place), known.ticks[place - 1], panel.tick)
    raise AssertionError(f"{name} says nothing for a day in its own world")


def moments(known: Days) -> Iterator[tuple[int, Panel]]:
    """The places of the ticks after the week, and one warm panel after each of them."""
    panel = Panel.rebuild(known.before(0), known.ticks[:1])
    yield 0, panel
    for place, tick in enumerate(known.ticks[1:], 1):
        panel.advance(tick)
        yield place, panel


def rebuilt(known: Days, place: int) -> Panel:
    """The panel after the tick in a place, built from what was stored until then."""
    first_of: Sequence[Tick] = known.ticks[max(place - 1, 0) : place + 1]
    return Panel.rebuild(known.before(place), first_of)
