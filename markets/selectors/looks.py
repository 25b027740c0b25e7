"""Resolved markets looked at before their end: a price, how long before, and what YES paid."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markets.core.types import ONE, Status
from markets.models import Bar, Market, Resolution, Terms

DAY_MS = 86_400_000
KEPT_DAYS = 90
"""How long before its outcome a market is looked at."""
AT_ONCE = 500
"""Markets whose terms are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Look:
    """YES of a market at `price` micro-dollars, `days` before its end; it paid `paid` micro.

    A market without an event stands for itself. `resolved_at` ms UTC.
    """

    event: str
    category: str
    price: int
    days: float
    paid: int
    resolved_at: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A resolved market, and the ends it was given: (from when on, due then), ms UTC."""

    key: int
    event: str
    category: str
    paid: int
    at: int
    ends: tuple[tuple[int, int | None], ...]


def looks(*, until: int, days: Sequence[float], bounds: Sequence[float]) -> Iterator[Look]:
    """One look at each market resolved by `until` (ms UTC) in each stretch of days to its end.

    `bounds` part the stretches (ascending, days), so there is one less than `days`. A look is the
    first bar at most `days[n]` days before the end as it was known then, else the last before that;
    never one after the outcome, nor more than KEPT_DAYS before it.
    """
    oldest = Bar.objects.order_by("at").values_list("at", flat=True).first()
    if oldest is None:
        return
    said = Resolution.objects.filter(
        status=Status.RESOLVED, yes_payout__isnull=False, at__gt=oldest, at__lte=until
    ).order_by("market_id", "at", "pk")
    found = {key: (paid, at) for key, paid, at in said.values_list("market_id", "yes_payout", "at")}
    keys = list(found)
    for first in range(0, len(keys), AT_ONCE):
        for ended in _ended(keys[first : first + AT_ONCE], found):
            yield from _of(ended, days, bounds)


def _ended(keys: list[int], found: dict[int, tuple[int, int]]) -> Iterator[_Ended]:
    ends: dict[int, list[tuple[int, int | None]]] = defaultdict(list)
    rows = Terms.objects.filter(market__in=keys).order_by("market_id", "effective_at")
    for key, since, end in rows.values_list("market_id", "effective_at", "end_at"):
        if not ends[key]:
            since = 0
        if not ends[key] or ends[key][-1][1] != end:
            ends[key].append((since, end))
    columns = ("pk", "condition_id", "category", "event__event_id")
    for key, name, category, event in Market.objects.filter(pk__in=keys).values_list(*columns):
        paid, at = found[key]
        yield _Ended(key, event or name, category, paid, at, tuple(ends[key]))


def _of(ended: _Ended, days: Sequence[float], bounds: Sequence[float]) -> Iterator[Look]:
    seen: set[int] = set()
    edges = (0.0, *bounds)
    for place, (since, end) in enumerate(ended.ends):
        if end is None:
            continue
        until = ended.ends[place + 1][0] if place + 1 < len(ended.ends) else ended.at
        first, last = max(since, ended.at - KEPT_DAYS * DAY_MS), min(until, ended.at) - 1
        for number, wanted in enumerate(days):
            if number in seen:
                continue
            after = _before(end, edges[number + 1]) + 1 if number < len(bounds) else first
            span = max(first, after), min(last, _before(end, edges[number]))
            bar = _bar(ended.key, span, _before(end, wanted))
            if bar:
                seen.add(number)
                left = (end - bar[0]) / DAY_MS
                yield Look(ended.event, ended.category, bar[1], left, ended.paid, ended.at)


def _before(end: int, days: float) -> int:
    return end - round(days * DAY_MS)


def _bar(key: int, span: tuple[int, int], target: int) -> tuple[int, int] | None:
    """(close, price) of the first bar at `target` or later, else the last before.

    Closes from `span[0]` to `span[1]`, both included; prices strictly between 0 and a dollar.
    """
    if span[0] > span[1]:
        return None
    rows = Bar.objects.filter(
        market_id=key, at__gte=span[0], at__lte=span[1], micro__gt=0, micro__lt=ONE
    ).values_list("at", "micro")
    found: tuple[int, int] | None = (
        rows.filter(at__gte=target).order_by("at").first()
        or rows.filter(at__lt=target).order_by("-at").first()
    )
    return found
