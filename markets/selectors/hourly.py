"""What each event's prices did from full hour to full hour, an hour of all markets at a time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from markets.core.types import ONE
from markets.models import Bar, Market

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Move:
    """The mean logit return of an event's markets of one category in the hour from `at` (ms UTC).

    A market without an event stands for itself.
    """

    event: str
    category: str
    at: int
    move: float


def moves(*, since: int, until: int) -> Iterator[Move]:
    """The moves of hours that begin at `since` or later and end by `until` (ms UTC).

    A market counts in an hour with a bar at both ends, priced strictly between 0 and a dollar.
    Read hour by hour: no more than two of them are in memory.
    """
    belongs = _belongings()
    start = -(-since // HOUR_MS) * HOUR_MS
    before = _closes(start)
    for at in range(start, until - HOUR_MS + 1, HOUR_MS):
        after = _closes(at + HOUR_MS)
        yield from _between(at, before, after, belongs)
        before = after


def _belongings() -> dict[int, tuple[str, str]]:
    """(event, category) of every market that ever had one, by local key."""
    rows = Market.objects.values_list("pk", "condition_id", "category", "event__event_id")
    return {key: (event or name, category) for key, name, category, event in rows.iterator()}


def _closes(at: int) -> dict[int, float]:
    """Log odds by local key."""
    rows = Bar.objects.filter(at=at, micro__gt=0, micro__lt=ONE).order_by("market_id")
    found = rows.values_list("market_id", "micro")
    return {key: log(price) - log(ONE - price) for key, price in found}


def _between(
    at: int,
    before: dict[int, float],
    after: dict[int, float],
    belongs: dict[int, tuple[str, str]],
) -> Iterator[Move]:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for key, close in after.items():
        if key in before:
            found[belongs[key]].append(close - before[key])
    for (event, category), each in found.items():
        yield Move(event, category, at, sum(each) / len(each))
