"""Touch columns of a sealed day, turned from ticks in order to markets in order.

One row group is one market's day, so that a series is read without its neighbours. Prices are
micro-dollars; sizes are counted in `unit` micro-shares, the largest that divides all of that
market's day; `age` is the tick's `at` minus `observed_at`; `venue_step` is the difference of
`venue_at` to the row above, the first row's to 0. Most of these stay the same from row to row,
which is what makes a row cost a few bytes.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from markets.archive.days import written
from markets.core import book as books
from markets.core.types import ONE
from markets.sources.recording import Block, NotARecording

SCHEMA = pa.schema(
    [
        ("market", pa.string()),
        ("tick", pa.int32()),
        ("bid", pa.int32()),
        ("ask", pa.int32()),
        ("bid_size", pa.int64()),
        ("ask_size", pa.int64()),
        ("unit", pa.int64()),
        ("flags", pa.uint8()),
        ("age", pa.int64()),
        ("venue_step", pa.int64()),
        ("no_bid", pa.int32()),
        ("no_ask", pa.int32()),
    ]
)
MARKETS, FIRST_MARKETS, ATS = b"pqap_markets", b"pqap_first_markets", b"pqap_ats"
"""Metadata: the market of each row group and the first one of each touch file of the day, both as
JSON lists; and the time of each tick, so that a series needs no other file.
"""

BID, ASK, COHERENT, SEEN, APART, NO_BID, NO_ASK = (1 << bit for bit in range(7))
"""Bits of `flags`: a bid, an ask, a coherent pair, ever observed; NO not the mirror of YES, and
then whether NO has a bid and an ask. Without APART, `no_bid` and `no_ask` are 0 and mean nothing.
"""

HELD = {
    "bid": np.int32, "ask": np.int32, "bid_size": np.int64, "ask_size": np.int64,
    "flags": np.uint8, "age": np.int64, "venue_at": np.int64, "no_bid": np.int32,
    "no_ask": np.int32,
}  # fmt: skip
"""What is kept of a market in a tick while a day is turned."""

Columns = dict[str, NDArray[Any]]


class Turned:
    """Some markets' touch columns over a day, a row a market, filled from blocks of ticks."""

    def __init__(self, markets: Sequence[str], ticks: int) -> None:
        self.markets = tuple(markets)
        self._row = {market: row for row, market in enumerate(self.markets)}
        self._held = {name: np.zeros((len(markets), ticks), kind) for name, kind in HELD.items()}
        self._here = np.zeros((len(markets), ticks), dtype=np.bool_)
        self.ats = np.zeros(ticks, dtype=np.int64)
        self._filled = 0

    def take(self, block: Block) -> None:
        """The next ticks."""
        ats = block.ats
        span = slice(self._filled, self._filled + len(ats))
        self._filled += len(ats)
        self.ats[span] = ats
        pairs = [
            (self._row[market.id], column)
            for column, market in enumerate(block.universe.markets)
            if market.id in self._row
        ]
        if not pairs:
            return
        rows, columns = np.array(pairs).T
        self._here[rows, span] = True
        for name, values in _touch(block, ats, columns).items():
            self._held[name][rows, span] = values.T

    def series(self, market: str) -> Columns:
        """One market's columns of SCHEMA, without its name."""
        row = self._row[market]
        here = np.flatnonzero(self._here[row])
        held = {name: column[row, here] for name, column in self._held.items()}
        sizes = np.concatenate([held["bid_size"], held["ask_size"]])
        unit = int(np.gcd.reduce(sizes, initial=0)) or 1
        venue = held.pop("venue_at")
        return held | {
            "tick": here.astype(np.int32),
            "bid_size": held["bid_size"] // unit,
            "ask_size": held["ask_size"] // unit,
            "unit": np.full(len(here), unit, dtype=np.int64),
            "venue_step": np.diff(venue, prepend=0),
        }


