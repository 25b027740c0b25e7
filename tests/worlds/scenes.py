"""Moments in which a strategy wants to trade, taken from the world in which it earns money."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markets.core.bars import OpenBar, SealedBar
from markets.core.panel import Panel
from markets.core.tick import Tick, Universe
from markets.core.types import Market
from strategies.core.ports import Strategy
from strategies.core.types import Basket, Opinion, Signal
from tests.worlds import rules
from tests.worlds.plants import PLANTS
from tests.worlds.truth import Shape
from tests.worlds.world import World

SHAPE = Shape(days=12, events=24, many=8, shortest=40, longest=60)
WARM_BARS = 2_016


@dataclass(frozen=True, slots=True)
class Scene:
    """A week of bars and two ticks; `rule` says something of `signals` at the second."""

    rule: Strategy
    bars: tuple[SealedBar, ...]
    previous: Tick
    tick: Tick

    def opinion(self, rule: Strategy | None = None) -> Opinion:
        """What the rule (or another) believes, asked of a panel rebuilt for it alone."""
        panel = Panel.rebuild(self.bars, [self.previous, self.tick])
        return (rule or self.rule).evaluate(panel)

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

    def in_world(self, change: object) -> "Scene":
        """The same with every market's terms changed, from the bars on."""
        worlds: dict[int, Universe] = {}

        def moved(world: Universe) -> Universe:
            if id(world) not in worlds:
                worlds[id(world)] = Universe(world.version, tuple(map(change, world.markets)))  # type: ignore[arg-type]
            return worlds[id(world)]

        bars = tuple(replace(bar, universe=moved(bar.universe)) for bar in self.bars)
        previous = replace(self.previous, universe=moved(self.previous.universe))
        return Scene(
            self.rule, bars, previous, replace(self.tick, universe=moved(self.tick.universe))
        )


@lru_cache
def world(name: str) -> World:
    """The world in which a strategy earns money, small."""
    return World(SHAPE, seed=11, plant=PLANTS[name])


@lru_cache
def first(name: str) -> Scene:
    """The first moment after a week in which the strategy says something in its own world."""
    rule = rules.rule(name, world(name))
    for bars, previous, panel in moments(world(name)):
        if rule.evaluate(panel).signals:
            return Scene(rule, tuple(bars), previous, panel.tick)
    raise AssertionError(f"{name} says nothing in {SHAPE.days} days of its own world")


def moments(own: World) -> Iterator[tuple[Sequence[SealedBar], Tick, Panel]]:
    """The world from its eighth day on: bars so far, the tick before, and the panel after one."""
    collector, bars, previous, panel = OpenBar(), [], None, None
    for tick in own.ticks():
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
        if previous is not None and len(bars) > WARM_BARS:
            if panel is None:
                panel = Panel.rebuild(bars, [previous, tick])
            else:
                panel.advance(tick)
            yield bars, previous, panel
        previous = tick
