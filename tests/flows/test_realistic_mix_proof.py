"""`make proof`: the desk beside a list such as the exchange's: what is out, what is in, pins."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.exchange import Exchange, World
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0

pytestmark = pytest.mark.slow


class Desk:
    """A desk started as a user starts it, and commands given beside it."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        urls = dict.fromkeys(("PQAP_GAMMA_URL", "PQAP_CLOB_URL", "PQAP_DATA_URL"), exchange.url)
        self.environ = {**os.environ, **urls, "PQAP_DATA": str(folder / "data")}
        self.port, self.log = free_port(), folder / "dev.log"

    @contextmanager
    def running(self) -> Iterator[None]:
        command = [sys.executable, "manage.py", "runpqap", "configs/dev.yaml"]
        with self.log.open("ab") as out:
            child = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=ROOT, env=self.environ, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            self.until(lambda: self.health().get("status") == "ok")
            yield
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=30)

    def health(self) -> dict:
        try:
            reply = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5)
            return json.loads(reply.read())
        except OSError:
            return {}

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, self.log.read_text()[-3000:]
            time.sleep(1)

    def track(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", "track", *arguments, "--config", "configs/dev.yaml"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_excluded_kinds_are_out_with_counts_and_pins_need_no_restart(tmp_path):
    with Exchange(World(seed=5, markets=120, mix="realistic")) as exchange:
        desk = Desk(exchange, tmp_path)
        game = next(x for x in exchange.world.listings if x.slug.endswith("-totals"))
        with desk.running():
            before = desk.health()["markets_tracked"]
            said = desk.track()
            out = desk.track("--why", game.slug)
            desk.track(game.slug, "--because", "the final")
            desk.until(lambda: desk.health()["markets_tracked"] == before + 1)
        with desk.running():
            again = desk.health()["markets_tracked"]
            pinned = desk.track("--why", game.slug)
    print(said)

    counts = dict(reversed(line.split()) for line in re.findall(r"^ +(\d+ \w+)$", said, re.M))
    assert int(counts["live_sports"]) == 120
    assert int(counts["crypto_short"]) >= 80
    assert {"nearly_decided", "younger_than_24h", "ends_too_soon", "combos"} <= counts.keys()
    assert "Out as of" in out
    assert "NO  It is a live sports or esports market, which is excluded." in out
    assert again == before + 1
    assert f"pinned: {game.slug}." in pinned
    assert " ERROR " not in desk.log.read_text()
    assert " Traceback " not in desk.log.read_text()
