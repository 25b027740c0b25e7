"""The project's conscience: staged workers and a plain loop give the same facts, byte for byte."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
env: demo
enabled_strategies: [taker, quoter, mean_reversion_v1, dual_arb_v1]
risk_limits:
  max_drawdown: "0.9"
  daily_loss_limit: 900
  max_capital_per_market: 40
  max_capital_per_strategy: 900
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "parity.yaml"
    config.write_text(CONFIG)
    return {
        **os.environ, "PQAP_DATA": str(tmp_path / "data"), "PQAP_CONFIG": str(config),
        "DATABASE_URL": "",
    }  # fmt: skip


def stage(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.flows.parity_stage", *arguments]


def run(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        stage(*arguments), env=environ, cwd=ROOT, capture_output=True, text=True, timeout=240
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def start(environ: dict[str, str], seed: int, log: Path) -> subprocess.Popen[bytes]:
    """A worker whose output goes to a file: an unread pipe would block it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            stage("work", str(seed)), env=environ, cwd=ROOT, stdout=out, stderr=out
        )


def work_with_kills(environ: dict[str, str], luck: random.Random, log: Path) -> int:
    """Three workers on one backlog; three times one is killed and started again."""
    workers = [start(environ, luck.randrange(10**6), log) for _ in range(3)]
    kills = 0
    deadline = time.monotonic() + 280
    time.sleep(2)
    try:
        while any(worker.poll() is None for worker in workers):
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            victim = luck.randrange(3)
            if kills < 3 and workers[victim].poll() is None:
                workers[victim].send_signal(signal.SIGKILL)
                workers[victim].wait()
                workers[victim] = start(environ, luck.randrange(10**6), log)
                kills += 1
            time.sleep(0.5 + luck.random())
        for worker in workers:
            assert worker.returncode == 0, log.read_text()[-3000:]
    finally:
        for worker in workers:
            worker.kill()
    return kills


def prove(environ: dict[str, str], recording: str, log: Path) -> dict:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    run(environ, "setup", recording)
    assert work_with_kills(environ, random.Random(seed), log) == 3
    found = json.loads(run(environ, "compare").splitlines()[-1])
    print(found)
    return found


def assert_parity(found: dict) -> None:
    assert found["equal"], found["differing"]
    assert found["past"] > 2_016
    assert found["fills"] >= 200
    assert found["makers"] > 20
    assert found["operations"] > 20
    assert found["partly"] > 0
    assert found["lapsed"] > 0
    assert found["changes"] >= 12
    assert found["suspensions"] > 0
    assert "LAPSED" in found["refusals"]


def was_halted(found: dict) -> bool:
    """Whether the halt met anything: an order on its way, or one that wanted to be made."""
    return "HALTED" in {*found["refusals"], *found["ends"]}


def test_on_synthetic_ticks(environ, tmp_path):
    assert_parity(prove(environ, "", tmp_path / "workers.log"))


def test_on_recorded_books(environ, tmp_path):
    shared = next((p / "shared/data" for p in ROOT.parents if (p / "shared/data").is_dir()), None)
    if shared is None:
        pytest.skip("the recorded MLB books are not beside this checkout")
    recording = tmp_path / "mlb.parquet"
    books = shared / "books_mlb_both_tokens.parquet"
    command = f"""manage.py importhistory {books} --to {recording} --format mlb_books
        --fee-rate 0.05 --end-date 2025-06-26T00:00:00Z --min-size 5 --tick-size 0.01"""
    done = subprocess.run(
        [sys.executable, *command.split()],
        env={**environ, "PQAP_CONFIG": "configs/demo.yaml"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    # Recorded ticks come seconds apart: a short pause is noticed, and leaves room for many fills.
    with Path(environ["PQAP_CONFIG"]).open("a") as config:
        config.write("strategies: {taker: {parameters: {cooldown_minutes: 1}}}\n")

    assert_parity(prove(environ, str(recording), tmp_path / "workers.log"))


@pytest.mark.slow
def test_on_postgresql(environ, tmp_path, postgresql_url):
    environ["DATABASE_URL"] = postgresql_url

    assert_parity(prove(environ, "", tmp_path / "workers.log"))


@pytest.mark.slow
def test_on_many_random_schedules(environ, tmp_path):
    halted = 0
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        again = {**environ, "PQAP_DATA": str(folder / "data")}

        found = prove(again, "", folder / "workers.log")
        assert_parity(found)
        halted += was_halted(found)
    assert halted
