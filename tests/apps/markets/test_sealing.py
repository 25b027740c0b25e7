"""A day counts as sealed once what lies on the disk was read back and is equal; nothing before."""

import os
import signal
import threading
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from markets import archive, models
from markets.archive import days as layout
from markets.archive import lock, touch
from markets.archive.days import day_of
from markets.selectors import days, spans
from markets.selectors.feeds import feeds
from markets.services import pruning, sealing, thinning
from tests.pasts import DAY, Past, collection, same

FOREVER = 1_000_000
MINUTE = 60_000


@pytest.fixture(autouse=True)
def _configured(settings, tmp_path, monkeypatch):
    settings.PQAP = SimpleNamespace(collection=collection())
    settings.PATHS = SimpleNamespace(archive=tmp_path / "archive")
    monkeypatch.setattr(thinning, "PAUSE_SECONDS", 0)


@pytest.fixture
def past(past_of):
    """Some days, none of them sealed."""
    return past_of(33, 45)


def seal(past: Past, **how) -> sealing.Sealed:
    return sealing.run(past.now, **{"seconds": FOREVER} | how)


def states() -> dict[int, str]:
    return dict(models.SealedDay.objects.values_list("began_at", "state"))


def over(past: Past) -> list[int]:
    """Days that a later tick has ended."""
    found = sorted({day_of(tick.at) for tick in past.made})
    return found[:-1]


def files(past: Past) -> set[str]:
    folder = days.folder(over(past)[0]).path
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


class TestSealing:
    def test_takes_every_finished_day_and_not_the_present_one(self, past):
        assert seal(past).days == len(over(past)) > 1
        assert states() == dict.fromkeys(over(past), "sealed")

    def test_a_day_without_ticks_is_no_day(self, past):
        past.world.at += 3 * DAY
        past.live(2)
        seal(past)

        assert sorted(states()) == over(past)
        folders = {path.name for path in (sealing.settings.PATHS.archive).iterdir()}
        assert folders == {".lock", *(layout.date_of(began) for began in over(past))}

    def test_waits_for_a_later_tick_whatever_the_clock_says(self, past):
        seal(past)
        before = states()

        sealing.run(past.now + 400 * DAY, seconds=FOREVER)
        sealing.run(past.now - 400 * DAY, seconds=FOREVER)

        assert states() == before

    def test_goes_step_by_step_and_ends_where_one_go_ends(self, past, monkeypatch):
        monkeypatch.setattr(sealing, "PART_ROWS", 10)
        monkeypatch.setattr(sealing, "READ_ROWS", 10)
        monkeypatch.setattr(sealing, "TOUCH_MARKETS", 2)
        clock = iter(range(10_000))
        monkeypatch.setattr(sealing, "monotonic", lambda: next(clock))
        steps = 0
        while (done := sealing.run(past.now, seconds=0.5)).steps:
            assert done.steps == 1
            steps += 1

        row = models.SealedDay.objects.get(pk=over(past)[0])
        raw, flat = (row.files.filter(name__startswith=kind).count() for kind in ("raw", "touch"))
        assert raw > 1 < flat
        assert set(states().values()) == {"sealed"}
        assert steps > raw + flat

    def test_notes_what_it_wrote(self, past):
        seal(past)

        row = models.SealedDay.objects.get(pk=over(past)[0])
        made = [tick for tick in past.made if day_of(tick.at) == row.began_at]
        assert (row.ticks, row.first_tick, row.last_tick) == (len(made), made[0].id, made[-1].id)
        assert row.snapshots == sum(len(tick.universe) for tick in made)
        assert {file.name for file in row.files.all()} == files(past) == {
            "raw-000.parquet", "touch-000.parquet", "ticks.parquet", "said.json.gz",
        }  # fmt: skip
        for file in row.files.all():
            path = days.folder(row.began_at).path / file.name
            assert (file.bytes, file.sha256) == (path.stat().st_size, layout.sha256(path))

    def test_is_one_process_at_a_time(self, past):
        with lock.held(sealing.settings.PATHS.archive) as mine:
            assert mine
            assert seal(past) == sealing.Sealed(busy=True)
            assert pruning.tidy(past.now) is None
        assert not states()
        assert seal(past).days

    def test_finds_no_more_to_do_without_reading_every_tick(self, past):
        seal(past)

        with CaptureQueriesContext(connection) as asked:
            assert seal(past) == sealing.Sealed()
        assert len(asked) == len(over(past)) + 3


