"""Ready-made histories in which mean reversion has something to say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from markets.core import book as books
from markets.core.bars import OpenBar, SealedBar
from markets.core.panel import Panel
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, Market
from strategies.core.types import Bet, Opinion, Silence, silence_code
from strategies.library.mean_reversion_v1 import MeanReversion, Params
from tests import builders as b
from tests.core.markets import histories

RULE = MeanReversion(Params())


@dataclass(frozen=True)
class Scene:
    """Bars and the last two ticks; in `column` mean reversion wants to buy."""

    bars: tuple[SealedBar, ...]
    previous: Tick
    tick: Tick
    column: int = 0

    def panel(self) -> Panel:
        return Panel.rebuild(self.bars, [self.previous, self.tick])

    def opinion(self, rule: MeanReversion = RULE) -> Opinion:
        return rule.evaluate(self.panel())

    def bet(self, rule: MeanReversion = RULE) -> Bet | None:
        wanted = self.tick.universe.markets[self.column].id
        return next((s for s in self.opinion(rule).signals if s.market == wanted), None)

    def silence(self, rule: MeanReversion = RULE) -> int:
        return int(self.opinion(rule).silence[self.column])

    def with_column(self, **values: Any) -> "Scene":
        """The same with one market's entries in the newest tick replaced."""
        columns = {}
        for name, value in values.items():
            column = getattr(self.tick, name)
            if isinstance(column, tuple):
                listed = list(column)
                listed[self.column] = value
                columns[name] = tuple(listed)
            else:
                column = column.copy()
                column[self.column] = value
                columns[name] = column
        return replace(self, tick=replace(self.tick, **columns))

    def with_market(self, change: Callable[[Market], Market]) -> "Scene":
        """The same with that market's description in the newest tick changed."""
        markets = list(self.tick.universe.markets)
        markets[self.column] = change(markets[self.column])
        return replace(self, tick=replace(self.tick, universe=Universe(9, tuple(markets))))

    def with_terms(self, **terms: Any) -> "Scene":
        return self.with_market(lambda m: replace(m, terms=replace(m.terms, **terms)))

    def with_bars(self, change: Callable[[SealedBar], SealedBar]) -> "Scene":
        return replace(self, bars=tuple(change(bar) for bar in self.bars))


def along(ticks: Sequence[Tick]) -> tuple[list[SealedBar], Panel]:
    """The bars these ticks make and the panel after them."""
    collector, panel, bars = OpenBar.after(None), Panel(), []
    for tick in ticks:
        panel.advance(tick)
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
    return bars, panel


def reverting_ticks(
    seed: int = 3, *, count: int = 700, markets: int = 6, size: float = 0.3, **world: Any
) -> list[Tick]:
    """Five-minute ticks of markets that revert with a half-life of 50 minutes."""
    rng = np.random.default_rng(seed)
    x = histories.ornstein(rng, ticks=count, markets=markets, half_life=10, size=size)
    ids = (b.market(f"m-{i}", **world) for i in range(markets))
    return list(histories.ticks_along(x, world=b.universe(*ids)))


@lru_cache
def buying(outcome: str = "Yes") -> Scene:
    """The first moment in the reverting world at which that outcome is bought."""
    ticks = reverting_ticks()
    panel, collector, bars = Panel(), OpenBar.after(None), []
    for before, tick in zip([None, *ticks], ticks, strict=False):
        panel.advance(tick)
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
        for bet in RULE.evaluate(panel).signals if len(bars) > 400 else ():
            if isinstance(bet, Bet) and bet.outcome == outcome:
                assert before is not None
                column = tick.universe.column[bet.market]
                return Scene(tuple(bars), before, tick, column)
    raise AssertionError(f"the world never makes the rule buy {outcome}")


def code(reason: Silence) -> int:
    return silence_code(reason)


def thin(scene: Scene) -> bytes:
    """The market's book with next to nothing in it."""
    tick, column = scene.tick, scene.column
    shares = b.book(
        bids=((f"{tick.bid[column] / ONE:.2f}", 6),), asks=((f"{tick.ask[column] / ONE:.2f}", 6),)
    )
    return books.pack(shares, 10)
