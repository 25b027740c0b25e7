"""Momentum: some moves are not over when they are seen.

Idea. News reaches a market's traders one after another. Where prices trend, a move of a day that
has begun may go on for another one.

Formula. x = logit of the microprice at each 5-minute close, the last one left out: it may only be a
bounce. M_L = (x now - x L ago) / (s sqrt(L)), s the size of a one-bar step over 24 hours; M is the
mean of M over 6 and over 24 hours. What a day brings after such a move is fitted every hour on the
panel's own week: (x in 24 hours - x) / (s sqrt(24 h)) = slope * M, ridge regression by category
shrunk towards all markets, with a t-statistic clustered by event. The expected logit is then
x + slope * M s sqrt(24 h). Buy in the direction of the move, YES upwards, NO downwards, when the
expected price, sold at the bid after its fee, beats the ask with its fee by `min_edge`.

Silent. All gates, JUMP among them: what leapt within the hour is not chased. WARMUP without a price
of a day ago. REGIME where the price does not trend: the variance ratio VR(12) is not above
`min_variance_ratio` (below 1 a market comes back, and is mean_reversion_v1's), not significant
after controlling false discoveries, or moves have not gone on lately (t of the slope below
`min_beta_t`; a negative slope means that moves come back, and then this rule has nothing to say).
NO_SIGNAL where there is no move: |M| outside its range, less than `min_move` or more than
`max_move` in price over 24 hours, or 6 and 24 hours disagree. EDGE where costs eat it.

Leaves. After `hold_hours`; when the bid falls 1.5 daily standard deviations below its best; when
the move has turned (M of the other sign); in the market's last 24 hours; when its rules blur.

Evidence. One study of 562 election markets finds 6 to 8 points higher odds of a second day in the
same direction, gone by the fourth, before costs. Short-term tests disagree in sign. Expect little.

What it cannot know. Whether today's volume is above that of the week: the exchange tells one figure
for 24 hours, when markets are ranked. `min_volume` is all that is asked of it. Nor whether a move
was one trade: the mid must have changed often enough in a day (ACTIVITY).

How it loses. Buying the end of a move; news that is fully priced; a category whose past week was an
exception; several markets of one event at once.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import features
from markets.core.panel import FRESH, LONG, Panel
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import DAY, HOUR, Floats
from strategies.core import continuation, gates, pricing, timed
from strategies.core.gates import Thresholds
from strategies.core.grouping import groups
from strategies.core.ports import Range
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

SPANS = (6 * HOUR, DAY)
"""Bars that a move is measured over."""

EVERY = 3 * HOUR
"""Bars between the moments of the past week that the regression looks at."""

FIT_BARS = 180
"""Bars that the variance ratio must rest on."""


@dataclass(frozen=True, slots=True)
class Params:
    """What counts as a move, as a trend, and as enough."""

    min_strength: Annotated[float, Range(0, 10, "standard deviations")] = 1.0
    max_strength: Annotated[float, Range(0.1, 100, "standard deviations")] = 3.0
    min_move: Annotated[float, Range(0, 0.5, "dollars")] = 0.02
    max_move: Annotated[float, Range(0.01, 1, "dollars")] = 0.08
    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a share")] = 0.010
    min_beta_t: Annotated[float, Range(-100, 10, "standard errors")] = 2.0
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    min_variance_ratio: Annotated[float, Range(0, 10, "ratio")] = 1.1
    max_false_discoveries: Annotated[float, Range(0.001, 1, "share")] = 0.05
    hold_hours: Annotated[float, Range(1, 48, "hours")] = 24.0
    trail_sigmas: Annotated[float, Range(0.1, 10, "standard deviations of a day")] = 1.5
    cooldown_minutes: Annotated[float, Range(0, 10_080, "minutes")] = 60.0
    stop_cooldown_hours: Annotated[float, Range(0, 720, "hours")] = 24.0
    jump_probability: Annotated[float, Range(0, 1, "chance in 6 hours")] = 0.01
    max_shares: Annotated[float, Range(5, 1_000_000, "shares")] = 5_000.0


def validate(params: Params) -> str | None:
    """Why these parameters make no rule together, or None."""
    if params.min_strength >= params.max_strength:
        return "min_strength must be below max_strength"
    if params.min_move >= params.max_move:
        return "min_move must be below max_move"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Strength in standard deviations, of each span and their mean; `far` is the day in micro."""

    each: tuple[Floats, ...]
    strength: Floats
    far: Ints
    known: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Trend and continuation of each market, refit hourly; `expected` is per unit of strength."""

    fitted: Flags
    chance: Floats
    trending: Flags
    slope: Floats
    t: Floats
    events: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the rule believes of every market until the next bar closes."""

    fit: Fit
    moves: Moves
    warming: Flags
    silence: NDArray[np.int8]
    fair: Ints
    close: NDArray[np.int8]
    bets: tuple[tuple[int, Bet], ...]
    costs: dict[int, str]


