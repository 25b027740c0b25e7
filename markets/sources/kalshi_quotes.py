"""Reader of best bids of Kalshi markets in cents, one row a minute: no sizes, hence no books."""

from collections.abc import Iterator
from pathlib import Path

from markets.sources import tables
from markets.sources.foreign import Findings, check_columns
from markets.sources.priced import Row, Series, series

COLUMNS = ("event", "market_ticker", "ts", "yes_bid_cents", "no_bid_cents", "n_updates")
READ = {"market": "market_ticker", "time": "ts", "yes": "yes_bid_cents", "no": "no_bid_cents"}

ONE_SIDED, CROSSED = "ONE_SIDED", "CROSSED"
"""Why a row was left out: a side has no bid, or both bids together exceed a dollar."""


def read(path: Path, findings: Findings) -> Series:
    """The middle between the YES bid and one minus the NO bid, as five-minute closes."""
    table = tables.read_table(path)
    check_columns(table.column_names, COLUMNS, path)
    tables.tell_unused(table.column_names, READ, findings)
    return series(_rows(table, findings), findings, path)


def _rows(table: object, findings: Findings) -> Iterator[Row]:
    for row in tables.rows(table, READ):
        yes, no = row["yes"], row["no"]
        if not yes or not no:
            findings.flaws[ONE_SIDED] += 1
        elif yes + no > 100:
            findings.flaws[CROSSED] += 1
        else:
            yield Row(row["market"], row["time"], (yes + 100 - no) / 200)
