"""A stream on a local exchange: real sockets, and one clock for both sides, moved by hand."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from markets.core.types import Book, Market
from markets.sources.stream import Pace, StreamSource
from markets.sources.transport import Transport
from tests.apps.markets.polymarket.opened import Time, against, tokens_of
from tests.exchange import Exchange, World
from tests.exchange.sockets import MarketSocket

PACE = Pace(between=0.0, first_pause=0.02, longest_pause=0.2)
"""The real times, but for those that are waited for in earnest."""


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for the other threads."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.002)


class Stage:
    """The exchange, its socket, the source on them, and the seconds that pass for all."""

    def __init__(self, exchange: Exchange, clock: Time, most_tokens: int) -> None:
        self.exchange, self.clock, self.world = exchange, clock, exchange.world
        self.socket: MarketSocket = exchange.socket(step=0.005)
        transport = Transport(clock=clock.seconds, sleep=clock.sleep)
        self.source = StreamSource(
            against(exchange.url, clock, transport=transport),
            self.socket.url,
            depth=10,
            pace=PACE,
            now=clock.wall,
            most_tokens=most_tokens,
            rng=random.Random(1),
        )
        self.markets: tuple[Market, ...] = tuple(self.source.markets(0))
        self.tokens = tokens_of(list(self.markets))
        self.asked = 0

    def begin(self) -> None:
        """Follow every market and wait for the first books."""
        self.source.follow(self.markets)
        live = [m for m in self.markets if m.terms.accepting_orders]
        until(lambda: sum(len(x.tokens) for x in self.lines()) == 2 * len(live))
        until(lambda: all(line.open for line in self.lines()))
        self.pass_on()

    def lines(self) -> list[object]:
        return list(self.source.shelf.lines.values())

    def live(self, seconds: int, each: Callable[[], None] = lambda: None) -> None:
        """Let seconds pass, one by one; every client hears what happened in each."""
        for _ in range(seconds):
            self.clock.ms += 1_000
            self.pass_on()
            each()

    def pass_on(self) -> None:
        """Wait until what the world did has been told, and what was told has been heard."""
        looks, faults = self.socket.looks, self.source.shelf.faults
        until(lambda: self.socket.looks >= looks + 2)
        heard, open_ones = faults["unknown"], set(self.socket.clients)
        marks = self.socket.mark()
        until(lambda: faults["unknown"] >= heard + marks or open_ones != set(self.socket.clients))

    def books(self) -> dict[str, Book]:
        self.asked += 1
        return dict(self.source.books(self.tokens, self.asked))

    def truth(self, token: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """A token's levels in micro-units, best first, as the exchange has them now."""
        listing = self.world.by_token(token)
        with self.world.lock:
            sides = self.world.levels(listing)
        if token == listing.no:
            bids, asks = ([(10_000 - p, s) for p, s in side] for side in (sides[1], sides[0]))
        else:
            bids, asks = sides
        return tuple([(p * 100, s * 10_000) for p, s in side] for side in (bids, asks))

    def shows(self, book: Book) -> bool:
        """Whether a book is the exchange's, as deep as it goes."""
        bids, asks = self.truth(book.token)
        held = [[(x.price, x.size) for x in side] for side in (book.bids, book.asks)]
        return held == [bids[: len(held[0])], asks[: len(held[1])]] and all(held)

    def touches(self, book: Book) -> bool:
        """Whether the best prices of a book are the exchange's."""
        bids, asks = self.truth(book.token)
        return (book.bids[0].price, book.asks[0].price) == (bids[0][0], asks[0][0])


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Twelve ordinary markets and their odd neighbours, eight tokens a line."""
    with opened(markets=12, most_tokens=8) as stage:
        yield stage


@contextmanager
def opened(*, markets: int, most_tokens: int) -> Iterator[Stage]:
    clock = Time()
    with Exchange(World(seed=4, markets=markets, now=clock.wall)) as exchange:
        stage = Stage(exchange, clock, most_tokens)
        try:
            yield stage
        finally:
            stage.source.close()