class Momentum:
    """Buys what has begun to rise where prices trend, and sells a day later."""

    name = "momentum_v1"
    version = "1"
    description = "Follows moves that go on, where prices trend."

    def __init__(self, params: Params) -> None:
        self.params = params
        self.hold = round(params.hold_hours * HOUR)
        self.limits = Thresholds(volume_least=round(params.min_volume * ONE))

    def evaluate(self, panel: Panel) -> Opinion:
        """The view of the last bar close, silenced where a gate is shut now."""
        view = panel.once((self.name, self.params), lambda: self._view(panel))
        horizon = np.full(len(view.fair), round(self.params.hold_hours * gates.HOUR_MS))
        shut = gates.silences(panel, self.limits, horizon=horizon)
        said = np.where(shut != 0, shut, view.silence)
        waiting = said == silence_code(Silence.WARMUP)
        told = np.flatnonzero((said != 0) & (waiting | (shut == 0)))
        ending = gates.ending(panel, self.limits)
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(
                replace(bet, at=panel.tick.at) for column, bet in view.bets if not shut[column]
            ),
            silence=said,
            fair=view.fair,
            close=np.where(ending, np.int8(LEAVE_BOTH), view.close),
            detail=Worded(
                frozenset(told.tolist()), lambda column: self._explain(panel, view, column)
            ),
        )

    def _view(self, panel: Panel) -> View:
        """Everything that can change only when a bar closes or the universe does."""
        key = (self.name, self.params, groups(panel.tick.universe).key)
        fit = panel.once_an_hour(key, lambda: self._fit(panel))
        moves = self._moves(panel)
        warming = gates.warmup(panel, self.limits, moves.far)
        waiting = warming | ~moves.known | ~fit.fitted
        going = fit.trending & (fit.t >= self.params.min_beta_t)
        reasons = (Silence.WARMUP, Silence.REGIME, Silence.NO_SIGNAL)
        codes = [silence_code(reason) for reason in reasons]
        stages = (waiting, ~going, ~self._moving(moves))
        silence = np.select(stages, codes, silence_code(Silence.EDGE)).astype(np.int8)
        expected = self._expected(panel, fit, moves)
        bets, costs = [], {}
        for column in np.flatnonzero(silence == silence_code(Silence.EDGE)).tolist():
            answer = self._bet(panel, fit, moves, column, float(expected[column]))
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
            else:
                costs[column] = answer
        aimed = moves.known & fit.fitted & going
        return View(
            fit=fit,
            moves=moves,
            warming=warming,
            silence=silence,
            fair=np.where(aimed, pricing.prices(panel.features.x + expected), 0),
            close=_turned(moves),
            bets=tuple(bets),
            costs=costs,
        )

    def _fit(self, panel: Panel) -> Fit:
        """What the last week says of trends and of how moves go on."""
        hourly, found = panel.features.hourly, groups(panel.tick.universe)
        moved, after, usable = self._past(panel)
        slopes = continuation.slopes(
            moved,
            after,
            usable,
            event=found.event,
            category=found.category,
            categories=len(found.categories),
        )
        fitted = (hourly.step > 0) & (hourly.ratio_bars >= FIT_BARS)
        chance = features.lower_tail(-hourly.ratio_z)
        real = features.discoveries(chance, fitted, self.params.max_false_discoveries)
        return Fit(
            fitted=fitted,
            chance=chance,
            trending=fitted & real & (hourly.ratio > self.params.min_variance_ratio),
            slope=slopes.slope[found.category],
            t=slopes.t[found.category],
            events=slopes.pooled,
        )

    def _past(self, panel: Panel) -> tuple[Floats, Floats, Flags]:
        """Moves of the past week in standard deviations and what came of them: markets by times."""
        ago = np.arange(self.hold, LONG - max(SPANS), EVERY)
        now, ends = _bars(panel, ago)
        then, known = _bars(panel, ago - self.hold)
        scale = panel.features.hourly.step[:, None]
        usable, safe = ends & known & (scale > 0), np.where(scale > 0, scale, 1.0)
        moved = np.zeros(now.shape)
        for span in SPANS:
            before, seen = _bars(panel, ago + span)
            usable &= seen
            moved += (now - before) / (safe * sqrt(span))
        return moved / len(SPANS), (then - now) / (safe * sqrt(self.hold)), usable

    def _moves(self, panel: Panel) -> Moves:
        """The move up to the bar before the last one."""
        rows, scale = panel.window.rows(panel.tick.universe), panel.features.hourly.step
        safe = np.where(scale > 0, scale, 1.0)
        now, known = _as_of(panel, rows, 1)
        known &= panel.features.valid & (scale > 0)
        each, before = [], now
        for span in SPANS:
            before, seen = _as_of(panel, rows, 1 + span)
            known &= seen
            each.append((now - before) / (safe * sqrt(span)))
        each = [np.where(known, strength, 0.0) for strength in each]
        mean = sum(each[1:], each[0]) / len(SPANS)
        far = pricing.prices(now) - pricing.prices(before)
        return Moves(tuple(each), mean, np.where(known, far, 0), known)

    def _moving(self, moves: Moves) -> Flags:
        """Whether there is a move of the right size in which both spans agree."""
        size, far, params = np.abs(moves.strength), np.abs(moves.far), self.params
        agree = np.ones(len(far), dtype=np.bool_)
        for strength in moves.each:
            agree &= strength * moves.strength > 0
        strong = (size >= params.min_strength) & (size <= params.max_strength)
        return agree & strong & (far >= params.min_move * ONE) & (far <= params.max_move * ONE)

    def _expected(self, panel: Panel, fit: Fit, moves: Moves) -> Floats:
        """The logit move expected until the holding ends."""
        expected: Floats = fit.slope * moves.strength * panel.features.hourly.step * sqrt(self.hold)
        return expected

    def _bet(self, panel: Panel, fit: Fit, moves: Moves, column: int, expected: float) -> Bet | str:
        """The Bet on the move going on, or why costs eat it."""
        rising, x = bool(moves.strength[column] > 0), float(panel.features.x[column])
        target = x + expected if rising else -x - expected
        aim = timed.Aim(
            yes=rising,
            chance=pricing.probability(target),
            least=self.params.min_edge,
            size=round(self.params.max_shares * ONE),
            variance=timed.variance(panel, column, self.hold, self.params.jump_probability),
            plan=self._plan(panel, column),
            why=_why(panel, fit, moves, column),
        )
        return timed.bet(self, panel, column, aim)

    def _plan(self, panel: Panel, column: int) -> Plan:
        day = float(panel.features.hourly.step[column]) * sqrt(DAY)
        trail = round(self.params.trail_sigmas * day * timed.bounded(panel, column) * ONE)
        return Plan(
            max_hold_ms=round(self.params.hold_hours * gates.HOUR_MS),
            cooldown_ms=round(self.params.cooldown_minutes * 60_000),
            stop_cooldown_ms=round(self.params.stop_cooldown_hours * gates.HOUR_MS),
            trail=max(trail, int(panel.tick.universe.tick_size[column])),
        )

    def _explain(self, panel: Panel, view: View, column: int) -> str:
        """What keeps a market from a signal, for people."""
        if column in view.costs:
            return view.costs[column]
        fit, moves, params = view.fit, view.moves, self.params
        if view.warming[column]:
            return gates.warming(panel, self.limits, column)
        if not fit.fitted[column]:
            rests = int(panel.features.hourly.ratio_bars[column])
            return f"statistics rest on {rests} / need {FIT_BARS} bars"
        if not moves.known[column]:
            return "no price of 6 and of 24 hours ago"
        if not fit.trending[column]:
            ratio, chance = float(panel.features.hourly.ratio[column]), float(fit.chance[column])
            needed = f"needs above {params.min_variance_ratio:.2f}"
            return f"variance ratio {ratio:.2f}, p {chance:.3f} / {needed}, significant"
        if fit.t[column] < params.min_beta_t:
            slope, t = float(fit.slope[column]), float(fit.t[column])
            found = f"slope {slope:+.2f}, t {t:+.1f}, {fit.events} events"
            return f"moves have not gone on: {found} / needs t {params.min_beta_t:.1f}"
        strength, far = float(moves.strength[column]), int(moves.far[column])
        wanted = f"{params.min_strength:.1f} to {params.max_strength:.1f}"
        points = f"{params.min_move:.2f} to {params.max_move:.2f}"
        found = f"strength {strength:+.2f}, {far / ONE:+.3f} in a day"
        return f"{found} / needs {wanted}, {points}, 6 and 24 hours alike"


