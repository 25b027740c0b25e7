"""Evidence against claims: golden figures, and false alarms as rare as promised."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.core.types import ONE
from strategies.core import scoring
from strategies.core.scoring import Score


@pytest.mark.parametrize(("losses", "evidence"), [(11, 17.9), (12, 23.3)])
def test_straight_losses_at_a_claim_of_sixty_percent(losses, evidence):
    found = scoring.e_process([0.6] * losses, [0.0] * losses)

    assert found == pytest.approx(evidence, abs=0.05)


@pytest.mark.parametrize(("loss", "most"), [(0.1, 4), (0.5, 11), (0.9, 57)])
def test_how_many_losses_in_a_row_are_too_many(loss, most):
    assert scoring.straight_losses(loss) == most


def test_a_sure_thing_may_lose_once_and_a_hopeless_one_always():
    assert scoring.straight_losses(0.0) == 2
    assert scoring.straight_losses(1.0) > 200


def test_true_claims_seldom_gather_evidence_against_themselves():
    luck = random.Random(7)
    alarms = 0
    for _ in range(2_000):
        evidence = highest = 1.0
        for _ in range(100):
            claimed = luck.uniform(0.05, 0.95)
            evidence *= scoring.factor(claimed, float(luck.random() < claimed))
            highest = max(highest, evidence)
        alarms += highest >= 20

    assert alarms <= 100  # one in twenty, whenever one looks


def test_false_claims_do():
    luck = random.Random(8)
    claims = [0.6] * 300
    outcomes = [float(luck.random() < 0.4) for _ in claims]

    assert scoring.e_process(claims, outcomes) > 20


def test_disappointments_add_up_and_never_below_zero():
    assert scoring.cusum(0.0, 1.0) == 0
    assert scoring.cusum(1.0, -2.0) == pytest.approx(2.75)


def test_scores_reward_the_better_probability():
    assert scoring.brier(0.8, 1.0) == pytest.approx(0.04)
    assert scoring.log_loss(0.8, 1.0) < scoring.log_loss(0.6, 1.0)
    assert scoring.log_loss(0.0, 1.0) == pytest.approx(6.908, abs=0.001)


class TestSignals:
    """Measures of one signal: whole micro-units, checked against figures worked by hand."""

    def test_a_share_costs_the_ask_but_never_more_than_the_limit(self):
        assert scoring.entry(410_000, 420_000, 430_000) == Score(410_000, 420_000)
        assert scoring.entry(410_000, 450_000, 430_000) == Score(410_000, 430_000)

    def test_a_gain_is_signed_and_net_of_the_fee(self):
        assert scoring.gain(450_000, 420_000, 5_000) == Score(30_000, 25_000)
        assert scoring.gain(400_000, 420_000, None) == Score(-20_000, None)

    def test_brier_is_ours_then_the_markets(self):
        assert scoring.against(700_000, 600_000, ONE) == Score(90_000, 160_000)
        assert scoring.against(700_000, 600_000, 0) == Score(490_000, 360_000)

    def test_a_distance_has_no_direction(self):
        assert scoring.distance(400_000, 450_000, 420_000) == Score(20_000, 30_000)

    @given(st.integers(0, ONE), st.integers(0, ONE), st.integers(0, ONE))
    def test_mirrored_figures_score_alike(self, fair, market, came):
        mirrored = scoring.against(ONE - fair, ONE - market, ONE - came)

        assert scoring.against(fair, market, came) == mirrored
        assert scoring.distance(fair, market, came) == scoring.distance(
            ONE - fair, ONE - market, ONE - came
        )


class TestSummary:
    def test_there_is_no_error_below_thirty_events(self):
        few = scoring.summary([(2, 4.0)] * 29)

        assert (few.count, few.events, few.mean, few.error) == (58, 29, 2.0, None)
        assert "not enough data: 29 events of 30" in few.note
        assert scoring.summary([(2, 4.0)] * 30).error == 0.0

    def test_of_single_signals_the_error_is_the_usual_one(self):
        values = [float(n % 7) for n in range(40)]

        found = scoring.summary((1, value) for value in values)

        mean = sum(values) / 40
        deviation = (sum((v - mean) ** 2 for v in values) / 39) ** 0.5
        assert found.mean == pytest.approx(mean)
        assert found.error == pytest.approx(deviation / 40**0.5)

    def test_saying_it_ten_times_within_an_event_makes_nothing_surer(self):
        values = [float(n % 7) for n in range(40)]

        once = scoring.summary((1, value) for value in values)
        often = scoring.summary((10, 10 * value) for value in values)

        assert often.count == 400
        assert often.error == pytest.approx(once.error)

    def test_nothing_is_said_of_nothing(self):
        assert scoring.summary([]).mean is None
        assert scoring.summary([(0, 0.0)]).note == "nothing to score yet"
