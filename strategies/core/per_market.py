"""Rules written market by market: subclass PerMarket, look at one market, say what it is worth."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from markets.core import venue
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.types import ONE, Market
from markets.core.window import HOUR, WEEK
from strategies.core import gates, timed
from strategies.core.gates import HOUR_MS, Thresholds
from strategies.core.types import (
    LEAVE_BOTH,
    LEAVE_NO,
    LEAVE_YES,
    Bet,
    Opinion,
    Plan,
    Silence,
    Worded,
    silence_code,
)

YES, NO = "YES", "NO"
OF_TICKS = tuple(reason for reason in gates.GATES if reason not in gates.OF_BARS)
"""Gates that may open within a bar: they are asked at every tick, not before looking."""

JUMPS = 0.01
"""Chance of a jump to 0 or 1 within six hours, for sizing."""


@dataclass(frozen=True, slots=True)
class Idea:
    """Buy "YES" or "NO": one share will be `worth` so many dollars when it is sold again.

    A rule without `hold_hours` keeps it to the outcome; then `worth` is the probability that it
    pays. `least` is the gain a share demanded after all costs, `most` how many shares are wanted at
    most; sizing may want fewer. `take` and `stop` are bids at which it is sold before its time.
    ValueError names a field whose value is not allowed.
    """

    buy: str
    worth: float
    least: float = 0.01
    most: float = 1_000.0
    take: float | None = None
    stop: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if self.buy not in (YES, NO):
            raise ValueError(f'buy must be "YES" or "NO"; found {self.buy!r}')
        for name in ("worth", "take", "stop"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise ValueError(f"{name} must be between 0 and 1, both exclusive; found {value!r}")
        if not 0 < self.most < float("inf"):
            raise ValueError(f"most must be above 0; found {self.most!r}")


class LookFailed(Exception):
    """A rule failed at one market; the text names its question and what was raised."""


class MarketView:
    """One market at the last 5-minute close, in dollars and hours.

    `about` is the Market itself with its question, category, tags, event and terms.
    """

    __slots__ = ("_column", "_panel", "about")

    def __init__(self, panel: Panel, column: int) -> None:
        self._panel, self._column = panel, column
        self.about: Market = panel.tick.universe.markets[column]

    @property
    def question(self) -> str:
        """What the market asks."""
        return self.about.question

    @property
    def chance(self) -> float:
        """The market's own probability of YES: the touch weighted by the opposite size."""
        return int(self._panel.features.micro[self._column]) / ONE

    @property
    def buy_yes(self) -> float:
        """What one YES share costs: the best ask, before the fee."""
        return int(self._panel.features.ask[self._column]) / ONE

    @property
    def sell_yes(self) -> float:
        """What one YES share brings: the best bid, before the fee."""
        return int(self._panel.features.bid[self._column]) / ONE

    @property
    def buy_no(self) -> float:
        """What one NO share costs, before the fee."""
        return (ONE - int(self._panel.features.bid[self._column])) / ONE

    @property
    def sell_no(self) -> float:
        """What one NO share brings, before the fee."""
        return (ONE - int(self._panel.features.ask[self._column])) / ONE

    @property
    def hours_left(self) -> float | None:
        """Hours until the scheduled end, None where there is none."""
        end = self.about.terms.end_at
        return None if end is None else (end - self._panel.features.at) / HOUR_MS

    @property
    def volume(self) -> float:
        """Dollars traded in the 24 hours before the markets were last ranked."""
        return self.about.volume_24h / ONE

    def chances(self, hours: float) -> tuple[float, ...]:
        """`chance` at each 5-minute close of the last hours (at most a week), gaps left out."""
        panel, bars = self._panel, max(1, min(round(hours * HOUR), WEEK))
        row = panel.window.rows(panel.tick.universe)[self._column : self._column + 1]
        known = panel.window.valid(row, bars)[0]
        return tuple((panel.window.ints("micro", row, bars)[0][known] / ONE).tolist())

    def chance_ago(self, hours: float) -> float | None:
        """`chance` so many hours ago (at most a week), None where nothing was seen then."""
        panel, ago = self._panel, min(round(hours * HOUR), WEEK - 1)
        row = panel.window.rows(panel.tick.universe)[self._column : self._column + 1]
        if not bool(panel.window.valid(row, 1, ago)[0, 0]):
            return None
        return int(panel.window.ints("micro", row, 1, ago)[0, 0]) / ONE


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the rule said of every market until the next bar closes."""

    silence: NDArray[np.int8]
    fair: NDArray[np.int64]
    close: NDArray[np.int8]
    bets: tuple[tuple[int, Bet], ...]
    costs: dict[int, str]


class PerMarket:
    """A strategy whose rule is `look`, asked of one market after the other at each bar close.

    Markets in which no rule should trade are not shown to it; costs, limit price, exit plan and
    every silence are seen to here.
    """

    name: str
    version: str = "1"
    description: str
    hold_hours: ClassVar[float | None] = 24.0
    limits: ClassVar[Thresholds] = Thresholds()

    def __init__(self, params: Any) -> None:
        self.params = params

    def look(self, market: MarketView) -> Idea | None:
        """What this market's YES or NO is worth, or None."""
        raise NotImplementedError(f"{type(self).__name__} has no look(market)")

    def leave(self, market: MarketView, token: str) -> bool:
        """Whether who holds "YES" or "NO" should sell now, before the plan says so."""
        return False

    def evaluate(self, panel: Panel) -> Opinion:
        """What the rule said at the last bar close, silenced where a gate is shut now."""
        view = panel.once((self.name, self.params), lambda: self._view(panel))
        shut = gates.silences(panel, self.limits, horizon=self._horizon(panel))
        said = np.where(shut != 0, shut, view.silence)
        warming = shut == silence_code(Silence.WARMUP)
        told = [*view.costs, *np.flatnonzero(warming).tolist()]
        close = view.close
        if self.hold_hours is not None:
            close = np.where(gates.ending(panel, self.limits), np.int8(LEAVE_BOTH), close)
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(
                replace(bet, at=panel.tick.at) for column, bet in view.bets if not shut[column]
            ),
            silence=said,
            fair=view.fair,
            close=close,
            detail=Worded(
                frozenset(column for column in told if warming[column] or not shut[column]),
                lambda column: (
                    gates.warming(panel, self.limits, column)
                    if warming[column]
                    else view.costs[column]
                ),
            ),
        )

    def _horizon(self, panel: Panel) -> NDArray[np.int64]:
        hours = self.hold_hours or 0.0
        return np.full(len(panel.tick.universe), round(hours * HOUR_MS), dtype=np.int64)

    def _view(self, panel: Panel) -> View:
        """Look at every market whose gates of bars are open."""
        n, shown = len(panel.tick.universe), panel.features
        horizon = self._horizon(panel)
        shut = gates.silences(panel, self.limits, horizon=horizon, exempt=OF_TICKS)
        silence = np.full(n, silence_code(Silence.NO_SIGNAL), dtype=np.int8)
        fair, close = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int8)
        bets, costs = [], {}
        leaves = type(self).leave is not PerMarket.leave
        for column in np.flatnonzero(shown.valid).tolist():
            market = MarketView(panel, column)
            if leaves:
                close[column] = self._leaving(market)
            idea = None if shut[column] else self._look(market)
            if idea is None:
                continue
            worth = round(idea.worth * ONE)
            fair[column] = worth if idea.buy == YES else ONE - worth
            answer = self._bet(panel, column, idea)
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
            else:
                silence[column], costs[column] = silence_code(Silence.EDGE), answer
        return View(silence, fair, close, tuple(bets), costs)

    def _look(self, market: MarketView) -> Idea | None:
        try:
            found: object = self.look(market)
        except Exception as fault:
            told = f"{type(fault).__name__}: {fault}"
            raise LookFailed(f"{market.question!r}: {told}") from fault
        if found is not None and not isinstance(found, Idea):
            raise LookFailed(f"{market.question!r}: look must return an Idea or None; {found!r}")
        return found

    def _leaving(self, market: MarketView) -> int:
        try:
            leaving = bool(self.leave(market, YES)), bool(self.leave(market, NO))
        except Exception as fault:
            told = f"{type(fault).__name__}: {fault}"
            raise LookFailed(f"{market.question!r}: {told}") from fault
        return LEAVE_YES * leaving[0] + LEAVE_NO * leaving[1]

    def _bet(self, panel: Panel, column: int, idea: Idea) -> Bet | str:
        """The idea as a Bet, or why costs eat it."""
        yes, plan = idea.buy == YES, self._plan(panel, column, idea)
        jump = timed.variance(panel, column, plan.max_hold_ms / BAR_MS, JUMPS)
        aim = timed.Aim(
            yes=yes,
            chance=idea.worth,
            least=idea.least,
            size=round(idea.most * ONE),
            variance=0.0 if plan.hold_to_resolution else jump,
            plan=plan,
            why=idea.why,
        )
        return timed.bet(self, panel, column, aim)

    def _plan(self, panel: Panel, column: int, idea: Idea) -> Plan:
        grid = int(panel.tick.universe.tick_size[column])
        take = 0 if idea.take is None else -(-round(idea.take * ONE) // grid) * grid
        stop = 0 if idea.stop is None else venue.floor_price(round(idea.stop * ONE), grid)
        return Plan(
            max_hold_ms=round((self.hold_hours or 0.0) * HOUR_MS),
            cooldown_ms=HOUR_MS,
            stop_cooldown_ms=24 * HOUR_MS,
            hold_to_resolution=self.hold_hours is None,
            take_profit=take if take < ONE else 0,
            stop=stop,
        )
