"""Reads of the outbox: what was told, what waits, what was given up."""

from dataclasses import dataclass
from datetime import datetime

from notifications.models import Notification


@dataclass(frozen=True, slots=True)
class Told:
    """One message and what became of it; `sent_at` is None while it waits or was given up."""

    kind: str
    level: str
    text: str
    channel: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str


def newest(limit: int = 50) -> list[Told]:
    """The newest messages, newest first."""
    fields = Told.__dataclass_fields__
    rows = Notification.objects.order_by("-pk").values_list(*fields)
    return [Told(*row) for row in rows[:limit]]


def unsent(*, older_than: datetime) -> int:
    """Messages written before an instant, never sent and not given up: a sign of trouble."""
    rows = Notification.objects.filter(sent_at=None, created_at__lt=older_than)
    return rows.exclude(error__startswith="given up").count()
