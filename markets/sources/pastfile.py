"""Past bars in one Parquet file: five-minute closes for statistics and training, never for fills.

A row is one bar: `market` (condition id), `at` (its close, ms UTC), `price` (YES, micro-dollars);
rows by market, then in order of time. The metadata names the file's own key of each market.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from markets.core.types import PastBar
from markets.sources.priced import Series
from markets.sources.recording import NotARecording

KEY = b"pqap_past_bars"
FORMAT = 1
SCHEMA = pa.schema(
    [("market", pa.dictionary(pa.int32(), pa.string())), ("at", pa.int64()), ("price", pa.int32())]
)


def write(path: Path, found: Series, names: Mapping[str, str]) -> int:
    """Write closes by market id to a file and return how many bars it holds.

    `names` gives the foreign key of each id. The file appears only when it is whole.
    """
    lines = ((market, found[market]) for market in sorted(found))
    rows = [(market, at, line[at]) for market, line in lines for at in sorted(line)]
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    described = json.dumps({"format": FORMAT, "names": dict(sorted(names.items()))})
    table = pa.Table.from_arrays(arrays, schema=SCHEMA.with_metadata({KEY: described}))
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pq.write_table(table, draft, compression="zstd")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return len(rows)


def read(path: Path) -> Iterator[PastBar]:
    """The bars of a file, by market, oldest first, a part of it in memory at a time."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise NotARecording(f"{path} cannot be read as a file of past bars: {error}") from error
    if json.loads((file.metadata.metadata or {}).get(KEY) or "{}").get("format") != FORMAT:
        raise NotARecording(f"{path} holds no past bars of format {FORMAT}; import it first.")
    for batch in file.iter_batches(batch_size=50_000):
        for market, at, price in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            yield PastBar(market, at, price)
