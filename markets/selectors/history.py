"""One market's recorded touch over time, from the archive and the tables alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db.models import F, Max, Q

from markets.archive import series, touch
from markets.archive.series import Series
from markets.core import book as books
from markets.core.tick import Ints
from markets.core.types import ONE
from markets.models import Market, Snapshot
from markets.selectors import spans
from markets.selectors.spans import Stretch

HOT, ARCHIVE = "hot", "archive"


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """Both tokens' touch at one tick, micro-dollars, None where a side was empty; `at` ms UTC.

    `source` says where it was read: "hot" in the tables, "archive" in a sealed day.
    """

    at: int
    yes_bid: int | None
    yes_ask: int | None
    no_bid: int | None
    no_ask: int | None
    source: str = HOT


def history(
    market: str, *, since: int, until: int, every_ms: int, limit: int
) -> tuple[HistoryPoint, ...] | None:
    """Points of a market in [since, until], oldest first, at most `limit`; None when unknown.

    A tick is a point if the market was tracked and its book had ever been read. With `every_ms`
    only the last point of each interval is taken.
    """
    key = Market.objects.filter(condition_id=market).values_list("pk", flat=True).first()
    if key is None:
        return None
    found: Iterable[HistoryPoint] = (
        point
        for stretch in spans.stretches(since, until + 1)
        for point in (
            _hot(key, stretch, every_ms)
            if stretch.day is None
            else _archived(market, stretch, every_ms)
        )
    )
    if every_ms:
        found = _last_of_each(found, every_ms)
    return tuple(islice(found, limit))


def market_ids(text: str) -> list[str]:
    """Condition ids of the markets with this id or slug."""
    named = Market.objects.filter(Q(condition_id=text) | Q(slug=text))
    return list(named.order_by("pk").values_list("condition_id", flat=True))


def _last_of_each(points: Iterable[HistoryPoint], every_ms: int) -> Iterator[HistoryPoint]:
    """An interval may begin in one place and end in another."""
    held: HistoryPoint | None = None
    for point in points:
        if held is not None and held.at // every_ms != point.at // every_ms:
            yield held
        held = point
    if held is not None:
        yield held


def _hot(key: int, stretch: Stretch, every_ms: int) -> Iterator[HistoryPoint]:
    rows = Snapshot.objects.filter(
        market_id=key,
        tick__at__gte=stretch.since,
        tick__at__lt=stretch.until,
        observed_at__gt=0,
    )
    if every_ms:
        slots = rows.annotate(slot=F("tick__at") / every_ms).values("slot")
        newest = slots.annotate(last=Max("tick_id")).values("last")
        rows = Snapshot.objects.filter(market_id=key, tick_id__in=newest)
    fields = ("tick__at", "bid", "ask", "bid_valid", "ask_valid", "coherent", "no_depth")
    for row in rows.order_by("tick_id").values_list(*fields).iterator(2_000):
        yield _point(*row)


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


def _archived(market: str, stretch: Stretch, every_ms: int) -> Iterator[HistoryPoint]:
    found = series.series(stretch.folder, market, ("bid", "ask", "no_bid", "no_ask"))
    if found is None:
        return
    places = _places(found, stretch, every_ms)
    picked = (found.columns[name][places].tolist() for name in ("bid", "ask", "no_bid", "no_ask"))
    flags = found.columns["flags"][places].tolist()
    for at, bits, bid, ask, no_bid, no_ask in zip(
        found.ats[places].tolist(), flags, *picked, strict=True
    ):
        yes = (bid if bits & touch.BID else None, ask if bits & touch.ASK else None)
        if bits & touch.APART and not bits & touch.COHERENT:
            no = (no_bid if bits & touch.NO_BID else None, no_ask if bits & touch.NO_ASK else None)
        else:
            no = (None if yes[1] is None else ONE - ask, None if yes[0] is None else ONE - bid)
        yield HistoryPoint(at, *yes, *no, source=ARCHIVE)


def _places(found: Series, stretch: Stretch, every_ms: int) -> Ints:
    """Where the wanted points lie in a day's series."""
    inside = found.has(touch.SEEN) & (found.ats >= stretch.since) & (found.ats < stretch.until)
    places = np.flatnonzero(inside)
    if every_ms and len(places):
        slots = found.ats[places] // every_ms
        places = places[np.append(slots[1:] != slots[:-1], True)]
    return places
