"""A local exchange that stands still unless told, and a source reading it."""

from collections.abc import Iterator

import pytest

from markets.sources.polymarket import PolymarketSource
from markets.sources.transport import Transport
from tests.apps.markets.polymarket.opened import Time, against
from tests.apps.markets.polymarket.scripted import Build, Wired, build
from tests.exchange import Exchange, World


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def exchange(clock: Time) -> Iterator[Exchange]:
    with Exchange(World(seed=4, markets=16, now=clock.wall), page=5) as running:
        yield running


@pytest.fixture
def source(exchange: Exchange, clock: Time) -> Iterator[PolymarketSource]:
    transport = Transport(clock=clock.seconds, sleep=clock.sleep)
    opened = against(exchange.url, clock, transport=transport)
    yield opened
    opened.close()


@pytest.fixture
def wired() -> Iterator[Build]:
    """Builds a transport on a scripted client, any number of them."""
    made: list[Wired] = []

    def keep(*answers: object, **options: float) -> Wired:
        made.append(build(*answers, **options))
        return made[-1]

    yield keep
    for transport, _, _ in made:
        transport.close()
