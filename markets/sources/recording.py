"""Recorded ticks in one Parquet file: how they lie there, and the way back.

A row is one market in one tick, ticks in order, columns in the order of their universe. Each row
group starts with every depth written out; after that a null depth is the one above it, so any row
group can be read alone. Universes, resolutions, prints and past bars are
JSON in the file's metadata.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from markets.core.tick import Ints, Tick, Universe
from markets.core.types import Resolution
from markets.sources.described import Described

KEY = b"pqap_recording"
FORMAT = 2
"""Format 1 held no prints and no past bars, and repeated each market in each universe."""
READABLE = (1, 2)
INTS = ("bid", "ask", "bid_size", "ask_size", "observed_at", "venue_at")
FLAGS = ("bid_valid", "ask_valid", "coherent")
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("at", pa.int64()),
        ("universe", pa.int32()),
        ("market", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.int64()) for name in INTS),
        *((name, pa.bool_()) for name in FLAGS),
        ("depth", pa.binary()),
        ("no_depth", pa.binary()),
    ]
)


TOUCH = ("id", "at", "universe", *INTS, *FLAGS)
DEPTHS = ("depth", "no_depth")
"""What a tick needs of the columns, and what only its books need."""


class NotARecording(ValueError):
    """The file is missing, damaged or of another format; the text is one sentence for a person."""


class Recording:
    """An open recording: its ticks by place, and what was said of outcomes.

    One row group is kept in memory at a time; the columns of its ticks are views of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise NotARecording(f"{path} cannot be read as a recording: {error}") from error
        document = json.loads((self._file.metadata.metadata or {}).get(KEY) or "{}")
        if document.get("format") not in READABLE:
            raise NotARecording(f"{path} is no recording of format {FORMAT}; import it first.")
        self._said = Described(document)
        self.universes = self._said.universes
        self.rows = self._file.metadata.num_rows
        self._group = lru_cache(maxsize=1)(self._read_group)

    @cached_property
    def ats(self) -> Ints:
        """`at` of every tick, in order (ms UTC)."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self._group_ats])

    @cached_property
    def _group_ats(self) -> list[Ints]:
        groups = range(self._file.num_row_groups)
        reads = (self._file.read_row_group(group, columns=["at"]) for group in groups)
        return [np.unique(read["at"].to_numpy()) for read in reads]

    def tick(self, place: int) -> Tick:
        """The tick at a place of `ats`."""
        for group, ats in enumerate(self._group_ats):
            if place < len(ats):
                return self._group(group)[place]
            place -= len(ats)
        raise IndexError(place)

    def ticks(self, *, depth: bool = True) -> Iterator[Tick]:
        """All ticks in order, a row group at a time; without depth every book is empty."""
        for group in range(self._file.num_row_groups):
            yield from self._group(group) if depth else self._read_group(group, depth=False)

    def between(self, since: int, until: int, *, depth: bool = True) -> Iterator[Tick]:
        """The ticks with `since` <= at < `until`; row groups outside are not opened."""
        for group, ats in enumerate(self._group_ats):
            if ats[-1] < since or ats[0] >= until:
                continue
            for tick in self._group(group) if depth else self._read_group(group, depth=False):
                if since <= tick.at < until:
                    yield tick

    def said(self, until: int) -> list[Resolution]:
        """Every resolution attached to a tick not later than `until`."""
        found = self._said.resolutions.items()
        return [each for at, said in found if at <= until for each in said]

    def blocks(self) -> Iterator["Block"]:
        """All rows as matrices, a stretch of one universe within a row group at a time."""
        for group in range(self._file.num_row_groups):
            for known, rows in self._stretches(group, [*TOUCH, "no_depth"]):
                n = len(known)
                ats, apart = rows["at"].to_numpy()[::n], rows["no_depth"].to_numpy()
                yield Block(known, ats, matrices(rows, n), apart)

    def _read_group(self, group: int, *, depth: bool = True) -> tuple[Tick, ...]:
        last: dict[str, bytes] = {}
        found: list[Tick] = []
        for known, rows in self._stretches(group, [*TOUCH, *(DEPTHS if depth else ())]):
            n = len(known)
            held = _depths(rows, known, last) if depth else None
            ids, ats = (rows[name].to_numpy()[::n] for name in ("id", "at"))
            found += stretch(known, ids, ats, matrices(rows, n), held, self._said)
        return tuple(found)

    def _stretches(self, group: int, names: list[str]) -> Iterator[tuple[Universe, pa.Table]]:
        """Rows of one universe that follow each other."""
        table = self._file.read_row_group(group, columns=names)
        universe, start = table["universe"].to_numpy(), 0
        while start < len(universe):
            stop = _stop(universe, start)
            yield self.universes[int(universe[start])], table.slice(start, stop - start)
            start = stop


@dataclass(frozen=True, slots=True)
class Block:
    """Ticks of one universe: a matrix (ticks x markets) for each column, and NO books apart."""

    universe: Universe
    ats: Ints
    columns: Mapping[str, NDArray[Any]]
    no_depth: NDArray[np.object_]


def matrices(rows: pa.Table, n: int) -> dict[str, NDArray[Any]]:
    """The columns of ticks of `n` markets, a row a tick; views where the types allow it."""
    return {name: rows[name].to_numpy().reshape(-1, n) for name in (*INTS, *FLAGS)}


def stretch(
    known: Universe,
    ids: Ints,
    ats: Ints,
    columns: Mapping[str, NDArray[Any]],
    depths: "Depths | None",
    said: Described,
) -> Iterator[Tick]:
    """Ticks of one universe that follow each other; their columns are rows of the matrices."""
    held, apart = depths or (repeat((b"",) * len(known)), ({} for _ in ats))
    resolutions, prints, past = said.resolutions, said.prints, said.past
    rows = zip(
        ids.tolist(), ats.tolist(), held, apart, *(columns[name] for name in (*INTS, *FLAGS)),
        strict=False,
    )  # fmt: skip
    for id_, at, depth, no_depth, bid, ask, bid_size, ask_size, seen, venue, *flags in rows:
        # A frozen dataclass sets its fields one by one; at 1 M rows that is most of the time.
        tick = _new(Tick)
        _set(
            tick,
            "__dict__",
            {
                "at": at,
                "universe": known,
                "bid": bid,
                "ask": ask,
                "bid_size": bid_size,
                "ask_size": ask_size,
                "bid_valid": flags[0],
                "ask_valid": flags[1],
                "observed_at": seen,
                "venue_at": venue,
                "coherent": flags[2],
                "depth": depth,
                "no_depth": no_depth,
                "resolutions": resolutions.get(at, ()),
                "prints": prints.get(at, ()),
                "past": past.get(at, ()),
                "id": id_,
            },
        )
        yield tick


_new, _set = object.__new__, object.__setattr__

Depths = tuple[list[tuple[bytes, ...]], list[dict[int, bytes]]]
"""The depth of each tick, and the NO books kept apart."""


def _stop(universe: Ints, start: int) -> int:
    """Where the rows of the universe at `start` end."""
    other = np.flatnonzero(universe[start:] != universe[start])
    return start + int(other[0]) if len(other) else len(universe)


def _depths(rows: pa.Table, known: Universe, last: dict[str, bytes]) -> Depths:
    """Nulls filled from the row above; `last` carries depth from one universe to the next."""
    n = len(known)
    given = rows["depth"].to_numpy().reshape(-1, n)
    first, names = given[0], [market.id for market in known.markets]
    for column in np.flatnonzero(np.equal(first, None)).tolist():
        first[column] = last[names[column]]
    place = np.where(np.equal(given, None), 0, np.arange(len(given))[:, None])
    filled = given[np.maximum.accumulate(place, axis=0), np.arange(n)]
    last.update(zip(names, filled[-1], strict=True))
    return [tuple(row) for row in filled.tolist()], _apart(rows["no_depth"], len(given), n)


def _apart(column: Any, ticks: int, n: int) -> list[dict[int, bytes]]:
    found: list[dict[int, bytes]] = [{} for _ in range(ticks)]
    if column.null_count < len(column):
        blobs = column.to_numpy()
        for row in np.flatnonzero(np.not_equal(blobs, None)).tolist():
            found[row // n][row % n] = blobs[row]
    return found
