"""What thinning and pruning leave: the right rows, whole chains of depth, everything still read."""

import os
import random
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count

from markets import models
from markets.archive.days import date_of, day_of
from markets.core.bars import BAR_MS
from markets.selectors import bars, days, learnt, ticks
from markets.services import collect, pruning, sealing, thinning, universe
from tests.builders import NOON
from tests.pasts import DAY, HOUR, Past, collection, forget, move, same

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
FOREVER = 1_000_000
SLOT = 1_800_000


@pytest.fixture(autouse=True)
def _configured(settings, tmp_path, monkeypatch):
    settings.PQAP = SimpleNamespace(collection=collection())
    settings.PATHS = SimpleNamespace(archive=tmp_path / "archive")
    monkeypatch.setattr(thinning, "PAUSE_SECONDS", 0)


def sealed(monkeypatch, seed: int = 44, cycles: int = 60) -> Past:
    past = Past(seed, monkeypatch)
    past.live(cycles)
    past.desk_follows()
    sealing.run(past.now, seconds=FOREVER)
    return past


@pytest.fixture
def past(past_of):
    return past_of(44, 60, sealed=True)


def thin(past: Past) -> int:
    return thinning.run(past.now, seconds=FOREVER)


def stored() -> set[int]:
    return set(models.Snapshot.objects.values_list("tick_id", flat=True))


