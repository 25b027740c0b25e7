"""The record of gaps over random outages: nothing missed, nothing twice, restarts or not."""

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.assembly import assemble
from markets.core.book import mirror
from markets.core.coverage import Share
from markets.core.gaps import Gap, GapReason, limit
from markets.core.tick import Tick
from markets.core.types import ONE, Book, Resolution, Status
from markets.selectors import continuity, coverage, universes
from markets.services import collect, universe
from tests import misbehaving
from tests.builders import NOON, book, market
from tests.misbehaving import RandomWorld, Told

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
POLL = 10_000
SECOND = 1000
DAY = 86_400_000


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(
        digest="one",
        collection=misbehaving.collection(),
        exchange=SimpleNamespace(source="replay"),
    )


@dataclass
class Looked:
    """One tick as it was made: which markets were asked for, and what went wrong before it."""

    tick: Tick
    read: set[str]
    began: int
    vain: int


@dataclass
class Life:
    """Everything an observer beside the collector could write down."""

    seed: int
    world: RandomWorld = field(init=False)
    looks: list[Looked] = field(default_factory=list)
    vain: int = 0

    def __post_init__(self) -> None:
        self.world, self.luck = RandomWorld(self.seed), random.Random(self.seed + 1)
        self.asked: set[str] = set()
        books = self.world.source.books

        def watch(tokens, at):
            self.asked = {token.partition("-")[2] for token in tokens}
            return books(tokens, at)

        self.world.source.books = watch

    def live(self, cycles: int, monkeypatch) -> None:
        made: list[Tick] = []

        def keep(*given, **rest):
            tick, flaws = assemble(*given, **rest)
            made.extend([tick] if tick else [])
            return tick, flaws

        monkeypatch.setattr(collect, "assemble", keep)
        universe.sync_markets(self.world.source, self.world.at)
        for _ in range(cycles):
            self._fortune()
            at = self._step()
            before = len(made)
            collect.collect(self.world.source, at)
            if len(made) == before:
                self.vain += 1
                continue
            version = models.Universe.objects.get(pk=made[-1].universe.version)
            read = {f"m-{name}" for name in self.asked}
            self.looks.append(Looked(made[-1], read, version.effective_at, self.vain))
            self.vain = 0

    def _fortune(self) -> None:
        if self.luck.random() < 0.08:
            self.world.relist()
            if not self.world.source.down:
                universe.sync_markets(self.world.source, self.world.at)
        if self.luck.random() < 0.1:
            collect.forget()
            universes.forget()
        if self.luck.random() < (0.3 if self.world.source.down else 0.06):
            self.world.source.down = not self.world.source.down

    def _step(self) -> int:
        """One poll later, now and then after a time in which nothing ran."""
        before = self.world.at
        at = self.world.step()
        if self.luck.random() < 0.06:
            collect.forget()
            return at
        self.world.at = before + POLL
        for token, told in list(self.world.source.told.items()):
            if told.observed_at > self.world.at:
                self.world.source.told[token] = book(token, at=self.world.at)
        return self.world.at


def expected(life: Life) -> tuple[dict[str, list[list[int]]], dict[str, list], list]:
    """By hand, market by market: stretches read, gaps of its own, and the silences of all."""
    stints: dict[str, list[list[int]]] = defaultdict(list)
    marks: dict[str, int] = {}
    own: dict[str, list] = defaultdict(list)
    silences, last = [], 0
    for look in life.looks:
        at = look.tick.at
        moved = min(max(look.began, last), at)
        silent = look.vain > 0 or at - (last or moved) > limit(POLL)
        ids = {m.id for m in look.tick.universe.markets} & look.read
        for gone in set(marks) - ids:
            end = last if silent else moved
            if end - marks[gone] > limit(POLL):
                own[gone].append((marks[gone], end))
            stints[gone][-1][1] = moved
            del marks[gone]
        if silent:
            for name in ids & set(marks):
                if last - marks[name] > limit(POLL):
                    own[name].append((marks[name], last))
            if at > (last or moved):
                silences.append((last or moved, at))
        for name in ids - set(marks):
            stints[name].append([moved, -1])
            marks[name] = moved
        for name in ids:
            seen = int(look.tick.observed_at[look.tick.universe.column[name]])
            if silent:
                marks[name] = at
            elif seen > marks[name]:
                if seen - marks[name] > limit(POLL):
                    own[name].append((marks[name], seen))
                marks[name] = seen
        last = at
    return stints, own, silences


