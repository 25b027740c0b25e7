"""Evidence against claims: golden figures, and false alarms as rare as promised."""

import random

import pytest

from strategies.core import scoring


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
