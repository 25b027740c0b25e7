"""The forecast's trade rule: what a forecast must promise, and when it is not believed."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, sqrt

import numpy as np
import pytest

from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core.evaluate import evaluate
from strategies.core.forecasting import Forecast
from strategies.core.types import LEAVE_NO, LEAVE_YES, Silence
from strategies.library.ml_prediction_v1 import MlPrediction, Params
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies import moments
from tests.core.strategies.scenes import Scene, code

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Momentary:
    """Expects a share of the last hour's move to go on; odd, so that the mirror holds."""

    share: float = 1.5
    error: float = 0.02
    fitted_at: int = histories.START
    digest: str = "momentary"
    least: float = 0.0

    def forecast(self, panel: Panel) -> Forecast:
        window, rows = panel.window, panel.window.rows(panel.tick.universe)
        x = window.x(rows, 13)
        move = self.share * (x[:, -1] - x[:, 0])
        known = np.abs(move) >= self.least
        return Forecast(move, np.full(len(move), self.error), known, self.digest, self.fitted_at)


@dataclass(frozen=True)
class Fixed:
    """The same forecast everywhere."""

    move: float
    error: float = 0.01
    fitted_at: int = histories.START
    digest: str = "fixed"

    def forecast(self, panel: Panel) -> Forecast:
        n = len(panel.tick.universe)
        return Forecast(
            np.full(n, self.move), np.full(n, self.error), np.ones(n, dtype=np.bool_),
            self.digest, self.fitted_at,
        )  # fmt: skip


RULE = MlPrediction(Params(), forecaster=Momentary())


@lru_cache
def hoped(outcome: str) -> Scene:
    return moments.first(RULE, moments.walking_ticks(31, count=420, size=0.03), outcome, 290)


def told(move: float, **values) -> MlPrediction:
    return MlPrediction(Params(), forecaster=Fixed(move, **values))


class TestTheBet:
    @pytest.mark.parametrize(("outcome", "sign"), [("Yes", 1), ("No", -1)])
    def test_its_cautious_price_pays_for_both_sides(self, outcome, sign):
        scene = hoped("Yes")
        rule, shown = told(0.4 * sign, error=0.1), scene.panel().features
        bet, column = scene.bet(rule), scene.column
        x = sign * shown.x[column]
        bid, ask = shown.bid[column] / ONE, shown.ask[column] / ONE
        bid, ask = (bid, ask) if sign > 0 else (1 - ask, 1 - bid)

        low = 1 / (1 + exp(-(x + 0.4 - 0.08416)))
        net = low - 0.02 * low * (1 - low) - (ask - bid) / 2 - ask - 0.02 * ask * (1 - ask)

        assert bet.outcome == outcome
        assert bet.fair == pytest.approx(ONE / (1 + exp(-(x + 0.4))), abs=2)
        assert bet.edge == pytest.approx(net * ONE, abs=3)
        assert bet.edge >= 5_000

    def test_it_leaves_after_six_hours_or_three_deviations_lower(self):
        scene = hoped("Yes")
        bet, shown, column = scene.bet(told(0.4)), scene.panel().features, scene.column
        price = shown.micro[column] / ONE
        sigma = shown.hourly.step[column] * sqrt(72) * price * (1 - price)

        assert bet.plan.max_hold_ms == 6 * HOUR_MS
        assert bet.plan.stop == pytest.approx(shown.bid[column] - 3 * sigma * ONE, abs=1_001)
        assert bet.plan.stop % 1_000 == 0

    @pytest.mark.parametrize(("move", "close"), [(0.001, LEAVE_NO), (-0.001, LEAVE_YES), (0, 0)])
    def test_holders_leave_when_the_forecast_turns(self, move, close):
        opinion = hoped("Yes").opinion(told(move))

        assert set(opinion.close.tolist()) == {close}
        assert set(opinion.silence.tolist()) == {code(Silence.EDGE)}

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_costs_only_take_bets_away(self, outcome):
        scene = hoped(outcome)

        moments.assert_costs_only_take_away(list(moments.by_fee(scene, RULE)))
        moments.assert_costs_only_take_away(list(moments.by_spread(scene, RULE)))

    def test_more_doubt_never_adds_a_bet(self):
        bets = [hoped("Yes").bet(told(0.3, error=error)) for error in (0, 0.05, 0.1, 0.2, 0.5)]

        moments.assert_costs_only_take_away(bets)

    def test_a_shut_gate_silences_it(self):
        scene = hoped("Yes")
        wide = scene.with_column(ask=scene.tick.ask[scene.column] + 50_000)

        assert wide.silence(RULE) == code(Silence.SPREAD)


class TestWithoutAModel:
    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (MlPrediction(Params()), "no model was trained yet"),
            (told(0.4, fitted_at=histories.START - 10 * b.DAY), "days ago / at most 10.0"),
            (told(0.4, fitted_at=histories.START + 10 * b.DAY), "came later than this tick"),
            (MlPrediction(Params(), forecaster=Momentary(least=9)), "the model abstains"),
        ],
    )
    def test_it_is_silent_and_says_why(self, rule, words):
        opinion = hoped("Yes").opinion(rule)

        assert opinion.signals == ()
        assert set(opinion.silence.tolist()) == {code(Silence.NO_MODEL)}
        assert all(words in text for text in opinion.detail.values())
        assert opinion.fair.tolist() == opinion.close.tolist() == [0] * 16

    def test_the_models_digest_is_among_the_inputs(self):
        one, other = told(0.4), told(0.4, digest="other")

        assert MlPrediction(Params()).inputs == ""
        assert len(one.inputs) == 64
        assert one.inputs != other.inputs
        assert hoped("Yes").opinion(one).inputs == one.inputs

    @pytest.mark.parametrize(
        ("broken", "words"),
        [
            (Fixed(float("nan")), "not a finite number"),
            (Fixed(0.1, error=-1), "standard error is negative"),
        ],
    )
    def test_a_broken_forecast_is_an_error_not_a_trade(self, broken, words):
        [opinion] = evaluate([MlPrediction(Params(), forecaster=broken)], hoped("Yes").panel())

        assert set(opinion.silence.tolist()) == {code(Silence.ERROR)}
        assert words in opinion.detail[0]


class TestMirrorAndForce:
    def test_swapping_yes_and_no_swaps_every_decision_exactly(self):
        ticks = moments.walking_ticks(32, count=420, size=0.03)
        pairs = zip(
            moments.opinions(RULE, ticks, 290),
            moments.opinions(RULE, list(histories.mirrored(ticks)), 290),
            strict=True,
        )

        assert sum(moments.assert_mirrored(one, other) for one, other in pairs) > 20

    def test_it_can_be_forced_to_trade_noise(self):
        forced = replace(Params(), min_edge=-0.2)
        rule = MlPrediction(forced, forecaster=Momentary(share=0.1))
        ticks = moments.walking_ticks(33, count=400)

        assert sum(len(each.signals) for each in moments.opinions(rule, ticks, 290)) > 300