def stored() -> tuple[dict, dict, list]:
    stints, own, silences = defaultdict(list), defaultdict(list), []
    rows = models.Stint.objects.order_by("since")
    for name, since, until in rows.values_list("market__condition_id", "since", "until"):
        stints[name].append([since, -1 if until is None else until])
    for row in models.Gap.objects.select_related("market").order_by("since"):
        stretch = (row.since, row.until)
        (silences if row.market is None else own[row.market.condition_id]).append(stretch)
    return stints, own, silences


@pytest.mark.django_db
class TestRandomOutages:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 4))
    def test_gaps_and_observed_time_are_the_tracked_time_exactly(self, seed, monkeypatch):
        print(f"seed {seed}")
        life = Life(seed)
        life.live(150, monkeypatch)

        assert stored() == expected(life)
        assert_exact(life)

    def test_outages_of_every_kind_happen(self, monkeypatch):
        for seed in range(6):
            life = Life(seed)
            life.world.at = NOON + seed * DAY
            life.live(150, monkeypatch)

        assert set(models.Gap.objects.values_list("reason", flat=True)) >= {
            "COLLECTOR_OFF", "NO_ANSWER", "REFUSED", "UNREAD",
        }  # fmt: skip
        assert models.Stint.objects.exclude(until=None).exists()


def assert_exact(life: Life) -> None:
    """What the selectors say of the whole life adds up to the millisecond, market by market."""
    first, now = 0, life.looks[-1].tick.at
    stints, _, _ = expected(life)
    found = coverage.coverage_by_market(first, now, now=now, every=POLL)
    names = dict(models.Market.objects.values_list("pk", "condition_id"))
    assert found
    assert not continuity.lasting(now, POLL).silent_since or life.vain
    for key, share in found.items():
        name = names[key]
        read = [(since, now if until == -1 else until) for since, until in stints[name]]
        listed = continuity.gap_list(name, first, now + 1, now=now, every=POLL, limit=9_999)
        rests = [gap for gap in listed if gap.reason is GapReason.NOT_TRADING]
        rest = sum(_inside(gap, stretch) for gap in rests for stretch in read)
        whole = sum(_inside(gap, stretch) for gap in listed for stretch in read)
        assert share.tracked == sum(until - since for since, until in read) - rest
        assert share.tracked - share.seen == whole - rest
        ends = sorted((gap.since, gap.until) for gap in listed)
        assert all(one[1] <= other[0] for one, other in pairwise(ends)), "two gaps overlap"


def _inside(gap: Gap, stretch: tuple[int, int]) -> int:
    return max(min(gap.until, stretch[1]) - max(gap.since, stretch[0]), 0)


class TestEveryDatabase:
    def test_says_the_same(self, database, monkeypatch):
        life = Life(RUN_SEED + 1)
        life.live(60, monkeypatch)

        assert stored() == expected(life)
        assert_exact(life)


@pytest.fixture
def source(db) -> Told:
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def look(source: Told, *seconds: int, of: str = "12", also: Sequence[Book] = ()) -> None:
    """Cycles at these seconds after noon that find the books of the markets named."""
    for second in seconds:
        source.told = {}
        source.tell(*also)
        for name in of:
            yes = book(f"yes-{name}", at=NOON + second * SECOND)
            source.tell(yes, mirror(yes, f"no-{name}"))
        collect.collect(source, NOON + second * SECOND)


