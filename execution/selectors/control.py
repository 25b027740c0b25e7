"""What people and configuration allow: switches, limits, halts, and whether the books balance."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F, Max, Sum

from execution.core.risk import UNITS
from execution.core.types import ChangeKind
from execution.models import (
    Account,
    Change,
    Equity,
    HaltState,
    JournalEntry,
    Lapse,
    LedgerAccount,
    LimitState,
    Order,
    Posting,
    Reconciliation,
    Refusal,
    StrategyState,
    Trade,
    guards,
)

ACTIVE = "active"
UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Switch:
    """One strategy's switch: what the file says, a person's override, and the state in force."""

    name: str
    state: str
    reason: str
    configured: bool
    override: bool | None
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def enabled(self) -> bool:
        """Whether it is meant to trade: the override, else the configuration."""
        return self.configured if self.override is None else self.override

    @property
    def active(self) -> bool:
        """Whether it does trade."""
        return self.state == ACTIVE


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit and its use, in millionths of its unit (`max_drawdown`: 100_000 is 10 %)."""

    name: str
    used: int
    configured: int
    override: int | None

    @property
    def limit(self) -> int:
        """The value in force: the override, else the configuration."""
        return self.configured if self.override is None else self.override

    @property
    def unit(self) -> str:
        """What it counts: dollars, fraction, count or seconds."""
        return UNITS[self.name]

    @property
    def source(self) -> str:
        """Where the value in force comes from."""
        return "configuration" if self.override is None else "override"


@dataclass(frozen=True, slots=True)
class Halted:
    """A latched kill switch; `at` ms UTC."""

    scope: str
    reason: str
    who: str
    at: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision, and the tick that applied it (None while it waits)."""

    id: int
    kind: str
    scope: str
    value: str
    who: str
    why: str
    at: int
    applied_tick: int | None


def switches() -> tuple[Switch, ...]:
    """Every strategy's switch, in name order."""
    return tuple(
        Switch(
            row.name, row.state, row.reason, row.configured, row.override,
            row.description, row.parameters,
        )
        for row in StrategyState.objects.order_by("name")
    )  # fmt: skip


def active_count() -> int:
    """How many strategies trade."""
    return StrategyState.objects.filter(state=ACTIVE).count()


def limits() -> tuple[LimitUse, ...]:
    """Every risk limit with its use, in name order."""
    return tuple(
        LimitUse(row.name, row.used, row.configured, row.override)
        for row in LimitState.objects.filter(name__in=UNITS).order_by("name")
    )


def halts() -> tuple[Halted, ...]:
    """Every latched kill switch; scope "all" stops everything."""
    rows = HaltState.objects.order_by("scope")
    return tuple(Halted(row.scope, row.reason, row.who, row.at) for row in rows)


def decisions(*, limit: int) -> tuple[Decision, ...]:
    """The newest decisions people made, the latest first."""
    return tuple(_decision(row) for row in Change.objects.order_by("-id")[:limit])


def waiting() -> tuple[Decision, ...]:
    """Decisions that no tick has applied yet, oldest first."""
    rows = Change.objects.filter(applied_tick__isnull=True)
    kinds = [ChangeKind.HALT, ChangeKind.RESUME, ChangeKind.ENABLE, ChangeKind.DISABLE]
    return tuple(_decision(row) for row in rows.filter(kind__in=kinds).order_by("id"))


def last_decision() -> int:
    """The newest decision's number, 0 when nobody decided anything."""
    return Change.objects.aggregate(id=Max("id"))["id"] or 0


def ledger_fault() -> str:
    """What is wrong with the ledger in one sentence, or '' when it balances.

    Debits equal credits in every account and asset, and every guard is in its place. `checks`
    looks deeper, at a cost that no page should pay.
    """
    gone = guards.missing(connection)
    if gone:
        return f"the guard {gone[0]} is missing"
    sums = LedgerAccount.objects.values("account", "asset").annotate(
        gap=Sum(F("debits") - F("credits"))
    )
    odd = sums.exclude(gap=0).order_by("account", "asset").first()
    if odd:
        return f"account {odd['account']} is out of balance by {odd['gap']} micro of {odd['asset']}"
    return ""


def mismatch() -> str:
    """What the newest reconciliation found first, '' where accounts and ledger agreed."""
    found = Reconciliation.objects.order_by("-pk").values_list("faults", flat=True).first()
    return str(found[0]) if found else ""


def row_counts() -> dict[str, int]:
    """Rows in this app's tables that grow, by the name people know."""
    return {
        "orders": Order.objects.count(),
        "trades": Trade.objects.count(),
        "refusals": Refusal.objects.count(),
        "journal entries": JournalEntry.objects.count(),
        "postings": Posting.objects.count(),
        "equity": Equity.objects.count(),
        "decisions": Change.objects.count(),
        "lapses": Lapse.objects.count(),
    }


def opened_at() -> int | None:
    """When the accounts were opened (ms UTC), None before that."""
    return Account.objects.aggregate(at=Max("opened_at"))["at"]


def _decision(row: Change) -> Decision:
    at = int(row.recorded_at.timestamp() * 1000)
    return Decision(row.pk, row.kind, row.scope, row.value, row.who, row.why, at, row.applied_tick)
