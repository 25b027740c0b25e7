"""Ticks to measure on: many markets whose prices wander by a rule, the same at every run."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from markets.core import book as books
from markets.core.tick import Tick, Universe
from markets.core.types import Book, Level
from tests import builders

MARKETS = 50
LEVELS = 10
POLL_MS = 10_000
BAR_MS = 300_000
CENT = 10_000
SHARE = 1_000_000
STEPS = 90
"""Prices repeat after this many steps."""


def universe(size: int = MARKETS) -> Universe:
    """`size` markets in events of five."""
    return builders.universe(*(builders.market(f"m-{n}", event=f"e-{n // 5}") for n in range(size)))


def book(number: int, step: int, at: int) -> Book:
    """The YES book of one market at one step: ten levels a side, a cent apart."""
    bid = 40 + (number * 7 + step * (1 + number % 3)) % 30
    size = 100 + step % 7
    bids = tuple(Level((bid - n) * CENT, (size + 10 * n) * SHARE) for n in range(LEVELS))
    asks = tuple(Level((bid + 1 + n) * CENT, (size + 9 * n) * SHARE) for n in range(LEVELS))
    return Book(f"yes-{number}", bids, asks, at, at)


def read(world: Universe, step: int, at: int) -> dict[str, Book]:
    """Both tokens' books of every market, as one read of the exchange returns them."""
    yes = [book(number, step, at) for number in range(len(world))]
    mirrored = [books.mirror(b, m.no.id) for b, m in zip(yes, world.markets, strict=True)]
    return {b.token: b for b in (*yes, *mirrored)}


def tick(world: Universe, step: int, at: int) -> Tick:
    """Every book of the universe at one step."""
    found = {f"yes-{number}": book(number, step, at) for number in range(len(world))}
    return builders.tick(world, found, at=at, id=step + 1)


def stream(world: Universe, *, every: int = POLL_MS, after: int = builders.NOON) -> Iterator[Tick]:
    """Ticks without end, one each `every` ms: a fixed round of prices, stamped with new times."""
    at = after
    for known in cycle([tick(world, step, at) for step in range(STEPS)]):
        at += every
        now = np.full(len(world), at, dtype=np.int64)
        yield replace(known, at=at, observed_at=now, venue_at=now, id=at // every)
