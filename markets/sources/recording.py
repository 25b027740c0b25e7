"""Recorded ticks in one Parquet file: how they lie there, and the way back.

A row is one market in one tick, ticks in order, columns in the order of their universe. Each row
group starts with every depth written out; after that a null depth is the one above it, so any row
group can be read alone. Universes and resolutions are JSON in the file's metadata.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from markets.core.tick import Ints, Tick, Universe
from markets.core.types import (
    Event,
    FeeSchedule,
    Market,
    Resolution,
    Status,
    Terms,
    Token,
)

KEY = b"pqap_recording"
FORMAT = 1
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


class NotARecording(ValueError):
    """The file is missing, damaged or of another format; the text is one sentence for a person."""


class Recording:
    """An open recording: its ticks by place, and what was said of outcomes.

    One row group is kept in memory at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise NotARecording(f"{path} cannot be read as a recording: {error}") from error
        described = json.loads((self._file.metadata.metadata or {}).get(KEY) or "{}")
        if described.get("format") != FORMAT:
            raise NotARecording(f"{path} is no recording of format {FORMAT}; import it first.")
        self.universes = tuple(
            Universe(each["version"], tuple(market_from(one) for one in each["markets"]))
            for each in described["universes"]
        )
        self._resolutions = {
            int(at): tuple(resolution_from(each) for each in said)
            for at, said in described["resolutions"].items()
        }
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

    def ticks(self) -> Iterator[Tick]:
        """All ticks in order, a row group at a time."""
        for group in range(self._file.num_row_groups):
            yield from self._group(group)

    def said(self, until: int) -> list[Resolution]:
        """Every resolution attached to a tick not later than `until`."""
        return [each for at, said in self._resolutions.items() if at <= until for each in said]

    def _read_group(self, group: int) -> tuple[Tick, ...]:
        table = self._file.read_row_group(group)
        at = table["at"].to_numpy()
        starts = np.flatnonzero(np.diff(at, prepend=at[0] - 1)).tolist()
        columns = {name: table[name].to_numpy() for name in ("id", "universe", *INTS, *FLAGS)}
        depth, apart = table["depth"].to_pylist(), table["no_depth"].to_pylist()
        last: dict[str, bytes] = {}
        return tuple(
            self._tick(int(at[start]), slice(start, end), columns, depth, apart, last)
            for start, end in zip(starts, [*starts[1:], len(at)], strict=True)
        )

    def _tick(
        self,
        at: int,
        rows: slice,
        columns: Mapping[str, Any],
        depth: list[bytes | None],
        apart: list[bytes | None],
        last: dict[str, bytes],
    ) -> Tick:
        universe = self.universes[int(columns["universe"][rows.start])]
        for market, blob in zip(universe.markets, depth[rows], strict=True):
            if blob is not None:
                last[market.id] = blob
        return Tick(
            at=at,
            universe=universe,
            **{name: np.ascontiguousarray(columns[name][rows]) for name in (*INTS, *FLAGS)},
            depth=tuple(last[market.id] for market in universe.markets),
            no_depth={i: blob for i, blob in enumerate(apart[rows]) if blob is not None},
            resolutions=self._resolutions.get(at, ()),
            id=int(columns["id"][rows.start]),
        )


def market_from(found: Mapping[str, Any]) -> Market:
    """A market from its JSON form (`dataclasses.asdict` of it)."""
    terms = dict(found["terms"])
    fee = terms.pop("fee")
    status = Status(terms.pop("status"))
    values = dict(found)
    values |= {
        "event": Event(**found["event"]),
        "yes": Token(**found["yes"]),
        "no": Token(**found["no"]),
        "terms": Terms(**terms, fee=FeeSchedule(**fee) if fee else None, status=status),
        "tags": tuple(found["tags"]),
    }
    return Market(**values)


def resolution_from(found: Mapping[str, Any]) -> Resolution:
    """A resolution from its JSON form."""
    paid = found["payouts"]
    return Resolution(
        found["market"],
        Status(found["status"]),
        found["at"],
        (paid[0], paid[1]) if paid else None,
    )
