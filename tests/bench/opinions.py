"""Every strategy over 5,000 markets, its opinions journalled and stored: CPU and memory."""

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np

from markets.core.bars import BAR_MS, OpenBar
from markets.core.panel import Panel
from markets.core.tick import Tick
from strategies.core.evaluate import evaluate
from strategies.core.journal import Journal
from tests.worlds import rules
from tests.worlds.truth import Shape
from tests.worlds.world import World

ROOT = Path(__file__).resolve().parents[2]
POLL_MS = 10_000
A_BAR = BAR_MS // POLL_MS
TICKS = int(os.environ.get("TICKS", "10000"))
SHAPE = Shape(days=12, events=4_600, many=200)
WARM_BARS = 2_016


@dataclass(slots=True)
class Costs:
    """CPU seconds of each tick: the panel's, the opinions' with their journal, the storing's."""

    panel: list[float] = field(default_factory=list)
    opinions: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    closing: list[bool] = field(default_factory=list)
    refit: list[bool] = field(default_factory=list)


def figures() -> str:
    """Run TICKS ten-second ticks on a fresh SQLite file; some lines of figures."""
    with TemporaryDirectory(prefix="pqap-bench-") as folder:
        os.environ |= {
            "PQAP_DATA": folder,
            "PQAP_CONFIG": str(ROOT / "configs" / "demo.yaml"),
            "DJANGO_SETTINGS_MODULE": "pqap_site.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        told = _measured()
        connection.close()
        return told


def _measured() -> str:
    from django.db import transaction

    from strategies.services import journal as services

    bars = World(SHAPE, seed=5).ticks()
    panel, before = _warm(bars)
    strategies, journal, costs = rules.defaults(), Journal(), Costs()
    memory: list[int] = []
    for tick in _polled(before, bars):
        at, fitted = panel.features.at, panel.features.hourly.at
        times = [process_time()]
        panel.advance(tick)
        times.append(process_time())
        page = journal.write(tick, evaluate(strategies, panel))
        times.append(process_time())
        with transaction.atomic():
            services.record([(tick, page)])
        times.append(process_time())
        for column, spent in zip(
            (costs.panel, costs.opinions, costs.stored), np.diff(times).tolist(), strict=True
        ):
            column.append(spent)
        costs.closing.append(panel.features.at != at)
        costs.refit.append(panel.features.hourly.at != fitted)
        if len(costs.panel) in (TICKS // 10, TICKS):
            gc.collect()
            memory.append(_resident())
        if len(costs.panel) == TICKS:
            break
    return _told(costs, memory)


def _warm(bars: Iterator[Tick]) -> tuple[Panel, Tick]:
    """A panel that has seen a week of bars, rebuilt at once, and the last of their ticks."""
    collector, sealed, seen = OpenBar(), [], []
    for tick in bars:
        closed = collector.add(tick)
        if closed is not None:
            sealed.append(closed)
        seen = [*seen[-1:], tick]
        if len(sealed) == WARM_BARS:
            break
    return Panel.rebuild(sealed, seen), seen[-1]


def _polled(before: Tick, bars: Iterator[Tick]) -> Iterator[Tick]:
    """Ten-second ticks: within a bar every market moves once, each at a moment of its own."""
    for tick in bars:
        if tick.universe is not before.universe:
            before = tick
            continue
        moment = np.random.default_rng(tick.at).integers(0, A_BAR, size=len(tick.universe))
        for step in range(A_BAR):
            yield _between(before, tick, moment <= step, before.at + (step + 1) * POLL_MS)
        before = tick


def _between(old: Tick, new: Tick, moved: np.ndarray, at: int) -> Tick:
    now = np.full(len(moved), at, dtype=np.int64)
    columns = ("bid", "ask", "bid_size", "ask_size", "bid_valid", "ask_valid", "coherent")
    mixed = {name: np.where(moved, getattr(new, name), getattr(old, name)) for name in columns}
    pairs = zip(moved.tolist(), new.depth, old.depth, strict=True)
    return replace(
        new, at=at, id=at // POLL_MS, observed_at=now, venue_at=now, prints=(), resolutions=(),
        depth=tuple(n if m else o for m, n, o in pairs), **mixed,
    )  # fmt: skip


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _told(costs: Costs, memory: list[int]) -> str:
    refit = np.array(costs.refit)
    work = np.array(costs.opinions) + np.array(costs.stored)
    closing = np.array(costs.closing) & ~refit
    lines = [
        f"{len(work)} ticks, {closing.sum()} closed a bar, {refit.sum()} refit the hour",
        _line("opinions, journal and storing", work[~refit]),
        _line("  of them where a bar closes", work[closing]),
        _line("  of them storing", np.array(costs.stored)[~refit]),
        _line("the hour's refits, opinions", work[refit]),
        _line("the panel", np.array(costs.panel)[~refit]),
        _line("the hour's refits, panel", np.array(costs.panel)[refit]),
        f"memory {memory[0] / 1e6:.0f} MB after a tenth of the ticks, "
        f"{memory[-1] / 1e6:.0f} MB at the end",
    ]
    return "\n".join(lines)


def _line(name: str, seconds: np.ndarray) -> str:
    if not len(seconds):
        return f"{name:34} none"
    p50, p99 = np.percentile(seconds, (50, 99)) * 1e3
    return f"{name:34} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms   worst {seconds.max() * 1e3:8.2f} ms"
