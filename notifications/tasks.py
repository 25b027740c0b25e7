"""The notifications' task: one line, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from notifications import services


@shared_task(name="notifications.notify")
def notify(**_: Any) -> None:
    """Tell people what happened since the last time."""
    services.notify(now=timezone.now())
