"""Liquidity rewards: the exchange's formula, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.core import rewards
from markets.core.rewards import Waiting
from markets.core.types import ONE
from tests.builders import micro

WIDEST = micro("0.03")


def waiting(*orders):
    return [Waiting(micro(size), micro(cents) // 100) for size, cents in orders]


FIRST = waiting((100, 1), (200, 2), (100, 1))
SECOND = waiting((100, "1.5"), (100, 2), (200, "0.5"))


def test_the_golden_scores():
    first, second = rewards.side(FIRST, WIDEST), rewards.side(SECOND, WIDEST)

    assert (first, second) == (111_111_111, 175_000_000)
    assert rewards.score(first, second, micro("0.50")) == 111_111_111


def test_one_side_alone_counts_a_third_inside_and_nothing_outside():
    assert rewards.score(0, 300, micro("0.10")) == 100
    assert rewards.score(300, 0, micro("0.90")) == 100
    assert rewards.score(0, 300, micro("0.09")) == 0
    assert rewards.score(90, 300, micro("0.91")) == 90


def test_what_waits_too_far_away_counts_nothing():
    assert rewards.side(waiting((500, 3), (500, 4)), WIDEST) == 0
    assert rewards.side([], WIDEST) == 0


def test_a_boost_multiplies():
    assert rewards.side(SECOND, WIDEST, 2 * ONE) == 350_000_000


def test_a_width_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="widest is 0; it must be above 0"):
        rewards.side(FIRST, 0)


def test_a_pool_is_shared_by_score():
    assert rewards.share(25, 75, 40 * ONE) == 10 * ONE
    assert rewards.share(0, 0, ONE) == 0


@given(st.integers(1, 10**12), st.integers(0, 29_999), st.integers(1, 10_000))
def test_nearer_and_larger_never_score_less(size, distance, more):
    one = rewards.side([Waiting(size, distance)], WIDEST)

    assert rewards.side([Waiting(size + more, distance)], WIDEST) >= one
    assert rewards.side([Waiting(size, max(0, distance - more))], WIDEST) >= one
