"""A span gives the same ticks wherever they lie: tables, archive, or across both."""

import os
import random
from types import SimpleNamespace

import pytest

from markets import models
from markets.archive.days import day_of
from markets.core.tick import Tick
from markets.selectors import days, history, spans
from markets.services import pruning, sealing, thinning
from tests.builders import NOON
from tests.pasts import DAY, HOUR, Past, collection, forget, same

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
FOREVER = 1_000_000


@pytest.fixture(autouse=True)
def _configured(settings, tmp_path, monkeypatch):
    settings.PQAP = SimpleNamespace(collection=collection())
    settings.PATHS = SimpleNamespace(archive=tmp_path / "archive")
    monkeypatch.setattr(thinning, "PAUSE_SECONDS", 0)


def compare(past: Past, since: int, until: int) -> list[Tick]:
    """What a span gives, compared with what was assembled; returns the ticks read."""
    made = [tick for tick in past.made if since <= tick.at < until]
    read = list(spans.ticks_between(since, until))
    assert len(read) == len(made)
    bare = {day_of(row.began_at) for row in models.SealedDay.objects.filter(raw_kept=False)}
    for found, tick in zip(read, made, strict=True):
        same(found, tick.without_depth() if day_of(tick.at) in bare else tick)
    return read


def anywhere(past: Past, luck: random.Random) -> tuple[int, int]:
    first, last = past.made[0].at, past.made[-1].at
    return tuple(sorted(luck.randint(first - HOUR, last + HOUR) for _ in range(2)))


def lived(past: Past, luck: random.Random, rounds: int) -> None:
    """Days of collecting with sealing, thinning and pruning in between, in any order."""
    for _ in range(rounds):
        past.live(20)
        if luck.random() < 0.8:
            past.desk_follows()
        acts = [sealing.run, thinning.run, pruning.run]
        for act in luck.sample(acts, luck.randint(1, 3)):
            act(past.now, seconds=FOREVER)
        compare(past, *anywhere(past, luck))


class TestTicks:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 1))
    def test_are_those_assembled_on_every_database(self, database, monkeypatch, seed):
        print(f"seed {seed} on {database}")
        past, luck = Past(seed, monkeypatch), random.Random(seed)
        monkeypatch.setattr(sealing, "PART_ROWS", luck.choice([1, 40, 10_000]))
        monkeypatch.setattr(sealing, "TOUCH_MARKETS", luck.choice([1, 3, 200]))

        lived(past, luck, rounds=4)

        past.desk_follows()
        sealing.run(past.now, seconds=FOREVER)
        thinning.run(past.now, seconds=FOREVER)
        forget()
        assert len(compare(past, 0, past.now + 1)) == len(past.made) > 30
        assert models.SealedDay.objects.filter(state="sealed").count() > 1
        assert models.Snapshot.objects.count() < sum(len(tick.universe) for tick in past.made)

    def test_of_old_days_lose_their_depth_and_nothing_else(self, past_of):
        past = past_of(44, 60, sealed=True)
        past.world.at += 4 * DAY
        past.live(3)
        past.desk_follows()
        sealing.run(past.now, seconds=FOREVER)
        thinning.run(past.now, seconds=FOREVER)
        before = compare(past, 0, past.now + 1)
        assert any(tick.no_depth for tick in before)

        pruning.run(past.now, seconds=FOREVER)

        read = compare(past, 0, past.now + 1)
        assert not any(any(tick.depth) for tick in read if tick.at < read[-1].at - 4 * DAY)
        assert any(read[-1].depth)
        assert any(tick.resolutions for tick in read)
        assert any(tick.prints for tick in read)
        assert any(tick.past for tick in read)

    def test_without_depth_are_the_same_everywhere(self, past_of):
        past = past_of(44, 60, sealed=True)

        read = list(spans.ticks_between(0, past.now + 1, depth=False))

        assert {stretch.day is None for stretch in spans.stretches(NOON, past.now)} == {True, False}
        for found, made in zip(read, past.made, strict=True):
            same(found, made.without_depth())

    def test_of_a_lost_file_are_an_error_and_not_a_gap(self, past_of):
        past = past_of(44, 60, sealed=True)
        next(iter(days.folder(day_of(past.made[0].at)).path.glob("raw-*"))).unlink()

        with pytest.raises(ValueError, match="cannot be read as a recording"):
            list(spans.ticks_between(0, past.now))


class TestHistory:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED + 1).sample(range(10**6), 2))
    def test_does_not_change_when_days_are_sealed_thinned_and_pruned(self, db, monkeypatch, seed):
        print(f"seed {seed}")
        past, luck = Past(seed, monkeypatch), random.Random(seed)
        past.live(70)
        past.desk_follows()
        asked = [
            (market, *anywhere(past, luck), luck.choice([0, 60_000, 300_000, 7_000_000, DAY]),
             luck.choice([1, 5, 1_000]))
            for market in past.world.names for _ in range(4)
        ]  # fmt: skip
        before = [points(*each) for each in asked]
        assert any(before)

        sealing.run(past.now, seconds=FOREVER)
        assert [points(*each) for each in asked] == before
        thinning.run(past.now, seconds=FOREVER)
        past.world.at += 5 * DAY
        past.world.source.show(past.world.at)
        past.live(2)
        past.desk_follows()
        for act in (sealing.run, thinning.run, pruning.run):
            act(past.now, seconds=FOREVER)
        assert [points(*each) for each in asked] == before

    def test_says_where_each_point_was_read(self, past_of):
        past = past_of(44, 60, sealed=True)

        found = [point for name in past.world.names for point in full(name, past.now)]

        edge = day_of(past.made[-1].at)
        assert {point.source for point in found} == {"hot", "archive"}
        assert all((point.source == "hot") == (point.at >= edge) for point in found)

    def test_gives_one_point_for_an_interval_that_lies_in_several_places(self, past_of):
        past = past_of(44, 60, sealed=True)
        every = 5 * DAY

        for name in past.world.names:
            found = points(name, 0, past.now, every, FOREVER)
            last = {at // every: at for at, *_ in points(name, 0, past.now, 0, FOREVER)}
            assert [at for at, *_ in found] == list(last.values())

    def test_of_an_unknown_market_is_none(self, db):
        assert history.history("m-0", since=0, until=NOON, every_ms=0, limit=5) is None


def full(market: str, until: int) -> tuple[history.HistoryPoint, ...]:
    return history.history(market, since=0, until=until, every_ms=0, limit=FOREVER) or ()


def points(market: str, since: int, until: int, every_ms: int, limit: int) -> list[tuple]:
    found = history.history(market, since=since, until=until, every_ms=every_ms, limit=limit)
    return [(p.at, p.yes_bid, p.yes_ask, p.no_bid, p.no_ask) for p in found or ()]
