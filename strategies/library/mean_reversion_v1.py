"""Mean reversion: thin books overshoot, and some of it comes back.

Idea. An impatient trader pushes a thin book away from where it was; patient ones push it back. News
moves it too, and does not come back: telling the two apart is the whole difficulty.

Formula. x = logit of the microprice at each 5-minute close; F = its average of half-life 6 hours,
lagged one bar; s = robust standard deviation of x - F over 24 hours, at least the logit size of one
tick; z = (x - F) / s. The pull of x towards F is fitted hourly over some five days (half-life HL),
and the variance ratio VR(12) over seven. At h = min(2 HL, 12 h) the expected logit is
F + (x - F) exp(-pull h). Buy YES below, NO above, when |z| is at least `entry_zscore` and the
expected price at h, sold at the bid after its fee, beats the ask with its fee by `min_edge`. Both
sides are taken, so at 0.50 and a fee rate of 0.05 a move of some five cents must be expected.

Silent. All gates; REGIME where x does not revert: half-life outside its range, VR(12) not below
`max_variance_ratio`, or either not significant after controlling false discoveries over all markets
(the bounce between bid and ask lowers VR, too; it does not pull, since the pull skips a bar);
NO_SIGNAL while |z| is below entry or already beyond the stop; EDGE where costs eat the move.

Leaves. |z| back under `exit_zscore` (or across), |z| beyond `stop_zscore` against the holder, after
max(30 min, min(2 HL, 12 h)), in the market's last 24 hours, and when its rules become unclear.

Evidence. Thin: one study of three contracts finds profit only without paying the spread; a panel of
25 markets finds reversal over 24 hours that two cents of cost erase. Expect few trades.

How it loses. Fading real news, mostly; a fair value already dragged along by the shock; several
markets of one event at once; no bids left when it wants out.
"""

from dataclasses import dataclass, replace
from math import exp
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import features
from markets.core.bars import BAR_MS
from markets.core.panel import Hourly, Panel
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import HALF_LIFE, HOUR, Floats
from strategies.core import gates, pricing, timed
from strategies.core.gates import Thresholds
from strategies.core.ports import Range
from strategies.core.types import (
    HOLD,
    LEAVE_BOTH,
    LEAVE_NO,
    LEAVE_YES,
    SILENCES,
    STOP,
    Bet,
    Opinion,
    Plan,
    Silence,
    Worded,
    silence_code,
)

LONGEST_HOLD = 12 * HOUR
SHORTEST_HOLD = HOUR // 2
"""Bars that a holding lasts at most and is given at least."""

FIT_BARS = 180
"""Bars that pull and variance ratio must rest on: a day less the six hours the average takes."""


@dataclass(frozen=True, slots=True)
class Params:
    """When a deviation is worth trading and when it is over."""

    entry_zscore: Annotated[float, Range(0.1, 10, "standard deviations")] = 2.0
    exit_zscore: Annotated[float, Range(0, 5, "standard deviations")] = 0.5
    stop_zscore: Annotated[float, Range(0.2, 20, "standard deviations")] = 3.5
    min_edge: Annotated[float, Range(0, 0.5, "dollars a share")] = 0.010
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    min_half_life: Annotated[float, Range(0.1, 48, "hours")] = 0.5
    max_half_life: Annotated[float, Range(0.1, 48, "hours")] = 12.0
    max_variance_ratio: Annotated[float, Range(0.01, 2, "ratio")] = 0.9
    max_false_discoveries: Annotated[float, Range(0.001, 1, "share")] = 0.05
    cooldown_minutes: Annotated[float, Range(0, 10_080, "minutes")] = 60.0
    stop_cooldown_hours: Annotated[float, Range(0, 720, "hours")] = 24.0
    jump_probability: Annotated[float, Range(0, 1, "chance in 6 hours")] = 0.01
    max_shares: Annotated[float, Range(5, 1_000_000, "shares")] = 5_000.0


