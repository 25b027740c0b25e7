"""Fifty minutes of collection with faults, and (`make proof`) three days of it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.databases import connected_to
from tests.flows.soak import FAULTY, Soaked, soak


def soaked(migrated: Path, tmp_path: Path, blocker: object, cycles: int) -> Soaked:
    """A soak on a fresh SQLite file; says its seed and its figures."""
    seed, path = int(os.environ["PQAP_TEST_SEED"]), tmp_path / "soak.db"
    shutil.copy(migrated, path)
    database = {"ENGINE": "pqap_site.sqlite", "NAME": path}
    with blocker.unblock(), connected_to(database):
        found = soak(path, cycles=cycles, seed=seed)
    print(f"\nseed {seed}: {found}")
    return found


def assert_nothing_is_lost(found: Soaked) -> None:
    assert found.errors == []
    assert found.ticks + found.failures == found.cycles
    assert found.missing == found.failures
    assert found.unrecorded == 0
    assert found.ticks > found.cycles * (1 - 3 * FAULTY)
    assert found.longest < 8
    assert max(found.handles) - min(found.handles) <= 3


@pytest.fixture
def hours(migrated_file, tmp_path, django_db_blocker):
    return lambda cycles: soaked(migrated_file, tmp_path, django_db_blocker, cycles)


def test_fifty_minutes_with_faults_lose_no_cycle_unrecorded(hours):
    found = hours(300)

    assert_nothing_is_lost(found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_days_with_faults_in_flat_memory(hours):
    found = hours(25_920)

    assert_nothing_is_lost(found)
    assert len(found.faults) == 14
    assert found.sealed >= 2
    assert found.rows < found.ticks * 12 * 0.8, "nothing was thinned"
    # SQLite keeps 20 MB of pages in memory: a day fills them.
    warm, late = found.memory[24], max(found.memory[-6:])
    assert late < warm * 1.05, f"{warm:.1f} MB after a day, {late:.1f} MB at the end"
