"""The live adapter behind the contract suite: PolymarketSource on a running local exchange."""

from collections.abc import Iterator
from contextlib import contextmanager

from markets.sources.polymarket import PolymarketSource
from tests.exchange import Exchange, World


@contextmanager
def polymarket(markets: int = 16, seed: int = 4) -> Iterator[PolymarketSource]:
    """A source over a small world that moves with the machine's clock; close is included."""
    with Exchange(World(seed=seed, markets=markets)) as exchange:
        source = PolymarketSource(
            gamma_url=exchange.url, clob_url=exchange.url, data_url=exchange.url
        )
        try:
            yield source
        finally:
            source.close()
