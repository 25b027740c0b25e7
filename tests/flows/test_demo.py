"""What a newcomer's first page shows: a week traded by the same stages, nothing seeded."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def week(tmp_path: Path, hours_ago: float) -> dict:
    print(f"hours ago {hours_ago}")
    environ = {
        **os.environ, "PQAP_DATA": str(tmp_path), "PQAP_CONFIG": "configs/demo.yaml",
        "DATABASE_URL": "",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.demo_week", str(hours_ago)],
        env=environ, cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    return found


def assert_a_first_page_worth_seeing(found: dict) -> None:
    assert found["ticks"] == 2016
    assert found["equity_points"] >= 2016
    assert found["trades"].get("taker", 0) >= 20
    assert found["resolved"] >= 20
    assert found["signals"] > 0
    assert found["silences"] > 0
    assert found["dual_arb_signals"] == 0
    assert found["faults"] == []


def test_the_first_start_shows_a_week_of_trading(tmp_path):
    assert_a_first_page_worth_seeing(week(tmp_path, 0))


@pytest.mark.slow
def test_whenever_it_is_started(tmp_path):
    luck = random.Random(int(os.environ["PQAP_TEST_SEED"]))
    halted = settled = 0
    for number in range(8):
        found = week(tmp_path / str(number), round(luck.uniform(0, 300), 2))
        assert_a_first_page_worth_seeing(found)
        halted += found["halts"]
        settled += found["trades"].get("settlement", 0) > 0
    assert halted <= 1
    # Holders leave when an outcome is proposed, so a week may end without one held to the last.
    assert settled >= 2
