"""stream_books as a process: it makes ticks, goes when told, and goes with its supervisor."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pqap_site import lifeline
from tests.exchange import Exchange, World

BASE = Path(__file__).resolve().parents[2]
SECONDS = 60.0


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path) -> Path:
    """An environment of its own, with a database that has every table."""
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "pqap_dev.db")
    settings = "env: dev\nenabled_strategies: []\ncollection: {mode: stream, poll_seconds: 1}\n"
    (tmp_path / "dev.yaml").write_text(settings)
    return tmp_path


@contextmanager
def running(folder: Path, exchange: Exchange, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    names = ("PQAP_GAMMA_URL", "PQAP_CLOB_URL", "PQAP_DATA_URL")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PQAP_", "DATABASE"))}
    environ |= dict.fromkeys(names, exchange.url) | {"PQAP_WS_URL": exchange.socket().url}
    environ |= {"PQAP_DATA": str(folder / "data"), **more}
    command = [sys.executable, "manage.py", "stream_books", "--config", str(folder / "dev.yaml")]
    passed = (int(more[lifeline.VARIABLE]),) if more else ()
    with (folder / "output").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=BASE, env=environ, stdout=out, stderr=out, pass_fds=passed
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(folder: Path, sql: str, least: int) -> None:
    deadline = time.monotonic() + SECONDS
    with closing(sqlite3.connect(folder / "data" / "pqap_dev.db")) as rows:
        while rows.execute(sql).fetchone()[0] < least:
            assert time.monotonic() < deadline, (folder / "output").read_text()
            time.sleep(0.2)


def test_it_makes_ticks_and_prints_and_ends_in_order_when_told(folder):
    with Exchange(World(markets=12)) as exchange, running(folder, exchange) as process:
        until(folder, "SELECT count(*) FROM markets_tick", 4)
        until(folder, "SELECT count(*) FROM markets_print", 2)
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
    text = (folder / "output").read_text()
    assert "The stream is ok" in text
    assert "Traceback" not in text
    assert "ERROR" not in text


def test_it_goes_with_its_supervisor(folder):
    reading, writing = lifeline.open_pipe()
    held = {lifeline.VARIABLE: str(reading)}
    with Exchange(World(markets=6)) as exchange, running(folder, exchange, **held) as process:
        until(folder, "SELECT count(*) FROM markets_tick", 1)
        os.close(writing)

        assert process.wait(10) == 0
    os.close(reading)
