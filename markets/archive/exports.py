"""Ticks as tables other programs read: CSV with exact decimals, or Parquet with integers."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from markets.archive.days import written
from markets.core.assembly import COLUMNS, by_past, by_print, by_resolution
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, PastBar, Print, Resolution

BATCH_ROWS = 20_000
Row = tuple[Any, ...]


@lru_cache(maxsize=4096)
def decimal(value: int | None) -> str:
    """Micro-units as an exact decimal; None is empty."""
    if value is None:
        return ""
    whole, rest = divmod(abs(value), ONE)
    return ("-" if value < 0 else "") + f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def iso(at: int) -> str:
    """An instant (ms UTC) as ISO text; 0, the unknown time, is empty."""
    if not at:
        return ""
    text = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at % 1000:03d}Z"


def plain(value: Any) -> str:
    """A number, a text, a truth value as 1 or 0."""
    return str(int(value) if isinstance(value, bool) else value)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and type in Parquet, its name and spelling in CSV."""

    name: str
    type: pa.DataType
    csv_name: str
    spell: Callable[[Any], str]


def _micro(name: str) -> Column:
    return Column(name, pa.int64(), name, decimal)


def _time(name: str, csv_name: str) -> Column:
    return Column(name, pa.int64(), csv_name, iso)


def _text(name: str) -> Column:
    return Column(name, pa.string(), name, plain)


QUOTES = (
    _time("at", "time"),
    Column("tick", pa.int64(), "tick", plain),
    _text("market"),
    *(_micro(name) for name in ("bid", "ask", "bid_size", "ask_size")),
    _time("observed_at", "observed"),
    _time("venue_at", "changed"),
    Column("coherent", pa.bool_(), "coherent", plain),
)
PRINTS = (
    _time("learnt_at", "learnt"), _time("at", "time"), _text("market"), _text("token"),
    _text("side"), _micro("price"), _micro("size"), _text("transaction"),
)  # fmt: skip
OUTCOMES = (
    _time("learnt_at", "learnt"), _time("at", "time"), _text("market"), _text("status"),
    _micro("yes_payout"), _micro("no_payout"), _micro("yes_proposed"), _micro("no_proposed"),
)  # fmt: skip


@dataclass(slots=True)
class Exported:
    """How many ticks were read, and rows written of each kind."""

    ticks: int = 0
    quotes: int = 0
    prints: int = 0
    outcomes: int = 0


def export(
    ticks: Iterable[Tick], target: Path, *, prints: Path | None, outcomes: Path | None
) -> Exported:
    """Write ticks as rows, and what came with them to further files; .parquet or else CSV.

    The files take their names when all are whole.
    """
    done = Exported()
    with ExitStack() as open_files:
        quotes = open_files.enter_context(_sink(target, QUOTES))
        trades = open_files.enter_context(_sink(prints, PRINTS)) if prints else None
        said = open_files.enter_context(_sink(outcomes, OUTCOMES)) if outcomes else None
        for tick in ticks:
            done.ticks += 1
            done.quotes += quotes.add(_quotes(tick))
            if trades:
                done.prints += trades.add(_prints(tick))
            if said:
                done.outcomes += said.add(_outcomes(tick))
    return done


def narrowed(ticks: Iterable[Tick], markets: frozenset[str]) -> Iterator[Tick]:
    """The ticks as if only these markets had been tracked; ticks with none of them are left out."""
    last: tuple[Universe, Universe, Any] | None = None
    for tick in ticks:
        if last is None or last[0] is not tick.universe:
            last = (tick.universe, *_part(tick.universe, markets))
        _, universe, places = last
        if not len(places):
            continue
        new = {old: place for place, old in enumerate(places.tolist())}
        yield replace(
            tick,
            universe=universe,
            **{name: getattr(tick, name)[places] for name in COLUMNS},
            depth=tuple(tick.depth[place] for place in new),
            no_depth={new[at]: blob for at, blob in tick.no_depth.items() if at in new},
            resolutions=tuple(each for each in tick.resolutions if each.market in markets),
            prints=tuple(each for each in tick.prints if each.market in markets),
            past=tuple(each for each in tick.past if each.market in markets),
        )


