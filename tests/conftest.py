"""What every test shares: a ledger whose guards stay on, and are lifted only to wipe the tables."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import TransactionTestCase

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


@pytest.fixture(autouse=True, scope="session")
def _ledger_guards_stay_on() -> Iterator[None]:
    TransactionTestCase._fixture_teardown = _flush_unguarded  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = _flush  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _cold_desk() -> Iterator[None]:
    """No warm desk, tick or source crosses from one test into the next."""
    yield
    from execution.services import desk
    from markets.selectors import ticks, universes
    from markets.services import collect, sources

    for module in (desk, collect, sources, ticks, universes):
        module.forget()
