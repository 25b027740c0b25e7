"""The staged half of the parity test, one role a process: `setup`, `work` or `compare`.

python -m tests.flows.parity_stage ROLE [arguments]; the environment names configuration and data.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import django

from tests.flows import quoter, taker

taker.register()
told = Path(os.environ["PQAP_CONFIG"]).read_text()
if "quoter" in told:
    quoter.register()  # Every registered strategy speaks, enabled or not.
if "forgiven" in told:
    taker.forgive()
os.environ["DJANGO_SETTINGS_MODULE"] = "pqap_site.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from execution.core.controls import Controls  # noqa: E402
from execution.core.decisions import FLATTEN  # noqa: E402
from execution.core.eras import Imported  # noqa: E402
from execution.core.types import ChangeKind  # noqa: E402
from execution.models import Change, Lapse  # noqa: E402
from execution.services import changes, configured, desk, opening  # noqa: E402
from markets import stages  # noqa: E402
from markets.core.bars import OpenBar  # noqa: E402
from markets.core.types import ONE, PricePoint  # noqa: E402
from markets.selectors import ticks as stored  # noqa: E402
from markets.selectors import universes  # noqa: E402
from markets.services import catalogue, past, rows  # noqa: E402
from markets.services.rows import Step  # noqa: E402
from tests.flows import parity  # noqa: E402

SYNTHETIC_TICKS = 240
STEP_MS = 300_000
START = 1_767_225_600_000
AGAIN = "again"


class Remembering:
    """A source that knows nothing but the past: a line for each token, with holes, now and then
    standing still."""

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        for token in tokens:
            luck = random.Random(token)
            if luck.random() < 0.6:
                continue  # Most markets stay as they were: cold, and traded by the taker alone.
            price = luck.randrange(150, 850) * 1_000
            for at in range(since + STEP_MS // 2, until, STEP_MS):
                price = min(max(price + luck.choice([-5, 0, 0, 5]) * 1_000, 20_000), 980_000)
                if luck.random() < 0.97:
                    yield PricePoint(token, at, price)


def setup(recording: str) -> None:
    """An empty database with accounts opened and every tick of the run collected."""
    call_command("migrate", verbosity=0)
    opening.open_accounts(0)
    if recording:
        _load(Path(recording))
    else:
        _simulate()


def _simulate() -> None:
    from markets.services import collect, sources, universe

    schedule = [START + number * STEP_MS for number in range(SYNTHETIC_TICKS)]
    for first in range(0, SYNTHETIC_TICKS, 40):
        universe.run(schedule[first])
        past.import_past(Remembering(), schedule[first])
        done = collect.collect_many(sources.current(settings.PQAP), schedule[first : first + 40])
        sources.moved(done.position)


def _load(recording: Path) -> None:
    """Store recorded ticks as the collect stage would have, each under its own cursor move."""
    from django.db import transaction

    from markets import archive, models

    previous, bar, known, version = None, OpenBar(), None, None
    for number, tick in enumerate(archive.read_recording(recording), 1):
        if tick.universe is not version:
            version = tick.universe
            with transaction.atomic():
                keys = catalogue.store(list(version.markets), tick.at)
                members = [[keys[market.id], market.volume_24h] for market in version.markets]
                row = models.Universe.objects.create(effective_at=tick.at, members=members)
            known = universes.load(row.pk)
            past.import_past(Remembering(), tick.at)
        step_tick = replace(tick, universe=known.universe, id=number)
        step = Step(previous, step_tick, (), bar.add(step_tick))
        with stages.advance(stored.COLLECT, from_=number - 1, to=number):
            rows.write([step], known, checkpoint=b"", recorded_at=timezone.now())
        previous = step_tick


def work(seed: str) -> None:
    """Advance in random batches; now and then restart cold, come late, repeat, or decide."""
    luck = random.Random(int(seed))
    newest = stages.position(stored.COLLECT)
    while (position := stages.position("desk")) < newest:
        roll = luck.random()
        if roll < 0.05:
            desk.forget()
        batch = luck.choice([1, 2, 3, 7, 20, 50])
        never_late = position > newest / 4 and not Lapse.objects.exists()
        if never_late:
            batch = 20
        if roll > 0.93 or never_late:
            at = stored.ticks_after(position, batch)[-1:]
            now = datetime.fromtimestamp(at[0].at / 1000, UTC) if at else timezone.now()
            desk.advance(now=now, batch=batch)
        else:
            desk.advance(now=timezone.now(), late_allowed=True, batch=batch)
        _decide(stages.position("desk") / newest)
        if luck.random() < 0.5:
            _trust_again()
        time.sleep(luck.random() * 0.01)


def _decide(done: float) -> None:
    """People's decisions at certain points of the run, by whichever worker gets there."""
    plan = [
        (0.15, ChangeKind.CANCEL, "all", ""),
        (0.2, ChangeKind.LIMIT, "max_capital_per_market", "30000000"),
        (0.3, ChangeKind.CLOSE, "strategy:taker", ""),
        (0.4, ChangeKind.HALT, "all", FLATTEN),
        (0.5, ChangeKind.RESUME, "all", ""),
        (0.55, ChangeKind.DEPOSIT, "", "50000000"),
        (0.57, ChangeKind.WITHDRAW, "", "20000000"),
        (0.6, ChangeKind.DISABLE, "taker", ""),
        (0.65, ChangeKind.ENABLE, "taker", ""),
        (0.7, ChangeKind.RESET_LIMIT, "max_capital_per_market", ""),
        (0.75, ChangeKind.NEW_ACCOUNT, "", str(1000 * ONE)),
        (0.9, ChangeKind.IMPORT, "base", Imported("ab" * 32, True, ONE, ONE, 0, 0).dump()),
    ]
    known = set(Change.objects.exclude(why=AGAIN).values_list("kind", flat=True))
    for due, kind, scope, value in plan:
        if done >= due and kind not in known:
            made = {"kind": kind, "scope": scope, "value": value, "who": "test", "why": str(due)}
            try:
                changes.record(**made)
            except changes.BadChange:  # past the door, so that the tick itself refuses
                Change.objects.create(**made, recorded_at=timezone.now())
            return


