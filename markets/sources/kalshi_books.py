"""Reader of Kalshi order books: one row a level, bids of YES and bids of NO in one book."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markets.core import book as books
from markets.core.types import ONE, Book, Level, Market
from markets.sources import tables
from markets.sources.foreign import (
    Findings,
    Read,
    Refused,
    Stated,
    check_columns,
    foreign_market,
    grid,
)

COLUMNS = ("run", "market_ticker", "ts", "side", "level", "price", "size")
READ = {"market": "market_ticker", "time": "ts", "side": "side", "price": "price", "size": "size"}
SIDES = ("yes_bid", "no_bid")

Instant = dict[str, dict[str, list[Level]]]
"""Ticker -> side -> levels, as one instant shows them."""


def read(path: Path, stated: Stated, findings: Findings) -> tuple[Sequence[Market], Iterable[Read]]:
    """The tickers as markets, and all books of one instant as one read.

    A bid for NO at p is an ask of YES at 1 - p of the same size; NO is the mirror of YES.
    """
    table = tables.read_table(path)
    check_columns(table.column_names, COLUMNS, path)
    prices: dict[str, set[int]] = defaultdict(set)
    found: dict[int, Instant] = defaultdict(dict)
    for number, row in enumerate(tables.rows(table, READ), 1):
        at, level = _level(row, f"{path}: row {number}: column")
        prices[row["market"]].add(level.price)
        sides = found[at].setdefault(row["market"], {side: [] for side in SIDES})
        sides[row["side"]].append(level)
    markets = [
        foreign_market(key, "crypto", stated, stated.tick_size or grid(prices[key], key))
        for key in sorted(prices)
    ]
    return markets, _reads(found, {market.slug: market for market in markets})


def _level(row: Mapping[str, Any], where: str) -> tuple[int, Level]:
    if not row["market"]:
        raise Refused(f"{where} 'market_ticker' is empty.")
    if row["side"] not in SIDES:
        raise Refused(f"{where} 'side' is {row['side']!r}; it must be yes_bid or no_bid.")
    return tables.level(row, where, time="ts")


def _reads(found: dict[int, Instant], markets: dict[str, Market]) -> Iterator[Read]:
    for at in sorted(found):
        shown: dict[str, Book] = {}
        for key, sides in sorted(found[at].items()):
            market = markets[key]
            asks = [Level(ONE - level.price, level.size) for level in sides["no_bid"]]
            yes = Book(
                market.yes.id,
                books.sort_levels(sides["yes_bid"], bids=True),
                books.sort_levels(asks, bids=False),
                at,
                at,
            )
            shown |= {yes.token: yes, market.no.id: books.mirror(yes, market.no.id)}
        yield Read(at, shown)
