"""Pasts to seal: random worlds lived through real collecting, with days going by in between."""

import copy
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from markets import models
from markets.core.assembly import by_past, by_print
from markets.core.bars import BAR_MS
from markets.core.tick import Tick
from markets.core.types import PastBar, Print
from markets.selectors import ticks, universes
from markets.services import collect, sealing, universe
from tests import misbehaving
from tests.databases import connected_to

DAY = 86_400_000
HOUR = 3_600_000


def collection(**changes: Any) -> Any:
    """A configuration under which hours, not weeks, make history old."""
    given = {"keep_raw_hours": 30, "keep_raw_days": 3, "retention_days": 60,
             "snapshot_seconds": 1_800}  # fmt: skip
    return misbehaving.collection(**given | changes)


class Past:
    """A world that is collected; `made` holds its ticks as they were assembled."""

    def __init__(self, seed: int, monkeypatch: Any) -> None:
        self.luck = random.Random(seed + 1)
        self.world = misbehaving.RandomWorld(seed)
        self.made: list[Tick] = []
        self.watch(monkeypatch)
        universe.sync_markets(self.world.source, self.world.at)

    def watch(self, monkeypatch: Any) -> None:
        """Keep what is collected until the test ends."""
        write = collect.rows.write

        def watched(steps: Any, known: Any, **rest: Any) -> int:
            self.made.extend(step.tick for step in steps)
            return write(steps, known, **rest)

        monkeypatch.setattr(collect.rows, "write", watched)

    def copy(self) -> "Past":
        """The same past, to be gone on from elsewhere."""
        twin = copy.copy(self)
        twin.luck, twin.world = copy.deepcopy((self.luck, self.world))
        twin.made = list(self.made)
        return twin

    @property
    def now(self) -> int:
        return self.world.at

    def live(self, cycles: int) -> None:
        """Collect, restart, relist and let hours go by as the seed says."""
        for _ in range(cycles):
            if self.luck.random() < 0.1:
                self.world.relist()
                universe.sync_markets(self.world.source, self.world.at)
            if self.luck.random() < 0.1:
                forget()
            if self.luck.random() < 0.2:
                self.world.at += self.luck.choice([HOUR, 5 * HOUR, 11 * HOUR])
            before = len(self.made)
            collect.collect(self.world.source, self.world.step())
            if len(self.made) > before:
                self._learn(self.made[-1])

    def desk_follows(self) -> None:
        """The desk has read everything."""
        move("desk", self.made[-1].id)

    def _learn(self, tick: Tick) -> None:
        """Trades and past bars that came with a tick."""
        prints, past = list(tick.prints), list(tick.past)
        for _ in range(self.luck.choice([0, 0, 0, 1, 3])):
            market = self.luck.choice(tick.universe.markets)
            side, index = self.luck.choice(["buy", "sell"]), self.luck.randint(0, 1)
            made = Print(
                market.id, market.tokens[index].id, side, 10_000 * self.luck.randint(1, 99),
                self.luck.randint(1, 10**9), tick.at - self.luck.randint(0, 9_000), "0xabc",
            )  # fmt: skip
            row = models.Print(
                market=models.Market.objects.get(condition_id=market.id), tick_id=tick.id,
                outcome=index, side=side, price=made.price, size=made.size, at=made.at,
                transaction=made.transaction,
            )  # fmt: skip
            row.save()
            prints.append(made)
        if self.luck.random() < 0.1:
            market = self.luck.choice(tick.universe.markets)
            at = (tick.at // BAR_MS - self.luck.randint(1, 2_000)) * BAR_MS
            key = models.Market.objects.get(condition_id=market.id)
            if not models.Bar.objects.filter(at=at, market=key).exists():
                models.Bar.objects.create(
                    market=key, at=at, bid=0, ask=0, micro=420_000, changes=0, count=0,
                    imported=True, learnt_tick_id=tick.id,
                )  # fmt: skip
                past.append(PastBar(market.id, at, 420_000))
        self.made[-1] = replace(
            tick,
            prints=tuple(sorted(set(prints), key=by_print)),
            past=tuple(sorted(past, key=by_past)),
        )


Key = tuple[int, int, bool]
_kept: dict[Key, tuple[Past, Path]] = {}


@pytest.fixture
def past_of(
    migrated_file: Path, tmp_path: Path, django_db_blocker: Any, monkeypatch: Any, settings: Any
) -> Iterator[Callable[..., Past]]:
    """Makes a past in a SQLite file of the test's own; each is lived through once and copied.

    Collecting takes most of the time of these tests, and copying a file takes none.
    """
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())

        def make(seed: int, cycles: int, *, sealed: bool = False) -> Past:
            key, home = (seed, cycles, sealed), settings.PATHS.archive
            if key not in _kept:
                kept = migrated_file.parent / "-".join(map(str, key))
                kept.mkdir()
                shutil.copy(migrated_file, kept / "past.db")
                settings.PATHS.archive = kept / "archive"
                with connected_to(_file(kept / "past.db")), monkeypatch.context() as patch:
                    forget()
                    _kept[key] = (_lived(seed, cycles, patch, sealed), kept)
                settings.PATHS.archive = home
            past, kept = _kept[key]
            database = shutil.copy(kept / "past.db", tmp_path / "past.db")
            if sealed:
                shutil.copytree(kept / "archive", home)
            stack.enter_context(connected_to(_file(Path(database))))
            forget()
            twin = past.copy()
            twin.watch(monkeypatch)
            return twin

        yield make


def _lived(seed: int, cycles: int, patch: Any, sealed: bool) -> Past:
    past = Past(seed, patch)
    past.live(cycles)
    past.desk_follows()
    if sealed:
        sealing.run(past.now, seconds=1_000)
    return past


def _file(path: Path) -> dict[str, Any]:
    """Nothing of it must survive a power cut."""
    quick = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"
    return {"ENGINE": "pqap_site.sqlite", "NAME": path, "OPTIONS": {"init_command": quick}}


def move(stage: str, to: int) -> None:
    """Put a stage's cursor somewhere."""
    from django.utils import timezone

    values = {"position": to, "moved_at": timezone.now()}
    models.Cursor.objects.update_or_create(name=stage, defaults=values)


def forget() -> None:
    """As after a restart."""
    for module in (collect, ticks, universes):
        module.forget()


def same(read: Tick, made: Tick) -> None:
    """Equal column for column, byte for byte, fact for fact."""
    from tests.apps.markets.test_ticks import same as equal

    equal(read, made)
    assert (read.prints, read.past) == (made.prints, made.past), read.id
