"""Statistics: known answers, and each market's figure independent of its neighbours'."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.core import book as books
from markets.core import features
from markets.core.types import ONE, Level
from tests.core.markets import histories

SIDE = st.lists(
    st.tuples(st.integers(1, 99), st.integers(1, 9 * 10**12)), max_size=10, unique_by=lambda x: x[0]
)


def near(level: Level, best: int) -> bool:
    return abs(level.price - best) <= books.CENT


class TestNearDepths:
    @given(st.lists(st.tuples(SIDE, SIDE), max_size=5))
    def test_they_equal_those_read_level_by_level(self, markets):
        found = []
        for bids, asks in markets:
            found.append(
                books.Book(
                    "yes",
                    books.sort_levels((Level(p * 10_000, s) for p, s in bids), bids=True),
                    books.sort_levels((Level(p * 10_000, s) for p, s in asks), bids=False),
                    0,
                )
            )

        columns = features.near_depths([books.pack(each, 10) for each in found])

        expected = [
            (
                books.near_depth(each.bids),
                books.near_depth(each.asks),
                books.near_depth(books.mirror(each, "no").bids),
                books.near_depth(books.mirror(each, "no").asks),
            )
            for each in found
        ]
        assert [tuple(row) for row in np.array(columns).T.tolist()] == expected

    def test_a_book_never_read_has_none(self):
        book = books.Book("yes", (Level(400_000, 10 * ONE),), (), 0)

        bid, ask, no_bid, no_ask = features.near_depths([b"", books.pack(book, 10), b""])

        assert bid.tolist() == [0, 4 * ONE, 0]
        assert no_ask.tolist() == [0, 6 * ONE, 0]
        assert ask.tolist() == no_bid.tolist() == [0, 0, 0]

    def test_sizes_beyond_int64_count_as_nine_million_shares(self):
        book = books.Book("yes", (Level(990_000, 2**60),), (), 0)

        assert features.near_depths([books.pack(book, 10)])[0][0] == 990_000 * 9 * 10**6


class TestMedians:
    @given(st.lists(st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=6, max_size=6)))
    def test_they_equal_those_of_the_valid_values(self, rows):
        shape = (len(rows), 6)
        valid = np.array([[v is not None for v in r] for r in rows], dtype=np.bool_).reshape(shape)
        values = np.array([[v or 0.0 for v in r] for r in rows]).reshape(shape)

        found = features.medians(values, valid)

        for row, value in zip(rows, found, strict=True):
            known = [v for v in row if v is not None]
            assert value == pytest.approx(np.median(known) if known else 0.0)

    def test_the_robust_spread_of_normal_values_is_their_standard_deviation(self):
        values = np.random.default_rng(1).normal(3, 0.5, (1, 20_000))
        values[0, :50] = 1_000

        found = features.robust_spread(values, np.ones(values.shape, dtype=np.bool_))

        assert found[0] == pytest.approx(0.5, rel=0.03)


def reverting(half_life: float, markets: int = 20) -> np.ndarray:
    rng = np.random.default_rng(7)
    x = histories.ornstein(rng, ticks=2_016, markets=markets, half_life=half_life, size=0.3)
    return np.ascontiguousarray(x.T)


class TestPull:
    @pytest.mark.parametrize("half_life", [6, 12, 36])
    def test_it_finds_the_half_life_of_a_reverting_series(self, half_life):
        x = reverting(half_life)
        valid = np.ones(x.shape, dtype=np.bool_)

        rate, _, bars = features.pull(x, valid, x, valid)

        assert bars.tolist() == [2_014] * len(x)
        found = np.median(features.half_life(rate))
        assert found == pytest.approx(half_life, rel=0.15)

    def test_a_random_walk_hardly_pulls(self):
        x = np.cumsum(np.random.default_rng(2).normal(0, 0.05, (20, 2_016)), axis=1)
        valid = np.ones(x.shape, dtype=np.bool_)

        rate, _, _ = features.pull(x, valid, x, valid)

        assert np.median(features.half_life(rate)) > 150

    def test_bounce_is_not_taken_for_reversion(self):
        rng = np.random.default_rng(8)
        x = np.cumsum(rng.normal(0, 0.02, (400, 2_016)), axis=1)
        seen = x + rng.choice([-0.04, 0, 0, 0.04], x.shape)
        valid = np.ones(x.shape, dtype=np.bool_)
        gap = seen - np.stack([np.convolve(row, np.ones(72) / 72)[: x.shape[1]] for row in x])
        valid[:, :72] = False

        rate, t, _ = features.pull(seen, valid, gap, valid)

        assert np.median(rate) == pytest.approx(0, abs=0.003)
        assert np.mean(features.lower_tail(-t) < 0.05) < 0.08

    def test_reversion_under_bounce_is_still_found(self):
        rng = np.random.default_rng(9)
        x = reverting(12)
        seen = x + rng.choice([-0.1, 0, 0, 0.1], x.shape)
        valid = np.ones(x.shape, dtype=np.bool_)

        rate, t, _ = features.pull(seen, valid, seen, valid)

        assert np.median(features.half_life(rate)) == pytest.approx(12, rel=0.25)
        assert (features.lower_tail(-t) < 0.001).all()

    def test_gaps_are_left_out(self):
        x = reverting(12)
        valid = np.random.default_rng(3).random(x.shape) > 0.2
        shown = np.where(valid, x, 0.0)

        rate, _, bars = features.pull(shown, valid, shown, valid)

        assert np.median(features.half_life(rate)) == pytest.approx(12, rel=0.2)
        assert (bars < 1_500).all()

    def test_a_constant_series_has_none(self):
        flat = np.zeros((2, 300))
        valid = np.ones(flat.shape, dtype=np.bool_)

        assert features.pull(flat, valid, flat, valid)[0].tolist() == [0, 0]
        assert features.half_life(np.zeros(2)).tolist() == [np.inf, np.inf]


class TestVarianceRatio:
    def test_a_random_walk_has_one_and_is_rarely_called_otherwise(self):
        x = np.cumsum(np.random.default_rng(4).normal(0, 0.05, (400, 1_000)), axis=1)

        ratio, z, bars = features.variance_ratio(x, np.ones(x.shape, dtype=np.bool_))

        assert np.mean(ratio) == pytest.approx(1, abs=0.02)
        assert np.mean(features.lower_tail(z) < 0.05) == pytest.approx(0.05, abs=0.03)
        assert bars.tolist() == [999] * 400

    def test_changing_volatility_does_not_fool_it(self):
        rng = np.random.default_rng(5)
        loud = np.where(np.arange(1_000) % 100 < 10, 0.3, 0.02)
        x = np.cumsum(rng.normal(0, 1, (400, 1_000)) * loud, axis=1)

        _, z, _ = features.variance_ratio(x, np.ones(x.shape, dtype=np.bool_))

        assert np.mean(features.lower_tail(z) < 0.05) < 0.09

    def test_a_reverting_series_is_far_below(self):
        x = reverting(12)

        ratio, z, _ = features.variance_ratio(x, np.ones(x.shape, dtype=np.bool_))

        assert (ratio < 0.9).all()
        assert (features.lower_tail(z) < 0.05).all()

    def test_nothing_known_is_one_and_no_evidence(self):
        ratio, z, bars = features.variance_ratio(
            np.zeros((3, 100)), np.zeros((3, 100), dtype=np.bool_)
        )

        assert (ratio.tolist(), z.tolist(), bars.tolist()) == ([1] * 3, [0] * 3, [0] * 3)


class TestDiscoveries:
    def test_the_textbook_case(self):
        p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
        everything = np.ones(10, dtype=np.bool_)

        assert np.flatnonzero(features.discoveries(p, everything, 0.05)).tolist() == [0, 1]

    def test_what_was_not_tested_neither_counts_nor_stands(self):
        p = np.array([0.04, 0.0, 0.9])

        found = features.discoveries(p, np.array([True, False, False]), 0.05)

        assert found.tolist() == [True, False, False]
        assert not features.discoveries(p, np.zeros(3, dtype=np.bool_), 0.05).any()


class TestNeighbours:
    def test_a_market_alone_has_the_same_figures_bit_for_bit(self):
        rng = np.random.default_rng(6)
        x = rng.normal(0, 1, (17, 2_004))
        valid = rng.random(x.shape) > 0.1
        x = np.where(valid, x, 0.0)

        def figures(rows: slice) -> tuple[np.ndarray, ...]:
            some, where = x[rows], valid[rows]
            return (
                *features.variance_ratio(some, where),
                *features.pull(some, where, some, where),
                features.robust_spread(some, where),
                features.step_size(some, where),
            )

        together = figures(slice(None))
        for row in range(17):
            for whole, alone in zip(together, figures(slice(row, row + 1)), strict=True):
                assert whole[row].tobytes() == alone[0].tobytes()
