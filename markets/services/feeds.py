"""Noting how the doors to the exchange stand; any process may, each adds what it did."""

from collections.abc import Mapping

from django.db import transaction

from markets import models
from markets.core.types import FeedState


def retire(name: str) -> None:
    """Forget a door that is not used any more, so that nobody worries about how it stood."""
    models.Feed.objects.filter(name=name).delete()


@transaction.atomic
def note(
    name: str,
    state: FeedState,
    *,
    at: int,
    reason: str = "",
    paused_until: int = 0,
    requests: int = 0,
    failures: Mapping[str, int] | None = None,
) -> None:
    """Store how a door stands at `at` (ms UTC); `requests` and `failures` are added to totals.

    `since` moves only when the state changes; a pause is never shortened.
    """
    first = models.Feed(name=name, state=state, reason=reason, since=at, seen_at=at)
    models.Feed.objects.bulk_create([first], ignore_conflicts=True)
    row = models.Feed.objects.select_for_update().get(pk=name)
    if row.state != state:
        row.state, row.since = state, at
    row.reason, row.seen_at = reason, at
    row.paused_until = max(row.paused_until, paused_until)
    row.requests += requests
    for kind, count in (failures or {}).items():
        row.failures[kind] = row.failures.get(kind, 0) + count
    row.save()