class TestFailing:
    """Each breaks one thing between the tables and the disk; no day may pass."""

    def refused(self, past, caplog, why: str) -> None:
        failed = over(past)[0]
        assert states()[failed] == "failed"
        assert why in models.SealedDay.objects.get(pk=failed).reason
        assert any(r.levelname == "ERROR" and why in r.message for r in caplog.records)
        (feed,) = [feed for feed in feeds() if feed.name == "archive"]
        assert (feed.state, why in feed.reason) == ("down", True)
        rows = models.Snapshot.objects.count()
        thinning.run(past.now, seconds=FOREVER)
        pruning.run(past.now + 900 * DAY, seconds=FOREVER)
        assert models.Snapshot.objects.count() == rows

    def test_a_raw_part_that_reads_back_otherwise(self, past, caplog, monkeypatch):
        read = archive.read_recording

        def damaged(path):
            for tick in read(path):
                tick.bid.flags.writeable and tick.bid.fill(1)
                yield tick if tick.id % 7 else tick.without_depth()

        monkeypatch.setattr(archive, "read_recording", damaged)
        seal(past)

        self.refused(past, caplog, "raw-000.parquet")

    def test_an_archive_with_fewer_ticks_than_the_tables(self, past, caplog, monkeypatch):
        """A part believed to reach the day's end, though its last tick is missing."""

        def believing(row, folder, number, after):
            ticks = list(sealing._stored(after, row.last_tick))
            archive.write_recording(folder.raw(number), iter(ticks[:-1]))
            sealing._keep(row, folder.raw(number).name, row.last_tick, 0, digest="believed")

        monkeypatch.setattr(sealing, "_raw", believing)
        seal(past)

        self.refused(past, caplog, "the archive")

    def test_a_touch_file_that_reads_back_otherwise(self, past, caplog, monkeypatch):
        write = touch.write

        def other(path, turned, first_markets):
            turned._held["bid_size"] += 1
            rows = write(path, turned, first_markets)
            turned._held["bid_size"] -= 1
            return rows

        monkeypatch.setattr(touch, "write", other)
        seal(past)

        self.refused(past, caplog, "does not hold what was written")

    def test_a_tick_without_its_rows(self, past, caplog):
        models.Snapshot.objects.filter(tick_id=past.made[3].id).first().delete()
        seal(past)

        self.refused(past, caplog, "lacks snapshots")

    def test_costs_other_days_nothing_and_is_tried_again(self, past, monkeypatch):
        rows = models.Snapshot.objects.filter(tick_id=past.made[3].id)
        victim = rows.values().first()
        rows.filter(market_id=victim["market_id"]).delete()
        seal(past)
        found = states()
        assert found.pop(over(past)[0]) == "failed"
        assert set(found.values()) == {"sealed"}
        assert [tick.id for tick in spans.ticks_between(over(past)[1], past.now + 1)]

        models.Snapshot.objects.create(**victim)
        sealing.run(past.now + 59 * MINUTE, seconds=FOREVER)
        assert "failed" in states().values()
        sealing.run(past.now + 60 * MINUTE, seconds=FOREVER)
        assert set(states().values()) == {"sealed"}
        assert {feed.state for feed in feeds()} == {"ok"}

    def test_too_little_disk_is_said_before_anything_is_written(self, past, caplog, monkeypatch):
        usage = SimpleNamespace(free=100 << 20)
        monkeypatch.setattr(sealing.shutil, "disk_usage", lambda path: usage)
        seal(past)

        assert files(past) == set()
        assert set(states().values()) == {"failed"}
        assert "MB of free disk for its next file and has 100 MB" in caplog.text
        usage.free = 1 << 40
        sealing.run(past.now + 60 * MINUTE, seconds=FOREVER)
        assert set(states().values()) == {"sealed"}

    @pytest.mark.parametrize("harm", ["gone", "short", "changed"])
    def test_a_sealed_file_that_is_harmed_later_keeps_the_rows(self, past, caplog, harm):
        seal(past)
        path = days.folder(over(past)[0]).touch(0)
        blob = path.read_bytes()
        harmed = {"gone": None, "short": blob[:-1], "changed": blob[:50] + b"?" + blob[51:]}[harm]
        path.unlink()
        if harmed:
            path.write_bytes(harmed)

        row = models.SealedDay.objects.get(pk=over(past)[0])
        with pytest.raises(sealing.Unequal, match=r"touch-000\.parquet"):
            sealing.check(row)
        models.SealedDay.objects.update(thinned_to=10**6)
        pruning.run(past.now + 4 * DAY, seconds=FOREVER)
        past.world.at += 5 * DAY
        past.world.source.show(past.world.at)
        past.live(1)
        pruning.run(past.now, seconds=FOREVER)
        row.refresh_from_db()
        assert row.raw_kept
        assert "Nothing of" in caplog.text


