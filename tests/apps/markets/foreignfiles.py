"""Small foreign files for the importers, and the shared collection where it is present."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command

Line = dict[str, Any]


def parquet(path: Path, lines: Sequence[Line], *stamps: str) -> Path:
    """One row a line; the columns named in `stamps` become timestamps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(_table(lines, stamps), path)
    return path


def csv(path: Path, lines: Sequence[Line]) -> Path:
    pa.csv.write_csv(_table(lines, ()), path)
    return path


def _table(lines: Sequence[Line], stamps: Sequence[str]) -> pa.Table:
    columns = {name: pa.array([line[name] for line in lines]) for name in lines[0]}
    for name in stamps:
        columns[name] = columns[name].cast(pa.timestamp("ms", tz="UTC"))
    return pa.table(columns)


def database(path: Path, columns: str, rows: Sequence[tuple], table: str = "market_snapshots"):
    """An SQLite file with one table of the given columns."""
    with closing(sqlite3.connect(path)) as made, made:
        made.execute(f"CREATE TABLE {table} ({columns})")
        marks = ", ".join("?" * (columns.count(",") + 1))
        made.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return path


def imported(source: Path, format: str, *options: str) -> tuple[Path, str]:
    """The file written from a source, and what the command said."""
    out, target = StringIO(), source.with_name("imported.parquet")
    call_command(
        "importhistory", str(source), "--to", str(target), "--format", format, *options, stdout=out
    )
    return target, out.getvalue()


def shared(name: str) -> Path:
    """A file of the collection beside the project; skips the test where there is none."""
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data" / f"{name}.parquet"
        if found.is_file():
            return found
    pytest.skip("no shared/data beside the checkout")
