"""What the archive costs: bytes a row, series, replay; on a fresh SQLite file.

`python -m tests.bench archive`. The exchange is the simulated one (50 markets, every 10 s), whose
ticks go through the real sealing; a day is sealed once and its files stand for the other days.
"""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from markets import archive
from markets.archive import series, touch
from markets.archive.days import DAY_MS, DayFolder
from markets.archive.ticklist import TickList
from markets.core import book as books
from markets.core.assembly import assemble
from markets.core.tick import Tick, Universe, empty
from markets.core.types import Book, Level, Resolution
from markets.sources.recording import Recording
from tests import builders

POLL_MS = 10_000
DAYS = 30
RUNS = 7
BEGAN = builders.NOON // DAY_MS * DAY_MS
CENT = 10_000


def simulated(ticks: int) -> Iterator[Tick]:
    """The simulated exchange, read every ten seconds with its flaws."""
    from markets.sources.synthetic import SyntheticSource

    source, tick = SyntheticSource(seed=1, events=20), None
    markets = tuple(source.markets(BEGAN))[:50]
    world = Universe(1, markets)
    tokens = [token.id for market in markets for token in market.tokens]
    names, said = [market.id for market in markets], set[Resolution]()
    for number in range(ticks):
        at = BEGAN + (number + 1) * POLL_MS - 1_000
        made, _ = assemble(
            world, tick or empty(world), books=source.books(tokens, at), refused=source.refused,
            resolutions=set(source.resolutions(names, at)) - said, depth_levels=10,
        )  # fmt: skip
        if made is not None:
            tick = made
            said.update(tick.resolutions)
            yield tick


