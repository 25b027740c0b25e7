"""The kill switch holds where it cannot be read, and where the database cannot be written."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from execution import models
from execution.core.types import ChangeKind
from execution.selectors import facts
from execution.services import changes, desk, projections, restoring, stopfile
from tests.apps.execution.world import decide, go, trading
from tests.flows import parity

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def world(database, settings, tmp_path):
    settings.PATHS = replace(settings.PATHS, halt=tmp_path / "HALT", state_file=tmp_path / "s.json")
    with trading(settings, ticks=12):
        yield


def bought_after(tick: int) -> int:
    orders = models.Order.objects.filter(tick_id__gt=tick).count()
    return orders + models.Trade.objects.filter(tick_id__gt=tick, liquidity="taker").count()


class TestTheFile:
    def test_its_being_there_halts_everything_and_its_text_is_the_reason(self):
        go(3)
        stopfile.path().write_text("smoke in the server room\n")
        go(3)

        assert bought_after(3) == 0
        halt = models.HaltState.objects.get()
        assert (halt.scope, halt.reason, halt.who) == ("all", "smoke in the server room", "file")

    def test_it_is_a_change_once_so_that_a_replay_sees_it(self):
        go(3)
        stopfile.write("stop")
        go(2)
        go(2)
        desk.forget()
        go(2)

        [row] = models.Change.objects.all()
        assert (row.kind, row.scope, row.who, row.why, row.applied_tick) == (
            "halt", "all", "file", "stop", 4,
        )  # fmt: skip
        assert parity.stamped_changes()[4][0].kind is ChangeKind.HALT
        assert [news.kind for news in facts.news(3, 9)] == ["halt"]

    @pytest.mark.parametrize("text", ["", "   \n"])
    def test_an_empty_one_halts_too(self, text):
        stopfile.path().write_text(text)
        go(2)

        assert bought_after(0) == 0
        assert "HALT is there" in models.HaltState.objects.get().reason

    def test_one_that_cannot_be_read_halts_too(self):
        stopfile.path().mkdir()
        go(2)

        assert bought_after(0) == 0
        assert "cannot be read" in models.HaltState.objects.get().reason

    def test_it_wins_over_a_resume_that_left_it_there(self):
        go(2)
        stopfile.write("stop")
        go(2)
        models.Change.objects.create(
            kind="resume", scope="all", who="ann", why="x", recorded_at="2026-01-01T00:00Z"
        )
        go(3)

        assert bought_after(2) == 0

    def test_resuming_everything_takes_it_away(self):
        stopfile.write("stop")
        go(2)
        decide(ChangeKind.RESUME, "strategy:taker")
        assert stopfile.path().exists()
        decide(ChangeKind.RESUME, "all")
        go(4)

        assert not stopfile.path().exists()
        assert not models.HaltState.objects.exists()
        assert bought_after(2) > 0

    def test_it_stops_the_selling_of_a_halt_that_flattens(self):
        go(3)
        decide(ChangeKind.HALT, "all", "flatten")
        stopfile.write("not even that")
        go(3)

        assert bought_after(3) == 0
        assert models.Change.objects.count() == 2


class TestAnUnreadableState:
    def broken(self, monkeypatch, fault):
        def read(*_, **__):
            raise fault

        monkeypatch.setattr(restoring, "_overridden", read)

    @pytest.mark.parametrize("fault", [DatabaseError("no such table"), ValueError("odd")])
    def test_counts_as_killed_and_the_desk_goes_on(self, monkeypatch, fault):
        go(3)
        self.broken(monkeypatch, fault)
        desk.forget()

        assert go(3) == 3
        assert bought_after(3) == 0
        assert str(fault) in models.HaltState.objects.get(scope="all").reason

    def test_is_a_change_once(self, monkeypatch):
        self.broken(monkeypatch, DatabaseError("gone"))
        go(2)
        go(2)
        monkeypatch.undo()
        desk.forget()
        go(2)

        [row] = models.Change.objects.all()
        assert (row.kind, row.who, row.applied_tick) == ("halt", "desk", 1)
        assert bought_after(0) == 0

    def test_a_halt_of_no_known_scope_halts_everything(self):
        go(3)
        models.HaltState.objects.create(scope="planet:earth", reason="x", who="y", at=1)
        desk.forget()
        go(3)

        assert bought_after(3) == 0
        assert "'planet:earth' is no scope" in models.HaltState.objects.get().reason

    def test_a_decision_nobody_can_read_halts_everything(self):
        go(3)
        when = "2026-01-01T00:00Z"
        odd = models.Change.objects.create(kind="juggle", who="ann", why="x", recorded_at=when)
        assert go(3) == 3

        odd.refresh_from_db()
        assert odd.applied_tick == 4
        assert bought_after(3) == 0
        assert f"decision {odd.pk} cannot be read" in models.HaltState.objects.get().reason
        assert parity.stamped_changes()[4][0].kind is ChangeKind.HALT

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("deposit", "lots"), ("limit", "-1"), ("import", "{}"), ("import", "[]"), ("import", "x")],
    )
    def test_so_does_a_value_that_is_none(self, kind, value):
        models.Change.objects.create(
            kind=kind, scope="base", value=value, who="a", why="x", recorded_at="2026-01-01T00:00Z"
        )

        assert go(3) == 3
        assert models.HaltState.objects.filter(scope="all").exists()

    def test_halts_that_cannot_be_written_down_hold_all_the_same(self, monkeypatch, caplog):
        decide(ChangeKind.HALT, "all")

        def fails(*_):
            raise DatabaseError("read-only table")

        monkeypatch.setattr(projections, "_show_halts", fails)

        assert go(3) == 3
        assert bought_after(0) == 0
        assert "cannot be written down: read-only table" in caplog.text


class TestALockedDatabase:
    @pytest.fixture
    def locked(self, database):
        if database != "sqlite":
            pytest.skip("PostgreSQL locks rows, not itself")
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield other
        other.close()

    def test_halting_writes_the_file_instead_and_the_desk_heeds_it(
        self, locked, monkeypatch, capsys
    ):
        monkeypatch.setattr("execution.management.commands.halt.PATIENCE_MS", 50)
        call_command("halt", "--why", "now", "--flatten")
        told = capsys.readouterr().out

        assert "database is locked" in told
        assert "Nothing is sold yet" in told
        assert Path(stopfile.path()).read_text().endswith("now\n")
        assert not models.Change.objects.exists()

        locked.execute("ROLLBACK")
        go(3)

        assert bought_after(0) == 0
        assert models.HaltState.objects.get().reason.endswith("now")

    def test_a_halt_that_can_be_stored_writes_no_file(self, database):
        call_command("halt", "--why", "now")

        assert not stopfile.path().exists()
        assert changes.unseen()[0].kind is ChangeKind.HALT
