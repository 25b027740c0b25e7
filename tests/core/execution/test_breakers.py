"""Daily loss, drawdown and the softer steps; and that trading days tile time in every zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import breakers, portfolio, state
from execution.core.controls import Controls
from execution.core.types import Order, Portfolio
from tests.builders import NOON, micro
from tests.core.execution.test_engine import bought, pick, run, world_tick
from tests.trading import HOUR, LIMITS, account, bet

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
"""Northern and southern summers, and one whose clock moves by half an hour."""
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
QUARTER = 15 * 60_000
FIVE_YEARS = 5 * 366 * 24 * HOUR


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class TestDays:
    @pytest.mark.parametrize("name", ZONES)
    def test_tile_five_years_without_gap_or_overlap(self, name):
        """Every instant has one day, days follow each other, and their lengths are a calendar's."""
        zone, start = ZoneInfo(name), ms(FIRST)
        day = breakers.local_day(start, zone)
        began, lengths = None, []
        for at in range(start, start + FIVE_YEARS, QUARTER):
            now = breakers.local_day(at, zone)
            assert now - day in (0, 1)
            if now != day:
                if began is not None:
                    lengths.append((at - began) // QUARTER)
                day, began = now, at
        shift = 2 if name == "Australia/Lord_Howe" else 4

        assert {length for length in lengths if length != 96} == {96 - shift, 96 + shift}
        assert sum(length != 96 for length in lengths) in (10, 11)

    @given(st.sampled_from(ZONES), st.integers(0, 5 * 365))
    def test_begin_at_local_midnight_to_the_millisecond(self, name, number):
        zone = ZoneInfo(name)
        local = FIRST.date() + timedelta(days=number)
        midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
        begin, end = ms(midnight), ms(midnight + timedelta(days=1))

        days = [breakers.local_day(at, zone) for at in (begin - 1, begin, end - 1, end)]

        assert days == [local.toordinal() + step for step in (-1, 0, 0, 1)]


def at_equity(dollars: str, **changed) -> Portfolio:
    return replace(account(), equity=micro(dollars), **changed)


def judged(before: Portfolio, at: int, **limits) -> Portfolio:
    found, _ = breakers.judge(before, replace(LIMITS, **limits), at, ZoneInfo("UTC"))
    return found


class TestSofterSteps:
    TODAY = breakers.local_day(NOON, ZoneInfo("UTC"))

    def day(self, equity: str, **changed) -> Portfolio:
        return at_equity(equity, day=self.TODAY, day_open=micro(1000), **changed)

    def test_are_off_unless_configured(self):
        after = judged(self.day("905"), NOON, daily_loss_limit=micro(20))

        assert after.day_stopped
        assert not after.flatten
        assert after.rolling == ()

    def test_a_second_loss_limit_flattens_until_the_next_day(self):
        steps = {"daily_loss_limit": micro(20), "flatten_at_daily_loss": micro(30)}

        paused = judged(self.day("971"), NOON, **steps)
        flat = judged(self.day("970"), NOON, **steps)
        tomorrow = judged(flat, NOON + 24 * HOUR, **steps)

        assert (paused.day_stopped, paused.flatten) == (True, False)
        assert (flat.day_stopped, flat.flatten) == (True, True)
        assert (tomorrow.day_stopped, tomorrow.flatten) == (False, False)

    def test_the_last_24_hours_see_a_loss_that_midnight_would_forgive(self):
        rolling = {"rolling_daily_loss": 1, "daily_loss_limit": micro(50)}
        evening = NOON + 11 * HOUR
        calm = judged(self.day("1000"), NOON, **rolling)
        worse = judged(replace(calm, equity=micro(970)), evening, **rolling)
        night = judged(replace(worse, equity=micro(945)), evening + 3 * HOUR, **rolling)

        assert not worse.day_stopped
        assert night.day_loss == micro(0)
        assert night.rolling_loss == micro(55)
        assert night.day_stopped

    def test_a_loss_is_forgotten_after_a_day_and_an_hour_at_most(self):
        rolling = {"rolling_daily_loss": 1, "daily_loss_limit": micro(50)}
        now = judged(self.day("1000"), NOON, **rolling)
        for hour in range(1, 26):
            now = judged(replace(now, equity=micro(940)), NOON + hour * HOUR, **rolling)
            assert (now.rolling_loss == micro(60)) == (hour <= 24)

        assert len(now.rolling) <= 25
        assert state.load(state.dump(now)) == now

    def test_a_deposit_is_no_gain(self):
        rolling = {"rolling_daily_loss": 1}
        now = judged(self.day("1000"), NOON, **rolling)
        richer, _ = portfolio.deposit(now, micro(500), NOON, "test")

        assert judged(richer, NOON + HOUR, **rolling).rolling_loss == 0

    def test_flattening_sells_everything_and_opens_nothing(self):
        limits = replace(
            LIMITS, daily_loss_limit=micro(5), flatten_at_daily_loss=micro(5), max_drawdown=900_000
        )
        control = Controls.of(frozenset({"tester"}), limits)
        crash = world_tick(2, bids=(("0.30", 500),), asks=(("0.32", 500),))

        after, facts = run(bought(), crash, bet("yes-2", market="m-2"), control=control)

        [order] = pick(facts, Order)
        assert (order.side, order.reason) == ("sell", "daily loss")
        assert after.flatten


def test_placing_times_older_than_a_minute_are_forgotten():
    old = replace(account(), placed=(NOON - 60_000, NOON - 30_000))

    after, _ = run(old, world_tick(0))

    assert after.placed == (NOON - 30_000,)
