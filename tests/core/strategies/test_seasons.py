"""Seasons: a planted hour is found, chance is not, and clocks that change are minded."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from strategies.core import seasons
from strategies.core.seasons import Seasons, fit, hour_of_week, switches
from tests.core.markets import histories
from tests.core.strategies import moments, scenes

NEW_YORK = ZoneInfo("America/New_York")
HOUR_MS = 3_600_000
MONDAY = int(datetime(2026, 4, 6, 4, tzinfo=UTC).timestamp() * 1000)
"""Monday 0:00 in New York."""
ENOUGH = {"rate": 0.05, "min_days": 60, "min_events": 30, "min_weeks": 8}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def drawn(seed: int, *, weeks: int = 12, events: int = 40, lift: float = 0.0, hour: int = 34):
    """Hourly returns of `events` events; hour 34 (Tuesday 10:00) is lifted."""
    rng = np.random.default_rng(seed)
    hours = weeks * 168
    common = rng.normal(0, 0.01, hours)
    move = common[:, None] + rng.normal(0, 0.03, (hours, events))
    move[hour::168] += lift
    start = MONDAY + HOUR_MS * np.arange(hours)
    names = [f"e-{i}" for i in range(events)] * hours
    return move.ravel(), np.repeat(start, events), names


def learnt(seed: int, **world) -> Seasons:
    move, start, names = drawn(seed, **world)
    return fit(move, start, event=names, category=["politics"] * len(names), fitted_at=1)


@lru_cache
def lifted() -> Seasons:
    return learnt(1, lift=0.06)


class TestTheFit:
    def test_a_planted_hour_stands_and_no_other(self):
        found = lifted().standing(**ENOUGH)

        assert [cell.hour for cell in found] == [34]
        assert 0.02 < found[0].mean < 0.06
        assert (found[0].events, found[0].weeks, found[0].days) == (40, 12, 84)
        assert found[0].t > 5

    def test_chance_hardly_ever_stands(self):
        found = sum(len(learnt(seed, events=30).standing(**ENOUGH)) for seed in range(2, 10))

        assert found <= 3

    def test_shuffled_hours_lose_the_signal(self):
        move, start, names = drawn(1, lift=0.06)
        order = np.random.default_rng(0).permutation(12 * 168)
        move = move.reshape(-1, 40)[order].ravel()
        shuffled = fit(move, start, event=names, category=["politics"] * len(names), fitted_at=1)

        assert 34 not in {cell.hour for cell in shuffled.standing(**ENOUGH)}

    @pytest.mark.parametrize("less", [{"min_days": 85}, {"min_events": 41}, {"min_weeks": 13}])
    def test_too_little_data_never_stands(self, less):
        assert lifted().standing(**{**ENOUGH, **less}) == ()

    def test_one_night_of_news_does_not_make_an_hour(self):
        move, start, names = drawn(3)
        night = start == MONDAY + (5 * 168 + 34) * HOUR_MS
        move[night] += 2.0
        found = fit(move, start, event=names, category=["politics"] * len(names), fitted_at=1)
        cell = next(each for each in found.cells if each.hour == 34)

        assert abs(cell.t) < 1.5
        assert cell not in found.standing(**ENOUGH)

    def test_an_event_told_by_ten_markets_is_one_event(self):
        move, start, names = drawn(4, events=10, weeks=8)
        one = fit(move, start, event=names, category=["x"] * len(names), fitted_at=1)
        ten = fit(
            np.repeat(move, 10), np.repeat(start, 10), event=list(np.repeat(names, 10)),
            category=["x"] * 10 * len(names), fitted_at=1,
        )  # fmt: skip

        assert [cell.events for cell in one.cells] == [cell.events for cell in ten.cells]
        assert [cell.t for cell in one.cells] == pytest.approx([cell.t for cell in ten.cells])

    def test_halves_that_disagree_are_not_stable(self):
        move, start, names = drawn(5)
        week = (start - MONDAY) // (168 * HOUR_MS)
        hour = (start - MONDAY) // HOUR_MS % 168 == 34
        move[hour] = np.where(week[hour] < 6, -0.02, 0.08)
        found = fit(move, start, event=names, category=["politics"] * len(names), fitted_at=1)

        cell = next(each for each in found.cells if each.hour == 34)
        assert not cell.stable
        assert cell not in found.standing(**{**ENOUGH, "rate": 1.0})

    def test_the_same_data_gives_the_same_cells(self):
        assert learnt(1, lift=0.06) == lifted()
        assert learnt(1, lift=0.06).digest == lifted().digest
        assert lifted().mirrored().mirrored() == lifted()

    def test_without_returns_it_knows_nothing_and_infinite_ones_are_refused(self):
        empty = fit(np.zeros(0), np.zeros(0, dtype=np.int64), event=[], category=[], fitted_at=1)

        assert empty.cells == ()
        assert Seasons().standing(**ENOUGH) == ()
        with pytest.raises(ValueError, match="finite"):
            fit(np.array([np.inf]), np.array([0]), event=["e"], category=["c"], fitted_at=1)


class TestClocks:
    def test_an_hour_of_the_week_is_local(self):
        assert hour_of_week(MONDAY, NEW_YORK) == 0
        assert hour_of_week(at("2026-01-05T05:00+00:00"), NEW_YORK) == 0
        assert hour_of_week(at("2026-01-05T05:00+00:00"), ZoneInfo("UTC")) == 5
        assert hour_of_week(MONDAY - 1, NEW_YORK) == 167

    @pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
    def test_a_day_on_which_clocks_change_has_not_24_hours(self, day):
        assert switches(at(f"{day}T12:00-05:00"), NEW_YORK)
        assert not switches(at(f"{day}T12:00-05:00") + 24 * HOUR_MS, NEW_YORK)
        assert not switches(at(f"{day}T12:00-05:00"), ZoneInfo("UTC"))

    def test_such_days_are_not_learnt_from(self):
        start = at("2026-03-08T10:00-04:00")
        found = fit(np.ones(2), np.array([start, start + 24 * HOUR_MS]), event=["a", "a"],
                    category=["c", "c"], fitted_at=1)  # fmt: skip

        assert [cell.hour for cell in found.cells] == [10]

    def test_summer_and_winter_share_their_local_hours(self):
        both = np.array([at("2026-01-06T10:00-05:00"), at("2026-07-07T10:00-04:00")])
        found = fit(np.ones(2), both, event=["a", "b"], category=["c", "c"], fitted_at=1)

        assert [(cell.hour, cell.weeks) for cell in found.cells] == [(34, 2)]


class TestSchedule:
    def test_the_cheapest_hours_are_told(self):
        ticks = []
        for tick in histories.ticks_along(np.zeros((400, 3)), spread=1):
            hour = hour_of_week(tick.at, NEW_YORK)
            if hour % 24 == 3:
                ticks.append(tick)
            else:
                wide = histories.make_tick(
                    tick.universe, tick.bid - 10_000, tick.ask + 10_000, at=tick.at, id=tick.id
                )
                ticks.append(wide)
        panel = scenes.along(ticks)[1]
        found = seasons.schedule(panel, NEW_YORK)

        assert {found.width[hour] for hour in found.cheapest(1)} == {10_000}
        assert all(hour % 24 == 3 for hour in found.cheapest(1))
        assert set(found.width) == {-1, 10_000, 30_000}
        assert seasons.named(34) == "Tue 10:00"

    def test_it_is_empty_before_anything_was_seen(self):
        panel = scenes.along(moments.walking_ticks(count=2))[1]

        assert seasons.schedule(panel, NEW_YORK).cheapest() == ()


def test_students_t_is_what_tables_say():
    assert seasons._two_sided(2.228, 10) == pytest.approx(0.05, abs=0.005)
    assert seasons._two_sided(2.365, 7) == pytest.approx(0.05, abs=0.005)
    assert seasons._two_sided(0.0, 5) == 1.0
