"""Reader of full-depth books of two-outcome games, one row a level, both tokens in one file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from markets.core.book import sort_levels
from markets.core.types import ONE, Book, Event, Level, Market, Token
from markets.sources.foreign import (
    UNPAIRED,
    Findings,
    Read,
    Refused,
    Stated,
    check_columns,
    condition_id,
    grid,
)

COLUMNS = ("market_slug", "snapshot_id", "token_id", "ts", "side", "level", "price", "size")
SIDES = ("bid", "ask")
JOIN_MS = 500
"""Two books of one market received this close together are one read of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One level of one book, in micro-units and ms."""

    slug: str
    token: str
    at: int
    side: str
    level: Level


def read(path: Path, stated: Stated, findings: Findings) -> tuple[Sequence[Market], Iterable[Read]]:
    """The games as markets, the token the file names first as YES, and their reads in order."""
    rows = _joined(_rows(path), findings)
    tokens: dict[str, list[str]] = {}
    prices: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        known = tokens.setdefault(row.slug, [])
        if row.token not in known:
            known.append(row.token)
        prices[row.slug].add(row.level.price)
    markets = [
        _market(slug, known, stated, stated.tick_size or grid(prices[slug], slug))
        for slug, known in sorted(tokens.items())
    ]
    return markets, _reads(rows, markets, findings)


def _joined(rows: Sequence[Row], findings: Findings) -> list[Row]:
    """The rows with one slug for each pair of tokens, the earliest: a token is of one market."""
    earliest: dict[str, tuple[int, str]] = {}
    for row in rows:
        found = (row.at, row.slug)
        earliest[row.token] = min(found, earliest.get(row.token, found))
    names = {(row.slug, earliest[row.token][1]) for row in rows}
    for given, taken in sorted(names):
        if given != taken:
            findings.notes.append(f"{given} has the tokens of {taken}: taken as one market.")
    return [replace(row, slug=earliest[row.token][1]) for row in rows]


def _rows(path: Path) -> list[Row]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise Refused(f"{path} cannot be read as a Parquet file: {error}") from error
    check_columns(table.column_names, COLUMNS, path)
    try:
        stamps = table["ts"].cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64())
    except pa.ArrowException as error:
        raise Refused(f"{path}: column 'ts' holds no UTC times: {error}") from error
    table = table.set_column(table.column_names.index("ts"), "ts", stamps)
    return [_row(path, number, found) for number, found in enumerate(table.to_pylist(), 1)]


def _row(path: Path, number: int, found: Mapping[str, Any]) -> Row:
    where = f"{path}: row {number}: column"
    for name in ("ts", "market_slug", "token_id"):
        if not found[name]:
            raise Refused(f"{where} '{name}' is empty.")
    if found["side"] not in SIDES:
        raise Refused(f"{where} 'side' is {found['side']!r}; it must be bid or ask.")
    for name in ("price", "size"):
        value = found[name]
        if not isinstance(value, int | float) or not 0 < value < ONE * ONE:
            raise Refused(f"{where} '{name}' is {value!r}; it must be a number above 0.")
    level = Level(round(found["price"] * ONE), round(found["size"] * ONE))
    return Row(found["market_slug"], found["token_id"], found["ts"], found["side"], level)


def _market(slug: str, tokens: Sequence[str], stated: Stated, tick_size: int) -> Market:
    if len(tokens) != 2:
        raise Refused(f"{slug}: {len(tokens)} tokens; a market has two.")
    return Market(
        id=condition_id(slug),
        slug=slug,
        question=f"{slug}: does the outcome of the file's first token win?",
        category="sports",
        event=Event(condition_id(f"event {slug}")[2:14], slug, slug),
        yes=Token(tokens[0], "Yes"),
        no=Token(tokens[1], "No"),
        terms=stated.terms(tick_size),
        tags=("sports",),
    )


def _reads(rows: Sequence[Row], markets: Sequence[Market], findings: Findings) -> Iterator[Read]:
    """Both books of a market at one instant are a read; a lone one waits for its partner."""
    pairs = {market.slug: (market.yes.id, market.no.id) for market in markets}
    by_instant: dict[int, dict[str, dict[str, list[Row]]]] = defaultdict(dict)
    for row in rows:
        books = by_instant[row.at].setdefault(row.slug, {})
        books.setdefault(row.token, []).append(row)
    waiting: dict[str, Book] = {}
    for at in sorted(by_instant):
        found: dict[str, Book] = {}
        for slug, levels in sorted(by_instant[at].items()):
            books = {token: _book(token, at, own) for token, own in levels.items()}
            held = waiting.pop(slug, None)
            if held and len(books) == 1 and _joins(held, at, books):
                books[held.token] = replace(held, observed_at=at)
            elif held:
                findings.flaws[UNPAIRED] += 1
            if set(books) == set(pairs[slug]):
                found |= books
            else:
                (waiting[slug],) = books.values()
        if found:
            yield Read(at, found)
    findings.flaws[UNPAIRED] += len(waiting)


def _joins(held: Book, at: int, books: Mapping[str, Book]) -> bool:
    return held.token not in books and at - held.venue_at <= JOIN_MS


def _book(token: str, at: int, rows: Sequence[Row]) -> Book:
    bids, asks = ([row.level for row in rows if row.side == side] for side in SIDES)
    return Book(token, sort_levels(bids, bids=True), sort_levels(asks, bids=False), at, at)
