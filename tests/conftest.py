"""What every test may rely on: nothing kept in memory from a database that is gone."""

import sys

import pytest

WARM = (
    "markets.selectors.universes",
    "markets.selectors.ticks",
    "markets.services.collect",
    "markets.services.sources",
)


@pytest.fixture(autouse=True)
def _fresh_memory():
    """Warm state belongs to one database; each test has its own, so it starts cold."""
    for name in WARM:
        if name in sys.modules:
            sys.modules[name].forget()
