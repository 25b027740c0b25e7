"""Days of collection in minutes: the real stage on a local exchange, time moved by hand.

Every cycle asks over HTTP, so pools, retries, cool-downs and refusals are the real ones; only the
two clocks of the source are the soak's. One cycle in twenty begins with a fault.
"""

import gc
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from django.conf import settings

from markets import models, stages
from markets.selectors import ticks
from markets.services import collect, pruning, sealing, sources, universe
from markets.sources.polymarket import PolymarketSource
from markets.sources.transport import Transport
from tests import misbehaving
from tests.exchange import Exchange, World, faults

START = 1_790_035_200_000
"""2026-09-22 00:00 UTC."""

POLL_MS = 10_000
SYNC_EVERY = 30
DAY_MS = 86_400_000
FAULTY = 0.05
SAMPLE_EVERY = 360
REPLIES = ("status", "reset", "cut", "truncated", "html", "empty", "strange", "deep", "redirect")
KINDS = (*REPLIES, "late", "429", "refused", "partial", "crossed")


@dataclass
class Clock:
    """Both clocks of the source, and the time left over of a cycle."""

    ms: float = START

    def wall(self) -> int:
        return int(self.ms)

    def seconds(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += seconds * 1000


@dataclass
class Soaked:
    """What a soak saw.

    Memory in MB, hour by hour; `missing` counts cycles without a tick, `unrecorded` the stretches
    of them between two ticks that no row of the record of gaps covers.
    """

    cycles: int = 0
    ticks: int = 0
    failures: int = 0
    missing: int = 0
    unrecorded: int = 0
    sealed: int = 0
    rows: int = 0
    longest: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    anomalies: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        days = self.cycles * POLL_MS / DAY_MS
        grown = " ".join(f"{size:.0f}" for size in self.memory[:: max(1, len(self.memory) // 12)])
        return (
            f"{self.cycles} cycles ({days * 24:.1f} h) in {self.seconds:.0f} s: "
            f"{self.ticks} ticks, {self.failures} failed cycles, faults {dict(self.faults)}, "
            f"anomalies {dict(self.anomalies)}, memory {grown} MB, "
            f"files and sockets {min(self.handles)} to {max(self.handles)}, longest cycle "
            f"{self.longest:.1f} s of the source's clock, database "
            f"{self.sizes[-1] / max(days, 1e-9):.1f} MB a day, {self.sealed} days sealed, "
            f"{self.rows} rows of snapshots left"
        )


def soak(path: Path, *, cycles: int, seed: int, markets: int = 12) -> Soaked:
    """Run so many cycles into the migrated database at `path`; `seed` draws the faults."""
    clock, luck, found = Clock(), random.Random(seed), Soaked(cycles=cycles)
    world = World(seed=seed, markets=markets, now=clock.wall, step_ms=5_000)
    began = time.perf_counter()
    with (
        Exchange(world) as exchange,
        _errors(found.errors),
        _against(exchange, clock, path.parent / "archive"),
    ):
        for cycle in range(cycles):
            at = clock.ms = START + cycle * POLL_MS
            _mend(exchange)
            if luck.random() < FAULTY:
                found.faults[_break(exchange, clock, luck)] += 1
            if cycle % SYNC_EVERY == 0:
                universe.run(int(at))
            begun = clock.ms
            collect.run(int(at))
            found.longest = max(found.longest, (clock.ms - begun) / 1000)
            if cycle % SAMPLE_EVERY == SAMPLE_EVERY - 1 or cycle == cycles - 1:
                _sample(found, path, int(at))
    found.seconds = time.perf_counter() - began
    _count(found)
    return found


def _break(exchange: Exchange, clock: Clock, luck: random.Random) -> str:
    """Begin one fault that lasts for this cycle; its name."""
    kind = luck.choice(KINDS)
    tokens = [name for x in exchange.world.tradable() for name in (x.yes, x.no)]
    if kind in ("refused", "partial", "crossed"):
        hit = luck.sample(tokens, len(tokens) // 2 if kind == "partial" else 2)
        exchange.world.spoiled_books.update(dict.fromkeys(hit, SPOILERS[kind]))
    elif kind == "429":
        exchange.fault("/books", "status", status=429, headers={"retry-after": "7"})
    elif kind == "late":
        faults.ACTS["late"] = _late(clock)
        exchange.fault("/books", "late", times=luck.choice((1, None)))
    else:
        exchange.fault("/books", kind, times=luck.choice((1, 2, None)))
    return kind


def _late(clock: Clock) -> Callable[..., None]:
    """An answer that takes longer than the cycle may, on the clock the reader looks at."""

    def act(_: faults.Fault, request: faults.Answering, body: bytes) -> None:
        clock.sleep(5.5)
        request.answer(200, body)

    return act


def _crossed(book: dict[str, Any]) -> dict[str, Any]:
    ask = min(book["asks"], key=lambda level: float(level["price"]))
    return book | {"bids": [*book["bids"], ask], "hash": ""}


SPOILERS: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "refused": lambda book: book | {"hash": "0" * 40},
    "partial": lambda book: None,
    "crossed": _crossed,
}


def _mend(exchange: Exchange) -> None:
    exchange.mend()
    exchange.world.spoiled_books.clear()
    exchange.sizes.clear()


def _sample(found: Soaked, path: Path, at: int) -> None:
    _tidy(at)
    gc.collect()
    process = psutil.Process(os.getpid())
    found.memory.append(process.memory_info().rss / 1e6)
    found.handles.append(process.num_fds())
    found.sizes.append(sum(file.stat().st_size for file in path.parent.glob(path.name + "*")) / 1e6)


def _tidy(at: int) -> None:
    """Once a virtual hour: the desk has read everything, finished days are sealed, old rows go."""
    newest, read = stages.position(ticks.COLLECT), stages.position("desk")
    if newest > read:
        with stages.advance("desk", from_=read, to=newest):
            pass
    sealing.run(at)
    pruning.tidy(at)


def _count(found: Soaked) -> None:
    """Ticks and what lies between them, from the rows."""
    ats = list(models.Tick.objects.order_by("pk").values_list("at", flat=True))
    found.ticks, found.failures = len(ats), ticks.failures().count
    found.sealed = models.SealedDay.objects.filter(state="sealed").count()
    found.rows = models.Snapshot.objects.count()
    rows = models.Anomaly.objects.values_list("code", "count")
    for code, count in rows:
        found.anomalies[code] += count
    scheduled = [(at - START) // POLL_MS for at in ats]
    ends = [-1, *scheduled, found.cycles]
    found.missing = sum(after - before - 1 for before, after in pairwise(ends))
    found.unrecorded = _unrecorded(ats)


def _unrecorded(ats: list[int]) -> int:
    silences = set(models.Gap.objects.filter(market=None).values_list("since", "until"))
    missed = [
        (before, after)
        for before, after in pairwise(ats)
        if (after - START) // POLL_MS - (before - START) // POLL_MS > 1
    ]
    return sum(stretch not in silences for stretch in missed)


@contextmanager
def _against(exchange: Exchange, clock: Clock, archive: Path) -> Iterator[None]:
    """The configuration and the source that the services find."""
    kept, opening = getattr(settings, "PQAP", None), sources.open_source
    url, home = exchange.url, settings.PATHS
    settings.PATHS = replace(home, archive=archive)
    settings.PQAP = SimpleNamespace(
        digest="soak",
        collection=misbehaving.collection(
            markets=10,
            depth_levels=10,
            keep_raw_hours=24,
            keep_raw_days=7,
            snapshot_seconds=300,
            retention_days=90,
        ),
        exchange=SimpleNamespace(source="polymarket"),
    )
    transport = Transport(clock=clock.seconds, sleep=clock.sleep, rng=random.Random(1))
    sources.open_source = lambda *_: PolymarketSource(
        gamma_url=url, clob_url=url, data_url=url, depth=10, now=clock.wall, transport=transport
    )
    try:
        yield
    finally:
        sources.forget()
        sources.open_source, settings.PQAP, settings.PATHS = opening, kept, home
        faults.ACTS.pop("late", None)


@contextmanager
def _errors(found: list[str]) -> Iterator[None]:
    """Every message of level ERROR or above, from any logger; lesser ones are not made at all."""

    class Errors(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    handler, before = Errors(level=logging.ERROR), logging.root.manager.disable
    logging.getLogger().addHandler(handler)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.getLogger().removeHandler(handler)
