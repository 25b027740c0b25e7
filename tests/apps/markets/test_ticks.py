"""What was assembled is what is read back, whatever happened in between."""

import os
import random
from types import SimpleNamespace

import numpy as np
import pytest

from markets import models
from markets.core.assembly import COLUMNS
from markets.core.bars import BAR_MS, OpenBar
from markets.core.tick import Tick
from markets.selectors import bars, ticks, universes
from markets.services import collect, universe
from tests import misbehaving

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(collection=misbehaving.collection())


@pytest.fixture
def kept(monkeypatch):
    """Every tick as it was assembled, in order."""
    seen: list[Tick] = []
    write = collect.rows.write

    def watch(steps, known, **rest):
        seen.extend(step.tick for step in steps)
        return write(steps, known, **rest)

    monkeypatch.setattr(collect.rows, "write", watch)
    return seen


def live_through(seed: int, cycles: int, day: int = 0) -> None:
    """Collect a random world, restarting, relisting and batching as the seed says."""
    world, luck = misbehaving.RandomWorld(seed), random.Random(seed + 1)
    world.at += day * 86_400_000
    universe.sync_markets(world.source, world.at)
    for _ in range(cycles):
        if luck.random() < 0.1:
            world.relist()
            universe.sync_markets(world.source, world.at)
        if luck.random() < 0.15:
            forget()
        collect.collect(world.source, world.step())


def forget() -> None:
    for module in (collect, ticks, universes):
        module.forget()


def read_all(seed: int) -> list[Tick]:
    """Every tick, in batches of the seed's choosing, warm and cold."""
    forget()
    position, read, luck = 0, [], random.Random(seed)
    while batch := ticks.ticks_after(position, luck.randint(1, 12)):
        read += batch
        position = batch[-1].id
        if luck.random() < 0.3:
            ticks.forget()
    return read


def same(read: Tick, made: Tick) -> None:
    """Equal column for column and byte for byte."""
    assert (read.id, read.at) == (made.id, made.at)
    assert read.universe.version == made.universe.version
    assert read.universe.markets == made.universe.markets
    for name in COLUMNS:
        was, now = getattr(made, name), getattr(read, name)
        assert (was.dtype, was.tobytes()) == (now.dtype, now.tobytes()), (read.id, name)
    assert read.depth == made.depth
    assert dict(read.no_depth) == dict(made.no_depth)
    assert (read.resolutions, read.prints) == (made.resolutions, made.prints)


@pytest.mark.django_db
class TestReadingBack:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 5))
    def test_equals_what_was_assembled(self, kept, seed):
        print(f"seed {seed}")
        live_through(seed, 70)

        read = read_all(seed + 2)

        assert len(read) == len(kept) > 15
        for found, made in zip(read, kept, strict=True):
            same(found, made)

    def test_may_begin_anywhere_in_any_order(self, kept):
        live_through(11, 60)
        forget()

        luck = random.Random(3)
        for _ in range(30):
            position = luck.randrange(len(kept))
            found = ticks.ticks_after(position, 3)
            for read, made in zip(found, kept[position : position + 3], strict=True):
                same(read, made)

    def test_random_worlds_hold_every_case(self, kept):
        for seed in range(4):
            live_through(seed, 60, day=seed)
            models.Resolution.objects.all().delete()

        codes = set(models.Anomaly.objects.values_list("code", flat=True))
        assert codes >= {"CROSSED", "GHOST", "MISSING", "TORN", "MIRROR_GAP", "BACKWARDS"}
        assert any(not tick.coherent.all() for tick in kept)
        assert any(tick.no_depth for tick in kept)
        assert any((tick.observed_at == 0).any() for tick in kept)
        assert any((tick.observed_at < tick.at - 10_000).any() for tick in kept)
        assert any((tick.bid_valid != tick.ask_valid).any() for tick in kept)
        assert len({tick.universe.version for tick in kept}) > 4
        assert any(tick.resolutions for tick in kept)
        assert sum(len(tick.prints) for tick in kept) > 20

    def test_shares_one_universe_object_between_ticks_of_one_version(self, kept):
        live_through(7, 20)
        forget()

        found = {}
        for tick in ticks.ticks_after(0, 100):
            assert found.setdefault(tick.universe.version, tick.universe) is tick.universe

    def test_stores_depth_only_where_it_changed(self):
        world = misbehaving.RandomWorld(1)
        universe.sync_markets(world.source, world.at)
        for minute in range(3):
            world.source.show(world.at + minute * 60_000)
            collect.collect(world.source, world.at + minute * 60_000)

        stored = models.Snapshot.objects.exclude(depth=None)
        assert set(stored.values_list("tick_id", flat=True)) == {1}
        assert all(depth for depth in ticks.ticks_after(2, 1)[0].depth)

    def test_says_which_tick_has_lost_snapshots(self):
        live_through(3, 20)
        models.Snapshot.objects.filter(tick_id=4).first().delete()

        with pytest.raises(LookupError, match="tick 4 lacks snapshots"):
            ticks.ticks_after(0, 100)


