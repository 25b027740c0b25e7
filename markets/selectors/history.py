"""One market's recorded touch over time."""

from dataclasses import dataclass

from django.db.models import F, Max

from markets.core import book as books
from markets.core.types import ONE
from markets.models import Market, Snapshot, Tick


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """Both tokens' touch at one tick, micro-dollars, None where a side was empty; `at` ms UTC."""

    at: int
    yes_bid: int | None
    yes_ask: int | None
    no_bid: int | None
    no_ask: int | None
    source: str = "hot"


def history(
    market: str, *, since: int, until: int, every_ms: int, limit: int
) -> tuple[HistoryPoint, ...] | None:
    """Points of a market in [since, until], oldest first, at most `limit`; None when unknown.

    With `every_ms` only the last tick of each interval is taken.
    """
    key = Market.objects.filter(condition_id=market).values_list("pk", flat=True).first()
    if key is None:
        return None
    rows = Snapshot.objects.filter(
        market_id=key, tick_id__in=_ticks(since, until, every_ms), observed_at__gt=0
    )
    found = rows.order_by("tick_id").values_list(
        "tick__at", "bid", "ask", "bid_valid", "ask_valid", "coherent", "no_depth"
    )
    return tuple(_point(*row) for row in found[:limit])


def _ticks(since: int, until: int, every_ms: int):
    ticks = Tick.objects.filter(at__gte=since, at__lte=until)
    if not every_ms:
        return ticks.values("id")
    return (ticks.annotate(slot=F("at") / every_ms).values("slot").annotate(last=Max("id"))).values(
        "last"
    )


def _point(
    at: int, bid: int, ask: int, has_bid: bool, has_ask: bool, coherent: bool, no: bytes | None
) -> HistoryPoint:
    yes = (bid if has_bid else None, ask if has_ask else None)
    mirror = (ONE - ask if has_ask else None, ONE - bid if has_bid else None)
    other = mirror if coherent or no is None else _touch(bytes(no))
    return HistoryPoint(at, *yes, *other)


def _touch(blob: bytes) -> tuple[int | None, int | None]:
    read = books.unpack(blob, "", 0)
    bid, ask = books.best_bid(read), books.best_ask(read)
    return (bid.price if bid else None), (ask.price if ask else None)