def expected(past: Past) -> set[int]:
    """Young ticks, ticks of days not sealed, and the last of each slot of a day."""
    last = {(day_of(tick.at), tick.at // SLOT): tick.id for tick in past.made}
    before = past.made[-1].at - 30 * HOUR
    sealed_until = day_of(past.made[-1].at)
    return {
        tick.id
        for tick in past.made
        if tick.id in last.values()
        or tick.at >= sealed_until
        or (tick.at // SLOT + 1) * SLOT > before
    }


class TestThinning:
    @pytest.mark.parametrize("seed", random.Random(RUN_SEED).sample(range(10**6), 2))
    def test_keeps_the_last_tick_of_each_slot_with_its_depth(self, database, monkeypatch, seed):
        print(f"seed {seed} on {database}")
        past = sealed(monkeypatch, seed)
        monkeypatch.setattr(thinning, "ROWS_AT_ONCE", random.Random(seed).choice([1, 20, 2_000]))

        deleted = thin(past)

        kept = expected(past)
        assert stored() == kept
        assert deleted == sum(len(t.universe) for t in past.made if t.id not in kept) > 0
        for tick in past.made:
            if tick.id in kept:
                assert chain(tick) == tick.depth

    def test_makes_no_difference_to_what_a_restarted_stage_reads(self, past):
        window = ticks.window(past.made[-1].id)
        thin(past)
        forget()

        found = ticks.window(past.made[-1].id)
        assert [bar.at for bar in found[0]] == [bar.at for bar in window[0]]
        for read, was in zip(found[1], window[1], strict=True):
            same(read, was)
        collect.collect(past.world.source, past.world.step())

    def test_waits_for_the_slowest_reader_and_its_open_bar(self, past):
        position = past.made[12].id
        move("desk", position)
        began = past.made[12].at // BAR_MS * BAR_MS
        thin(past)

        first = min(t.id for t in past.made[:12] if t.at >= began or t.id == position - 1)
        assert stored() >= {tick.id for tick in past.made if tick.id >= first}
        for read, made in zip(ticks.ticks_after(position, 500), past.made[13:], strict=True):
            same(read, made)
        for read in ticks.open_bar(position):
            same(read, past.made[read.id - 1])

    def test_a_desk_that_never_ran_keeps_everything(self, past):
        models.Cursor.objects.filter(name="desk").delete()

        assert thin(past) == 0
        assert pruning.run(past.now + 900 * DAY, seconds=FOREVER) == pruning.Pruned()

    def test_a_thinned_tick_is_refused_and_not_made_up(self, past):
        thin(past)
        gone = next(tick.id for tick in past.made if tick.id not in stored())

        with pytest.raises(LookupError, match=f"tick {gone} lacks snapshots"):
            ticks.ticks_after(gone - 1, 1)

    def test_counts_and_news_stay(self, past):
        before = ticks.counts(past.now)
        news = learnt.between(1, past.made[-1].id)
        thin(past)

        assert ticks.counts(past.now) == before
        assert learnt.between(1, past.made[-1].id) == news

    def test_transactions_stay_small(self, past, monkeypatch):
        monkeypatch.setattr(thinning, "ROWS_AT_ONCE", 14)
        sizes = []
        drop = thinning.drop
        monkeypatch.setattr(thinning, "drop", lambda chunk: sizes.append(drop(chunk)) or sizes[-1])
        thin(past)

        assert 7 < max(sizes) <= 14 * 2

    def test_stops_in_time_and_goes_on(self, past, monkeypatch):
        clock = iter(range(10**6))
        monkeypatch.setattr(thinning, "monotonic", lambda: next(clock) / 10)
        first = thinning.run(past.now, seconds=0.5)
        assert first > 0
        assert stored() > expected(past)
        while thinning.run(past.now, seconds=0.5):
            pass
        assert stored() == expected(past)


def move_ends(past: Past, days_later: int) -> None:
    """Let the markets end as much later, so that they stay tracked."""
    past.world.source.listed = [
        replace(m, terms=replace(m.terms, end_at=m.terms.end_at + days_later * DAY))
        for m in past.world.source.listed
    ]
    past.world.relist = lambda: None
    universe.sync_markets(past.world.source, past.world.at)


class TestPruning:
    def later(self, past: Past, days_later: int) -> None:
        past.world.at += days_later * DAY
        past.world.source.show(past.world.at)
        move_ends(past, days_later)
        enough = len(past.made) + 2
        for _ in range(40):
            if len(past.made) >= enough:
                break
            past.live(1)
        past.desk_follows()
        sealing.run(past.now, seconds=FOREVER)
        thin(past)

    def test_deletes_rows_past_retention_and_keeps_the_rest(self, past):
        self.later(past, 61)
        before = {model: model.objects.count() for model in (models.Resolution, models.Universe)}
        edge = past.made[-1].at - 60 * DAY
        gone = {t.id for t in past.made if day_of(t.at) + DAY <= edge}

        done = pruning.run(past.now, seconds=FOREVER)

        assert gone
        for model in (models.Print, models.Anomaly, models.Snapshot):
            assert not model.objects.filter(tick_id__in=gone).exists()
        assert (
            set(models.Tick.objects.values_list("pk", flat=True))
            == {tick.id for tick in past.made} - gone
        )
        assert done.rows["ticks"] == len(gone)
        assert {model: model.objects.count() for model in before} == before
        assert not models.Bar.objects.filter(at__lte=edge).exists()
        forget()
        assert ticks.ticks_after(max(gone), 1)[0].depth == past.made[max(gone)].depth
        assert pruning.run(past.now, seconds=FOREVER).rows == {}

    def test_keeps_a_week_of_bars_and_their_ticks_whatever_the_retention(self, past, settings):
        settings.PQAP.collection.retention_days = 1
        self.later(past, 3)
        had = [(bar.at, bar.count.tolist()) for bar in recent(past)]

        pruning.run(past.now, seconds=FOREVER)

        assert [(bar.at, bar.count.tolist()) for bar in recent(past)] == had
        assert had

    def test_a_dry_run_says_what_would_go_and_deletes_nothing(self, past):
        models.SealedDay.objects.update(thinned_to=0)
        counted = {m: m.objects.count() for m in (models.Snapshot, models.Tick, models.Print)}
        out = StringIO()
        call_command("prune", "--dry-run", stdout=out)

        assert {m: m.objects.count() for m in counted} == counted
        done = StringIO()
        call_command("prune", stdout=done)
        rows = counted[models.Snapshot] - models.Snapshot.objects.count()
        assert rows > 0
        for told, verb in ((out, "Would delete"), (done, "Deleted")):
            assert told.getvalue() == f"{verb} {rows:,} rows of market_snapshots.\n"

    def test_raw_files_outlive_their_rows(self, past):
        self.later(past, 4)
        models.SealedDay.objects.filter(pk=day_of(past.made[0].at)).update(thinned_to=0)

        done = pruning.run(past.now, seconds=FOREVER)

        first = days.folder(day_of(past.made[0].at))
        assert list(first.path.glob("raw-*"))
        bare = models.SealedDay.objects.filter(raw_kept=False)
        assert done.files == len(bare) > 0
        for row in bare:
            names = {path.name for path in days.folder(row.began_at).path.iterdir()}
            assert names == {"touch-000.parquet", "ticks.parquet", "said.json.gz"}


class TestCommands:
    def test_seal_names_a_day_that_is_not_over(self, past):
        present = date_of(day_of(past.made[-1].at))

        with pytest.raises(CommandError, match=f"{present} has no ticks or is not over"):
            call_command("seal", present)

    def test_seal_seals_one_day_checks_it_and_says_so(self, past_of):
        past_of(33, 45)
        out = StringIO()
        call_command("seal", "2026-01-01", stdout=out)
        call_command("seal", "--check", stdout=out)

        lines = out.getvalue().splitlines()
        assert lines[0].startswith("Sealed 2026-01-01:")
        assert lines[1:] == ["2026-01-01 is as it was sealed."]
        (days.folder(day_of(NOON)).said).write_bytes(b"")
        with pytest.raises(CommandError, match="1 of 1 days are not as they were sealed"):
            call_command("seal", "--check", stdout=out, stderr=StringIO())

    def test_a_day_must_look_like_one(self, db):
        with pytest.raises(CommandError, match="'today' is no day such as"):
            call_command("seal", "today")


def recent(past: Past) -> list:
    newest = past.made[-1].at // BAR_MS * BAR_MS
    return bars.sealed(after=newest - 7 * DAY, until=newest)


def chain(tick) -> tuple[bytes, ...]:
    """Depth of each market as the rows left tell it."""
    found = []
    for market in tick.universe.markets:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.depth FROM market_snapshots s JOIN markets_market m "
                "ON m.id = s.market_id WHERE m.condition_id = %s AND s.tick_id <= %s "
                "AND s.depth IS NOT NULL ORDER BY s.tick_id DESC LIMIT 1",
                [market.id, tick.id],
            )
            found.append(bytes(cursor.fetchone()[0]))
    return tuple(found)


def test_every_snapshot_belongs_to_a_tick_that_has_all_of_its_own(past):
    thin(past)

    counted = models.Snapshot.objects.values_list("tick_id").annotate(n=Count("market"))
    for tick_id, count in counted:
        assert count == len(past.made[tick_id - 1].universe)
