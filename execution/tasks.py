"""The tasks of execution: one line each, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from execution.services import desk, reconciling


@shared_task(name="execution.advance")
def advance(**_: Any) -> int:
    """Take the desk through whatever ticks are new."""
    return desk.advance(now=timezone.now())


@shared_task(name="execution.reconcile")
def reconcile(**_: Any) -> int:
    """Compare the accounts with the ledger; the number of faults."""
    return len(reconciling.reconcile())
