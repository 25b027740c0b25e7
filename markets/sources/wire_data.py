"""Data v2: the best public statement of how a market ended."""

from markets.core.types import ONE, Resolution, Status
from markets.sources import wire
from markets.sources.wire import Unreadable, Wire

STATUSES = {
    "initialized": Status.OPEN,
    "posed": Status.OPEN,
    "active": Status.OPEN,
    "proposed": Status.PROPOSED,
    "reproposed": Status.PROPOSED,
    "challenged": Status.DISPUTED,
    "disputed": Status.DISPUTED,
    "arbitration": Status.DISPUTED,
    "resolved": Status.RESOLVED,
}


class DataResolution(Wire):
    condition_id: wire.ConditionId
    status: str
    payouts: list[int] | None = None
    resolved_at: str | int | None = None
    last_update_timestamp: str | int | None = None


def resolution(item: object, at: int) -> Resolution:
    """What `/v2/resolutions` says of one market, OPEN included.

    Resolved needs payouts that share one dollar between both outcomes; without them the row is
    Unreadable and another source must be asked. `at` (ms UTC) is used where no time is given.
    """
    found = wire.read(DataResolution, item)
    if found.status not in STATUSES:
        raise Unreadable(f"status: {found.status[:40]!r} is not known")
    status = STATUSES[found.status]
    when = _first_time(found.resolved_at, found.last_update_timestamp) or at
    if status is not Status.RESOLVED:
        return Resolution(found.condition_id, status, when)
    return Resolution(found.condition_id, status, when, _payouts(found))


def condition(item: object) -> str:
    """The condition id of a row that may be otherwise unreadable, lower case as sent, or ""."""
    return wire.text(item, "condition_id")


def _payouts(found: DataResolution) -> tuple[int, int]:
    paid = found.payouts or []
    if len(paid) != 2 or min(paid) < 0 or sum(paid) != ONE:
        raise Unreadable(f"payouts: {paid[:4]} do not share one dollar")
    return (paid[0], paid[1])


def _first_time(*values: str | int | None) -> int | None:
    for value in values:
        try:
            found = wire.any_ms(value) if value is not None else None
        except ValueError:
            continue
        if found:
            return found
    return None
