"""A source on a local exchange, with both of its clocks moved by hand."""

from markets.core.types import Market
from markets.sources.polymarket import PolymarketSource

NOW = 1_790_000_000_000


class Time:
    """Both clocks of the source, moved by hand: a world that stands still unless told."""

    def __init__(self) -> None:
        self.ms = NOW

    def wall(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


def against(url: str, clock: Time, **options: object) -> PolymarketSource:
    return PolymarketSource(gamma_url=url, clob_url=url, data_url=url, now=clock.wall, **options)


def tokens_of(markets: list[Market]) -> list[str]:
    return [token.id for market in markets for token in market.tokens]
