"""Polymarket over HTTP: the Source behind `collection.mode: poll`."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from markets.core.book import Anomaly
from markets.core.ports import Listing
from markets.core.types import Book, Market, PricePoint, Print, Resolution
from markets.sources import transport as http
from markets.sources.catalogue import Catalogue
from markets.sources.doors import Door
from markets.sources.histories import Histories
from markets.sources.orderbooks import BATCH, OrderBooks
from markets.sources.outcomes import Outcomes
from markets.sources.trades import Trades
from markets.sources.transport import Transport


def wall_ms() -> int:
    """The machine's clock in ms UTC."""
    return time.time_ns() // 1_000_000


class PolymarketSource:
    """The live exchange. It ignores `at`: what it says, it says of now.

    `depth` levels a side are kept of each book (None: all). A tick of up to 250 markets costs
    one book request. `now` stamps books with the time their reply arrived.
    """

    name = "polymarket"

    def __init__(
        self,
        *,
        gamma_url: str,
        clob_url: str,
        data_url: str,
        depth: int | None = None,
        batch: int = BATCH,
        now: Callable[[], int] = wall_ms,
        transport: Transport | None = None,
    ) -> None:
        self.transport = transport or Transport()
        gamma, clob, data = http.gamma(gamma_url), http.clob(clob_url), http.data(data_url)
        self._now = now
        self.catalogue = Catalogue(self.transport, gamma, clob)
        self.orderbooks = OrderBooks(self.transport, clob, now, depth=depth, batch=batch)
        self.histories = Histories(self.transport, clob, data)
        self.outcomes = Outcomes(self.transport, data, gamma)
        self.trades = Trades(self.transport, data)
        self.refused: Mapping[str, Anomaly] = {}
        self.listing = Listing()

    def markets(self, at: int) -> Sequence[Market]:
        """Every market that is open and active, with its terms, highest 24-hour volume first."""
        found = sorted(self.catalogue.read(), key=lambda market: -market.volume_24h)
        self.listing = self.catalogue.listing
        self.orderbooks.learn(found)
        return found

    def lookup(self, names: Sequence[str], at: int) -> Sequence[Market]:
        """The markets of the given condition ids, slugs and event slugs, ended ones too."""
        return self.catalogue.lookup(names)

    def learn(self, markets: Sequence[Market]) -> None:
        """Which tokens belong to which market: a book that names another one is refused."""
        self.orderbooks.learn(markets)

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        """The books of the tokens; give both tokens of a market next to each other."""
        self.refused = {}
        found = self.orderbooks.read(tokens)
        self.refused = self.orderbooks.refused
        return found

    def prints(self, markets: Sequence[str], since: int, at: int) -> Iterable[Print]:
        """Trades made after `since` (ms UTC); they come minutes late, so let spans overlap."""
        return self.trades.read(markets, since)

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """What is known of outcomes; `at` (ms UTC) dates answers that carry no time."""
        return self.outcomes.read(markets, at)

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Past prices from `since` to `until` (ms UTC), a point a minute at most, oldest first.

        A token the exchange does not know costs only itself; SourceDown when none was answered.
        """
        return self.histories.read(tokens, since, until)

    def end_within(self, seconds: float | None) -> None:
        """Let everything asked from now on end within so many seconds together; None lifts that."""
        self.transport.end_within(seconds)

    def hold(self, until: int) -> None:
        """Ask nothing before `until` (ms UTC): another process was told to slow down."""
        self.transport.cool_down.learn((until - self._now()) / 1000)

    def doors(self) -> tuple[Door, ...]:
        """How the exchange's hosts and routes stand as far as this process asked them."""
        return self.transport.doors(self._now())

    def checkpoint(self) -> bytes:
        """Empty: the exchange keeps its own state."""
        return b""

    def close(self) -> None:
        """Give the connections back."""
        self.transport.close()
