"""A campaign of kills against one database: python -m tests.flows.crash KILLS SEED FOLDER.

Children are forked, one after another, from a process that has Django loaded and no connection
open; each is killed with signal 9 in the window it was told, or at a random instant. What the
rows say right after a kill must fit the window it was in, so that no window is counted by mistake.
FOLDER gets `sent` (what the outbox delivered) and `facts` (all facts as canonical bytes).
"""

import json
import logging
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

from tests.flows import taker

taker.register()
taker.forgive()
os.environ["DJANGO_SETTINGS_MODULE"] = "pqap_site.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from execution.services import opening  # noqa: E402
from markets import stages  # noqa: E402
from markets.selectors import ticks  # noqa: E402
from notifications.models import Notification  # noqa: E402
from tests.flows import crash_verdict  # noqa: E402
from tests.flows.crash_child import (  # noqa: E402
    AROUND,
    CLAIMED,
    DESK_DONE,
    SENT,
    TICK_DONE,
    WINDOWS,
    Death,
    Life,
)

BETWEEN = "elsewhere"
AIMED = 0.9
"""The part of the kills that is aimed at a window; the others come at any instant."""

LONGEST_S = 0.6
"""A kill that is not aimed comes within this time of the birth."""


@dataclass
class Ending:
    """How a life ended: in which window, whether it waited there, and all it had said."""

    window: str
    where: Any
    held: bool
    said: list[list[Any]]


@dataclass
class Campaign:
    """What the parent knows: promises made to it, and what its kills may have repeated.

    `known` is how far it knows each stage to be; what a life committed beyond that without a word
    of it was an ambiguous commit.
    """

    kills: Counter[str] = field(default_factory=Counter)
    ticks: dict[int, int] = field(default_factory=dict)
    trades: set[str] = field(default_factory=set)
    known: Counter[str] = field(default_factory=Counter)
    ambiguous: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    perhaps: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    faults: list[str] = field(default_factory=list)

    def hear(self, said: list[list[Any]]) -> None:
        """Remember what a child acknowledged."""
        for word, *rest in said:
            if word == "tick":
                self.ticks[rest[0]] = rest[1]
                self.known["collect"] = rest[0]
            elif word == "desk":
                self.trades.update(rest[1])
                self.known["desk"] = rest[0]

    def examine(self, ending: Ending, sent: Path) -> None:
        """Look at the rows right after a kill; a restart changes them."""
        self.kills[ending.window] += 1
        for stage in AROUND:
            position = stages.position(stage)
            self.ambiguous[stage] += position > self.known[stage]
            self.known[stage] = position
        delivered = crash_verdict.delivered(sent)
        last, self.delivered = delivered[self.delivered :][-1:], len(delivered)
        for key in last:
            if not crash_verdict.marked(key):
                # Until a server has read of its client's end, a mark may still be on its way.
                (self.repeated if ending.held else self.perhaps)[key] += 1
        if ending.held:
            wrong = _contradiction(ending, last)
            self.faults += [f"killed in {ending.window}, but {wrong}"] * bool(wrong)


def _contradiction(ending: Ending, last: list[str]) -> str:
    """What in the rows does not fit the window a child was killed in; "" when all does.

    `last` is the key of the last message this life delivered, if it delivered any.
    """
    if ending.window in (CLAIMED, SENT):
        row = Notification.objects.get(key=ending.where)
        if row.attempts == 0 or row.sent_at:
            return f"{row.key} is not claimed and unmarked"
        delivered = last == [row.key]
        if delivered != (ending.window == SENT):
            return f"{row.key} is {'' if delivered else 'not '}delivered"
        return ""
    stage = next(name for name, windows in AROUND.items() if ending.window in windows)
    position = stages.position(stage)
    done = ending.window in (TICK_DONE, DESK_DONE)
    if position != ending.where:
        return f"{stage} is at {position}, {'committed' if done else 'claimed from'} {ending.where}"
    return ""


