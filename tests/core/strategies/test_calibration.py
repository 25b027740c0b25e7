"""Calibration: what resolved markets teach about prices, and what it must never see."""

from math import exp, log

import numpy as np
import pytest

from markets.core.types import ONE
from strategies.core import calibration
from strategies.core.calibration import Calibration, Cell, bucket, curves, fit


def logit(p: float) -> float:
    return log(p / (1 - p))


def chance(x: float) -> float:
    return 1 / (1 + exp(-x))


def resolved(seed: int, *, alpha: float, beta: float, events: int, each: int = 1):
    """Prices and outcomes of a world with a known curve; `each` copies of every event."""
    rng = np.random.default_rng(seed)
    price = rng.uniform(0.1, 0.9, events)
    true = 1 / (1 + np.exp(-(alpha + beta * np.log(price / (1 - price)))))
    outcome = (rng.random(events) < true).astype(np.float64)
    micro = np.rint(np.repeat(price, each) * ONE).astype(np.int64)
    names = [f"e-{i}" for i in range(events) for _ in range(each)]
    return micro, np.repeat(outcome, each), names


def cell(found: Calibration) -> Cell:
    [only] = found.cells
    return only


def fitted(price, outcome, events, **changes) -> Calibration:
    n = len(price)
    given = {"category": ["politics"] * n, "fitted_at": 1_000, **changes}
    days = given.pop("days", np.full(n, 10.0))
    return fit(price, outcome, days, event=events, **given)


class TestTheCurve:
    def test_a_slope_of_1_31_makes_60_cents_worth_62_98(self):
        assert chance(1.31 * logit(0.60)) == pytest.approx(0.6298, abs=5e-5)
        known = Calibration((Cell("politics", 2, 0.0, 1.31),))
        curve = curves(known, ["politics"], np.array([0]), bucket(np.array([10.0])))

        assert chance(curve.logits(np.array([logit(0.6)]))[0]) == pytest.approx(0.6298, abs=5e-5)

    def test_days_fall_into_five_buckets(self):
        days = np.array([0.5, 1, 6.9, 7, 29, 30, 89, 90, 400])

        assert bucket(days).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]

    def test_where_there_is_no_cell_the_price_stands_and_no_event_is_known(self):
        known = Calibration((Cell("politics", 2, 0.1, 1.3, 0.1, 0.1, 0.1, 500),))
        curve = curves(known, ["sports", "politics"], np.array([0, 1, 1]), np.array([2, 2, 3]))

        assert curve.alpha.tolist() == [0.0, 0.1, 0.0]
        assert curve.beta.tolist() == [1.0, 1.3, 1.0]
        assert curve.events.tolist() == [0, 500, 0]

    def test_mirrored_knowledge_gives_exactly_the_mirrored_curve(self):
        known = Calibration((Cell("politics", 2, 0.2, 1.3, 0.02, -0.01, 0.03, 500),))
        x = np.random.default_rng(4).normal(0, 2, 100)
        pick = np.zeros(100, dtype=np.int64), np.full(100, 2)
        one, other = (curves(each, ["politics"], *pick) for each in (known, known.mirrored()))

        assert (one.logits(x) == -other.logits(-x)).all()
        assert (one.errors(x) == other.errors(-x)).all()
        assert known.mirrored().mirrored() == known
        assert known.mirrored().digest != known.digest


class TestTheFit:
    def test_it_finds_a_planted_curve(self):
        price, outcome, events = resolved(1, alpha=0.3, beta=1.5, events=4_000)
        found = cell(fitted(price, outcome, events))

        assert found.alpha == pytest.approx(0.3, abs=0.15)
        assert found.beta == pytest.approx(1.5, abs=0.2)
        assert found.events == 4_000

    def test_its_errors_cover_the_truth_in_most_worlds(self):
        within = 0
        for seed in range(60):
            found = cell(fitted(*resolved(seed, alpha=0.0, beta=1.0, events=300)))
            within += abs(found.beta - 1.0) < 1.645 * found.var_beta**0.5
        assert within >= 51

    def test_little_data_is_hardly_believed(self):
        found = cell(fitted(*resolved(2, alpha=1.0, beta=2.0, events=5)))

        assert abs(found.alpha) < 0.3
        assert found.beta == pytest.approx(1.0, abs=0.3)
        assert found.var_beta > 0.02

    def test_an_event_counts_once_however_often_it_is_told(self):
        once = cell(fitted(*resolved(3, alpha=0.2, beta=1.3, events=300)))
        often = cell(fitted(*resolved(3, alpha=0.2, beta=1.3, events=300, each=20)))

        assert often.events == once.events == 300
        assert often.beta == pytest.approx(once.beta, abs=1e-9)
        assert often.var_beta == pytest.approx(once.var_beta, rel=1e-6)

    def test_a_small_cell_leans_on_its_category(self):
        many = resolved(5, alpha=0.0, beta=1.6, events=3_000)
        few = resolved(6, alpha=0.0, beta=1.6, events=3)
        price, outcome = np.concatenate((many[0], few[0])), np.concatenate((many[1], few[1]))
        days = np.array([10.0] * 3_000 + [100.0] * 3)
        found = fitted(price, outcome, [*many[2], "a", "b", "c"], days=days)

        small = next(each for each in found.cells if each.bucket == 4)
        assert small.beta == pytest.approx(1.6, abs=0.25)
        assert small.events == 3
        large = next(each for each in found.cells if each.bucket == 2)
        assert small.var_beta > 3 * large.var_beta

    def test_prices_at_0_or_1_and_impossible_outcomes_are_refused(self):
        with pytest.raises(ValueError, match="prices must be between"):
            fitted(np.array([0]), np.array([1.0]), ["e"])
        with pytest.raises(ValueError, match="outcomes must be between"):
            fitted(np.array([1]), np.array([1.5]), ["e"])

    def test_without_markets_it_knows_nothing(self):
        found = fitted(np.zeros(0, dtype=np.int64), np.zeros(0), [])

        assert found.cells == ()
        assert found.digest == ""

    def test_a_tie_is_half_an_outcome(self):
        half = np.full(400, 0.5)
        found = cell(fitted(np.full(400, 500_000), half, [str(i) for i in range(400)]))

        assert found.alpha == pytest.approx(0.0, abs=1e-9)


def test_the_prior_is_what_the_page_says():
    assert calibration.PRIOR_SD == 0.25
