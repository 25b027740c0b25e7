"""`make proof`: the same demo on PostgreSQL and Redis, by two settings and nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def health(port: int) -> dict:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=3) as answer:
            return json.load(answer)
    except (OSError, urllib.error.HTTPError):
        return {}


def cursors(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT name, position FROM markets_cursor").fetchall())


def test_the_demo_runs_on_postgresql_and_redis(tmp_path, postgresql_url, redis_url):
    port, log = free_port(), tmp_path / "demo.log"
    environ = {
        **os.environ, "DATABASE_URL": postgresql_url, "BROKER_URL": redis_url,
        "PQAP_DATA": str(tmp_path / "data"),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "runpqap", "configs/demo.yaml", "--port", str(port)]
    with log.open("wb") as out:
        desk = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 240
        while health(port).get("status") != "ok":
            assert desk.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(1)
        first = cursors(postgresql_url)
        time.sleep(35)
        later = cursors(postgresql_url)
        desk.send_signal(signal.SIGINT)
        assert desk.wait(timeout=10) == 0
    finally:
        desk.kill()
    print(first, later)

    assert later["collect"] - first["collect"] >= 2
    assert later["desk"] == later["collect"]
    assert "ERROR" not in log.read_text()
    assert not list((tmp_path / "data").glob("*.db"))
