"""The exchange's rules: fees by date and to the fifth decimal, grids and sizes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.core import schedules, venue
from markets.core.types import ONE, FeeSchedule
from tests.builders import micro


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("size", "price", "rate", "fee"),
    [
        ("100", "0.5", "0.07", "1.75"),
        ("100", "0.5", "0.05", "1.25"),
        ("100", "0.3", "0.04", "0.84"),
        ("10", "0.65", "0.07", "0.15925"),
        ("1", "0.01", "0.05", "0.0005"),
        ("0.01", "0.01", "0.05", "0"),
    ],
)
def test_golden_fees(size, price, rate, fee):
    assert venue.taker_fee(micro(size), micro(price), FeeSchedule(micro(rate))) == micro(fee)


@given(st.integers(1, 10**13), st.integers(1, 99_9999), st.integers(0, 250_000))
def test_a_fee_is_the_same_for_a_price_and_its_mirror(size, price, rate):
    schedule = FeeSchedule(rate)

    assert venue.taker_fee(size, price, schedule) == venue.taker_fee(size, ONE - price, schedule)


@given(st.integers(1, 10**15), st.integers(1, 999_999))
def test_rounding_is_against_us_and_less_than_a_micro_dollar(size, price):
    assert 0 <= venue.cost(size, price) * ONE - size * price < ONE
    assert 0 <= size * price - venue.proceeds(size, price) * ONE < ONE


def test_sizes_beyond_sixty_four_bits_are_exact():
    huge = 9_223_372_036_854_775_807

    assert venue.cost(huge, 999_999) == huge * 999_999 // ONE + 1
    assert venue.proceeds(huge, 1) == huge // ONE


@pytest.mark.parametrize(
    ("grid", "inside", "outside"),
    [
        (10_000, (10_000, 990_000), (0, 5_000, 995_000, ONE)),
        (1_000, (1_000, 999_000), (0, 500, ONE)),
        (2_500, (2_500, 997_500), (1_000, ONE)),
        (100_000, (100_000, 900_000), (50_000, ONE)),
    ],
)
def test_prices_on_the_grid(grid, inside, outside):
    assert all(venue.on_grid(price, grid) for price in inside)
    assert not any(venue.on_grid(price, grid) for price in outside)


@pytest.mark.parametrize(
    ("category", "day", "expected"),
    [
        ("politics", "2026-03-29", FeeSchedule(0)),
        ("politics", "2026-03-30", FeeSchedule(40_000, rebate_rate=250_000)),
        ("crypto", "2026-03-29", FeeSchedule(250_000, exponent=2)),
        ("crypto", "2026-03-30", FeeSchedule(70_000, rebate_rate=200_000)),
        ("sports", "2026-07-09", FeeSchedule(30_000, rebate_rate=250_000)),
        ("sports", "2026-07-10", FeeSchedule(50_000, rebate_rate=150_000)),
        ("geopolitics", "2026-11-01", FeeSchedule(0)),
    ],
)
def test_the_schedule_is_that_of_its_day(category, day, expected):
    assert schedules.published(category, at(day)) == expected


def test_an_unknown_category_has_no_schedule():
    with pytest.raises(KeyError):
        schedules.published("nonsense", at("2026-11-01"))
