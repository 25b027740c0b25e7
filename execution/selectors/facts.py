"""What happened between two ticks that people may want to hear of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from execution.models import Change, HaltState, Refusal, Trade

LOUD = ("DAILY_LOSS", "DRAWDOWN")


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell; `key` is a function of its cause, so it is told once."""

    key: str
    kind: str
    level: str
    fields: dict[str, Any]


def news(after_tick: int, up_to_tick: int) -> list[News]:
    """Trades, settlements, breached limits, halts and resumes of the base account, in order."""
    span = {"tick_id__gt": after_tick, "tick_id__lte": up_to_tick}
    found: list[News] = []
    found += _trades(Trade.objects.filter(account="base", **span).order_by("tick_id", "level"))
    found += _refusals(Refusal.objects.filter(account="base", code__in=LOUD, **span))
    applied = {"applied_tick__gt": after_tick, "applied_tick__lte": up_to_tick}
    found += _changes(Change.objects.filter(**applied).order_by("pk"))
    found += _halts()
    return found


def _trades(rows: Any) -> Iterator[News]:
    for row in rows:
        kind = "settlement" if row.liquidity == "settlement" else "trade"
        fields = {
            name: getattr(row, name)
            for name in ("strategy", "market", "outcome", "side", "price", "size", "fee", "at")
        }
        fields["realized_pnl"] = row.realized_pnl
        yield News(f"{kind}:{row.id}", kind, "info", fields)


def _refusals(rows: Any) -> Iterator[News]:
    for row in rows:
        yield News(
            f"limit:{row.code}:{row.tick_id}:{row.strategy}:{row.token}", "limit_breached",
            "warning",
            {"strategy": row.strategy, "code": row.code, "limit": row.limit, "value": row.value},
        )  # fmt: skip


def _changes(rows: Any) -> Iterator[News]:
    for row in rows:
        if row.kind in ("halt", "resume"):
            level = "critical" if row.kind == "halt" else "warning"
            fields = {"scope": row.scope or "all", "who": row.who, "why": row.why}
            yield News(f"{row.kind}:{row.pk}", row.kind, level, fields)


def _halts() -> Iterator[News]:
    """Halts that a breaker latched; a person's are told by their Change."""
    for row in HaltState.objects.filter(who="breaker"):
        fields = {"scope": row.scope, "who": row.who, "why": row.reason}
        yield News(f"halt:{row.scope}:{row.at}", "halt", "critical", fields)
