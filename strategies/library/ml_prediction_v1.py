"""Machine learning: trades a model's forecast of the price in six hours, if it is worth its costs.

Idea. A model trained on recorded books says where each market's price will be in six hours and how
unsure it is. This rule knows nothing of the model; it only asks whether the forecast pays.

Formula. x = logit of the microprice at the last 5-minute close; the forecast is a move d of x with
a standard error e. The cautious price of YES in six hours is S(x + d - 0.84 e), the lower 80 %
bound; that of NO is S(-x - d - 0.84 e). Buy the token whose cautious price, sold at the bid after
its fee, beats its ask with its fee by `min_edge`.

Silent. All gates; NO_MODEL without a model, where the model abstains, where it was fitted more than
`max_model_days` ago, or on what came later than the tick; EDGE where costs eat the move.

Leaves. After six hours; when the forecast points the other way; when the bid falls `stop_sigmas`
standard deviations of six hours below the bid at entry; in the market's last 24 hours; when its
rules blur.

Evidence. None is published that holds. Direction is easy to get right and earns nothing: on prices
without any edge a model reaches 76 % and loses 3.9 cents a share at executable prices. Believe the
results after costs, never the accuracy.

How it loses. A model that learnt bounce, rounding or yesterday's markets; fees of both sides, which
at 0.50 are more than most six-hour moves; many markets moved by one event at once.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import venue
from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core import forecasting, gates, pricing, timed
from strategies.core.beliefs import DAY_MS, LOWER_80
from strategies.core.forecasting import HORIZON, Forecast, Forecaster, NoForecaster
from strategies.core.gates import Thresholds
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
    digest,
    silence_code,
)

HORIZON_MS = 6 * gates.HOUR_MS


@dataclass(frozen=True, slots=True)
class Params:
    """When a forecast is worth trading and when it was wrong."""

    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a share")] = 0.005
    max_model_days: Annotated[float, Range(0.1, 3_650, "days")] = 10.0
    stop_sigmas: Annotated[float, Range(0.1, 20, "standard deviations of 6 hours")] = 3.0
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    cooldown_minutes: Annotated[float, Range(0, 10_080, "minutes")] = 60.0
    stop_cooldown_hours: Annotated[float, Range(0, 720, "hours")] = 24.0
    jump_probability: Annotated[float, Range(0, 1, "chance in 6 hours")] = 0.01
    max_shares: Annotated[float, Range(5, 1_000_000, "shares")] = 5_000.0


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the rule believes of every market until the next bar closes."""

    forecast: Forecast
    unusable: str
    silence: NDArray[np.int8]
    fair: NDArray[np.int64]
    close: NDArray[np.int8]
    bets: tuple[tuple[int, Bet], ...]


