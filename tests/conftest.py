"""What every test shares: guarded ledgers, and nothing kept in memory from another database."""

import os
import random
import sys
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import TransactionTestCase

# Workers of one run must collect the same tests, so they share the run's seed; a run is repeated
# by setting it.
os.environ.setdefault("PQAP_TEST_SEED", str(random.SystemRandom().randrange(10**6)))

pytest_plugins = ("tests.services", "tests.databases", "tests.pasts")

WARM = (
    "execution.services.desk",
    "execution.services.statefile",
    "markets.selectors.latest",
    "markets.selectors.universes",
    "markets.selectors.ticks",
    "markets.services.collect",
    "markets.services.doors",
    "markets.services.sources",
)

_flush = TransactionTestCase._fixture_teardown


def _flush_unguarded(case: TransactionTestCase) -> None:
    """Wiping tables deletes journal entries, which the guards rightly refuse."""
    from execution.models import guards

    guarded = [connections[alias] for alias in case._databases_names(include_mirrors=False)]
    for connection in guarded:
        guards.drop(connection)
    _flush(case)
    for connection in guarded:
        guards.install(connection)


def pytest_report_header() -> str:
    """The seed behind every random choice of parameters."""
    return f"PQAP_TEST_SEED={os.environ['PQAP_TEST_SEED']}"


@pytest.fixture(autouse=True, scope="session")
def _ledger_guards_stay_on() -> Iterator[None]:
    TransactionTestCase._fixture_teardown = _flush_unguarded
    yield
    TransactionTestCase._fixture_teardown = _flush


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """Warm state belongs to one database; each test has its own, so it starts cold."""
    for name in WARM:
        if name in sys.modules:
            sys.modules[name].forget()
