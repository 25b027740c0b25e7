"""Which stretches become gaps, why, and that nothing is counted twice or lost."""

import random
from dataclasses import replace

import numpy as np
import pytest

from markets.core import gaps
from markets.core.assembly import Flaw, carried
from markets.core.book import Anomaly
from markets.core.coverage import Share, Silences, clipped
from markets.core.gaps import Freshness, Gap, GapReason, Record, Standing
from markets.core.tick import Tick, Universe, empty
from tests import builders as b
from tests.builders import NOON

POLL = 10_000
LIMIT = 25_000
M1, M2 = b.market("m-1"), b.market("m-2")
BOTH = b.universe(M1, M2)


def seen(at: int, *markets: str, world: Universe = BOTH, before: Tick | None = None) -> Tick:
    """A tick at `at` that confirmed the named markets and carries the others."""
    made = b.tick(world, at=at)
    old = carried(world, before or empty(world)).observed_at
    fresh = np.array([market.id in markets for market in world.markets])
    return replace(made, observed_at=np.where(fresh, at, old))


class Story:
    """Ticks told one by one."""

    def __init__(self) -> None:
        self.standing: Standing | None = None
        self.tick: Tick | None = None
        self.gaps: list[Gap] = []

    def tells(self, second: int, *markets: str, world: Universe = BOTH, **how) -> Record:
        how.setdefault("flaws", ())
        how.setdefault("read", np.ones(len(world), dtype=np.bool_))
        how.setdefault("began", NOON)
        self.tick = seen(NOON + second * 1000, *markets, world=world, before=self.tick)
        self.standing, record = gaps.step(self.standing, self.tick, every=POLL, **how)
        self.gaps += record.gaps
        return record


def short(gap: Gap) -> tuple:
    return gap.market, (gap.since - NOON) // 1000, (gap.until - NOON) // 1000, gap.reason


@pytest.fixture
def story() -> Story:
    told = Story()
    told.tells(0, "m-1", "m-2")
    return told


def test_steady_confirmations_leave_no_gap(story):
    for second in range(10, 100, 10):
        story.tells(second, "m-1", "m-2")

    assert story.gaps == []


def test_a_market_not_confirmed_for_longer_than_the_limit_leaves_one(story):
    story.tells(10, "m-1")
    story.tells(20, "m-1")
    story.tells(25, "m-1", "m-2")
    assert story.gaps == []
    for second in (35, 45, 51):
        story.tells(second, "m-1")
    story.tells(52, "m-1", "m-2")

    assert list(map(short, story.gaps)) == [("m-2", 25, 52, GapReason.UNREAD)]


def test_a_refused_book_says_why(story):
    for second in (10, 20, 30):
        story.tells(second, "m-1", flaws=[Flaw("m-2", Anomaly.CROSSED)])
    story.tells(40, "m-1", "m-2")

    [gap] = story.gaps
    assert (gap.reason, gap.detail) == (GapReason.REFUSED, "CROSSED")


def test_a_flag_on_a_confirmed_book_is_no_reason_later(story):
    story.tells(10, "m-1", "m-2", flaws=[Flaw("m-2", Anomaly.TORN)])
    for second in (20, 30, 40):
        story.tells(second, "m-1")
    story.tells(50, "m-1", "m-2")

    assert [gap.reason for gap in story.gaps] == [GapReason.UNREAD]


def test_a_silence_of_all_is_one_gap_and_not_one_for_each(story):
    story.tells(600, "m-1", "m-2")

    assert list(map(short, story.gaps)) == [(None, 0, 600, GapReason.COLLECTOR_OFF)]


def test_a_failed_cycle_is_a_silence_however_short(story):
    story.tells(20, "m-1", "m-2", failed=1)

    assert list(map(short, story.gaps)) == [(None, 0, 20, GapReason.NO_ANSWER)]


def test_a_look_left_out_is_a_silence_too(story):
    story.tells(20, "m-1", "m-2", skipped=1)

    assert list(map(short, story.gaps)) == [(None, 0, 20, GapReason.COLLECTOR_OFF)]


def test_one_failure_does_not_explain_an_hour(story):
    story.tells(3600, "m-1", "m-2", failed=1)
    story.tells(7200, "m-1", "m-2", failed=300)

    assert [gap.reason for gap in story.gaps] == [GapReason.COLLECTOR_OFF, GapReason.NO_ANSWER]


def test_a_gap_that_ran_into_a_silence_ends_where_that_begins(story):
    for second in (10, 20, 30):
        story.tells(second, "m-1")
    story.tells(600, "m-1")
    story.tells(610, "m-1", "m-2")

    assert list(map(short, story.gaps)) == [
        ("m-2", 0, 30, GapReason.UNREAD),
        (None, 30, 600, GapReason.COLLECTOR_OFF),
    ]


