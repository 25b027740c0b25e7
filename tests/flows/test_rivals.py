"""Processes that run the desk over one backlog: every tick once, no cap broken, nobody stuck."""

import random
from pathlib import Path

import pytest

from tests.databases import empty_database
from tests.flows import apart

CONFIG = """
env: demo
initial_capital: 100000
enabled_strategies: [taker]
strategies: {taker: {parameters: {tenths: 10, cooldown_minutes: 1}}}
risk_limits:
  max_drawdown: "0.9"
  daily_loss_limit: 90000
  max_capital_per_market: 400
  max_capital_per_strategy: 9000
  max_event_loss: 9000
  max_cluster_loss: 50000
  max_total_exposure: 100000
  max_orders_per_minute: 5000
collection:
  markets: 50
"""
STANDSTILL_S = 60
"""No commit by anybody for this long, or one call that takes this long, is a desk that hangs."""


def prove(tmp_path: Path, url: str, *, processes: int, intents: int) -> dict:
    seed = random.SystemRandom().randrange(10**6)
    print(f"\nseed {seed}, {processes} processes on {url.split(':')[0] or 'sqlite'}")
    arguments = (str(processes), str(intents), str(seed))

    found = apart.run(tmp_path, CONFIG, url, "tests.flows.rivals", *arguments)

    print(f"  {found}")
    assert found["errors"] == []
    assert found["faults"] == []
    assert found["intents"] >= intents
    assert sum(found["shares"]) == found["ticks"]
    assert sum(found["overtaken"]) > 0
    assert found["longest_silence"] < STANDSTILL_S
    assert found["longest_call"] < STANDSTILL_S
    assert "STRATEGY_CAP" in found["refusals"], "no cap was ever reached"
    plain = apart.run(tmp_path, CONFIG, url, "tests.flows.parity_stage", "compare")
    assert plain["equal"], plain["differing"]
    return found


def assert_nobody_starved(found: dict) -> None:
    """In a long run each of eight processes does a hundredth of the work or more."""
    assert min(found["shares"]) >= found["ticks"] // 100


def test_three_processes_and_two_thousand_intents(tmp_path):
    prove(tmp_path, "", processes=3, intents=2_000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_eight_processes_and_fifty_thousand_intents(tmp_path):
    assert_nobody_starved(prove(tmp_path, "", processes=8, intents=50_000))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_eight_processes_and_fifty_thousand_intents_on_postgresql(tmp_path, postgresql_url):
    url = empty_database(postgresql_url)

    assert_nobody_starved(prove(tmp_path, url, processes=8, intents=50_000))
