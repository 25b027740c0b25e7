"""Foreign tables, Parquet or CSV: their columns by role, their times and prices made exact."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from markets.core.types import ONE, Level
from markets.sources.foreign import Findings, Refused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS, LATEST_MS = 946_684_800_000, 7_258_118_400_000
"""The years 2000 to 2200: other times are mistakes of unit or of typing."""


def read_table(path: Path) -> pa.Table:
    """The whole file; CSV when it is named so, else Parquet. Text columns of a CSV stay text."""
    try:
        if path.suffix.lower() == ".csv":
            return pa.csv.read_csv(path)
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        kind = "CSV" if path.suffix.lower() == ".csv" else "Parquet"
        raise Refused(f"{path} cannot be read as a {kind} file: {error}") from error


def roles(
    found: Sequence[str],
    names: Mapping[str, Sequence[str]],
    path: Path,
    *,
    optional: Collection[str] = (),
) -> dict[str, str]:
    """Which column plays which role: the first of a role's names that the file has.

    Refused, naming the columns there are, when a role that is not optional has none.
    """
    chosen: dict[str, str] = {}
    for role, known in names.items():
        present = [name for name in known if name in found]
        if present:
            chosen[role] = present[0]
        elif role not in optional:
            there = ", ".join(found) or "none"
            raise Refused(
                f"{path}: no column for '{role}'; it may be called {', '.join(known)}. "
                f"The columns are: {there}."
            )
    return chosen


def tell_unused(found: Iterable[str], chosen: Mapping[str, str], findings: Findings) -> None:
    """Note the columns that are not read."""
    unused = [name for name in found if name not in chosen.values()]
    if unused:
        findings.notes.append(f"Columns not read: {', '.join(unused)}.")


def rows(table: pa.Table, chosen: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Each row as role -> value, times of a timestamp column in ms UTC; a batch at a time."""
    picked = table.select(list(chosen.values())).rename_columns(list(chosen))
    for place, field in enumerate(picked.schema):
        if pa.types.is_timestamp(field.type):
            stamps = picked[field.name].cast(pa.timestamp("ms", tz=field.type.tz), safe=False)
            picked = picked.set_column(place, field.name, stamps.cast(pa.int64()))
    for batch in picked.to_batches(max_chunksize=50_000):
        yield from batch.to_pylist()


def instant(value: object) -> int | None:
    """A time in ms UTC: Unix seconds, ms, us or ns by size, or ISO text (UTC when it names no
    zone); None when it is none of these or lies outside the years 2000 to 2200."""
    if isinstance(value, str):
        value = _from_text(value.strip())
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        value = (aware - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    at = _in_ms(value) if math.isfinite(value) else 0
    return at if EARLIEST_MS <= at < LATEST_MS else None


def _in_ms(value: int | float | Decimal) -> int:
    if value < 10**11:
        return round(value * 1_000)
    if value < 10**14:
        return int(value)
    return int(value // 1_000) if value < 10**17 else int(value // 1_000_000)


def price(value: object) -> int | None:
    """Dollars a share in micro, rounded; None unless it is a number from 0 to 1."""
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return round(value * ONE) if math.isfinite(value) and 0 <= value <= 1 else None


def size(value: object) -> int | None:
    """Shares in micro, rounded down; None unless it is a positive number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = int(value * ONE) if math.isfinite(value) else 0
    return found if 0 < found < ONE * ONE * 10 else None


def level(row: Mapping[str, Any], where: str, *, time: str = "time") -> tuple[int, Level]:
    """Instant (ms UTC) and level of a row with `time`, `price` and `size`, or Refused naming the
    column; `time` is what the file calls it."""
    at, found, shares = instant(row["time"]), price(row["price"]), size(row["size"])
    if at is None:
        raise Refused(f"{where} '{time}' is {row['time']!r}; it must be a time.")
    if not found or found >= ONE:
        raise Refused(f"{where} 'price' is {row['price']!r}; it must lie between 0 and 1.")
    if shares is None:
        raise Refused(f"{where} 'size' is {row['size']!r}; it must be a number above 0.")
    return at, Level(found, shares)


def _from_text(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
