"""What must hold after a campaign of kills, read from the rows and from what was delivered."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Count

from execution.models import (
    Account,
    JournalEntry,
    LedgerAccount,
    Order,
    Position,
    Trade,
    guards,
)
from execution.selectors import checks
from execution.services import rebuilding
from markets import stages
from markets.core.tick import Tick
from markets.selectors import ticks
from notifications import services as outbox
from notifications.models import Notification
from strategies.models import Signal
from tests.flows import parity


class Promises(Protocol):
    """What the survivors were told, and which messages a kill may have repeated."""

    ticks: dict[int, int]
    trades: set[str]
    repeated: Counter[str]
    perhaps: Counter[str]


def faults(promised: Promises, sent: Path) -> list[str]:
    """Everything lost, doubled or torn, one sentence each."""
    return [
        *_broken_promises(promised),
        *_doubles(),
        *_orphans(),
        *checks.faults(),
        *_untold(promised, sent),
    ]


def delivered(sent: Path) -> list[str]:
    """Keys of the messages in the order they were delivered."""
    return [json.loads(line) for line in sent.read_bytes().splitlines()]


def marked(key: str) -> bool:
    """Whether a message is written down as sent."""
    return Notification.objects.filter(key=key).exclude(sent_at=None).exists()


def facts() -> bytes:
    """All facts as canonical bytes, those of ticks included; equal for equal runs."""
    told = Notification.objects.values_list("key", "kind", "level", "text")
    return parity.canonical({**parity.from_rows(), "ticks": list(_ticks()), "told": told})


def rebuilt() -> list[str]:
    """Every projection dropped and rebuilt: what differs afterwards from what the desk had kept."""
    found = [f"before anything was dropped, {what}" for what in rebuilding.rebuild()]
    kept = _projections()
    with transaction.atomic():
        guards.drop(connection)
        LedgerAccount.objects.update(debits=0, credits=0)
        guards.install(connection)
        Account.objects.update(cash=1, reserved=1, deposits=1, fees=1, realized=1, equity=1)
        Position.objects.all().delete()
    if not rebuilding.rebuild():
        found.append("everything was dropped, and rebuilding found nothing to do")
    again = _projections()
    return found + [f"{row} was not rebuilt" for row in sorted(set(kept) - set(again))][:5]


def _projections() -> list[str]:
    """Ledger totals, accounts and positions, every column but local keys."""
    found = []
    for model in (LedgerAccount, Account, Position):
        names = [column.name for column in model._meta.concrete_fields if column.name != "id"]
        found += [f"{model.__name__} {row}" for row in model.objects.values(*names)]
    return found


def figures(sent: Path) -> dict[str, Any]:
    """How much there was to lose."""
    return {
        "ticks": stages.position(ticks.COLLECT),
        "signals": Signal.objects.count(),
        "orders": Order.objects.count(),
        "trades": Trade.objects.count(),
        "entries": JournalEntry.objects.count(),
        "settlements": Trade.objects.filter(liquidity="settlement").count(),
        "holdings": Position.objects.count(),
        "messages": Notification.objects.count(),
        "deliveries": len(delivered(sent)),
    }


def _broken_promises(promised: Promises) -> Iterator[str]:
    kept = dict(_numbered())
    for id_, at in promised.ticks.items():
        if kept.get(id_) != at:
            yield f"tick {id_} of {at} was acknowledged, the rows say {kept.get(id_)}"
    lost = promised.trades - set(Trade.objects.values_list("id", flat=True))
    yield from (f"trade {id_} was acknowledged and is gone" for id_ in sorted(lost))
    newest = stages.position(ticks.COLLECT)
    if sorted(kept) != list(range(1, newest + 1)):
        yield f"{len(kept)} ticks are stored, the cursor is at {newest}"
    for stage in ("desk", "notify"):
        if stages.position(stage) != newest:
            yield f"{stage} stopped at {stages.position(stage)} of {newest}"


def _numbered() -> Iterator[tuple[int, int]]:
    return ((tick.id, tick.at) for tick in _stored())


def _stored() -> Iterator[Tick]:
    position = 0
    while found := ticks.ticks_after(position, 100):
        yield from found
        position = found[-1].id


def _doubles() -> Iterator[str]:
    """One booking a cause, one fill a level of an order's tick, one order a purpose and tick."""
    keys = (
        (JournalEntry, ("account", "kind", "cause")),
        (Trade, ("account", "strategy", "token", "liquidity", "order_id", "at", "level")),
        (Order, ("account", "strategy", "market", "token", "purpose", "leg", "placed_at")),
        (Signal, ("strategy", "market", "token", "at")),
    )
    for model, names in keys:
        groups = model.objects.values(*names).annotate(times=Count("pk")).filter(times__gt=1)
        yield from (f"{model.__name__} {group} is there twice or more" for group in groups[:5])


def _orphans() -> Iterator[str]:
    """A trade without its booking, an entry without postings, an order without its reservation."""
    booked = set(JournalEntry.objects.values_list("cause", flat=True))
    for model in (Trade, Order):
        for id_ in model.objects.values_list("id", flat=True):
            if id_ not in booked:
                yield f"{model.__name__} {id_} is not booked"
    for id_ in JournalEntry.objects.filter(posting=None).values_list("id", flat=True)[:5]:
        yield f"entry {id_} has no postings"


def _untold(promised: Promises, sent: Path) -> Iterator[str]:
    """Each message went out once, and once more for every kill between sending and marking."""
    times = Counter(delivered(sent))
    for key in sorted({*times, *Notification.objects.values_list("key", flat=True)}):
        least = 1 + promised.repeated[key]
        if not least <= times[key] <= least + promised.perhaps[key]:
            yield f"message {key} was delivered {times[key]} times, expected {least}"
    written = list(Notification.objects.order_by("pk").values_list("key", flat=True))
    if list(dict.fromkeys(delivered(sent))) != written:
        yield "the messages went out in another order than they were written"
    left = outbox.waiting("log").count()
    if left or Notification.objects.exclude(error="").exists():
        yield f"{left} messages wait, or were given up"


def _ticks() -> Iterator[list[Any]]:
    for tick in _stored():
        columns = (
            *(tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.observed_at, tick.venue_at),
            *(tick.bid_valid, tick.ask_valid, tick.coherent),
        )
        parts = [column.tobytes() for column in columns]
        parts += [*tick.depth, repr((tick.no_depth, tick.resolutions, tick.prints)).encode()]
        names = [market.id for market in tick.universe.markets]
        digest = hashlib.sha256(b"|".join([*parts, repr(names).encode()])).hexdigest()
        yield [tick.id, tick.at, digest]
