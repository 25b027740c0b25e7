"""Reader of an old `market_history.db`: prices of both sides at a time, and no books."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from markets.sources import tables
from markets.sources.foreign import Findings, Refused
from markets.sources.priced import Row, Series, series

TABLE = "market_snapshots"

NAMES: Mapping[str, tuple[str, ...]] = {
    "market": ("condition_id", "market_id", "market", "token_id", "slug", "market_slug"),
    "time": ("timestamp", "ts", "time", "at", "recorded_at", "created_at", "snapshot_time"),
    "yes": ("yes_price", "price_yes", "yes", "price"),
    "no": ("no_price", "price_no", "no"),
}
"""What a column may be called, the surest name first; `no` may be missing."""


def read(path: Path, findings: Findings) -> Series:
    """Five-minute closes of every market in the file, by the file's own key; it is not changed."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            names = _columns(database, path)
            chosen = tables.roles(names, NAMES, path, optional=("no",))
            tables.tell_unused(names, chosen, findings)
            return series(_rows(database, chosen), findings, path)
    except sqlite3.Error as error:
        raise Refused(f"{path} cannot be read as an SQLite database: {error}") from error


def _columns(database: sqlite3.Connection, path: Path) -> list[str]:
    found = [row[1] for row in database.execute(f"PRAGMA table_info({TABLE})")]
    if not found:
        listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        there = ", ".join(sorted(name for (name,) in listed)) or "none"
        raise Refused(f"{path}: there is no table {TABLE}. The tables are: {there}.")
    return found


def _rows(database: sqlite3.Connection, chosen: Mapping[str, str]) -> Iterator[Row]:
    columns = ", ".join('"' + chosen[role].replace('"', '""') + '"' for role in chosen)
    for found in database.execute(f"SELECT {columns} FROM {TABLE}"):
        row = dict(zip(chosen, found, strict=True))
        yield Row(row["market"], row["time"], row["yes"], row.get("no"))
