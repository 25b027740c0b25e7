"""How the doors to the exchange stand, for pages, API and a source that is opened again."""

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
