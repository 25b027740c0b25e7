"""What happened between two ticks that people may want to hear of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from execution.core.types import AccountName, RefusalCode, Side
from execution.models import Change, HaltState, Reconciliation, Refusal, StrategyState, Trade
from markets.selectors import catalogue
from strategies.selectors import journal as strategies

DAY_MS = 86_400_000
ONE = 1_000_000
RECONCILIATIONS = 20
"""How many of the newest reconciliations are looked through for news."""

LIMITS = {RefusalCode.DAILY_LOSS: "daily loss", RefusalCode.DRAWDOWN: "drawdown"}
"""Refusals that mean a limit stopped all openings; the others are everyday sizing."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell; `key` is a function of its cause, so it is told once."""

    key: str
    kind: str
    level: str
    fields: dict[str, Any]


def news(after_tick: int, up_to_tick: int) -> list[News]:
    """Trades, settlements, limits, failures, halts and suspensions of the base account."""
    span = {"tick_id__gt": after_tick, "tick_id__lte": up_to_tick}
    trades = Trade.objects.filter(account=AccountName.BASE, **span).order_by("tick_id", "level")
    refusals = Refusal.objects.filter(account=AccountName.BASE, code__in=LIMITS, **span)
    applied = {"applied_tick__gt": after_tick, "applied_tick__lte": up_to_tick}
    return [
        *_trades(trades),
        *_breaches(refusals.order_by("tick_id")),
        *_failures(strategies.errors(after_tick=after_tick, up_to_tick=up_to_tick)),
        *_decisions(
            Change.objects.filter(kind__in=("halt", "resume"), **applied)
            .exclude(kind="halt", who="reconciliation")
            .order_by("pk")
        ),
        *_breakers(HaltState.objects.filter(who="breaker")),
        *_suspensions(StrategyState.objects.exclude(suspended="").order_by("name")),
        *_mismatches(Reconciliation.objects.order_by("-pk")[:RECONCILIATIONS]),
    ]


def _trades(rows: QuerySet[Trade]) -> Iterator[News]:
    names = catalogue.names({row.market for row in rows})
    for row in rows:
        kind = "settlement" if row.liquidity == "settlement" else "trade"
        if kind == "settlement" and row.side == Side.BUY:
            kind = "correction"
        named = names.get(row.market)
        fields = {
            name: getattr(row, name)
            for name in (
                *("strategy", "market", "outcome", "side", "price", "size", "fee", "at"),
                "realized_pnl",
            )
        }
        question = named.question if named else ""
        yield News(f"{kind}:{row.id}", kind, "info", {**fields, "question": question})


def _breaches(rows: QuerySet[Refusal]) -> Iterator[News]:
    """A limit that stays reached is told once a day and strategy, not at every refused signal."""
    told = set()
    for row in rows:
        key = f"limit:{row.code}:{row.strategy}:{row.at // DAY_MS}"
        if key not in told:
            told.add(key)
            value = f"{_plain(row.value)} of {_plain(row.limit)}"
            fields = {"limit": LIMITS[RefusalCode(row.code)], "value": value, "at": row.at}
            yield News(key, "limit_breached", "warning", {**fields, "strategy": row.strategy})


def _plain(micro: str) -> str:
    return f"{Decimal(micro) / ONE:.2f}"


def _failures(found: Iterable[tuple[str, int, str]]) -> Iterator[News]:
    """A strategy that goes on failing is told once a day for each text."""
    for strategy, at, text in found:
        key = f"strategy_error:{strategy}:{text}:{at // DAY_MS}"
        fields = {"strategy": strategy, "error": text, "at": at}
        yield News(key, "strategy_error", "error", fields)


def _decisions(rows: QuerySet[Change]) -> Iterator[News]:
    for row in rows:
        level = "critical" if row.kind == "halt" else "warning"
        at = int(row.recorded_at.timestamp() * 1000)
        fields = {"scope": row.scope or "all", "who": row.who, "why": row.why, "at": at}
        yield News(f"{row.kind}:{row.pk}", row.kind, level, fields)


def _breakers(rows: QuerySet[HaltState]) -> Iterator[News]:
    """Halts that a breaker latched; a person's are told by their Change."""
    for row in rows:
        fields = {"scope": row.scope, "who": row.who, "why": row.reason, "at": row.at}
        yield News(f"halt:{row.scope}:{row.at}", "halt", "critical", fields)


def _suspensions(rows: QuerySet[StrategyState]) -> Iterator[News]:
    """Strategies that a rule has switched off."""
    for row in rows:
        key = f"auto_disabled:{row.name}:{row.suspended_at}"
        fields = {"strategy": row.name, "reason": row.suspended, "at": row.suspended_at}
        yield News(key, "auto_disabled", "warning", fields)


def _mismatches(rows: QuerySet[Reconciliation]) -> Iterator[News]:
    """A reconciliation with other faults than the one before it; its halt is told with it."""
    before: list[str] = []
    for row in reversed(rows):
        if row.faults and row.faults != before:
            at = int(row.at.timestamp() * 1000)
            fields = {"faults": list(row.faults), "at": at}
            yield News(f"ledger_mismatch:{row.pk}", "ledger_mismatch", "critical", fields)
        before = row.faults
