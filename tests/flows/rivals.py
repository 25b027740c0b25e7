"""Processes run the desk over one backlog: python -m tests.flows.rivals PROCESSES INTENTS SEED.

Prints as JSON what each process did and everything that was wrong afterwards. A process goes on
cold as often as warm: one that stays warm would be so much faster that it did all the work alone.
"""

import json
import logging
import os
import random
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import django

from tests.flows import taker

taker.register()
os.environ["DJANGO_SETTINGS_MODULE"] = "pqap_site.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from execution.services import desk, opening  # noqa: E402
from markets import stages  # noqa: E402
from markets.selectors import ticks  # noqa: E402
from markets.services import collect, sources, universe  # noqa: E402
from tests.flows import rivals_verdict  # noqa: E402

START = 1_767_225_600_000
STEP_MS = 60_000
BETS = 50
"""Bets a tick brings at least, on the whole."""

BATCHES = (1, 2, 3, 5, 8)
COLD = 0.5
PAUSE = 4
"""A process pauses for up to this many times what its call took, however busy the machine is: of
eight about three are at work at one time, and the race is of bells, not of processors."""


@dataclass
class Rival:
    """What one process did: its commits as (from, to, seconds, when), and the calls in vain."""

    commits: list[tuple[int, int, float, float]] = field(default_factory=list)
    overtaken: int = 0
    longest: float = 0.0
    error: str = ""


def collect_backlog(intents: int) -> int:
    """Ticks that hold at least so many bets, none of them looked at yet; how many ticks."""
    call_command("migrate", verbosity=0)
    opening.open_accounts(0)
    wanted = -(-intents // BETS)
    for first in range(0, wanted, 40):
        schedule = [START + STEP_MS * n for n in range(first, min(first + 40, wanted))]
        universe.run(schedule[0])
        done = collect.collect_many(sources.current(settings.PQAP), schedule)
        sources.moved(done.position)
    return stages.position(ticks.COLLECT)


def work(newest: int, luck: random.Random) -> Rival:
    """Advance the desk until nothing is left; an exception of any kind ends it and is told."""
    rival = Rival()
    _measure(rival)
    try:
        while stages.position(desk.STAGE) < newest:
            if luck.random() < COLD:
                desk.forget()
            begun = time.monotonic()
            done = desk.advance(now=timezone.now(), late_allowed=True, batch=luck.choice(BATCHES))
            taken = time.monotonic() - begun
            rival.longest = max(rival.longest, taken)
            rival.overtaken += not done
            time.sleep(luck.random() * PAUSE * taken)
    except Exception as error:
        rival.error = f"{type(error).__name__}: {error}"
    return rival


def _measure(rival: Rival) -> None:
    """Time every transaction of the desk, waiting for rivals included, from claim to commit."""
    real = stages.advance

    @contextmanager
    def advance(name: str, *, from_: int, to: int) -> Any:
        begun = time.monotonic()
        with real(name, from_=from_, to=to):
            yield
        now = time.monotonic()
        rival.commits.append((from_, to, now - begun, now))

    stages.advance = advance


def race(processes: int, newest: int, seed: int) -> list[Rival]:
    """All start at once, in processes of their own."""
    connections.close_all()
    wait, go = os.pipe()
    children = []
    for number in range(processes):
        listen, tell = os.pipe()
        if os.fork() == 0:
            os.close(go)
            os.read(wait, 1)
            rival = work(newest, random.Random(seed * 100 + number))
            with os.fdopen(tell, "w") as out:
                json.dump(asdict(rival), out)
            os._exit(0)
        os.close(tell)
        children.append(listen)
    os.close(go)
    told = []
    for listen in children:
        with os.fdopen(listen) as said:
            told.append(Rival(**json.loads(said.read())))
    for _ in children:
        os.wait()
    return told


def main(processes: int, intents: int, seed: int) -> dict[str, Any]:
    """Collect, race, judge."""
    logging.disable(logging.WARNING)
    newest = collect_backlog(intents)
    begun = time.monotonic()
    rivals = race(processes, newest, seed)
    seconds, bound = time.monotonic() - begun, rivals_verdict.Bound()
    faults = [*_gaps(rivals, newest), *rivals_verdict.faults(bound)]
    return {
        "seed": seed,
        "ticks": newest,
        "seconds": round(seconds),
        "errors": [rival.error for rival in rivals if rival.error],
        "shares": [sum(to - from_ for from_, to, _, _ in rival.commits) for rival in rivals],
        "overtaken": [rival.overtaken for rival in rivals],
        "longest_call": round(max(rival.longest for rival in rivals), 3),
        **_commits(rivals, begun),
        **rivals_verdict.figures(bound),
        "faults": faults[:20],
    }


def _commits(rivals: list[Rival], begun: float) -> dict[str, Any]:
    """How long a commit took and how long nobody committed, in seconds."""
    took = sorted(seconds for rival in rivals for _, _, seconds, _ in rival.commits)
    ends = sorted(when for rival in rivals for _, _, _, when in rival.commits)
    return {
        "commits": len(took),
        "p50": round(took[len(took) // 2], 4),
        "p99": round(took[min(len(took) - 1, len(took) * 99 // 100)], 4),
        "longest_silence": round(max(b - a for a, b in zip([begun, *ends], ends, strict=False)), 3),
    }


def _gaps(rivals: list[Rival], newest: int) -> list[str]:
    """The commits of all processes must cover the ticks without gap or overlap."""
    spans = sorted((from_, to) for rival in rivals for from_, to, _, _ in rival.commits)
    places = [0, *(to for _, to in spans)]
    joined = all(span[0] == place for span, place in zip(spans, places, strict=False))
    if joined and places[-1] == newest:
        return []
    return [f"the commits do not cover the {newest} ticks once: {spans[:50]}"]


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
