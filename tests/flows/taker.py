"""A test-only strategy that takes liquidity often: parity needs many fills, not good ones."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from execution.core import verdicts
from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core.ports import Range
from strategies.core.types import (
    HOLD,
    LEAVE_BOTH,
    STOP,
    Bet,
    Opinion,
    Plan,
    Silence,
    digest,
    silence_code,
)
from strategies.library import REGISTRY, Built, Entry

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Params:
    """How often it bets, in tenths of all (market, minute) pairs, and how long it pauses after.

    Ticks five minutes apart need a pause of more than that to notice it.
    """

    tenths: Annotated[int, Range(1, 10)] = 7
    cooldown_minutes: Annotated[int, Range(1, 60, "minutes")] = 6


class Taker:
    """Bets on whichever side a hash of (market, minute) names, well through the touch."""

    name = "taker"
    version = "1"
    description = "Takes liquidity for tests."

    def __init__(self, params: Params = Params()) -> None:
        self.params = params
        pause = params.cooldown_minutes * MINUTE
        self.plan = Plan(15 * MINUTE, cooldown_ms=pause, stop_cooldown_ms=2 * pause - MINUTE)

    def evaluate(self, panel: Panel) -> Opinion:
        tick = panel.tick
        n = len(tick.universe)
        silence = np.full(n, silence_code(Silence.NO_SIGNAL), dtype=np.int8)
        close = np.full(n, HOLD, dtype=np.int8)
        bets = []
        for column, market in enumerate(tick.universe.markets):
            luck = int(digest(market.id, tick.at // MINUTE)[:8], 16)
            if luck % 7 == 0:
                close[column] = LEAVE_BOTH + STOP * (luck % 14 == 0)
            if not tick.coherent[column]:
                silence[column] = silence_code(Silence.INCOHERENT)
            elif luck % 10 < self.params.tenths:
                bet = self._bet(panel, column, luck)
                if bet:
                    bets.append(bet)
                    silence[column] = 0
        fair = np.zeros(n, dtype=np.int64)
        return Opinion(self.name, self.version, tuple(bets), silence, fair, close)

    def _bet(self, panel: Panel, column: int, luck: int) -> Bet | None:
        tick = panel.tick
        market = tick.universe.markets[column]
        token = market.tokens[luck // 10 % 2]
        _, ask = tick.touch(token.id)
        step = market.terms.tick_size
        if ask is None or ask + step >= ONE:
            return None
        return Bet(
            self.name, self.version, tick.at, market.id, token.id, token.outcome,
            fair=min(ask + 5 * step, ONE - step), limit=ask + step, edge=step,
            size=(20 + luck // 100 % 4000) * ONE, variance=1e-7, plan=self.plan,
        )  # fmt: skip


def register() -> None:
    """Make the taker a strategy like any other, in this process."""
    built = Built(params=Params, make=Taker, validate=lambda _: None)
    REGISTRY["taker"] = Entry("taker", Taker.description, built)


def forgive() -> None:
    """Let no rule switch it off in this process: it loses by design, and campaigns need it busy."""
    verdicts.on_outcomes = lambda strategy, trial: None
    verdicts.on_orders = lambda trial: None
