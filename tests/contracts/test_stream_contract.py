"""The stream keeps every promise of the contract suite, against the local exchange."""

from collections.abc import Iterator

import pytest

from tests.contracts import exchange
from tests.contracts.test_source_contract import *  # noqa: F403  the suite itself
from tests.contracts.test_source_contract import Case


@pytest.fixture
def case() -> Iterator[Case]:
    with exchange.opened(stream=True) as open_source:
        yield Case("stream", open_source, exchange.ATS)
