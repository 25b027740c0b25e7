"""People's decisions, written down as facts that take effect on the next tick."""

import json
import re

from django.conf import settings
from django.utils import timezone

from execution.core.controls import ALL, is_scope
from execution.core.decisions import FLATTEN
from execution.core.desk import ACCOUNTS
from execution.core.eras import Imported
from execution.core.risk import LIMIT_NAMES, UNITS, Unit
from execution.core.types import OPEN_STATES, Change, ChangeKind
from execution.models import Account, Order, Position, StrategyState
from execution.models import Change as ChangeRow
from execution.services import stopfile
from markets.core.amounts import plain
from markets.core.types import ONE
from markets.selectors import catalogue
from strategies.core.learnt import KINDS

LARGEST = 4 * 10**15
"""Amounts stay below this many micro-units, so that sums fit 64 bits."""

MONEY = (ChangeKind.DEPOSIT, ChangeKind.WITHDRAW, ChangeKind.NEW_ACCOUNT)
SWITCHES = (ChangeKind.ENABLE, ChangeKind.DISABLE, ChangeKind.RESET_STRATEGY)


class BadChange(ValueError):
    """A decision that cannot be carried out; the text names the field and what is allowed."""

    @property
    def field(self) -> str:
        """The field that is to blame."""
        return str(self).partition(":")[0]


def record(*, kind: ChangeKind, scope: str = "", value: str = "", who: str, why: str) -> int:
    """Append one decision and return its number; refuses what could not be applied."""
    kind = ChangeKind(kind)
    if not why.strip():
        raise BadChange("why: a reason is needed, in a few words")
    if kind is ChangeKind.NEW_ACCOUNT:
        value = value or str(settings.PQAP.initial_capital)
    _check_scope(kind, scope)
    check_value(kind, value)
    if kind is ChangeKind.LIMIT and UNITS[scope] is Unit.COUNT and int(value) % ONE:
        raise BadChange(f"value: {int(value) / ONE:g} is not allowed; {scope} is a whole number")
    if kind is ChangeKind.WITHDRAW:
        _check_cash(int(value))
    if kind is ChangeKind.RESUME and scope in ("", ALL):
        stopfile.remove()
    row = ChangeRow.objects.create(
        kind=kind, scope=scope, value=value, who=who, why=why, recorded_at=timezone.now()
    )
    return int(row.pk)


def unseen() -> list[Change]:
    """Decisions not applied yet, oldest first."""
    return [as_fact(row) for row in ChangeRow.objects.filter(applied_tick=None).order_by("pk")]


def applied() -> dict[int, list[Change]]:
    """Every decision that was applied, by the tick that first did, as a replay is handed them."""
    found: dict[int, list[Change]] = {}
    for row in ChangeRow.objects.exclude(applied_tick=None).order_by("pk"):
        found.setdefault(row.applied_tick, []).append(as_fact(row))
    return found


def in_force(position: int) -> dict[str, str]:
    """The digest of what each kind of knowledge was when the tick at `position` had been taken."""
    rows = ChangeRow.objects.filter(kind=ChangeKind.LEARNT, applied_tick__lte=position)
    return dict(rows.order_by("pk").values_list("scope", "value"))


def as_fact(row: ChangeRow) -> Change:
    """A stored decision as `step` sees it; one that cannot be read halts everything."""
    try:
        kind = ChangeKind(row.kind)
        check_value(kind, row.value)
    except ValueError as fault:
        why = f"decision {row.pk} cannot be read: {fault}"
        return Change(ChangeKind.HALT, "all", "", row.who, why, int(row.pk))
    return Change(kind, row.scope, row.value, row.who, row.why, int(row.pk))


def free_cash() -> tuple[int, str]:
    """The least free cash (micro-dollars) and whose; debts and waiting withdrawals are off."""
    withdrawn = ChangeRow.objects.filter(applied_tick=None, kind=ChangeKind.WITHDRAW)
    waiting = sum(int(value) for value in withdrawn.values_list("value", flat=True))
    rows = Account.objects.values_list("cash", "state", "name")
    free = ((cash - state.get("owed", 0), name) for cash, state, name in rows)
    cash, name = min(free, default=(0, "base"))
    return max(0, cash - waiting), name


