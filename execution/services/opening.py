"""Opening the books: accounts with their first deposit, and the switches as configured."""

from dataclasses import asdict, is_dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from execution.core import portfolio as accounts
from execution.core import state
from execution.core.desk import ACCOUNTS
from execution.core.risk import LIMIT_NAMES
from execution.core.types import JournalEntry, Portfolio
from execution.models import Account, LimitState, StrategyState
from execution.services import bookings, configured
from execution.services.projections import AUTO_DISABLED
from markets import stages
from strategies.library import REGISTRY


@transaction.atomic
def open_accounts(at: int) -> bool:
    """Open the three accounts once, and show switches and limits as configured; True when new."""
    stages.position("desk")
    _show_strategies()
    _show_limits()
    known = set(Account.objects.values_list("name", flat=True))
    for name in ACCOUNTS:
        if name not in known:
            _open(name, at)
    return not known


def _open(name: str, at: int) -> None:
    portfolio, facts = accounts.deposit(
        Portfolio(name), settings.PQAP.initial_capital, at, "opening"
    )
    Account.objects.create(
        name=name,
        opened_at=at,
        seed=settings.PQAP.paper.seed,
        config_digest=settings.PQAP.digest,
        initial=portfolio.cash,
        cash=portfolio.cash,
        equity=portfolio.equity,
        high_water=portfolio.high_water,
        day_open=portfolio.day_open,
        deposits=portfolio.deposits,
        marked_at=at,
        state=state.dump(portfolio),
    )
    entries = [(0, fact) for fact in facts if isinstance(fact, JournalEntry)]
    bookings.book(entries, timezone.now())


def _show_strategies() -> None:
    enabled = configured.enabled()
    for name, (known, reason) in configured.states().items():
        row, _ = StrategyState.objects.get_or_create(name=name, defaults={"state": known})
        row.configured = name in enabled
        row.description = REGISTRY[name].description
        row.parameters = _plain(settings.PQAP.strategies.get(name))
        row.state, row.reason = known, reason
        if row.override is not None and known not in ("unavailable", "invalid"):
            row.state, row.reason = ("active" if row.override else "disabled"), "override"
        if row.suspended and row.state == "active":
            row.state, row.reason = AUTO_DISABLED, row.suspended
        row.save()


def _plain(parameters: Any) -> dict[str, Any]:
    return asdict(parameters) if is_dataclass(parameters) else {}  # type: ignore[arg-type]


def _show_limits() -> None:
    for name in LIMIT_NAMES:
        value = getattr(settings.PQAP.risk_limits, name)
        LimitState.objects.update_or_create(name=name, defaults={"configured": value})
