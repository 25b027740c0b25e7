"""Five-minute closes of a line of prices: the last of each bar, gaps left as gaps."""

import numpy as np

from markets.core.bars import BAR_MS
from markets.core.past import closes, moves
from markets.core.types import ONE
from tests.core.markets.histories import START

MINUTE = 60_000


def of(*points: tuple[int, int], since: int = START, until: int = START + 12 * BAR_MS):
    """Closes as (bars after START, price)."""
    found = closes(((START + at, price) for at, price in points), since=since, until=until)
    return [((close - START) // BAR_MS, price) for close, price in found.items()]


def test_the_last_price_of_a_bar_is_its_close_whatever_the_order():
    assert of((4 * MINUTE, 3), (0, 1), (2 * MINUTE, 2), (5 * MINUTE, 9)) == [(1, 3), (2, 9)]


def test_a_bar_without_a_price_stays_a_gap():
    assert of((0, 1), (3 * BAR_MS, 4)) == [(1, 1), (4, 4)]


def test_a_point_at_the_end_of_a_bar_belongs_to_the_next():
    assert of((BAR_MS - 1, 1), (BAR_MS, 2)) == [(1, 1), (2, 2)]


def test_of_two_at_one_instant_the_first_counts():
    assert of((7, 1), (7, 2)) == [(1, 1)]


def test_only_whole_bars_of_the_span_are_made():
    points = [(n * BAR_MS, n + 1) for n in range(-2, 5)]

    found = of(*points, until=START + 2 * BAR_MS + 1)

    assert found == [(1, 1), (2, 2)]


def test_certainties_are_no_prices():
    assert of((0, 0), (BAR_MS, ONE), (2 * BAR_MS, -1), (3 * BAR_MS, ONE - 1)) == [(4, ONE - 1)]


def test_a_change_needs_two_known_bars_side_by_side():
    prices = np.array([1, 1, 2, 9, 3, 3, 4], dtype=np.int32)
    known = np.array([1, 1, 1, 0, 1, 1, 1], dtype=np.bool_)

    assert moves(prices, known).tolist() == [0, 0, 1, 0, 0, 0, 1]