class TestEveryDatabase:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 2))
    def test_reads_back_what_was_assembled(self, database, kept, seed):
        print(f"seed {seed} on {database}")
        live_through(seed, 50)

        read = read_all(seed)

        assert len(read) == len(kept) > 15
        for found, made in zip(read, kept, strict=True):
            same(found, made)


@pytest.mark.django_db
class TestWindow:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 3))
    def test_hands_back_the_bars_as_they_were_sealed(self, kept, seed):
        print(f"seed {seed}")
        live_through(seed, 80)
        forget()

        bar, sealed = OpenBar(), []
        for tick in kept:
            closed = bar.add(tick)
            sealed += [closed] if closed is not None and closed.valid.any() else []
        position = random.Random(seed).randint(2, len(kept))
        found, recent, _ = ticks.window(position)

        began = kept[position - 1].at // BAR_MS * BAR_MS
        expected = [each for each in sealed if each.at <= began]
        assert [each.at for each in found] == [each.at for each in expected]
        for read, made in zip(found, expected, strict=True):
            assert [m.id for m in read.universe.markets] == [m.id for m in made.universe.markets]
            for name in ("bid", "ask", "micro", "changes", "count", "valid"):
                assert np.array_equal(getattr(read, name), getattr(made, name)), (read.at, name)
        inside = [tick.id for tick in kept[:position] if tick.at >= began]
        first = min(inside[0], max(position - 1, 1))
        assert [tick.id for tick in recent] == list(range(first, position + 1))

    def test_leaves_out_bars_older_than_a_week(self):
        world = misbehaving.RandomWorld(1)
        universe.sync_markets(world.source, world.at)
        for day in (0, 1, 8):
            for bar in (0, 1):
                at = world.at + day * 86_400_000 + bar * BAR_MS
                world.source.show(at)
                collect.collect(world.source, at)

        found = ticks.window(6).bars

        assert [bar.at for bar in found] == [
            world.at + 86_400_000 + 2 * BAR_MS,
            world.at + 8 * 86_400_000 + BAR_MS,
        ]

    def test_is_empty_before_the_first_tick(self):
        assert ticks.window(0) == ([], [], ())


@pytest.mark.django_db
class TestFigures:
    def test_counts_never_fall_when_history_is_thinned(self):
        live_through(5, 30)
        before = ticks.counts()

        models.Snapshot.objects.filter(tick_id__lt=10).delete()

        assert ticks.counts() == before
        assert before.ticks == ticks.last_tick().id > 10
        assert before.snapshots > before.ticks
        assert before.markets == len(universes.newest().keys)

    def test_anomalies_are_those_of_the_last_hour(self):
        live_through(5, 30)
        at = ticks.last_tick().at

        held = models.Anomaly.objects.filter(at__gt=at - 3_600_000).count()
        assert ticks.counts().anomalies == held > 0
        assert ticks.counts(at + 3_600_000).anomalies == 0

    def test_the_newest_bar_of_each_market_says_its_time(self):
        world = misbehaving.RandomWorld(1)
        universe.sync_markets(world.source, world.at)
        for number in (0, 1, 3, 4):
            world.source.show(world.at + number * BAR_MS)
            collect.collect(world.source, world.at + number * BAR_MS)

        times = ticks.newest_bar_times()
        assert set(times.values()) == {world.at + 4 * BAR_MS}
        assert set(times) == {market.id for market in world.source.listed}

    def test_an_empty_desk_has_neither(self):
        assert bars.newest_bar_times() == {}
        assert ticks.last_tick() is None
