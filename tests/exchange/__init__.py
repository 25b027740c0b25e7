"""A local exchange: an HTTP server that speaks Polymarket's public API over a small moving world.

    with Exchange(World(seed=7, markets=10)) as exchange:
        source = PolymarketSource(gamma_url=exchange.url, clob_url=exchange.url, ...)

or, for a whole desk, `python -m tests.exchange --port 9911 --markets 60`.
"""

from tests.exchange.faults import Fault
from tests.exchange.server import Exchange
from tests.exchange.world import Listing, World

__all__ = ["Exchange", "Fault", "Listing", "World"]