def invented(markets: int, ticks: int, *, active: float = 0.25) -> Iterator[Tick]:
    """Markets of which a share changes at each tick: prices wander, sizes jump in hundredths.

    Every market is confirmed at each tick, some milliseconds before it is complete.
    """
    luck = np.random.default_rng(7)
    world = builders.universe(*(builders.market(f"0x{n:064x}") for n in range(markets)))
    tick, at = empty(world), BEGAN
    bid = luck.integers(5, 90, markets) * CENT
    sizes = luck.lognormal(6, 1.5, (2, markets))
    pace = np.clip(luck.lognormal(-1, 1, markets) * active, 0, 1)
    venue = np.full(markets, at)
    flags = np.ones(markets, dtype=np.bool_)
    depth = list((b"",) * markets)
    for number in range(ticks):
        at = BEGAN + (number + 1) * POLL_MS - int(luck.integers(0, 400)) - 1
        moved = luck.random(markets) < pace
        steps = np.where(moved & (luck.random(markets) < 0.3), luck.integers(-1, 2, markets), 0)
        bid = np.clip(bid + steps * CENT, CENT, 98 * CENT)
        sizes = np.where(moved, luck.lognormal(6, 1.5, (2, markets)), sizes)
        venue = np.where(moved, at - luck.integers(20, POLL_MS, markets), venue)
        scaled = (sizes * 100).astype(np.int64) * CENT + CENT
        for index in np.flatnonzero(moved | (number == 0)).tolist():
            level = [Level(int(bid[index]), int(scaled[0, index]))]
            asks = [Level(int(bid[index]) + CENT, int(scaled[1, index]))]
            depth[index] = books.pack(Book("", tuple(level), tuple(asks), at), 10)
        seen = at - np.repeat(luck.integers(0, 300, markets // 250 + 1), 250)[:markets]
        tick = replace(
            tick, id=number + 1, at=int(seen.max()), bid=bid, ask=bid + CENT,
            bid_size=scaled[0], ask_size=scaled[1], bid_valid=flags, ask_valid=flags,
            observed_at=seen, venue_at=venue, coherent=flags, depth=tuple(depth),
        )  # fmt: skip
        yield tick


def sealed(folder: DayFolder, ticks: Iterator[Tick]) -> int:
    """The files sealing writes, without a database; returns the rows."""
    archive.write_recording(folder.raw(0), ticks)
    recording, listed = Recording(folder.raw(0)), TickList()
    rows = sum(_listed(listed, tick) for tick in recording.ticks(depth=False))
    markets = sorted(listed.markets)
    shares = [markets[start : start + 200] for start in range(0, len(markets), 200)]
    for number, share in enumerate(shares):
        turned = touch.Turned(share, len(listed))
        for block in recording.blocks():
            turned.take(block)
        touch.write(folder.touch(number), turned, [share[0] for share in shares])
    listed.write(folder)
    return rows


def _listed(listed: TickList, tick: Tick) -> int:
    listed.add(tick)
    return len(tick.universe)


def month(folder: DayFolder) -> list[DayFolder]:
    """Thirty days with the files of one, each a file of its own."""
    found = []
    for day in range(DAYS):
        copy = DayFolder(folder.archive / "month", BEGAN + day * DAY_MS)
        copy.path.mkdir(parents=True)
        for path in folder.path.glob("touch-*.parquet"):
            shutil.copy(path, copy.path / path.name)
        found.append(copy)
    return found


def sizes(folder: DayFolder, rows: int) -> Iterator[str]:
    """Bytes a row: everything that stays, each column, and the raw part."""
    kept = [path for path in folder.path.iterdir() if not path.name.startswith("raw")]
    spent: dict[str, int] = {}
    for path in folder.path.glob("touch-*"):
        footer = pq.read_metadata(path)
        for group in range(footer.num_row_groups):
            for place in range(footer.num_columns):
                chunk = footer.row_group(group).column(place)
                name = chunk.path_in_schema
                spent[name] = spent.get(name, 0) + chunk.total_compressed_size
    total = sum(path.stat().st_size for path in kept)
    raw = folder.raw(0).stat().st_size
    yield f"touch columns, all files that stay: {total / rows:.2f} bytes a row"
    yield "  " + ", ".join(f"{name} {size / rows:.2f}" for name, size in spent.items())
    yield f"raw with depth: {raw / rows:.2f} bytes a row"


def one_series(days: list[DayFolder], market: str) -> int:
    """A market's bids, asks and flags of every day; returns the rows."""
    found = [series.series(day, market) for day in days]
    return sum(len(each.ats) for each in found if each is not None)


def timed(work: Any, runs: int = RUNS) -> float:
    """The best wall time of several runs, in ms."""
    best = float("inf")
    for _ in range(runs):
        began = perf_counter()
        work()
        best = min(best, perf_counter() - began)
    return best * 1e3


COLD = """
import sys, time
from pathlib import Path
from markets.archive import series
from markets.archive.days import DayFolder
archive, market, *days = sys.argv[1:]
began = time.perf_counter()
for day in days:
    series.series(DayFolder(Path(archive), int(day)), market)
print((time.perf_counter() - began) * 1e3)
"""


def cold(days: list[DayFolder], market: str) -> float:
    """The same in a fresh process, after its imports, with the files out of the page cache; ms."""
    from markets.archive.days import leave_memory

    os.sync()
    for day in days:
        for path in day.path.iterdir():
            leave_memory(path)
    command = [sys.executable, "-c", COLD, str(days[0].archive), market]
    done = subprocess.run(
        [*command, *(str(day.began) for day in days)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def replayed(path: Path) -> tuple[int, float, float]:
    """(rows, ms without depth, ms with depth) of turning a recording into ticks."""
    rows = Recording(path).rows
    flat = timed(lambda: [None for _ in Recording(path).ticks(depth=False)], 5)
    deep = timed(lambda: [None for _ in Recording(path).ticks()], 3)
    return rows, flat, deep


def run() -> str:
    """Every figure, a line each."""
    with TemporaryDirectory(prefix="pqap-bench-") as name:
        os.environ |= {
            "PQAP_DATA": name,
            "PQAP_CONFIG": str(Path(__file__).parents[2] / "configs" / "demo.yaml"),
            "DJANGO_SETTINGS_MODULE": "pqap_site.settings",
        }
        return "\n".join([*_lines(Path(name)), *_tables()])


def _tables() -> Iterator[str]:
    """What needs the tables: sealing and thinning a day of 50 markets."""
    import django

    django.setup()
    from pqap_site import startup
    from tests.bench import tables

    logging.disable(logging.WARNING)
    startup.prepare_database()
    yield from tables.lines(invented(50, 8_640 * 3 + 10))


def _lines(root: Path) -> Iterator[str]:
    worlds = (
        ("simulated exchange, 50 markets, a day", simulated(8_640)),
        ("invented, 50 markets, a day", invented(50, 8_640)),
        ("invented, 500 markets, 2,000 ticks", invented(500, 2_000)),
    )
    for number, (title, ticks) in enumerate(worlds):
        folder = DayFolder(root / str(number), BEGAN)
        folder.path.mkdir(parents=True)
        began = perf_counter()
        rows = sealed(folder, ticks)
        yield f"{title}: {rows:,} rows, made and written in {perf_counter() - began:.1f} s"
        yield from (f"  {line}" for line in sizes(folder, rows))
        days = month(folder)
        market = next(Recording(folder.raw(0)).ticks(depth=False)).universe.markets[0].id
        got = one_series(days, market)
        warm = timed(lambda d=days, m=market: one_series(d, m))
        fresh = cold(days, market)
        yield f"  one market, {DAYS} days, {got:,} rows: {warm:.1f} ms warm, {fresh:.1f} ms cold"
        rows, flat, deep = replayed(folder.raw(0))
        yield (f"  {rows:,} rows into ticks: {flat:.0f} ms without depth "
               f"({flat / rows * 1e6:.0f} ms for 1 M), {deep:.0f} ms with depth")  # fmt: skip
        aged = timed(lambda f=folder: [None for _ in series.ticks(f, 0, 1 << 62)], 3)
        yield f"  from touch files, turned: {aged:.0f} ms ({aged / rows * 1e6:.0f} for 1 M)"
