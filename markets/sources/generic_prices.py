"""Reader of price files with documented columns, CSV or Parquet: one row a market and instant."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markets.sources import tables
from markets.sources.foreign import Findings
from markets.sources.priced import Row, Series, series

NAMES: Mapping[str, tuple[str, ...]] = {
    "market": ("market", "condition_id", "market_id", "gamma_market_id", "market_slug", "slug"),
    "time": ("time", "timestamp", "ts", "at"),
    "yes": ("yes_price", "yes", "price"),
    "no": ("no_price", "no"),
    "outcome": ("outcome",),
}
"""What a column may be called, the surest name first; `no` and `outcome` may be missing."""

OTHER_OUTCOME = "OTHER_OUTCOME"
"""Why a row was left out: its outcome is neither Yes nor No."""


def read(path: Path, findings: Findings) -> Series:
    """Five-minute closes of every market; with an `outcome` column a price is of that outcome.

    Where both outcomes have a row in one bar, the last of YES counts.
    """
    table = tables.read_table(path)
    chosen = tables.roles(table.column_names, NAMES, path, optional=("no", "outcome"))
    tables.tell_unused(table.column_names, chosen, findings)
    if "outcome" not in chosen:
        return series(_rows(tables.rows(table, chosen)), findings, path)
    return _by_outcome(tables.rows(table, chosen), findings, path)


def _rows(rows: Iterator[dict[str, Any]]) -> Iterator[Row]:
    return (Row(row["market"], row["time"], row["yes"], row.get("no")) for row in rows)


def _by_outcome(rows: Iterator[dict[str, Any]], findings: Findings, path: Path) -> Series:
    sides: dict[str, list[Row]] = {"yes": [], "no": []}
    for row in rows:
        side = str(row["outcome"]).strip().lower()
        if side not in sides:
            findings.flaws[OTHER_OUTCOME] += 1
        elif side == "yes":
            sides["yes"].append(Row(row["market"], row["time"], row["yes"]))
        else:
            sides["no"].append(Row(row["market"], row["time"], None, row["yes"]))
    given = [series(found, findings, path) for found in sides.values() if found]
    merged = given or [series([], findings, path)]
    keys = sorted({key for each in merged for key in each})
    return {key: _joined([each.get(key, {}) for each in merged]) for key in keys}


def _joined(lines: list[Mapping[int, int]]) -> Mapping[int, int]:
    """Closes of several lines in order of time; the first line that has one counts."""
    found: dict[int, int] = {}
    for line in reversed(lines):
        found |= line
    return {close: found[close] for close in sorted(found)}
