"""The markets' tasks: one line each, idempotent, carrying nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from markets.services import collect as collecting
from markets.services import past, pruning, sealing, universe


@shared_task(name="markets.collect")
def collect(**_: Any) -> None:
    """Read the tracked markets once."""
    collecting.run(_now_ms())


@shared_task(name="markets.sync_markets")
def sync_markets(**_: Any) -> None:
    """Read the list of markets and choose which to track."""
    universe.run(_now_ms())


@shared_task(name="markets.import_past")
def import_past(**_: Any) -> None:
    """Ask for the past prices of markets that entered, as far as one slice comes."""
    past.run(_now_ms())


@shared_task(name="markets.seal")
def seal(**_: Any) -> None:
    """Bring finished days into the archive, a few files at a time."""
    sealing.run(_now_ms())


@shared_task(name="markets.prune")
def prune(**_: Any) -> None:
    """Delete what has outlived its time, a little at a time."""
    pruning.tidy(_now_ms())


def _now_ms() -> int:
    return int(timezone.now().timestamp() * 1000)
