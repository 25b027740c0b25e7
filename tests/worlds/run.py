"""Strategies in a world: the same `evaluate` and `step` as the desk, in the base account alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from zoneinfo import ZoneInfo

import numpy as np

from execution.core import engine, portfolio
from execution.core.controls import Controls
from execution.core.engine import Setting
from execution.core.latency import Latency
from execution.core.paper import MODELS, PaperVenue
from execution.core.risk import Limits
from execution.core.sizing import Sizing
from execution.core.types import AccountName, Fill, Portfolio, Side
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core.evaluate import evaluate
from strategies.core.journal import Journal
from strategies.core.ports import Strategy
from strategies.core.types import SILENCES
from tests.worlds.world import START, World

CAPITAL = 1_000_000 * ONE
OFF = 10**15
LIMITS = Limits(
    max_capital_per_market=OFF, max_capital_per_strategy=OFF, daily_loss_limit=OFF,
    max_drawdown=ONE, max_event_loss=OFF, max_cluster_loss=OFF, max_total_exposure=OFF,
    max_orders_per_minute=OFF, max_book_age=OFF,
)  # fmt: skip
SIZING = Sizing(
    kelly_fraction=ONE // 100,
    max_fraction_per_market=ONE // 10_000,
    max_depth_share=ONE // 10,
    cash_floor=0,
)


@dataclass(slots=True)
class Result:
    """What a strategy did in a world: fills, what they cost, and by event what came of them.

    `costs` is by how much fills were worse than the true worth of their moment, fees included;
    `gross` what that worth did from then on, until the world ends. Both by event, micro-dollars.
    """

    fills: int = 0
    costs: Counter[str] = field(default_factory=Counter)
    gross: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)

    @property
    def net(self) -> dict[str, int]:
        """The result of each event, what is held at its true worth, micro-dollars."""
        return {event: self.gross[event] - self.costs[event] for event in self.gross}


def total(parts: Mapping[str, int]) -> float:
    """All events together, in dollars."""
    return sum(parts.values()) / ONE


def z(parts: Mapping[str, int]) -> float:
    """How many standard errors the total lies from 0; events are independent of each other."""
    noise = sqrt(sum(value * value for value in parts.values()))
    return sum(parts.values()) / noise if noise else 0.0


def run(world: World, strategies: Sequence[Strategy]) -> dict[str, Result]:
    """Take every strategy through the whole world, daily loss and drawdown off."""
    account, _ = portfolio.deposit(Portfolio(AccountName.BASE), CAPITAL, START - 1, "world")
    control = Controls.of(frozenset(each.name for each in strategies), LIMITS)
    venue = PaperVenue(Latency(250, 1200, 1), MODELS[AccountName.BASE])
    setting = Setting(SIZING, ZoneInfo("UTC"))
    panel, journal = Panel(), Journal()
    found = {each.name: Result() for each in strategies}
    fills: list[Fill] = []
    for tick in world.ticks():
        panel.advance(tick)
        opinions = evaluate(strategies, panel)
        page = journal.write(tick, opinions)
        account, facts = engine.step(
            account, tick, page.standing, {each.strategy: each for each in opinions},
            control=control, venue=venue, setting=setting,
        )  # fmt: skip
        fills += [fact for fact in facts if isinstance(fact, Fill)]
        for opinion in opinions:
            _count(found[opinion.strategy], opinion.silence)
    _divide(found, world, account, fills)
    return found


def _count(result: Result, silence: np.ndarray) -> None:
    for code, number in enumerate(np.bincount(silence, minlength=1).tolist()):
        if number:
            result.silent[SILENCES[code - 1] if code else "signalled"] += number


def _divide(
    found: dict[str, Result], world: World, account: Portfolio, fills: Sequence[Fill]
) -> None:
    """Sum what was paid and got beside what it was worth, by strategy and event."""
    for fill in fills:
        result, event = found[fill.strategy], world.event_of[fill.market]
        worth = world.value(fill.token, fill.market, fill.size, (fill.at - START) // BAR_MS)
        sign = 1 if fill.side is Side.BUY else -1
        result.fills += 1
        result.costs[event] += sign * (fill.notional - worth) + fill.fee
        result.gross[event] -= sign * worth
    last = world.shape.bars - 1
    for holding in account.positions.values():
        worth = world.value(holding.token, holding.market, holding.size, last)
        found[holding.strategy].gross[world.event_of[holding.market]] += worth