def write(path: Path, turned: Turned, first_markets: Sequence[str]) -> int:
    """Write the markets' columns, sorted by market; returns the rows. Compare them with `check`.

    `first_markets` names the first market of each touch file of the day.
    """
    rows = 0
    with written(path) as draft:
        options: Mapping[str, Any] = {
            "compression": "zstd",
            "use_dictionary": ["market", "bid", "ask", "flags", "age", "unit"],
            "column_encoding": {"tick": "DELTA_BINARY_PACKED"},
            "write_statistics": False,
            "store_schema": False,
        }
        with pq.ParquetWriter(draft, SCHEMA, **options) as file:
            for market in turned.markets:
                columns = turned.series(market)
                table = _table(market, columns)
                rows += len(table)
                file.write_table(table, row_group_size=max(len(table), 1))
            file.add_key_value_metadata(
                {
                    MARKETS: json.dumps(turned.markets),
                    FIRST_MARKETS: json.dumps(list(first_markets)),
                    ATS: pack_times(turned.ats),
                }
            )
    return rows


def check(path: Path, turned: Turned) -> None:
    """Raise NotARecording unless the file on disk holds exactly these columns."""
    file = pq.ParquetFile(path)
    names = json.loads(file.metadata.metadata[MARKETS])
    times = unpack_times(file.metadata.metadata[ATS])
    same = tuple(names) == turned.markets and np.array_equal(times, turned.ats)
    if not same or file.num_row_groups != len(names):
        raise NotARecording(f"{path} holds other markets or ticks than were written.")
    for group, market in enumerate(turned.markets):
        if not file.read_row_group(group).equals(_table(market, turned.series(market))):
            raise NotARecording(f"{path} does not hold what was written of {market}.")


def pack_times(ats: NDArray[np.int64]) -> bytes:
    """Times as text: their differences, compressed."""
    return b64encode(zlib.compress(np.diff(ats, prepend=0).tobytes()))


def unpack_times(text: bytes) -> NDArray[np.int64]:
    """The times again."""
    return np.cumsum(np.frombuffer(zlib.decompress(b64decode(text)), dtype=np.int64))


def _table(market: str, columns: Columns) -> pa.Table:
    name = pa.repeat(market, len(columns["tick"]))
    arrays = [name, *(pa.array(columns[field.name], field.type) for field in list(SCHEMA)[1:])]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _touch(block: Block, ats: NDArray[np.int64], columns: NDArray[np.int64]) -> Columns:
    """The columns of HELD for the chosen markets of a block, a row a tick."""
    found = {name: column[:, columns] for name, column in block.columns.items()}
    seen = found["observed_at"] > 0
    flags = (
        found["bid_valid"] * BID
        | found["ask_valid"] * ASK
        | found["coherent"] * COHERENT
        | seen * SEEN
    ).astype(np.uint8)
    no_bid, no_ask = np.zeros(flags.shape, np.int32), np.zeros(flags.shape, np.int32)
    blobs = block.no_depth.reshape(len(ats), -1)[:, columns]
    for tick, column in np.argwhere(np.not_equal(blobs, None)).tolist():
        bits, bid, ask = _no_touch(blobs[tick, column])
        flags[tick, column] |= bits
        no_bid[tick, column], no_ask[tick, column] = bid, ask
    return {
        **{name: found[name] for name in ("bid", "ask", "bid_size", "ask_size", "venue_at")},
        "flags": flags,
        "age": np.where(seen, ats[:, None] - found["observed_at"], 0),
        "no_bid": no_bid,
        "no_ask": no_ask,
    }


def _no_touch(blob: bytes) -> tuple[int, int, int]:
    book = books.unpack(blob, "", 0)
    bid, ask = books.best_bid(book), books.best_ask(book)
    bits = APART | (NO_BID if bid else 0) | (NO_ASK if ask else 0)
    return bits, bid.price if bid else 0, ask.price if ask else ONE
