"""How the doors to the exchange stand, for pages, API and a source that is opened again."""

from django.db.models import Max

from markets import models
from markets.core.types import Feed, FeedState


def feeds() -> tuple[Feed, ...]:
    """Every door ever used, by name."""
    rows = models.Feed.objects.order_by("name")
    return tuple(
        Feed(
            name=row.name,
            state=FeedState(row.state),
            reason=row.reason,
            since=row.since,
            seen_at=row.seen_at,
            paused_until=row.paused_until,
            requests=row.requests,
            failures=tuple(sorted(row.failures.items())),
        )
        for row in rows
    )


def paused_until() -> int:
    """Until when (ms UTC) the exchange asked to be left alone, whichever process it told; 0: not.

    The pause holds for all hosts: they count one caller.
    """
    return models.Feed.objects.aggregate(latest=Max("paused_until"))["latest"] or 0
