"""Reader of order books with documented columns, CSV or Parquet: one row a level."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markets.core import book as books
from markets.core.types import Book, Level, Market
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

COLUMNS = ("market", "time", "outcome", "side", "price", "size")
OUTCOMES, SIDES = ("yes", "no"), ("bid", "ask")

Instant = dict[str, dict[str, dict[str, list[Level]]]]
"""Market -> outcome -> side -> levels, as one instant shows them."""


def read(path: Path, stated: Stated, findings: Findings) -> tuple[Sequence[Market], Iterable[Read]]:
    """The file's markets, and all books of one instant as one read.

    An outcome that an instant leaves out is the mirror of the other; where both are given they
    are taken as they are, torn or not.
    """
    table = tables.read_table(path)
    check_columns(table.column_names, COLUMNS, path)
    prices: dict[str, set[int]] = defaultdict(set)
    found: dict[int, Instant] = defaultdict(dict)
    for number, row in enumerate(tables.rows(table, {name: name for name in COLUMNS}), 1):
        at, level = _level(row, f"{path}: row {number}: column")
        key = str(row["market"])
        prices[key].add(level.price)
        outcomes = found[at].setdefault(key, {})
        sides = outcomes.setdefault(row["outcome"], {side: [] for side in SIDES})
        sides[row["side"]].append(level)
    if not prices:
        raise Refused(f"{path} holds no row.")
    markets = [
        foreign_market(key, "", stated, stated.tick_size or grid(prices[key], key))
        for key in sorted(prices)
    ]
    return markets, _reads(found, {market.slug: market for market in markets})


def _level(row: Mapping[str, Any], where: str) -> tuple[int, Level]:
    if row["market"] is None or row["market"] == "":
        raise Refused(f"{where} 'market' is empty.")
    for name, known in (("outcome", OUTCOMES), ("side", SIDES)):
        if row[name] not in known:
            raise Refused(f"{where} '{name}' is {row[name]!r}; it must be {' or '.join(known)}.")
    return tables.level(row, where)


def _reads(found: dict[int, Instant], markets: Mapping[str, Market]) -> Iterator[Read]:
    for at in sorted(found):
        shown: dict[str, Book] = {}
        for key, outcomes in sorted(found[at].items()):
            tokens = dict(zip(OUTCOMES, markets[key].tokens, strict=True))
            given = {name: _book(tokens[name].id, at, sides) for name, sides in outcomes.items()}
            for name, other in (OUTCOMES, OUTCOMES[::-1]):
                book = given.get(name) or books.mirror(given[other], tokens[name].id)
                shown[book.token] = book
        yield Read(at, shown)


def _book(token: str, at: int, sides: Mapping[str, list[Level]]) -> Book:
    bids = books.sort_levels(sides["bid"], bids=True)
    return Book(token, bids, books.sort_levels(sides["ask"], bids=False), at, at)
