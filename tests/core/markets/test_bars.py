"""Five-minute bars: what counts, what does not, and that each is a function of its own ticks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from markets.core.bars import BAR_MS, OpenBar, microprices
from markets.core.types import ONE
from tests import builders as b
from tests.core.markets import histories
from tests.core.markets.histories import START, make_tick

WORLD = b.universe(b.market("m-1"), b.market("m-2"))


def cents(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64) * 10_000


def sealed(*ticks, after=None):
    """The bar that these ticks make, closed by a tick long after."""
    bar = OpenBar.after(after)
    for tick in ticks:
        assert bar.add(tick) is None
    return bar.add(make_tick(ticks[-1].universe, cents(1, 1), cents(2, 2), at=START + 10**9))


class TestSealing:
    def test_a_bar_holds_the_last_quote_seen_in_it(self):
        first = make_tick(WORLD, cents(40, 20), cents(42, 22), at=START)
        second = make_tick(WORLD, cents(43, 20), cents(45, 22), at=START + 10_000)

        bar = sealed(first, second)

        assert bar.at == START + BAR_MS
        assert bar.bid.tolist() == [430_000, 200_000]
        assert bar.ask.tolist() == [450_000, 220_000]
        assert bar.micro.tolist() == [440_000, 210_000]
        assert bar.count.tolist() == [2, 2]
        assert bar.changes.tolist() == [1, 0]

    def test_it_closes_only_when_a_tick_falls_past_its_end(self):
        bar = OpenBar.after(None)
        bar.add(make_tick(WORLD, cents(40, 20), cents(42, 22), at=START))

        inside = bar.add(make_tick(WORLD, cents(40, 20), cents(42, 22), at=START + BAR_MS - 1))
        outside = bar.add(make_tick(WORLD, cents(50, 20), cents(52, 22), at=START + BAR_MS))

        assert inside is None
        assert outside.bid.tolist() == [400_000, 200_000]

    def test_incoherent_crossed_and_one_sided_books_are_not_observations(self):
        good = make_tick(WORLD, cents(40, 20), cents(42, 22), at=START)
        torn = make_tick(
            WORLD, cents(60, 20), cents(62, 22), at=START + 1, coherent=np.array([False, True])
        )
        one_sided = make_tick(WORLD, cents(0, 20), cents(42, 22), at=START + 2)
        crossed = make_tick(WORLD, cents(44, 20), cents(42, 22), at=START + 3)

        bar = sealed(good, torn, one_sided, crossed)

        assert bar.bid.tolist() == [400_000, 200_000]
        assert bar.count.tolist() == [1, 4]
        assert bar.changes.tolist() == [0, 0]

    def test_a_market_not_observed_leaves_a_gap(self):
        old = np.array([START - 60_000, START], dtype=np.int64)

        bar = sealed(make_tick(WORLD, cents(40, 20), cents(42, 22), at=START, observed_at=old))

        assert bar.valid.tolist() == [False, True]
        assert (bar.bid[0], bar.micro[0], bar.changes[0], bar.count[0]) == (0, 0, 0, 0)

    def test_a_carried_book_adds_nothing(self):
        seen = np.array([START, START], dtype=np.int64)
        first = make_tick(WORLD, cents(40, 20), cents(42, 22), at=START, observed_at=seen)
        again = make_tick(WORLD, cents(45, 20), cents(47, 22), at=START + 9_000, observed_at=seen)

        bar = sealed(first, again)

        assert bar.count.tolist() == [1, 1]
        assert bar.bid.tolist() == [400_000, 200_000]

    def test_a_read_just_before_the_boundary_counts_where_its_tick_does(self):
        early = np.array([START - 3_000, START + 100], dtype=np.int64)

        bar = sealed(
            make_tick(WORLD, cents(40, 20), cents(42, 22), at=START + 100, observed_at=early)
        )

        assert bar.valid.all()


class TestChanges:
    def test_the_adjacent_bar_counts_for_the_first_change(self):
        before = sealed(make_tick(WORLD, cents(40, 20), cents(42, 22), at=START))
        later = make_tick(WORLD, cents(41, 20), cents(43, 22), at=START + BAR_MS)

        assert sealed(later, after=before).changes.tolist() == [1, 0]

    def test_a_bar_further_back_does_not(self):
        before = sealed(make_tick(WORLD, cents(40, 20), cents(42, 22), at=START))
        later = make_tick(WORLD, cents(41, 20), cents(43, 22), at=START + 2 * BAR_MS)

        assert sealed(later, after=before).changes.tolist() == [0, 0]

    def test_a_wider_spread_around_the_same_mid_is_no_change(self):
        first = make_tick(WORLD, cents(40, 20), cents(42, 22), at=START)
        wider = make_tick(WORLD, cents(39, 20), cents(43, 22), at=START + 1)

        assert sealed(first, wider).changes.tolist() == [0, 0]


class TestUniverses:
    def test_markets_keep_their_bar_when_columns_move(self):
        swapped = b.universe(b.market("m-2"), b.market("m-3"), version=2)
        first = make_tick(WORLD, cents(40, 20), cents(42, 22), at=START)
        second = make_tick(swapped, cents(21, 70), cents(23, 72), at=START + 10_000)

        bar = sealed(first, second)

        assert bar.universe is swapped
        assert bar.bid.tolist() == [210_000, 700_000]
        assert bar.count.tolist() == [2, 1]
        assert bar.changes.tolist() == [1, 0]

    def test_every_bar_is_a_function_of_its_own_ticks_and_the_bar_before(self):
        ticks = histories.unsteady(seed=5, length=400).ticks
        warm, before, own, checked = OpenBar.after(None), None, [], 0
        for tick in ticks:
            closed = warm.add(tick)
            if closed is not None:
                fresh = OpenBar.after(before)
                for each in own:
                    fresh.add(each)
                again = fresh.add(tick)
                for name in ("bid", "ask", "micro", "changes", "count", "valid"):
                    assert getattr(again, name).tobytes() == getattr(closed, name).tobytes()
                before, own, checked = closed, [], checked + 1
            own.append(tick)
        assert checked > 100


sizes = st.integers(0, 10**16)
prices = st.integers(1, ONE - 1)


class TestMicroprice:
    @given(st.tuples(prices, prices), sizes, sizes)
    def test_it_lies_within_the_touch_and_mirrors_exactly(self, touch, bid_size, ask_size):
        bid, ask = sorted(touch)
        columns = [np.array([each]) for each in (bid, bid_size, ask, ask_size)]
        mirror = [np.array([each]) for each in (ONE - ask, ask_size, ONE - bid, bid_size)]

        price = int(microprices(*columns)[0])

        assert bid <= price <= ask
        assert int(microprices(*mirror)[0]) == ONE - price

    @given(st.tuples(prices, prices), st.integers(0, 4 * 10**12), st.integers(1, 4 * 10**12))
    def test_it_is_the_touch_weighted_by_the_opposite_size(self, touch, bid_size, ask_size):
        bid, ask = sorted(touch)
        columns = [np.array([each]) for each in (bid, bid_size, ask, ask_size)]

        twice = 2 * (bid * ask_size + ask * bid_size)

        error = abs(2 * (bid_size + ask_size) * int(microprices(*columns)[0]) - twice)
        assert error <= bid_size + ask_size
