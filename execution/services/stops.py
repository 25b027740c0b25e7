"""Halts that the desk finds by itself: the HALT file, and a kill switch that cannot be read."""

from collections.abc import Sequence

from execution.core import controls
from execution.core.desk import Desk
from execution.core.types import Change, ChangeKind
from execution.services import stopfile


def found(desk: Desk, waiting: Sequence[Change]) -> list[Change]:
    """Halts to apply with the decisions that wait, as Changes that have no row yet."""
    stops = []
    if desk.control.unreadable:
        stops.append(_halt("desk", desk.control.unreadable))
    reason = stopfile.reason()
    if reason and not _stands(desk, waiting):
        stops.append(_halt(stopfile.WHO, reason))
    return stops


def _stands(desk: Desk, waiting: Sequence[Change]) -> bool:
    """Whether everything will be halted anyway, and nothing be sold under that halt."""
    after = desk.control
    for change in waiting:
        after = controls.apply(after, change)
    flattens = any(
        controls.ALL in portfolio.closing.values() for portfolio in desk.portfolios.values()
    ) or any(change.value for change in waiting if change.kind is ChangeKind.HALT)
    return controls.ALL in after.halts and not flattens


def _halt(who: str, why: str) -> Change:
    return Change(ChangeKind.HALT, controls.ALL, "", who, why)