class MlPrediction:
    """Buys what a model expects to rise by more than it costs, for six hours."""

    name = "ml_prediction_v1"
    version = "1"
    description = "Trades the six-hour forecast of a model trained on recorded books."

    def __init__(self, params: Params, *, forecaster: Forecaster | None = None) -> None:
        self.params = params
        self.forecaster: Forecaster = NoForecaster() if forecaster is None else forecaster
        self.inputs = digest(self.forecaster.digest) if self.forecaster.digest else ""
        self.limits = Thresholds(volume_least=round(params.min_volume * ONE))

    def evaluate(self, panel: Panel) -> Opinion:
        """The view of the last bar close, silenced where a gate is shut now."""
        view = panel.once((self.name, self.params, self.inputs), lambda: self._view(panel))
        horizon = np.full(len(view.silence), HORIZON_MS)
        shut = gates.silences(panel, self.limits, horizon=horizon)
        said = np.where(shut != 0, shut, view.silence)
        warming = shut == silence_code(Silence.WARMUP)
        told = np.flatnonzero((said != 0) & (warming | (shut == 0)))
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
                frozenset(told.tolist()),
                lambda column: (
                    gates.warming(panel, self.limits, column)
                    if warming[column]
                    else self._explain(panel, view, column)
                ),
            ),
            inputs=self.inputs,
        )

    def _view(self, panel: Panel) -> View:
        """Everything that can change only when a bar closes or the universe does."""
        shown = panel.features
        found = forecasting.check(self.forecaster.forecast(panel), len(shown.x))
        unusable = self._unusable(found, shown.at)
        known = found.known & shown.valid & (not unusable)
        codes = silence_code(Silence.EDGE), silence_code(Silence.NO_MODEL)
        silence, bets = np.where(known, *codes).astype(np.int8), []
        for column in np.flatnonzero(known & self._promising(panel, found)).tolist():
            answer = self._judge(panel, found, column)
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
        close = np.zeros(len(known), dtype=np.int8)
        close += np.int8(LEAVE_YES) * (known & (found.move < 0))
        close += np.int8(LEAVE_NO) * (known & (found.move > 0))
        expected = pricing.prices(shown.x + np.where(known, found.move, 0.0))
        fair = np.where(known, expected, 0)
        return View(found, unusable, silence, fair, close, tuple(bets))

    def _unusable(self, found: Forecast, at: int) -> str:
        """Why no forecast counts at an instant, or ""."""
        if not found.digest:
            return "no model was trained yet"
        age, most = (at - found.fitted_at) / DAY_MS, self.params.max_model_days
        if age < 0:
            return "the model was fitted on what came later than this tick"
        return f"model of {age:.1f} days ago / at most {most:.1f}" if age > most else ""

    def _promising(self, panel: Panel, found: Forecast) -> NDArray[np.bool_]:
        """Where either token's cautious price beats its ask before fees and the way out."""
        doubt = LOWER_80 * np.where(found.known, found.error, 0.0)
        later = panel.features.x + np.where(found.known, found.move, 0.0)
        gains = timed.gains(panel, later - doubt, -later - doubt)
        promising: NDArray[np.bool_] = np.maximum(*gains) >= self.params.min_edge
        return promising

    def _judge(self, panel: Panel, found: Forecast, column: int) -> Bet | str:
        """The Bet in the forecast's direction, or why costs eat it."""
        move, x = float(found.move[column]), float(panel.features.x[column])
        if move == 0:
            return "no move is expected"
        rising = move > 0
        later = x + move if rising else -x - move
        doubt = LOWER_80 * float(found.error[column])
        jump = self.params.jump_probability
        aim = timed.Aim(
            yes=rising,
            chance=pricing.probability(later),
            cautious=pricing.probability(later - doubt),
            least=self.params.min_edge,
            size=round(self.params.max_shares * ONE),
            variance=timed.variance(panel, column, HORIZON, jump),
            plan=self._plan(panel, column, yes=rising),
            why=f"move {move:+.3f} in logits, error {float(found.error[column]):.3f}",
        )
        return timed.bet(self, panel, column, aim)

    def _plan(self, panel: Panel, column: int, *, yes: bool) -> Plan:
        bid, _ = timed.touch(panel, column, yes=yes)
        tick_size = int(panel.tick.universe.tick_size[column])
        sigma = float(panel.features.hourly.step[column]) * sqrt(HORIZON)
        deep = round(self.params.stop_sigmas * sigma * timed.bounded(panel, column) * ONE)
        stop = bid - max(deep, tick_size)
        return Plan(
            max_hold_ms=HORIZON_MS,
            cooldown_ms=round(self.params.cooldown_minutes * 60_000),
            stop_cooldown_ms=round(self.params.stop_cooldown_hours * gates.HOUR_MS),
            stop=venue.floor_price(stop, tick_size) if stop >= tick_size else 0,
        )

    def _explain(self, panel: Panel, view: View, column: int) -> str:
        """What keeps a market from a signal, for people."""
        if view.unusable:
            return view.unusable
        if not view.forecast.known[column]:
            return "the model abstains"
        answer = self._judge(panel, view.forecast, column)
        return answer if isinstance(answer, str) else ""
