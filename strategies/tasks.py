"""The tasks of strategies: one line each, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from strategies.services import pruning, scoring


@shared_task(name="strategies.prune")
def prune(**_: Any) -> None:
    """Fold old evaluations into days and delete what has outlived its time."""
    pruning.run(_now_ms())


@shared_task(name="strategies.score")
def score(**_: Any) -> None:
    """Score what has come true of signals, or not."""
    scoring.run()


def _now_ms() -> int:
    return int(timezone.now().timestamp() * 1000)