def told() -> list[tuple]:
    rows = models.Gap.objects.order_by("since", "until")
    found = rows.values_list("market__condition_id", "since", "until", "reason")
    return [(of, (a - NOON) // SECOND, (z - NOON) // SECOND, why) for of, a, z, why in found]


def test_cycles_in_vain_at_the_end_of_a_batch_are_told_by_the_next_tick(source):
    source.show(NOON)
    collect.collect_many(source, [NOON, NOON + 10 * SECOND])
    collect.forget()
    look(source, 20)

    assert told() == [(None, 0, 20, "NO_ANSWER")]


def test_one_failure_is_told_once(source):
    look(source, 0, 10)
    source.down = True
    look(source, 20)
    source.down = False
    look(source, 30, 40)
    collect.forget()
    look(source, 50)

    assert told() == [(None, 10, 30, "NO_ANSWER")]


def test_a_restart_after_a_gap_that_was_cut_in_two_does_not_count_it_again(source):
    look(source, 0)
    look(source, 10, 20, 30, of="1")
    paused = replace(market("m-2"), terms=replace(market("m-2").terms, accepting_orders=False))
    source.listed[1] = paused
    universe.keep("m-2", "position")
    universe.sync_markets(source, NOON + 35 * SECOND)
    look(source, 40, of="1")
    now = NOON + 45 * SECOND
    collect.forget()
    listed = continuity.gap_list("m-2", 0, now, now=now, every=POLL, limit=9)
    look(source, 50, 60, 70, of="1")
    look(source, 80)

    assert [(gap.since - NOON, gap.until - NOON) for gap in listed] == [(0, 35 * SECOND)]
    assert told() == [("m-2", 0, 35, "UNREAD"), ("m-2", 35, 80, "NOT_TRADING")]


def test_a_refusal_before_a_restart_is_still_the_reason(source):
    look(source, 0)
    for second in (10, 20):
        crossed = book("yes-2", [("0.60", 5)], at=NOON + second * SECOND)
        look(source, second, of="1", also=[crossed, mirror(crossed, "no-2")])
    collect.forget()
    look(source, 30, 40, of="1")
    now = NOON + 41 * SECOND
    [open_] = continuity.gap_list("m-2", 0, now, now=now, every=POLL, limit=9)
    look(source, 50)

    [row] = models.Gap.objects.filter(market__condition_id="m-2")
    assert (row.reason, row.detail) == (open_.reason, open_.detail) == ("REFUSED", "CROSSED")
    assert (open_.since, open_.until) == (NOON, now)


def test_a_database_from_before_gaps_were_kept_begins_with_its_newest_tick(source):
    look(source, 0, 10)
    models.Stint.objects.all().delete()
    collect.forget()
    look(source, 20, 30)

    assert set(models.Stint.objects.values_list("since", "until")) == {(NOON + 10 * SECOND, None)}
    share = coverage.coverage(NOON - DAY, NOON + DAY, now=NOON + 30 * SECOND, every=POLL)
    assert share == Share(40 * SECOND, 40 * SECOND)


def test_before_the_first_tick_the_silence_lasts_since_the_choice(source):
    now = NOON + 60 * SECOND
    [gap] = continuity.longest(0, now, now=now, every=POLL, limit=9)

    assert (gap.market, gap.since, gap.until) == (None, NOON, now)


def test_a_settled_market_costs_no_coverage(source):
    look(source, 0)
    source.said = [Resolution("m-2", Status.RESOLVED, NOON, (ONE, 0))]
    look(source, 10)
    look(source, 20, 30, 40, 50, of="1")
    share = coverage.coverage_by_market(NOON, NOON + DAY, now=NOON + 50 * SECOND, every=POLL)

    assert told() == []
    assert sorted(share.values(), key=lambda one: one.tracked) == [
        Share(10 * SECOND, 10 * SECOND),
        Share(50 * SECOND, 50 * SECOND),
    ]


def test_thinning_changes_no_figure(source):
    look(source, 0, 10, 20, of="1")
    look(source, 60, 70)
    span = {"now": NOON + 70 * SECOND, "every": POLL}
    before = coverage.coverage_by_market(0, NOON + DAY, **span)
    models.Snapshot.objects.filter(tick_id__lt=4).delete()
    models.Bar.objects.all().delete()

    assert coverage.coverage_by_market(0, NOON + DAY, **span) == before
    assert {share.micro for share in before.values()} != {1_000_000}