def spaced(ticks: Iterable[Tick], every_ms: int) -> Iterator[Tick]:
    """The last tick of each interval, with what came with all of them."""
    held: Tick | None = None
    said: list[Resolution] = []
    made: list[Print] = []
    past: list[PastBar] = []
    for tick in ticks:
        if held is not None and held.at // every_ms != tick.at // every_ms:
            yield _with(held, said, made, past)
            said, made, past = [], [], []
        held = tick
        said += tick.resolutions
        made += tick.prints
        past += tick.past
    if held is not None:
        yield _with(held, said, made, past)


def _part(universe: Universe, markets: frozenset[str]) -> tuple[Universe, Any]:
    places = [place for place, each in enumerate(universe.markets) if each.id in markets]
    kept = tuple(universe.markets[place] for place in places)
    return Universe(universe.version, kept), np.array(places, dtype=np.int64)


def _with(tick: Tick, said: list[Resolution], made: list[Print], past: list[PastBar]) -> Tick:
    return replace(
        tick,
        resolutions=tuple(sorted(said, key=by_resolution)),
        prints=tuple(sorted(made, key=by_print)),
        past=tuple(sorted(past, key=by_past)),
    )


def _quotes(tick: Tick) -> Iterator[Row]:
    names = ("bid", "ask", "bid_size", "ask_size", "bid_valid", "ask_valid", "observed_at",
             "venue_at", "coherent")  # fmt: skip
    columns = (getattr(tick, name).tolist() for name in names)
    for market, *row in zip(tick.universe.markets, *columns, strict=True):
        bid, ask, bid_size, ask_size, has_bid, has_ask, observed, changed, coherent = row
        if observed:
            bids = (bid, bid_size) if has_bid else (None, None)
            asks = (ask, ask_size) if has_ask else (None, None)
            touch = (bids[0], asks[0], bids[1], asks[1])
            yield (tick.at, tick.id, market.id, *touch, observed, changed, coherent)


def _prints(tick: Tick) -> Iterator[Row]:
    for made in tick.prints:
        yield (tick.at, made.at, made.market, made.token, made.side, made.price, made.size,
               made.transaction)  # fmt: skip


def _outcomes(tick: Tick) -> Iterator[Row]:
    for said in tick.resolutions:
        paid, proposed = said.payouts or (None, None), said.proposed or (None, None)
        yield (tick.at, said.at, said.market, said.status.value, *paid, *proposed)


class _Csv:
    """Rows as text; the first line names the columns."""

    def __init__(self, draft: Path, columns: Sequence[Column]) -> None:
        self._file = draft.open("w", encoding="utf-8", newline="")
        self._out = csv.writer(self._file, lineterminator="\n")
        self._out.writerow([column.csv_name for column in columns])
        self._spell = [column.spell for column in columns]

    def add(self, rows: Iterable[Row]) -> int:
        written_rows = [
            [spell(value) for spell, value in zip(self._spell, row, strict=True)] for row in rows
        ]
        self._out.writerows(written_rows)
        return len(written_rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Rows as integers and texts, a row group at a time."""

    def __init__(self, draft: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([(column.name, column.type) for column in columns])
        self._file = pq.ParquetWriter(draft, self._schema, compression="zstd")
        self._waiting: list[Row] = []

    def add(self, rows: Iterable[Row]) -> int:
        before = len(self._waiting)
        self._waiting.extend(rows)
        added = len(self._waiting) - before
        if len(self._waiting) >= BATCH_ROWS:
            self._flush()
        return added

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            columns = zip(zip(*self._waiting, strict=True), self._schema.types, strict=True)
            arrays = [pa.array(column, kind) for column, kind in columns]
            self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self._waiting = []


@contextmanager
def _sink(path: Path, columns: Sequence[Column]) -> Iterator[_Csv | _Parquet]:
    with written(path) as draft:
        kind = _Parquet if path.suffix == ".parquet" else _Csv
        sink = kind(draft, columns)
        try:
            yield sink
        finally:
            sink.close()