class TestKilled:
    """kill -9 at one place after another; the next process goes on and ends where one go ends."""

    def test_while_sealing(self, past):
        self.until_done(lambda: sealing.run(past.now, seconds=FOREVER))

        assert set(states().values()) == {"sealed"}
        for row in models.SealedDay.objects.all():
            sealing.check(row)
            on_disk = {path.name for path in days.folder(row.began_at).path.iterdir()}
            assert on_disk == set(row.files.values_list("name", flat=True))
        self.whole(past)

    def test_while_thinning_and_pruning(self, past):
        sealing.run(past.now, seconds=FOREVER)
        self.until_done(lambda: thinning.run(past.now, seconds=FOREVER))
        self.whole(past)
        at = past.now + 6 * DAY
        past.world.at = at
        past.world.source.show(at)
        past.live(1)
        past.desk_follows()
        sealing.run(at, seconds=FOREVER)
        self.until_done(lambda: thinning.run(at, seconds=FOREVER))
        self.until_done(lambda: pruning.run(at, seconds=FOREVER))

        bare = models.SealedDay.objects.filter(raw_kept=False)
        assert bare
        for row in bare:
            assert not list(days.folder(row.began_at).path.glob("raw-*"))
        read = list(spans.ticks_between(0, at + DAY))
        assert [tick.id for tick in read] == [tick.id for tick in past.made]

    def until_done(self, work) -> None:
        """Run it in children that die at their first, second, ... act, until one lives through."""
        for act in range(1, 100):
            connections["default"].close()
            child = os.fork()
            if not child:
                self.die_at(act)
                work()
                os._exit(0)
            if os.waitpid(child, 0)[1] == 0:
                assert act > 3
                return
        pytest.fail("never lived through")

    def die_at(self, act: int) -> None:
        """Kill this process at its n-th write to the disk or to the database."""
        left = [act]

        def counted(real):
            def call(*args, **kwargs):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return call

        os.fsync, os.replace, os.unlink = map(counted, (os.fsync, os.replace, os.unlink))
        connections["default"].execute_wrappers.append(
            lambda execute, sql, *rest: (
                counted(execute) if sql.lstrip().startswith(("UPDATE", "DELETE", "INSERT"))
                else execute
            )(sql, *rest)
        )  # fmt: skip

    def whole(self, past: Past) -> None:
        read = list(spans.ticks_between(0, past.now + 1))
        assert len(read) == len(past.made)
        for found, made in zip(read, past.made, strict=True):
            same(found, made)


def test_two_workers_seal_a_day_once(database, monkeypatch):
    past = Past(33, monkeypatch)
    past.live(45)
    done: list[sealing.Sealed] = []

    def work() -> None:
        for _ in range(6):
            done.append(sealing.run(past.now, seconds=0.05))
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seal(past)

    assert sum(each.days for each in done) <= len(over(past))
    assert states() == dict.fromkeys(over(past), "sealed")
    for row in models.SealedDay.objects.all():
        sealing.check(row)
