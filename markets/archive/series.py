"""One market's touch on a sealed day, and whole days of touch as ticks without depth.

Footers that were read stay in memory for as long as the file is the same one.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from markets.archive import touch
from markets.archive.days import DayFolder
from markets.archive.ticklist import Heads, numbers, read_heads, read_said
from markets.core.tick import Flags, Ints, Tick
from markets.sources.recording import NotARecording, stretch

FILES_OPEN = 200
BLOCK_ROWS = 4_000_000
"""Rows (markets x ticks) turned at a time when a day of touch is read as ticks."""


@dataclass(frozen=True, slots=True)
class Series:
    """One market's ticks on one day: times (ms UTC), the named touch columns, and `flags`."""

    ats: Ints
    columns: dict[str, Ints]

    def has(self, bit: int) -> Flags:
        """Where a bit of `flags` (see `markets.archive.touch`) is set."""
        return (self.columns["flags"] & bit) > 0


def series(folder: DayFolder, market: str, names: Sequence[str] = ("bid", "ask")) -> Series | None:
    """Touch columns of a market on a day; None when it was not tracked then."""
    opened = _opened(folder.touch(0))
    number = bisect_right(opened.first_markets, market) - 1
    if number > 0:
        opened = _opened(folder.touch(number))
    group = opened.groups.get(market)
    if group is None:
        return None
    found = _read(opened.file, group, ["tick", *names, "flags"])
    ticks = found.pop("tick")
    whole = len(ticks) == len(opened.ats)
    return Series(opened.ats if whole else opened.ats[ticks], found)


def ticks(folder: DayFolder, since: int, until: int) -> Iterator[Tick]:
    """The day's ticks with `since` <= at < `until`: every touch column, every fact, no depth."""
    known, said = read_heads(folder.ticks), read_said(folder.said)
    begin, end = (int(place) for place in np.searchsorted(known.ats, [since, until]))
    widest = max((len(each) for each in said.universes), default=1)
    step = max(BLOCK_ROWS // max(widest, 1), 1)
    for start in range(begin, end, step):
        block = _Block(folder, known, start, min(start + step, end))
        for place, first, last in _runs(known.universes[start : block.stop], start):
            universe = said.universes[place]
            columns = block.columns([m.id for m in universe.markets], first, last)
            ids, ats = known.ids[first:last], known.ats[first:last]
            yield from stretch(universe, ids, ats, columns, None, said)


class _Block:
    """Every market's columns for the ticks from `start` to `stop`, by place in the day."""

    def __init__(self, folder: DayFolder, known: Heads, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        self._row: dict[str, int] = {}
        parts: list[dict[str, Ints]] = []
        for number in range(len(_opened(folder.touch(0)).first_markets)):
            opened = _opened(folder.touch(number))
            for market, group in opened.groups.items():
                self._row[market] = len(parts)
                parts.append(self._part(_read(opened.file, group, _ALL), known))
        names = parts[0] if parts else ()
        self._held = {name: np.stack([part[name] for part in parts]) for name in names}

    def columns(self, markets: Sequence[str], first: int, last: int) -> dict[str, Ints]:
        """Matrices (ticks x markets) of a tick's columns."""
        rows = np.array([self._row[market] for market in markets])
        span = slice(first - self.start, last - self.start)
        return {name: np.ascontiguousarray(held[rows, span].T) for name, held in self._held.items()}

    def _part(self, found: dict[str, Ints], known: Heads) -> dict[str, Ints]:
        """A market's columns at all ticks of the block, as a Tick names them."""
        place, flags, unit = found["tick"], found["flags"], found["unit"]
        seen = (flags & touch.SEEN) > 0
        values = {
            "bid": found["bid"],
            "ask": found["ask"],
            "bid_size": found["bid_size"] * unit,
            "ask_size": found["ask_size"] * unit,
            "observed_at": np.where(seen, known.ats[place] - found["age"], 0),
            "venue_at": np.cumsum(found["venue_step"]),
            "bid_valid": (flags & touch.BID) > 0,
            "ask_valid": (flags & touch.ASK) > 0,
            "coherent": (flags & touch.COHERENT) > 0,
        }
        inside = (place >= self.start) & (place < self.stop)
        here = place[inside] - self.start
        full = {}
        for name, column in values.items():
            kind = np.bool_ if column.dtype == np.bool_ else np.int64
            full[name] = np.zeros(self.stop - self.start, dtype=kind)
            full[name][here] = column[inside]
        return full


_ALL = ["tick", "bid", "ask", "bid_size", "ask_size", "unit", "flags", "age", "venue_step"]


def _runs(universes: Ints, offset: int) -> Iterator[tuple[int, int, int]]:
    """(universe, first, last) of each stretch of ticks that share one."""
    edges = np.flatnonzero(np.diff(universes)) + 1
    starts = [0, *edges.tolist()]
    for first, last in zip(starts, [*starts[1:], len(universes)], strict=True):
        yield int(universes[first]), offset + first, offset + last


def _read(file: pq.ParquetFile, group: int, names: list[str]) -> dict[str, Ints]:
    table = file.read_row_group(group, columns=names, use_threads=False)
    return {name: numbers(table[name]) for name in names}


@dataclass(frozen=True, slots=True)
class _Touch:
    """An open touch file: the row group of each market, the day's times, and its other files."""

    file: pq.ParquetFile
    groups: dict[str, int]
    ats: Ints
    first_markets: list[str]


def _opened(path: Path) -> _Touch:
    """A touch file, kept open for as long as it is the same one."""
    try:
        found = path.stat()
    except OSError as error:
        raise NotARecording(f"{path} cannot be read: {error.strerror}.") from error
    return _open(str(path), found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=FILES_OPEN)
def _open(path: str, *_identity: int) -> _Touch:
    try:
        file = pq.ParquetFile(pa.OSFile(path))
    except (OSError, pa.ArrowException) as error:
        raise NotARecording(f"{path} cannot be read: {error}") from error
    said = file.metadata.metadata
    names = json.loads(said[touch.MARKETS])
    return _Touch(
        file,
        {name: group for group, name in enumerate(names)},
        touch.unpack_times(said[touch.ATS]),
        json.loads(said[touch.FIRST_MARKETS]),
    )
