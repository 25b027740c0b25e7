"""Polymarket over HTTP: the Source behind `collection.mode: poll`."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.types import Book, Market, PricePoint, Print, Resolution
from markets.sources import transport as http
from markets.sources import wire_clob
from markets.sources.catalogue import Catalogue
from markets.sources.orderbooks import BATCH, OrderBooks
from markets.sources.outcomes import Outcomes
from markets.sources.transport import Rejected, Transport
from markets.sources.wire import Unreadable

HISTORY_MINUTES = 5
HISTORY_WINDOW_MS = 14 * 86_400_000
"""The exchange answers at most 15 days at this fidelity."""

HISTORY_SECONDS = 10.0


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
        self._clob = clob
        self.catalogue = Catalogue(self.transport, gamma, clob)
        self.orderbooks = OrderBooks(self.transport, clob, now, depth=depth, batch=batch)
        self.outcomes = Outcomes(self.transport, data, gamma)
        self.refused: Mapping[str, Anomaly] = {}

    def markets(self, at: int) -> Sequence[Market]:
        """Every market that is open and active, with its terms, highest 24-hour volume first."""
        found = sorted(self.catalogue.read(), key=lambda market: -market.volume_24h)
        self.orderbooks.learn(found)
        return found

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
        """Nothing: over HTTP trades come minutes late; the stream brings them (issue 3)."""
        return ()

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """What is known of outcomes; `at` (ms UTC) dates answers that carry no time."""
        return self.outcomes.read(markets, at)

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Past prices from `since` to `until` (ms UTC) in 5-minute steps, oldest first.

        A token the exchange does not know costs only itself; SourceDown when none was answered.
        """
        points: list[PricePoint] = []
        answered, down = False, None
        for token in tokens:
            try:
                points += self._history_of(token, since, until)
                answered = True
            except Rejected:
                answered = True
            except SourceDown as failed:
                down = failed
        if down and not answered:
            raise down
        return sorted(points, key=lambda point: (point.at, point.token))

    def checkpoint(self) -> bytes:
        """Empty: the exchange keeps its own state."""
        return b""

    def close(self) -> None:
        """Give the connections back."""
        self.transport.close()

    def _history_of(self, token: str, since: int, until: int) -> Iterator[PricePoint]:
        for start in range(since, until, HISTORY_WINDOW_MS):
            end = min(start + HISTORY_WINDOW_MS, until)
            params: dict[str, str | int] = {
                "market": token,
                "startTs": start // 1000,
                "endTs": end // 1000,
                "fidelity": HISTORY_MINUTES,
            }
            within = HISTORY_SECONDS
            body = self.transport.get(self._clob, "/prices-history", params, within=within)
            try:
                points = wire_clob.history(body, token)
            except Unreadable as e:
                raise SourceDown(f"{self._clob.url} changed its price history: {e}") from e
            yield from (point for point in points if start <= point.at < end)
