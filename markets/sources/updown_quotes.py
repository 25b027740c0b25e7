"""Reader of best prices of UP and DOWN tokens that were polled one after the other.

Nothing is repaired: a row whose two sides do not fit together becomes a pair marked incoherent, in
which both books can be seen as they were read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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

TOUCHES = ("up_best_bid", "up_best_ask", "down_best_bid", "down_best_ask")
COLUMNS = (
    "slug",
    "condition_id",
    "winner",
    "start_time",
    "end_time",
    "time_remaining",
    *TOUCHES,
    "up_bid_depth",
    "up_ask_depth",
    "down_bid_depth",
    "down_ask_depth",
    "btc_price",
    "ts",
)
READ = ("slug", "condition_id", "end_time", "ts", *TOUCHES)


def read(path: Path, stated: Stated, findings: Findings) -> tuple[Sequence[Market], Iterable[Read]]:
    """The file's markets with UP as YES, and a read for each instant.

    The file gives what rests on a whole side, not at its best price: each touch shows the
    smallest order and no more. A market ends when the file says, unless an end is stated.
    """
    table = tables.read_table(path)
    check_columns(table.column_names, COLUMNS, path)
    chosen = {name: name for name in READ}
    tables.tell_unused(table.column_names, chosen, findings)
    rows = [
        _checked(row, f"{path}: row {number}: column")
        for number, row in enumerate(tables.rows(table, chosen), 1)
    ]
    markets = _markets(rows, stated)
    return list(markets.values()), _reads(rows, markets, stated.min_size)


def _checked(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The row with its touches in micro, None where a side is empty."""
    found = dict(row)
    for name in ("slug", "condition_id"):
        if not row[name]:
            raise Refused(f"{where} '{name}' is empty.")
    for name in ("ts", "end_time"):
        if tables.instant(row[name]) is None:
            raise Refused(f"{where} '{name}' is {row[name]!r}; it must be a time.")
    for name in TOUCHES:
        given = row[name] is not None and row[name] == row[name]
        found[name] = tables.price(row[name]) if given else None
        if given and not 0 < (found[name] or 0) < ONE:
            raise Refused(f"{where} '{name}' is {row[name]!r}; it must lie between 0 and 1.")
    return found


def _markets(rows: Sequence[Mapping[str, Any]], stated: Stated) -> dict[str, Market]:
    prices: dict[str, set[int]] = {}
    heads: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = prices.setdefault(row["condition_id"], set())
        known |= {row[name] for name in TOUCHES if row[name] is not None}
        heads.setdefault(row["condition_id"], row)
    return {
        key: replace(
            foreign_market(
                key,
                "crypto",
                replace(stated, end_at=stated.end_at or int(heads[key]["end_time"])),
                stated.tick_size or grid(prices[key], key),
            ),
            slug=heads[key]["slug"],
        )
        for key in sorted(prices)
    }


def _reads(
    rows: Sequence[Mapping[str, Any]], markets: Mapping[str, Market], size: int
) -> Iterator[Read]:
    by_instant: dict[int, dict[str, Book]] = {}
    for row in rows:
        at, market = int(row["ts"]), markets[row["condition_id"]]
        for side, token in zip(("up", "down"), market.tokens, strict=True):
            bids, asks = (
                (Level(price, size),) if (price := row[f"{side}_best_{name}"]) else ()
                for name in ("bid", "ask")
            )
            by_instant.setdefault(at, {})[token.id] = Book(token.id, bids, asks, at, at)
    for at in sorted(by_instant):
        yield Read(at, by_instant[at])
