"""SQLite as PQAP uses it: the safe release, waiting writers, one file after a checkpoint."""

import sqlite3
import threading

import pytest
from django.db import DatabaseError, connections, transaction

from pqap_site.sqlite import driver
from pqap_site.sqlite.base import DatabaseWrapper

ALIAS = "trial"


@pytest.fixture
def trial(tmp_path, django_db_blocker):
    """Opens a database file of its own through our backend; every thread has its connection."""

    def use(name="trial.db", **options):
        connections.databases[ALIAS] = {
            **connections.databases["default"],
            "ENGINE": "pqap_site.sqlite",
            "NAME": str(tmp_path / name),
            "OPTIONS": options,
            "CONN_MAX_AGE": 0,
        }
        return connections[ALIAS]

    with django_db_blocker.unblock():
        yield use
        connections[ALIAS].close()
    del connections[ALIAS], connections.databases[ALIAS]


def ask(connection, sql):
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchone()[0]


@pytest.mark.parametrize(
    "version",
    [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2)],
)
def test_releases_with_the_race_are_known(version):
    assert driver.races(version)


@pytest.mark.parametrize(
    "version", [(3, 6, 23), (3, 44, 6), (3, 50, 7), (3, 50, 8), (3, 51, 3), (3, 53, 4), (4, 0, 0)]
)
def test_releases_without_the_race_are_known(version):
    assert not driver.races(version)


def test_an_affected_release_keeps_a_rollback_journal():
    assert "journal_mode=TRUNCATE" in driver.pragmas((3, 51, 2))
    assert "journal_mode=WAL" in driver.pragmas((3, 51, 3))
    for version in ((3, 51, 2), (3, 51, 3)):
        assert "synchronous=FULL" in driver.pragmas(version)


def test_the_application_itself_runs_on_this_backend():
    if connections["default"].vendor != "sqlite":
        pytest.skip("these tests run on another database")
    assert isinstance(connections.create_connection("default"), DatabaseWrapper)


def test_a_connection_has_every_setting(trial):
    connection = trial()
    affected = driver.races(sqlite3.sqlite_version_info)

    assert ask(connection, "PRAGMA journal_mode") == ("truncate" if affected else "wal")
    assert ask(connection, "PRAGMA synchronous") == 2
    assert ask(connection, "PRAGMA foreign_keys") == 1
    assert ask(connection, "PRAGMA mmap_size") == 0
    assert ask(connection, "PRAGMA busy_timeout") == 20_000


def test_the_wheel_is_used_where_it_is_installed(trial):
    wheel = pytest.importorskip("pysqlite3")

    assert ask(trial(), "SELECT sqlite_version()") == wheel.sqlite_version
    assert driver.report()["version"] == wheel.sqlite_version


def test_options_given_by_the_settings_win(trial):
    connection = trial(timeout=3)

    assert ask(connection, "PRAGMA busy_timeout") == 3000
    assert connection.settings_dict["OPTIONS"] == {"timeout": 3}


def test_writers_that_read_first_wait_for_each_other_and_lose_nothing(trial):
    with trial().cursor() as cursor:
        cursor.execute("CREATE TABLE counter (value INTEGER)")
        cursor.execute("INSERT INTO counter VALUES (0)")
    faults = []

    def add_forty():
        try:
            for _ in range(40):
                with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
                    [value] = cursor.execute("SELECT value FROM counter").fetchone()
                    cursor.execute("UPDATE counter SET value = %s", [value + 1])
        except DatabaseError as fault:
            faults.append(fault)
        finally:
            connections[ALIAS].close()

    threads = [threading.Thread(target=add_forty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert ask(connections[ALIAS], "SELECT value FROM counter") == 160


def test_after_a_checkpoint_one_file_is_the_database(trial, tmp_path):
    connection = trial()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE thing (name TEXT)")
        cursor.execute("INSERT INTO thing VALUES ('kept')")

    assert connection.checkpoint()
    alone = tmp_path / "copy.db"
    alone.write_bytes((tmp_path / "trial.db").read_bytes())

    opened = sqlite3.connect(alone)
    assert opened.execute("SELECT name FROM thing").fetchone() == ("kept",)
    opened.close()


def test_a_checkpoint_beside_a_reader_says_that_it_is_not_done(trial, tmp_path):
    connection = trial(timeout=0.1)
    if driver.races(sqlite3.sqlite_version_info):
        pytest.skip("no write-ahead log on this release")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE thing (name TEXT)")
    reader = sqlite3.connect(tmp_path / "trial.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM thing").fetchall()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO thing VALUES ('late')")

    assert not connection.checkpoint()
    reader.close()
