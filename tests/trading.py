"""Builders for what the desk trades: bets, opinions, controls and a venue with fixed latency."""

from zoneinfo import ZoneInfo

import numpy as np

from execution.core.controls import Controls
from execution.core.engine import Setting
from execution.core.latency import Latency
from execution.core.paper import FillModel, PaperVenue
from execution.core.portfolio import deposit
from execution.core.queueing import Queue
from execution.core.risk import Limits
from execution.core.sizing import Sizing
from execution.core.types import Portfolio
from markets.core.tick import Tick, Universe
from markets.core.types import ONE
from strategies.core.types import Bet, Opinion, Plan
from tests.builders import NOON, micro

HOUR = 3_600_000
PLAN = Plan(max_hold_ms=6 * HOUR, cooldown_ms=HOUR, stop_cooldown_ms=24 * HOUR)
LIMITS = Limits(
    max_capital_per_market=micro(100),
    max_capital_per_strategy=micro(400),
    daily_loss_limit=micro(100),
    max_drawdown=100_000,
    max_event_loss=micro(1000),
    max_cluster_loss=micro(1000),
    max_total_exposure=micro(1000),
    max_orders_per_minute=micro(1000),
    max_book_age=micro(15),
)
SIZING = Sizing(kelly_fraction=ONE, max_fraction_per_market=ONE, max_depth_share=ONE, cash_floor=0)
SETTING = Setting(SIZING, ZoneInfo("UTC"))
VENUE = PaperVenue(Latency(250, 1200, 1), FillModel(0, Queue.BASE))
CONTROLS = Controls.of(frozenset({"tester"}), LIMITS)


def account(name: str = "base", cash: str | int = 1000) -> Portfolio:
    opened, _ = deposit(Portfolio(name), micro(cash), NOON - 1000, "test")
    return opened


def bet(
    token: str = "yes-1",
    *,
    market: str = "m-1",
    limit: str = "0.45",
    fair: str = "0.50",
    size: int = 120,
    at: int = NOON,
    strategy: str = "tester",
    plan: Plan = PLAN,
    variance: float = 1e-9,
) -> Bet:
    """A Bet whose tiny variance makes Kelly want its whole size."""
    return Bet(
        strategy, "1", at, market, token, "Yes" if token.startswith("yes") else "No",
        micro(fair), micro(limit), micro("0.03"), micro(size), variance, plan,
    )  # fmt: skip


def opinion(
    world: Universe, strategy: str = "tester", leave: dict[int, int] | None = None
) -> Opinion:
    """An opinion that is silent about nothing and wants the given columns left."""
    n = len(world)
    close = np.zeros(n, dtype=np.int8)
    for column, who in (leave or {}).items():
        close[column] = who
    return Opinion(
        strategy, "1", (), np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64), close
    )


def opinions(tick: Tick, leave: dict[int, int] | None = None) -> dict[str, Opinion]:
    return {"tester": opinion(tick.universe, leave=leave)}