def _check_scope(kind: ChangeKind, scope: str) -> None:
    if kind in SWITCHES:
        _check_strategy(kind, scope)
    elif kind in (ChangeKind.LIMIT, ChangeKind.RESET_LIMIT) and scope not in LIMIT_NAMES:
        allowed = ", ".join(sorted(LIMIT_NAMES))
        raise BadChange(f"limit: {scope!r} is not known; it must be one of {allowed}")
    elif kind in (ChangeKind.HALT, ChangeKind.RESUME) and scope and not is_scope(scope):
        raise BadChange(
            f"scope: {scope!r} is not allowed; it must be all, strategy:<name> or market:<id>"
        )
    elif kind is ChangeKind.CLOSE and not _is_known(scope, "token"):
        raise BadChange(
            f"scope: {scope!r} is not allowed; it must be all, strategy:<name>, market:<id> or "
            "token:<id> of something known and held"
        )
    elif kind is ChangeKind.CANCEL and not _is_known(scope, "order"):
        raise BadChange(
            f"scope: {scope!r} is not allowed; it must be all, strategy:<name>, market:<id> or "
            "order:<id> of something known and open"
        )
    elif kind is ChangeKind.IMPORT and scope not in ACCOUNTS:
        raise BadChange(f"account: {scope!r} is not one of {', '.join(ACCOUNTS)}")
    elif kind is ChangeKind.LEARNT and scope not in KINDS:
        raise BadChange(f"scope: {scope!r} is not allowed; it must be one of {', '.join(KINDS)}")
    elif kind in MONEY and scope:
        raise BadChange(f"scope: {scope!r} is not allowed; it concerns all three accounts")


def _check_strategy(kind: ChangeKind, scope: str) -> None:
    names = sorted(StrategyState.objects.values_list("name", flat=True))
    if scope not in names:
        raise BadChange(f"strategy: {scope!r} is not known; it must be one of {', '.join(names)}")
    state = StrategyState.objects.get(name=scope).state
    if kind is ChangeKind.ENABLE and state in ("unavailable", "invalid"):
        raise BadChange(f"strategy: {scope} is {state} and cannot be enabled")


def _is_known(scope: str, finest: str) -> bool:
    """Whether a scope names something that is there: a close's finest is a token, a cancel's an
    order."""
    prefix, _, name = scope.partition(":")
    if prefix != finest and prefix in ("token", "order"):
        return False
    match prefix:
        case "strategy":
            return StrategyState.objects.filter(name=name).exists() or _held(strategy=name)
        case "market":
            return name in catalogue.names([name]) or _held(market=name)
        case "token":
            return _held(token=name)
        case "order":
            return Order.objects.filter(id=name, state__in=OPEN_STATES).exists()
    return scope == "all"


def _held(**columns: str) -> bool:
    return Position.objects.filter(size__gt=0, **columns).exists()


def check_value(kind: ChangeKind, value: str) -> None:
    """Raise BadChange unless a decision's value is one that `step` can apply."""
    if kind is ChangeKind.HALT and value not in ("", FLATTEN):
        raise BadChange(f"value: {value!r} is not allowed; it must be empty or {FLATTEN}")
    if kind is ChangeKind.LIMIT and not _is_amount(value):
        raise BadChange(
            f"value: {value!r} is not allowed; it must be a whole number of micro-units"
        )
    if kind in MONEY and not (_is_amount(value) and int(value) > 0):
        shown = plain(int(value)) if _is_amount(value) else repr(value)
        raise BadChange(f"amount: {shown} is not allowed; it must be a number of dollars above 0")
    if kind is ChangeKind.IMPORT:
        _check_import(value)
    if kind is ChangeKind.LEARNT and not re.fullmatch("(?:[0-9a-f]{64})?", value):
        raise BadChange(f"value: {value!r} is not allowed; it must be a digest, or empty")


def _is_amount(value: str) -> bool:
    return value.isascii() and value.isdigit() and int(value) < LARGEST


def _check_import(value: str) -> None:
    try:
        wanted = Imported.load(value)
        figures = [wanted.cash, wanted.deposits, wanted.realized, wanted.fees, wanted.rebates]
        figures += [figure for held in wanted.positions for figure in (held.size, held.cost)]
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise BadChange(
            f"value: it is not an account as `importstate` writes it: {fault}"
        ) from None
    if not all(isinstance(figure, int) and abs(figure) < LARGEST for figure in figures):
        raise BadChange("value: a figure is no whole number of micro-units, or too large")


def _check_cash(amount: int) -> None:
    free, name = free_cash()
    if amount > free:
        raise BadChange(
            f"amount: {plain(amount)} dollars are more than the {plain(free)} that are free in "
            f"the {name} account; close holdings or cancel orders first"
        )
