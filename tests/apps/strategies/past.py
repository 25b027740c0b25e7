"""Markets of the past as rows: listed, priced, due at some instant, and perhaps resolved."""

from collections.abc import Iterable, Mapping

from markets import models
from markets.core.types import ONE

DAY, HOUR = 86_400_000, 3_600_000


def market(
    name: str, *, event: str = "", category: str = "politics", ends: Mapping[int, int | None]
) -> models.Market:
    """A market whose terms said from each instant on that it ends at another (ms UTC)."""
    known, _ = models.Event.objects.get_or_create(event_id=event or f"e-{name}")
    row = models.Market.objects.create(condition_id=name, category=category, event=known)
    for since, end in ends.items():
        models.Terms.objects.create(
            market=row, effective_at=since, end_at=end, tick_size=10_000, min_size=5 * ONE,
            status="open", accepting_orders=True,
        )  # fmt: skip
    return row


def bars(row: models.Market, closes: Iterable[tuple[int, int]]) -> None:
    """Sealed bars at (close, price)."""
    models.Bar.objects.bulk_create(
        models.Bar(at=at, market=row, bid=0, ask=0, micro=price, changes=1, count=1)
        for at, price in closes
    )


def resolve(row: models.Market, at: int, *, yes: int) -> None:
    """YES paid this much (micro-dollars), said at an instant."""
    models.Resolution.objects.create(
        market=row, tick_id=0, status="resolved", at=at, yes_payout=yes, no_payout=ONE - yes
    )
