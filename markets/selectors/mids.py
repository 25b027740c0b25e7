"""What a market was worth at an instant by its own book, and what it paid in the end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markets.core.types import FeeSchedule, Status
from markets.models import Market, Resolution, Snapshot
from markets.selectors import universes

FRESH_MS = 600_000
"""A book confirmed longer ago than this says nothing of an instant."""


@dataclass(frozen=True, slots=True)
class Mid:
    """YES bid and ask in micro-dollars at an instant; where they are not known, `unknown` says why.

    Known only where both tokens' books showed one instant and neither side was empty.
    """

    bid: int = 0
    ask: int = 0
    unknown: str = ""

    @property
    def mid(self) -> int:
        """Half way between bid and ask, micro-dollars."""
        return (self.bid + self.ask) // 2


@dataclass(frozen=True, slots=True)
class Ended:
    """What YES paid, when that was said, and when the market was due to end (ms UTC, None where it
    never was)."""

    paid: int
    at: int
    end_at: int | None


def mid_at(market: str, at: int, *, fresh_ms: int = FRESH_MS) -> Mid:
    """The newest book by `at` (ms UTC), confirmed at most `fresh_ms` before; else why there is
    none."""
    key = Market.objects.filter(condition_id=market).values_list("pk", flat=True).first()
    rows = Snapshot.objects.filter(market_id=key, tick__at__lte=at, tick__at__gt=at - fresh_ms)
    row = rows.order_by("-tick_id").first()
    if row is None:
        return Mid(unknown="no book is kept of that time")
    if row.observed_at <= at - fresh_ms:
        return Mid(unknown="the book was not confirmed then")
    if not (row.bid_valid and row.ask_valid):
        return Mid(unknown="one side of the book was empty")
    if not row.coherent or row.bid >= row.ask:
        return Mid(unknown="the book was not coherent")
    return Mid(row.bid, row.ask)


def ended(markets: Iterable[str]) -> Mapping[str, Ended]:
    """Those of the markets that are resolved, by condition id, as the newest statement has it."""
    said = Resolution.objects.filter(
        market__condition_id__in=list(markets), status=Status.RESOLVED, yes_payout__isnull=False
    ).order_by("at", "pk")
    found = {
        name: (paid, at) for name, paid, at in said.values_list(
            "market__condition_id", "yes_payout", "at"
        )
    }  # fmt: skip
    terms = universes.current_terms(found)
    return {
        name: Ended(paid, at, terms[name].end_at if name in terms else None)
        for name, (paid, at) in found.items()
    }


def fees(markets: Iterable[str]) -> Mapping[str, FeeSchedule | None]:
    """The fee schedules in force, by condition id; None where one is not known."""
    found = universes.markets_in_force(markets)
    return {name: market.terms.fee for name, market in found.items()}
