"""The tasks of execution: one line each, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from execution.services import desk, learning, reconciling


@shared_task(name="execution.advance")
def advance(**_: Any) -> int:
    """Take the desk through whatever ticks are new."""
    return desk.advance(now=timezone.now())


@shared_task(name="execution.reconcile")
def reconcile(**_: Any) -> int:
    """Compare the accounts with the ledger; the number of faults."""
    return len(reconciling.reconcile())


@shared_task(name="execution.begin_learning", soft_time_limit=100, time_limit=110)
def begin_learning(**_: Any) -> list[str]:
    """Fit what rules learn where nothing was ever learnt."""
    return learning.begin()


@shared_task(name="execution.refit", soft_time_limit=100, time_limit=110)
def refit(**_: Any) -> list[str]:
    """Fit what rules learn anew; it reads months of bars, hence the longer limits."""
    return learning.refit()