def validate(params: Params) -> str | None:
    """Why these parameters make no rule together, or None."""
    if not params.exit_zscore < params.entry_zscore < params.stop_zscore:
        return "exit_zscore must be below entry_zscore, and entry_zscore below stop_zscore"
    if params.min_half_life >= params.max_half_life:
        return "min_half_life must be below max_half_life"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the rule believes of every market until the next bar closes."""

    horizon: Ints
    silence: NDArray[np.int8]
    fair: Ints
    close: NDArray[np.int8]
    bets: tuple[tuple[int, Bet], ...]
    detail: dict[int, str]
    fit: "Fit"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The statistics the decision rests on, one entry a market."""

    z: Floats
    known: Flags
    half_life: Floats
    chance: Floats
    reverting: Flags
    fitted: Flags


class MeanReversion:
    """Buys the token that fell too far, sells when it is back, stops when it goes on falling."""

    name = "mean_reversion_v1"
    version = "1"
    description = "Buys what fell too far from its average and sells when it comes back."

    def __init__(self, params: Params) -> None:
        self.params = params
        self.limits = Thresholds(volume_least=round(params.min_volume * ONE))

    def evaluate(self, panel: Panel) -> Opinion:
        """The view of the last bar close, silenced where a gate is shut now."""
        view = panel.once((self.name, self.params), lambda: self._view(panel))
        shut = gates.silences(panel, self.limits, horizon=view.horizon)
        said = np.where(shut != 0, shut, view.silence)
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(
                replace(bet, at=panel.tick.at) for column, bet in view.bets if not shut[column]
            ),
            silence=said,
            fair=view.fair,
            close=np.where(gates.ending(panel, self.limits), np.int8(LEAVE_BOTH), view.close),
            detail=Worded(range(len(said)), lambda at: self._words(panel, view, int(said[at]), at)),
        )

    def _view(self, panel: Panel) -> View:
        """Everything that can change only when a bar closes or the universe does."""
        fit = _fit(panel, self.params)
        magnitude = np.abs(fit.z)
        entering = (magnitude >= self.params.entry_zscore) & (magnitude < self.params.stop_zscore)
        waiting = gates.warmup(panel, self.limits, np.zeros(len(magnitude), dtype=np.int64))
        stages = (waiting | ~fit.fitted, ~fit.reverting, ~entering)
        reasons = (Silence.WARMUP, Silence.REGIME, Silence.NO_SIGNAL)
        codes = [silence_code(reason) for reason in reasons]
        silence = np.select(stages, codes, silence_code(Silence.EDGE)).astype(np.int8)
        detail: dict[int, str] = {}
        bets = []
        for column in np.flatnonzero(silence == silence_code(Silence.EDGE)).tolist():
            answer = self._bet(panel, fit, column)
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
            else:
                detail[column] = answer
        return View(
            horizon=np.rint(_holds(fit.half_life) * BAR_MS).astype(np.int64),
            silence=silence,
            fair=np.where(fit.known, pricing.prices(panel.features.mean), 0),
            close=self._close(fit),
            bets=tuple(bets),
            detail=detail,
            fit=fit,
        )

    def _close(self, fit: Fit) -> NDArray[np.int8]:
        """Which holders leave: the gap is closed, or it has grown beyond the stop."""
        leave, stop, z = self.params.exit_zscore, self.params.stop_zscore, fit.z
        yes = fit.known & ((z > -leave) | (z <= -stop))
        no = fit.known & ((z < leave) | (z >= stop))
        stopped = fit.known & (np.abs(z) >= stop)
        told: NDArray[np.int8] = np.full(len(z), HOLD, dtype=np.int8)
        for who, code in ((yes, LEAVE_YES), (no, LEAVE_NO), (stopped, STOP)):
            told += np.int8(code) * who
        return told

    def _bet(self, panel: Panel, fit: Fit, column: int) -> Bet | str:
        """The Bet on the gap closing, or why costs eat it."""
        buys_yes = bool(fit.z[column] < 0)
        x, mean = float(panel.features.x[column]), float(panel.features.mean[column])
        if not buys_yes:
            x, mean = -x, -mean
        rate = float(panel.features.hourly.pull[column])
        hold = float(_holds(fit.half_life[column : column + 1])[0])
        aim = timed.Aim(
            yes=buys_yes,
            chance=pricing.probability(mean + (x - mean) * exp(-rate * hold)),
            least=self.params.min_edge,
            size=round(self.params.max_shares * ONE),
            variance=timed.variance(panel, column, hold, self.params.jump_probability),
            plan=self._plan(hold),
            why=_why(panel, fit, column),
        )
        return timed.bet(self, panel, column, aim)

    def _plan(self, hold: float) -> Plan:
        return Plan(
            max_hold_ms=round(hold * BAR_MS),
            cooldown_ms=round(self.params.cooldown_minutes * 60_000),
            stop_cooldown_ms=round(self.params.stop_cooldown_hours * gates.HOUR_MS),
        )

    def _words(self, panel: Panel, view: View, code: int, column: int) -> str:
        """What keeps a market from a signal, for people; "" where the gate's name says it."""
        fit, reason = view.fit, SILENCES[code - 1] if code else None
        if reason is Silence.WARMUP:
            waiting = gates.warmup(panel, self.limits, view.horizon)[column]
            return gates.warming(panel, self.limits, column) if waiting else _rests(panel, column)
        if reason is Silence.REGIME:
            return _why(panel, fit, column)
        if reason is Silence.NO_SIGNAL:
            return f"z {fit.z[column]:+.2f} / needs {self.params.entry_zscore:.2f}"
        return view.detail.get(column, "") if reason is Silence.EDGE else ""


