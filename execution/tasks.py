"""The desk's task: one line, idempotent, carries nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from execution.services import desk


@shared_task(name="execution.advance")
def advance(**_: Any) -> int:
    """Take the desk through whatever ticks are new."""
    return desk.advance(now=timezone.now())
