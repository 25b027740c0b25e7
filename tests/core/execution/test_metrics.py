"""Statistics of a track record: golden figures, intervals that cover, and what is hidden."""

import random
from dataclasses import replace

import numpy as np
import pytest

from execution.core import metrics, resampling
from execution.core.metrics import Moments

DAILY = Moments(count=120, sharpe=0.10, skew=-1.5, kurtosis=9)


def test_probabilistic_sharpe_ratio():
    z, probability = metrics.psr(DAILY)

    assert (round(z, 4), round(probability, 3)) == (1.0085, 0.843)


def test_least_track_record():
    assert metrics.least_track_record(DAILY) == 318
    assert metrics.least_track_record(replace(DAILY, sharpe=-0.1)) is None


def test_deflated_sharpe_ratio():
    assert round(metrics.best_of_luck(0.08, 20), 4) == 0.1521
    assert round(metrics.dsr(DAILY, 0.08, 20), 3) == 0.300


def test_moments_are_those_of_the_sample():
    found = metrics.moments([1, 2, 3, 4, 10])

    assert found
    assert found.sharpe == pytest.approx(4 / np.std([1, 2, 3, 4, 10], ddof=1))
    assert found.skew == pytest.approx(1.138, abs=0.001)
    assert found.kurtosis == pytest.approx(2.788, abs=0.001)
    assert metrics.moments([3, 3, 3]) is None
    assert metrics.moments([3]) is None


@pytest.mark.parametrize(
    ("days", "clusters", "why"),
    [(59, 30, "59 days of 60 needed"), (60, 29, "29 closed events of 30 needed"), (60, 30, "")],
)
def test_a_sharpe_ratio_is_hidden_until_there_is_enough(days, clusters, why):
    luck = random.Random(3)
    found = metrics.sharpe([luck.gauss(0.001, 0.01) for _ in range(days)], clusters)

    assert found.note == why
    assert (found.value is None) == bool(why)
    if not why:
        assert found.low < found.value < found.high


def test_the_interval_of_a_sharpe_ratio_covers_the_truth_nine_times_in_ten():
    luck = random.Random(11)
    truth, covered = 0.05 * np.sqrt(365), 0
    for _ in range(400):
        found = metrics.sharpe([luck.gauss(0.05, 1) for _ in range(200)], 30)
        covered += found.low <= truth <= found.high

    assert 0.85 <= covered / 400 <= 0.95


def test_returns_that_follow_each_other_make_a_year_wilder():
    luck = random.Random(5)
    noise = [luck.gauss(0, 1) for _ in range(2_000)]
    trending = [0.0]
    for step in noise:
        trending.append(0.6 * trending[-1] + step)
    plain = metrics.annual(noise)

    assert plain == pytest.approx(np.sqrt(365), rel=0.1)
    # an AR(1) of 0.6 spreads a long sum by sqrt((1 + 0.6) / (1 - 0.6)) = 2, fewer lags a bit less
    assert 1.6 < plain / metrics.annual(trending) < 2.1


def test_the_bootstrap_gives_the_same_interval_for_the_same_seed_and_covers_the_mean():
    luck = random.Random(13)
    covered = 0
    for number in range(300):
        sample = [luck.gauss(1, 3) for _ in range(40)]
        low, high = resampling.mean_interval(sample, seed=number)
        assert (low, high) == resampling.mean_interval(sample, seed=number)
        covered += low <= 1 <= high

    assert 0.83 <= covered / 300 <= 0.95


def test_chance_is_even_and_known_forever():
    drawn = resampling.uniforms("seed", 100_000)

    assert np.histogram(drawn, bins=10, range=(0, 1))[0].min() > 9_500
    assert [round(float(x), 6) for x in drawn[:2]] == [0.41963, 0.183399]


def test_drawdown_is_below_the_highest_value_before():
    found = metrics.drawdowns([100, 120, 90, 130, 65])

    assert list(found) == pytest.approx([0, 0, 0.25, 0, 0.5])
    assert metrics.deepest_fall([5, -3, -4, 10]) == 7
    assert metrics.deepest_fall([-5]) == 5


def test_what_claims_lead_to_expect_of_a_fall():
    coin = resampling.claimed_fall([0] * 50, [100] * 50, [500_000] * 50, seed="x")
    sure = resampling.claimed_fall([100] * 50, [1] * 50, [500_000] * 50, seed="x")

    assert 1_000 < coin < 1_800  # sqrt(50) * 100 = 707; the deepest fall's 95 % is near twice that
    assert sure == 0


def test_concentration_is_the_share_of_the_five_best():
    assert metrics.concentration([10] * 10).value == pytest.approx(0.5)
    assert metrics.concentration([100, -300]).value == 1
    assert metrics.concentration([-1]).note == "no event has gained anything"


def test_every_figure_has_an_interval_or_a_reason():
    luck = random.Random(2)
    many = [luck.gauss(1, 2) for _ in range(80)]
    figures = [
        metrics.sharpe(many, 40), metrics.sharpe(many, 40, corrected=True), metrics.sharpe([], 0),
        metrics.sharpe([1.0] * 70, 40), *metrics.event_t(many, 0.5), *metrics.event_t([1.0], 1),
        *metrics.event_t([1.0] * 40, 1), metrics.mean_result([], seed=1),
        metrics.mean_result([1], seed=1), metrics.mean_result(many, seed=1),
        metrics.concentration([1]), metrics.concentration([]), metrics.breakeven(1, 2),
        metrics.breakeven(0, 0), metrics.mean_of(0, 0, 0), metrics.mean_of(3, 1, 1),
        metrics.mean_of(40, 4, 9),
    ]  # fmt: skip

    for figure in figures:
        assert figure.note or (figure.low is not None and figure.high is not None), figure
        assert figure.value is not None or figure.note, figure


def test_a_total_has_an_interval_only_from_thirty_events_on():
    few = metrics.total_result([1.0] * 29, seed=1)
    many = metrics.total_result([1.0, -0.5, 2.0] * 10, seed=1)

    assert (few.value, few.low) == (29.0, None)
    assert "not enough data: 29 events of 30" in few.note
    assert many.value == 25.0
    assert many.low < 25.0 < many.high
    deviation = float(np.std([1.0, -0.5, 2.0])) * 30**0.5
    assert many.high - many.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)