def _rests(panel: Panel, column: int) -> str:
    """How much the statistics rest on, where that is not enough yet."""
    hourly = panel.features.hourly
    rests = int(min(hourly.pull_bars[column], hourly.ratio_bars[column]))
    return f"statistics rest on {rests} / need {FIT_BARS} bars"


def _fit(panel: Panel, params: Params) -> Fit:
    """z, half-life and whether the market reverts at all, one entry a market."""
    shown, hourly = panel.features, panel.features.hourly
    price = np.where(shown.valid, shown.micro, ONE // 2)
    one_tick = panel.tick.universe.tick_size / ONE / ((price / ONE) * ((ONE - price) / ONE))
    known = shown.valid & (hourly.spread_bars >= HALF_LIFE)
    z = np.where(known, (shown.x - shown.mean) / np.maximum(hourly.spread, one_tick), 0.0)
    fitted = known & (np.minimum(hourly.pull_bars, hourly.ratio_bars) >= FIT_BARS)
    half_life = features.half_life(hourly.pull)
    chance = panel.once_an_hour("mean_reversion_v1 chance", lambda: _chance(hourly))
    real = features.discoveries(chance, fitted, params.max_false_discoveries)
    hours = half_life / HOUR
    in_range = (hours >= params.min_half_life) & (hours <= params.max_half_life)
    reverting = fitted & real & in_range & (hourly.ratio < params.max_variance_ratio)
    return Fit(z, known, half_life, chance, reverting, fitted)


def _chance(hourly: Hourly) -> Floats:
    """The chance that a market which does not revert looks as much as if it did.

    The weaker of two tests counts: a bouncing price has a low variance ratio but no pull, and the
    pull of a trend's pause is not borne out by the variance ratio.
    """
    chances = features.lower_tail(hourly.ratio_z), features.lower_tail(-hourly.pull_t)
    return np.maximum(*chances)


def _holds(half_life: Floats) -> Floats:
    """Bars that a holding may last: two half-lives, within bounds."""
    return np.clip(2 * half_life, SHORTEST_HOLD, LONGEST_HOLD)


def _why(panel: Panel, fit: Fit, column: int) -> str:
    """The figures behind a decision, in one line."""
    hourly, life = panel.features.hourly, float(fit.half_life[column]) / HOUR
    ratio, chance = float(hourly.ratio[column]), float(fit.chance[column])
    words = f"half-life {life:.1f} h, variance ratio {ratio:.2f}, p {chance:.3f}"
    return f"z {fit.z[column]:+.2f}, {words}"
