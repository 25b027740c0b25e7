"""The live adapter for the contract suite: a local exchange whose time is the asked instant."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from markets.core.types import ONE, Market
from markets.sources.polymarket import PolymarketSource
from markets.sources.stream import StreamSource
from markets.sources.transport import Transport
from tests import builders as b
from tests.exchange import Exchange, World

ATS = tuple(b.NOON + n * 600_000 for n in range(6))
RESOLVED_FROM = ATS[3]


class Instant:
    """The exchange's and the source's clock: the newest `at` asked for."""

    def __init__(self) -> None:
        self.at, self.slept = ATS[0], 0.0

    def wall(self) -> int:
        return self.at

    def seconds(self) -> float:
        return self.at / 1000 + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Followed(StreamSource):
    """A stream that follows every market it is asked to list, as its process does."""

    def markets(self, at: int) -> Sequence[Market]:
        """The listing, followed from now on."""
        if not self.listed or self.listed_at != at:
            self.listed, self.listed_at = tuple(super().markets(at)), at
            self.follow(self.listed)
        return self.listed

    listed: tuple[Market, ...] = ()
    listed_at = 0


class Scheduled:
    """A live source that lives at the instants it is asked about, as `at` promises."""

    def __init__(self, exchange: Exchange, instant: Instant, *, stream: bool = False) -> None:
        self._exchange, self._instant = exchange, instant
        rest = PolymarketSource(
            gamma_url=exchange.url,
            clob_url=exchange.url,
            data_url=exchange.url,
            now=instant.wall,
            transport=Transport(clock=instant.seconds, sleep=instant.sleep),
        )
        self._source: Any = rest
        if stream:
            self._source = Followed(rest, exchange.socket().url, depth=10, now=instant.wall)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        return self._timed(found) if callable(found) else found

    def _timed(self, method: Any) -> Any:
        def ask(*arguments: Any) -> Any:
            if arguments and isinstance(arguments[-1], int):
                self._instant.at = arguments[-1]
                if self._instant.at >= RESOLVED_FROM:
                    self._resolve()
            return method(*arguments)

        return ask

    def _resolve(self) -> None:
        listing = self._exchange.world.listings[2]
        if not listing.closed:
            self._exchange.world.end(listing, "resolved", (ONE // 2, ONE // 2))


@contextmanager
def opened(*, stream: bool = False) -> Iterator[Any]:
    """A function that opens a source on one running exchange, as often as a test likes."""
    instant = Instant()
    sources: list[Scheduled] = []
    with Exchange(World(seed=4, markets=14, now=instant.wall)) as exchange:

        def open_source(checkpoint: bytes) -> Scheduled:
            sources.append(Scheduled(exchange, instant, stream=stream))
            return sources[-1]

        try:
            yield open_source
        finally:
            for source in sources:
                source.close()
