"""`make proof`: ten minutes of streaming as a user would run it, beside what the exchange sent."""

import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.exchange import Exchange, World
from tests.flows.test_run_proof import family, megabytes
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]
MINUTES = float(os.environ.get("PQAP_PROOF_MINUTES", "10"))
SETTLE_SECONDS = 5.0

pytestmark = pytest.mark.slow


def test_streams_fifty_markets_in_flat_memory_and_misses_no_trade(tmp_path):
    port, log, config = free_port(), tmp_path / "dev.log", tmp_path / "dev.yaml"
    config.write_text("env: dev\ncollection: {mode: stream, poll_seconds: 10}\n")
    with Exchange(World(markets=80)) as exchange:
        socket = exchange.socket()
        urls = dict.fromkeys(("PQAP_GAMMA_URL", "PQAP_CLOB_URL", "PQAP_DATA_URL"), exchange.url)
        environ = {**os.environ, **urls, "PQAP_WS_URL": socket.url, "PQAP_DATA": str(tmp_path)}
        command = [sys.executable, "manage.py", "runpqap", str(config), "--port", str(port)]
        with log.open("wb") as out:
            desk = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
        try:
            sizes, busy = watch(desk, MINUTES * 60)
            socket.trade_chance = 0.0
            time.sleep(10 + SETTLE_SECONDS)
            desk.send_signal(signal.SIGINT)
            assert desk.wait(timeout=15) == 0
        finally:
            desk.kill()
        told = {(t["transaction_hash"], t["asset_id"]) for t in socket.trades}
        asked, sent = sum(map(len, exchange.sizes)), dict(socket.sent)
    text = log.read_text()
    with closing(sqlite3.connect(tmp_path / "pqap_dev.db")) as rows:
        stored = rows.execute("SELECT count(*) FROM markets_print").fetchone()[0]
        flaws = dict(rows.execute("SELECT code, count(*) FROM markets_anomaly GROUP BY code"))
    ticks = len(re.findall(r"Refreshed prices", text))
    early, late = statistics.median(sizes[12:24]), statistics.median(sizes[-12:])
    print(
        f"{MINUTES:g} minutes: {ticks} ticks, {stored} prints of {len(told)} trades told, "
        f"frames {sent}, {asked / max(ticks, 1):.0f} tokens asked for over HTTP a tick of 100, "
        f"anomalies {flaws}, stream process {early:.0f} MB early, {late:.0f} MB late, "
        f"CPU {busy:.1%} of a core"
    )

    assert ticks >= MINUTES * 6 * 0.9
    assert stored == len(told)
    assert late < early * 1.05
    assert not flaws
    assert "ERROR" not in text
    assert "database is locked" not in text


def watch(desk: subprocess.Popen[bytes], seconds: float) -> tuple[list[float], float]:
    """Memory of the stream's process every few seconds, and its CPU use since the first minute."""
    sizes, cpu = [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert desk.poll() is None
        streams = [p for p in family(desk) if "stream" in " ".join(p.cmdline())]
        if streams:
            sizes.append(megabytes(streams))
            cpu.append((time.monotonic(), sum(sum(p.cpu_times()[:2]) for p in streams)))
        time.sleep(min(5.0, seconds / 40))
    (began, before), (ended, after) = cpu[min(12, len(cpu) // 2)], cpu[-1]
    return sizes, (after - before) / (ended - began)
