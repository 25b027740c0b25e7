"""Ticks into a file and back, exactly: what a recording holds is in `docs/recordings.md`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from markets.archive.days import written
from markets.core.tick import Tick
from markets.sources.described import Description
from markets.sources.recording import FLAGS, FORMAT, INTS, KEY, SCHEMA, NotARecording, Recording

GROUP_ROWS = 20_000
"""Rows after which a row group is closed, at the end of a tick; what a reader holds at once."""


def read_recording(path: Path) -> Iterator[Tick]:
    """The recorded ticks in order, equal to those written, column for column."""
    return Recording(path).ticks()


def write_recording(path: Path, ticks: Iterable[Tick], group_rows: int = GROUP_ROWS) -> int:
    """Write ticks (strictly increasing `at`) to a new file and return how many there were.

    The file appears under its name only when it is whole and its rows have been counted.
    """
    with written(path) as draft:
        writer = _Writer(draft, group_rows)
        with writer.file:
            for tick in ticks:
                writer.add(tick)
            writer.finish()
        _check(draft, writer.rows)
    return writer.ticks


class _Writer:
    """Gathers whole ticks into row groups, and what belongs into the metadata."""

    def __init__(self, path: Path, group_rows: int) -> None:
        self.file = pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["market"])
        self.rows = self.ticks = 0
        self._group_rows = group_rows
        self._waiting: list[Tick] = []
        self._written = 0
        self._at = -1
        self._said = Description()

    def add(self, tick: Tick) -> None:
        """Take the next tick."""
        if tick.at <= self._at:
            raise ValueError(f"tick at {tick.at} does not come after the one at {self._at}")
        if not len(tick.universe):
            raise ValueError(f"tick at {tick.at} has no markets")
        self._at = tick.at
        self._waiting.append(tick)
        self.ticks += 1
        self.rows += len(tick.universe)
        self._said.learn(tick)
        if self.rows - self._written >= self._group_rows:
            self._flush()

    def finish(self) -> None:
        """Write what is left, and the metadata."""
        self._flush()
        self.file.add_key_value_metadata({KEY: self._said.document(FORMAT)})

    def _flush(self) -> None:
        if not self._waiting:
            return
        ticks, self._waiting, self._written = self._waiting, [], self.rows
        counts = [len(tick.universe) for tick in ticks]
        columns: dict[str, Any] = {
            "id": np.repeat([tick.id for tick in ticks], counts),
            "at": np.repeat([tick.at for tick in ticks], counts),
            "universe": np.repeat([self._said.place(tick.universe) for tick in ticks], counts),
            "market": [market.id for tick in ticks for market in tick.universe.markets],
            "depth": _depths(ticks),
            "no_depth": [tick.no_depth.get(i) for tick in ticks for i in range(len(tick.universe))],
        }
        for name in (*INTS, *FLAGS):
            columns[name] = np.concatenate([getattr(tick, name) for tick in ticks])
        arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
        table = pa.Table.from_arrays(arrays, schema=SCHEMA)
        self.file.write_table(table, row_group_size=max(len(table), 1))


def _depths(ticks: Iterable[Tick]) -> list[bytes | None]:
    """Depth of each row, None where it is the one last written for that market."""
    last: dict[str, bytes] = {}
    found: list[bytes | None] = []
    for tick in ticks:
        for market, blob in zip(tick.universe.markets, tick.depth, strict=True):
            found.append(None if last.get(market.id) == blob else blob)
            last[market.id] = blob
    return found


def _check(path: Path, rows: int) -> None:
    """Raise unless the file on disk holds what was written."""
    found = pq.read_metadata(path).num_rows
    if found != rows:
        raise NotARecording(f"{path} holds {found} rows, {rows} were written; try again.")