def _bars(panel: Panel, ago: Ints) -> tuple[Floats, Flags]:
    """Logits of single bars, counted back from where the hourly statistics end; where known."""
    rows, window = panel.window.rows(panel.tick.universe), panel.window
    back = (ago + panel.fitted_ago).tolist()
    x = [window.x(rows, 1, each) for each in back]
    return np.concatenate(x, axis=1), np.concatenate(
        [window.valid(rows, 1, each) for each in back], axis=1
    )


def _as_of(panel: Panel, rows: Ints, ago: int) -> tuple[Floats, Flags]:
    """Logit of the last known bar within 15 minutes before the end of the one `ago` bars back."""
    valid = panel.window.valid(rows, FRESH, ago)
    last = FRESH - 1 - valid[:, ::-1].argmax(axis=1)
    line = np.arange(len(rows))
    return panel.window.x(rows, FRESH, ago)[line, last], valid[line, last]


def _turned(moves: Moves) -> NDArray[np.int8]:
    """Which holders leave: the move has the other sign by now."""
    told: NDArray[np.int8] = np.zeros(len(moves.far), dtype=np.int8)
    told += np.int8(LEAVE_YES) * (moves.known & (moves.strength < 0))
    told += np.int8(LEAVE_NO) * (moves.known & (moves.strength > 0))
    return told


def _why(panel: Panel, fit: Fit, moves: Moves, column: int) -> str:
    """The figures behind a decision, in one line."""
    strength, far = float(moves.strength[column]), int(moves.far[column]) / ONE
    ratio, slope, t = panel.features.hourly.ratio[column], fit.slope[column], fit.t[column]
    trend = f"variance ratio {ratio:.2f}, slope {slope:+.2f} (t {t:+.1f})"
    return f"strength {strength:+.2f}, {far:+.3f} in a day, {trend}"