def _trust_again() -> None:
    """The taker keeps losing; a person who never learns keeps enabling it."""
    from execution.models import StrategyState

    if StrategyState.objects.filter(name="taker", state="auto_disabled").exists():
        changes.record(kind=ChangeKind.ENABLE, scope="taker", who="test", why=AGAIN)


def compare() -> None:
    """Both sides' bytes and what the run contained, as JSON on standard output."""
    staged = parity.from_rows()
    ticks = []
    while found := stored.ticks_after(len(ticks), 200):
        ticks += found
    plain = parity.from_loop(
        ticks,
        strategies=configured.strategies(),
        venues=configured.venues(),
        setting=configured.setting(),
        control=Controls.of(configured.enabled(), settings.PQAP.risk_limits),
        capital=settings.PQAP.initial_capital,
        changes=parity.stamped_changes(),
        lapsed=parity.lapsed_ticks(),
    )
    differing = {
        name: _difference(staged[name], plain[name])
        for name in sorted(set(staged) | set(plain))
        if parity.canonical({"x": staged[name]}) != parity.canonical({"x": plain[name]})
    }
    base = [dict(zip(parity.ORDER, row[:-1], strict=True)) for row in staged["orders"]]
    print(
        json.dumps(
            {
                "equal": parity.canonical(staged) == parity.canonical(plain),
                "differing": differing,
                "ticks": len(ticks),
                "past": sum(len(tick.past) for tick in ticks),
                "fills": len(staged["fills"]),
                "makers": sum(row[11] == "maker" for row in staged["fills"]),
                "operations": len(staged["operations"]),
                "partly": sum(order["state"] == "partly_filled" for order in base),
                "ends": dict(Counter(order["reason"] for order in base)),
                "refusals": dict(Counter(row[5] for row in staged["refusals"])),
                "lapsed": len(parity.lapsed_ticks()),
                "suspensions": Change.objects.filter(why=AGAIN).count(),
                "changes": sum(len(found) for found in parity.stamped_changes().values()),
            }
        )
    )


def _difference(staged: list, plain: list) -> list:
    left = {json.dumps(list(map(parity._plain, row))) for row in staged}
    right = {json.dumps(list(map(parity._plain, row))) for row in plain}
    return [sorted(left - right)[:2], sorted(right - left)[:2], len(left), len(right)]


if __name__ == "__main__":
    {"setup": setup, "work": work, "compare": compare}[sys.argv[1]](*sys.argv[2:])
