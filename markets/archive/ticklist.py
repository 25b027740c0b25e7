"""The ticks of a sealed day, one row a tick, and what they refer to, in a file beside."""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from markets.archive.days import DayFolder, written
from markets.core.tick import Ints, Tick
from markets.sources.described import Described, Description
from markets.sources.recording import NotARecording

SCHEMA = pa.schema([("id", pa.int64()), ("at", pa.int64()), ("universe", pa.int32())])
FORMAT = 2


class TickList:
    """Gathers a day's ticks, one by one, and writes both files."""

    def __init__(self) -> None:
        self._heads: list[tuple[int, int, int]] = []
        self._said = Description()
        self.markets: set[str] = set()
        self._last: object = None

    def add(self, tick: Tick) -> None:
        """Take the next tick."""
        self._heads.append((tick.id, tick.at, self._said.place(tick.universe)))
        self._said.learn(tick)
        if tick.universe is not self._last:
            self._last = tick.universe
            self.markets.update(tick.universe.column)

    def __len__(self) -> int:
        return len(self._heads)

    def write(self, folder: DayFolder) -> None:
        """Write the day's tick list and what was said; both are read back and compared."""
        columns = zip(zip(*self._heads, strict=True), SCHEMA.types, strict=True)
        table = pa.Table.from_arrays(
            [pa.array(column, kind) for column, kind in columns],
            schema=SCHEMA,
        )
        with written(folder.ticks) as draft:
            pq.write_table(
                table, draft, compression="zstd", use_dictionary=["universe"],
                column_encoding=dict.fromkeys(("id", "at"), "DELTA_BINARY_PACKED"),
            )  # fmt: skip
        text = self._said.document(FORMAT)
        with written(folder.said) as draft:
            draft.write_bytes(gzip.compress(text.encode(), mtime=0))
        if not pq.read_table(folder.ticks).equals(table) or read_text(folder.said) != text:
            raise NotARecording(f"{folder.path} does not hold the list of ticks written there.")


@dataclass(frozen=True, slots=True)
class Heads:
    """A day's ticks: id, time (ms UTC) and place of the universe of each."""

    ids: Ints
    ats: Ints
    universes: Ints


def read_heads(path: Path) -> Heads:
    """The tick list of a day."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise NotARecording(f"{path} cannot be read: {error}") from error
    table = file.read(use_threads=False)
    found = (numbers(table[name]).astype(np.int64) for name in SCHEMA.names)
    return Heads(*found)


def numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of integers without nulls; `to_numpy` would load pandas, a quarter of a second."""
    if column.num_chunks == 1:
        return np.from_dlpack(column.chunk(0))
    parts = [np.from_dlpack(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def read_said(path: Path) -> Described:
    """Universes, outcomes, prints and past bars of a day."""
    return Described(json.loads(read_text(path)))


def read_text(path: Path) -> str:
    """The JSON text of what was said on a day."""
    try:
        return gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError, zlib.error) as error:
        raise NotARecording(f"{path} cannot be read: {error}") from error
