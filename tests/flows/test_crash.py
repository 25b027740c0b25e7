"""kill -9 anywhere between a signal and its message loses nothing and does nothing twice."""

import random
import time
from pathlib import Path

import pytest

from tests.databases import empty_database
from tests.flows import apart
from tests.flows.crash_child import WINDOWS

CONFIG = """
# The taker is forgiven its losses.
env: demo
initial_capital: 1000000
enabled_strategies: [taker, mean_reversion_v1]
risk_limits:
  max_drawdown: "0.9"
  daily_loss_limit: 900000
  max_capital_per_market: 400
  max_capital_per_strategy: 100000
  max_event_loss: 100000
  max_cluster_loss: 100000
  max_total_exposure: 100000
collection:
  markets: 8
"""


def prove(tmp_path: Path, url: str, kills: int) -> dict:
    """A campaign, the same ticks undisturbed, and the plain loop over them: all must agree."""
    seed, began = random.SystemRandom().randrange(10**6), time.perf_counter()
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    print(f"\nseed {seed}, {kills} kills on {url.split(':')[0] or 'sqlite'}")
    found = apart.run(killed, CONFIG, url, "tests.flows.crash", str(kills), str(seed), str(killed))
    taken = time.perf_counter() - began
    show(found, taken)
    assert found["faults"] == []
    arguments = ("0", str(seed), str(calm), str(found["ticks"]))
    undisturbed = apart.run(calm, CONFIG, "", "tests.flows.crash", *arguments)
    assert undisturbed["faults"] == []
    assert (killed / "facts").read_bytes() == (calm / "facts").read_bytes()
    plain = apart.run(killed, CONFIG, url, "tests.flows.parity_stage", "compare")
    assert plain["equal"], plain["differing"]
    return found


def show(found: dict, seconds: float) -> None:
    """The table of the windows, and how much there was to lose."""
    for window, count in found["kills"].items():
        print(f"  {window:32} {count:4} kills")
    rest = {name: value for name, value in found.items() if name != "kills"}
    print(f"  {rest} in {seconds:.0f} s")


def assert_covered(found: dict, *, each: int, ambiguous: int) -> None:
    """A campaign that never hits what could go wrong proves nothing."""
    assert min(found["kills"][window] for window in WINDOWS) >= each
    assert sum(found["ambiguous"].values()) >= ambiguous
    assert found["acknowledged_trades"] >= 10 * each
    assert found["repeated"] + found["perhaps"] >= each


def test_forty_kills(tmp_path):
    assert_covered(prove(tmp_path, "", 40), each=4, ambiguous=8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_hundred_kills(tmp_path):
    assert_covered(prove(tmp_path, "", 500), each=50, ambiguous=100)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_hundred_kills_on_postgresql(tmp_path, postgresql_url):
    found = prove(tmp_path, empty_database(postgresql_url), 500)

    assert_covered(found, each=50, ambiguous=100)