def live(death: Death, luck: random.Random, sent: Path, until: int | None = None) -> Ending:
    """Fork a child and kill it; with `until` let it end by itself."""
    listen, tell = os.pipe()
    connections.close_all()
    child = os.fork()
    if child == 0:
        os.close(listen)
        _be_born(tell, death, sent, until)
    os.close(tell)
    said = _Listener(listen)
    if until is None:
        if death.window:
            said.until_last()
            time.sleep(luck.random() * 0.003)
        else:
            said.until(time.monotonic() + luck.random() * LONGEST_S)
        os.kill(child, signal.SIGKILL)
    said.to_the_end()
    _, status = os.waitpid(child, 0)
    if status != (signal.SIGKILL if until is None else 0):
        raise SystemExit(f"a child ended by itself (status {status}) on its way to {death}")
    return said.ending()


def _be_born(pipe: int, death: Death, sent: Path, until: int | None) -> None:
    """Be the child; never return."""
    status = 1
    try:
        Life(pipe, death, sent).run(until)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


class _Listener:
    """The parent's end of the pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._bytes = pipe, b""
        self._open = True

    def until_last(self) -> None:
        """Until the child says that it waits for its end, or ends before."""
        while self._open and not self._waiting():
            self._read(None)

    def until(self, instant: float) -> None:
        while self._open and (left := instant - time.monotonic()) > 0:
            self._read(left)

    def to_the_end(self) -> None:
        while self._open:
            self._read(None)
        os.close(self._pipe)

    def ending(self) -> Ending:
        """A word cut off by the kill was not said."""
        lines = self._bytes.split(b"\n")[:-1]
        said = [json.loads(line) for line in lines]
        if said and said[-1][0] == "in":
            _, window, where, last = said[-1]
            return Ending(window, where, last, said)
        return Ending(BETWEEN, None, False, said)

    def _waiting(self) -> bool:
        words = self._bytes.rsplit(b"\n", 2)[-2:-1]
        return bool(words) and words[0].startswith(b'["in"') and words[0].endswith(b"true]")

    def _read(self, seconds: float | None) -> None:
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if ready:
            more = os.read(self._pipe, 65_536)
            self._bytes += more
            self._open = bool(more)


def plan(kills: int, luck: random.Random) -> list[Death]:
    """Every window in turn for the aimed kills, then those at any instant; shuffled."""
    aimed = int(kills * AIMED)
    deaths = [Death(WINDOWS[number % len(WINDOWS)]) for number in range(aimed)]
    deaths += [Death() for _ in range(kills - aimed)]
    luck.shuffle(deaths)
    return [
        Death(death.window, luck.choice((1, 1, 1, 2, 3)), luck.randrange(10**9)) for death in deaths
    ]


def main(kills: int, seed: int, folder: Path, until: int = 0) -> dict[str, Any]:
    """Run a campaign, let the work be finished, and judge; without kills, only `until` ticks."""
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    opening.open_accounts(0)
    luck, campaign, sent = random.Random(seed), Campaign(), folder / "sent"
    sent.touch()
    for death in plan(kills, luck):
        ending = live(death, luck, sent)
        campaign.hear(ending.said)
        campaign.examine(ending, sent)
    ending = live(Death(seed=seed), luck, sent, max(until, stages.position(ticks.COLLECT)))
    campaign.hear(ending.said)
    (folder / "facts").write_bytes(crash_verdict.facts())
    faults = [*campaign.faults, *crash_verdict.faults(campaign, sent), *crash_verdict.rebuilt()]
    return {
        "seed": seed,
        "kills": {window: campaign.kills[window] for window in (*WINDOWS, BETWEEN)},
        "ambiguous": dict(campaign.ambiguous),
        "repeated": campaign.repeated.total(),
        "perhaps": campaign.perhaps.total(),
        "acknowledged_trades": len(campaign.trades),
        "faults": faults[:20],
        **crash_verdict.figures(sent),
    }


if __name__ == "__main__":
    numbers = [int(argument) for argument in (sys.argv[1:3] + sys.argv[4:5])]
    print(json.dumps(main(numbers[0], numbers[1], Path(sys.argv[3]), *numbers[2:])))
