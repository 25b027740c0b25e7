"""People's decisions, written down as facts that take effect on the next tick."""

from django.utils import timezone

from execution.core.risk import LIMIT_NAMES, UNITS, Unit
from execution.core.types import ChangeKind
from execution.models import Change, StrategyState
from markets.core.types import ONE


class BadChange(ValueError):
    """A decision that cannot be carried out; the text names the field and what is allowed."""


def record(*, kind: ChangeKind, scope: str = "", value: str = "", who: str, why: str) -> int:
    """Append one decision and return its number; refuses what could not be applied."""
    kind = ChangeKind(kind)
    if not why.strip():
        raise BadChange("why: a reason is needed, in a few words")
    _check_scope(kind, scope)
    _check_value(kind, value)
    if kind is ChangeKind.LIMIT and UNITS[scope] is Unit.COUNT and int(value) % ONE:
        raise BadChange(f"value: {int(value) / ONE:g} is not allowed; {scope} is a whole number")
    row = Change.objects.create(
        kind=kind, scope=scope, value=value, who=who, why=why, recorded_at=timezone.now()
    )
    return int(row.pk)


def _check_scope(kind: ChangeKind, scope: str) -> None:
    if kind in (ChangeKind.ENABLE, ChangeKind.DISABLE, ChangeKind.RESET_STRATEGY):
        names = sorted(StrategyState.objects.values_list("name", flat=True))
        if scope not in names:
            raise BadChange(
                f"strategy: {scope!r} is not known; it must be one of {', '.join(names)}"
            )
        state = StrategyState.objects.get(name=scope).state
        if kind is ChangeKind.ENABLE and state in ("unavailable", "invalid"):
            raise BadChange(f"strategy: {scope} is {state} and cannot be enabled")
    elif kind in (ChangeKind.LIMIT, ChangeKind.RESET_LIMIT) and scope not in LIMIT_NAMES:
        allowed = ", ".join(sorted(LIMIT_NAMES))
        raise BadChange(f"limit: {scope!r} is not known; it must be one of {allowed}")
    elif kind in (ChangeKind.HALT, ChangeKind.RESUME) and not _is_halt_scope(scope):
        raise BadChange(
            f"scope: {scope!r} is not allowed; it must be all, strategy:<name> or market:<id>"
        )


def _is_halt_scope(scope: str) -> bool:
    prefix, _, rest = scope.partition(":")
    return scope in ("", "all") or (prefix in ("strategy", "market") and bool(rest))


def _check_value(kind: ChangeKind, value: str) -> None:
    if kind not in (ChangeKind.LIMIT, ChangeKind.DEPOSIT, ChangeKind.WITHDRAW):
        return
    if not value.isascii() or not value.isdigit() or int(value) >= 4 * 10**15:
        raise BadChange(
            f"value: {value!r} is not allowed; it must be a whole number of micro-units"
        )
