"""`make proof`: the desk against a local exchange for ten minutes, as a user would run it."""

import os
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from tests.exchange import Exchange, World
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]
MINUTES = float(os.environ.get("PQAP_PROOF_MINUTES", "10"))

pytestmark = pytest.mark.slow


def megabytes(processes: list[psutil.Process]) -> float:
    """Proportional memory of a family: shared pages are counted once."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def family(parent: subprocess.Popen[bytes]) -> list[psutil.Process]:
    root = psutil.Process(parent.pid)
    return [root, *root.children(recursive=True)]


def test_collects_fifty_markets_every_ten_seconds_in_flat_memory(tmp_path):
    port, log = free_port(), tmp_path / "dev.log"
    with Exchange(World(markets=80)) as exchange:
        urls = dict.fromkeys(("PQAP_GAMMA_URL", "PQAP_CLOB_URL", "PQAP_DATA_URL"), exchange.url)
        environ = {**os.environ, **urls, "PQAP_DATA": str(tmp_path / "data")}
        command = [sys.executable, "manage.py", "runpqap", "configs/dev.yaml", "--port", str(port)]
        with log.open("wb") as out:
            desk = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
        try:
            sizes, busy = watch(desk, MINUTES * 60)
            health = urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
            began = time.monotonic()
            desk.send_signal(signal.SIGINT)
            assert desk.wait(timeout=10) == 0
            stopped = time.monotonic() - began
        finally:
            desk.kill()
        calls, tokens = len(exchange.sizes), {len(call) for call in exchange.sizes}
    text = log.read_text()
    delays = tick_to_trade(text)
    ticks = len(re.findall(r"on_orderbook_update tick", text))
    early, late = statistics.median(sizes[12:24]), statistics.median(sizes[-12:])
    print(
        f"{MINUTES:g} minutes: {ticks} ticks, {calls} book requests of {tokens} tokens, "
        f"{early:.0f} MB early, {late:.0f} MB late, CPU {busy:.1%} of a core, "
        f"tick to trade p50 {delays[len(delays) // 2]:.0f} ms, "
        f"p99 {delays[len(delays) * 99 // 100]:.0f} ms, stopped in {stopped:.1f} s"
    )

    assert b'"status":"ok"' in health
    assert ticks >= MINUTES * 6 * 0.9
    assert calls <= 2 * (ticks + 3)
    assert all(100 <= size <= 500 for size in tokens)  # 50 ranked markets, and their events
    assert late < early * 1.05
    assert "database is locked" not in text
    assert "ERROR" not in text


def watch(desk: subprocess.Popen[bytes], seconds: float) -> tuple[list[float], float]:
    """Memory of the whole family every five seconds, and its CPU use after the first minute."""
    sizes, cpu = [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert desk.poll() is None
        found = family(desk)
        sizes.append(megabytes(found))
        cpu.append((time.monotonic(), sum(sum(p.cpu_times()[:2]) for p in found)))
        time.sleep(5)
    (began, before), (ended, after) = cpu[min(12, len(cpu) // 2)], cpu[-1]
    return sizes, (after - before) / (ended - began)


def tick_to_trade(text: str) -> list[float]:
    """Milliseconds from each tick's commit to the desk's, sorted, as both stages log them."""
    line = r"(\S+Z) INFO dev "
    stored = re.findall(line + r"\S+: Refreshed prices", text)
    traded = re.findall(line + r"\S+: on_orderbook_update", text)
    pairs = zip(stored, traded, strict=False)
    return sorted(
        (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds() * 1000
        for before, after in pairs
    )
