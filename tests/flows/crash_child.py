"""One life of a worker that is killed sooner or later: the real stages in a loop, and windows.

A window is a moment at which a kill could lose or repeat something. The child says through a pipe
when it enters and leaves one, stays there a moment, and stays for good in the one it is to die in.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from execution.models import Trade
from execution.services import desk
from markets import stages
from markets.selectors import ticks, universes
from markets.services import collect, universe
from notifications import services as outbox

START = 1_767_225_600_000
STEP_MS = 300_000
SYNC_EVERY = 60
"""Ticks between two looks at the list of markets."""

FETCHED, IN_TICK, TICK_DONE = "fetched", "tick in transaction", "tick committed"
DECIDED, IN_DESK, DESK_DONE = (
    "decided not written",
    "desk in transaction",
    "desk committed unacknowledged",
)
CLAIMED, SENT = "outbox claimed", "sent unmarked"
WINDOWS = (FETCHED, IN_TICK, TICK_DONE, DECIDED, IN_DESK, DESK_DONE, CLAIMED, SENT)

AROUND = {"collect": (FETCHED, IN_TICK, TICK_DONE), "desk": (DECIDED, IN_DESK, DESK_DONE)}
"""Before, within and after the transaction of the two stages that matter."""

STATEMENTS = 24
"""A kill in a transaction comes before one of this many statements, or before the commit."""

LINGER_S = 0.001
GIVEN_UP_S = 30.0
"""How long a child waits in its last window before it finds that nobody kills it."""


@dataclass(frozen=True, slots=True)
class Death:
    """Where a life ends: in which window, at which passing of it; "" leaves that to the parent."""

    window: str = ""
    passing: int = 1
    seed: int = 0


class Life:
    """What one child does, and what it says of it."""

    def __init__(self, pipe: int, death: Death, sent: Path) -> None:
        self._pipe, self._death, self._file = pipe, death, sent
        self._luck = random.Random(death.seed)
        self._passings = 0
        self._claim: tuple[str, int, int] | None = None
        self._left = -1

    def run(self, until: int | None) -> None:
        """Work until killed; with `until`, up to that many ticks and until nothing is left."""
        self._wire()
        while not _finished(until):
            _decide_and_tell()
            for _ in range(self._luck.choice((1, 1, 1, 2, 3))):
                newest = stages.position(ticks.COLLECT)
                if newest == until or (_sync_due(newest) and _behind()):
                    break
                _collect(newest)

    def send(self, text: str, level: str) -> None:
        """The channel: a message is delivered when its key lies on the disk."""
        row = outbox.waiting("log").order_by("pk").first()
        self._linger(CLAIMED, row.key)
        with self._file.open("ab") as file:
            file.write(json.dumps(row.key).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._linger(SENT, row.key)

    def _wire(self) -> None:
        """Stand at every boundary from here, without a hook in what is proved."""
        stages.advance = self._around(stages.advance)
        connection.commit = self._around_commit(connection.commit)
        connection.execute_wrappers.append(self._before_statement)
        stages.committed.connect(self._committed, weak=False)
        outbox.CHANNELS = {"log": self}

    def _around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def advance(name: str, *, from_: int, to: int) -> Iterator[None]:
            if name in AROUND:
                self._linger(AROUND[name][0], from_)
                self._left = self._luck.randrange(STATEMENTS)
                self._claim = (name, from_, to)
            try:
                with real(name, from_=from_, to=to):
                    yield
            finally:
                self._claim = None

        return advance

    def _before_statement(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        if self._left == 0:
            self._linger_within()
        self._left -= 1
        return execute(*arguments)

    def _around_commit(self, real: Callable[[], None]) -> Callable[[], None]:
        def commit() -> None:
            if self._left >= 0:
                self._linger_within()
            real()
            if self._claim:
                name, _, to = self._claim
                self._linger(AROUND[name][2], to)

        return commit

    def _linger_within(self) -> None:
        if self._claim:
            name, from_, _ = self._claim
            self._linger(AROUND[name][1], from_)
        self._left = -1

    def _committed(self, sender: object, name: str, **_: Any) -> None:
        """After the commit and before the bell: acknowledge what is now promised."""
        if name not in AROUND or self._claim is None:
            return
        _, from_, to = self._claim
        self._claim = None
        if name == ticks.COLLECT:
            self._say("tick", to, ticks.last_tick().at)
        else:
            new = Trade.objects.filter(tick_id__gt=from_, tick_id__lte=to)
            self._say("desk", to, list(new.values_list("id", flat=True)))

    def _linger(self, window: str, where: int | str) -> None:
        self._passings += window == self._death.window
        last = window == self._death.window and self._passings == self._death.passing
        self._say("in", window, where, last)
        time.sleep(GIVEN_UP_S if last else self._luck.random() * LINGER_S)
        if last:
            raise SystemExit(f"nobody killed {asdict(self._death)}")
        self._say("out", window)

    def _say(self, *words: Any) -> None:
        os.write(self._pipe, json.dumps(words).encode() + b"\n")


def scheduled(number: int) -> int:
    """When tick `number` + 1 is read, ms UTC."""
    return START + number * STEP_MS


def _finished(until: int | None) -> bool:
    told = stages.position(outbox.STAGE)
    return told == until and not outbox.waiting("log").exists()


def _behind() -> bool:
    return stages.position(desk.STAGE) < stages.position(ticks.COLLECT)


def _decide_and_tell() -> None:
    """The desk, then the outbox, at the time of the newest tick: nothing is late or old news."""
    newest = ticks.last_tick()
    if newest:
        now = datetime.fromtimestamp(newest.at / 1000, UTC)
        desk.advance(now=now, late_allowed=True)
        outbox.notify(now=now)


def _sync_due(newest: int) -> bool:
    """The list is looked at every so many ticks, once."""
    synced = universes.newest_sync()
    return newest % SYNC_EVERY == 0 and (synced is None or synced.at < scheduled(newest))


def _collect(newest: int) -> None:
    if _sync_due(newest):
        universe.run(scheduled(newest))
    if collect.run(scheduled(newest)).ticks != 1:
        raise AssertionError(f"no tick came of the look at {scheduled(newest)}")