def test_a_gap_may_begin_again_where_a_silence_ends(story):
    story.tells(600, "m-1")
    for second in (610, 620, 630):
        story.tells(second, "m-1")
    story.tells(640, "m-1", "m-2")

    assert short(story.gaps[-1]) == ("m-2", 600, 640, GapReason.UNREAD)


def test_a_newcomer_that_is_not_read_has_a_gap_from_its_entry(story):
    three = b.universe(M1, M2, b.market("m-3"), version=2)
    entered = story.tells(10, "m-1", "m-2", world=three, began=NOON + 4_000)
    for second in (20, 30, 40):
        story.tells(second, "m-1", "m-2", world=three)
    story.tells(50, "m-1", "m-2", "m-3", world=three)

    assert entered.entered == (("m-3", NOON + 4_000),)
    assert list(map(short, story.gaps)) == [("m-3", 4, 50, GapReason.UNREAD)]


def test_a_leaver_closes_its_gap_when_it_leaves(story):
    one = b.universe(M1, version=2)
    for second in (10, 20, 30):
        story.tells(second, "m-1")
    record = story.tells(40, "m-1", world=one, began=NOON + 33_000)

    assert record.left == (("m-2", NOON + 33_000),)
    assert list(map(short, story.gaps)) == [("m-2", 0, 33, GapReason.UNREAD)]


def test_a_settled_market_is_read_no_more_and_misses_nothing(story):
    open_only = np.array([True, False])
    record = story.tells(10, "m-1", read=open_only)
    for second in (20, 30, 40, 50):
        story.tells(second, "m-1", read=open_only)

    assert record.left == (("m-2", NOON),)
    assert story.gaps == []


def test_a_market_that_takes_no_orders_has_nothing_to_show(story):
    paused = replace(M2, terms=replace(M2.terms, accepting_orders=False))
    asleep = b.universe(M1, paused, version=2)
    for second in (10, 20, 30):
        story.tells(second, "m-1")
    for second in (40, 50, 60, 70):
        story.tells(second, "m-1", world=asleep, began=NOON + 35_000)
    awake = b.universe(M1, M2, version=3)
    story.tells(80, "m-1", "m-2", world=awake, began=NOON + 75_000)

    assert list(map(short, story.gaps)) == [
        ("m-2", 0, 35, GapReason.UNREAD),
        ("m-2", 35, 75, GapReason.NOT_TRADING),
    ]


def test_the_first_tick_accounts_for_the_time_since_the_choice():
    story = Story()
    record = story.tells(90, "m-1", "m-2", failed=9)

    assert list(map(short, story.gaps)) == [(None, 0, 90, GapReason.NO_ANSWER)]
    assert record.entered == (("m-1", NOON), ("m-2", NOON))


@pytest.mark.parametrize(
    ("observed", "changed", "state"),
    [
        (0, 0, Freshness.NEVER),
        (NOON, NOON, Freshness.LIVE),
        (NOON - LIMIT, NOON - LIMIT, Freshness.LIVE),
        (NOON, NOON - gaps.QUIET_MS, Freshness.LIVE),
        (NOON, NOON - gaps.QUIET_MS - 1, Freshness.QUIET),
        (NOON - LIMIT - 1, NOON - LIMIT - 1, Freshness.FROZEN),
    ],
)
def test_quiet_is_told_from_frozen_by_the_confirmation(observed, changed, state):
    assert gaps.freshness(observed, changed, NOON, POLL) is state


class TestArithmetic:
    def test_a_share_reads_one_only_when_nothing_is_missing(self):
        assert Share(10**12, 10**12).micro == 1_000_000
        assert Share(10**12, 10**12 - 1).micro == 999_999
        assert Share().micro is None
        assert Share(10, 4) + Share(5, 5) == Share(15, 9)

    def test_silences_inside_a_stretch_are_counted_to_the_millisecond(self):
        luck = random.Random(5)
        for _ in range(30):
            cuts = sorted(luck.sample(range(60), 6))
            stretches = list(zip(cuts[::2], cuts[1::2], strict=True))
            silent = {ms for since, until in stretches for ms in range(since, until)}
            since = np.array([luck.randrange(60) for _ in range(20)])
            until = np.array([luck.randrange(60) for _ in range(20)])
            found = Silences(stretches).within(since, until).tolist()
            pairs = zip(since.tolist(), until.tolist(), strict=True)
            assert found == [sum(ms in silent for ms in range(a, z)) for a, z in pairs]

    def test_no_silence_at_all(self):
        assert Silences([]).within(np.array([3]), np.array([9])).tolist() == [0]

    def test_a_stretch_outside_a_span_comes_out_empty(self):
        since, until = clipped(np.array([1, 5, 30]), np.array([4, 15, 40]), (10, 20))

        assert (until - since).tolist() == [0, 5, 0]
