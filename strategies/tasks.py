"""The tasks of strategies: one line each, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from strategies.services import pruning


@shared_task(name="strategies.prune")
def prune(**_: Any) -> None:
    """Fold old evaluations into days and delete what has outlived its time."""
    pruning.run(int(timezone.now().timestamp() * 1000))
