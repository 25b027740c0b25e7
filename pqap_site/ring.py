"""Who is woken when a stage commits: the one place that knows what comes next."""

import logging
from typing import Any

from django.conf import settings
from kombu.exceptions import OperationalError

from markets import stages
from pqap_site.celery import app

NEXT = {
    "collect": "execution.advance",
    "desk": "notifications.notify",
    "sync": "markets.import_past",
}

log = logging.getLogger(__name__)


def wire() -> None:
    """Ring the next task after each commit, in this process and those forked from it.

    Only workers are wired: a fast-forward or an import commits thousands of ticks and rings nobody.
    """
    stages.committed.connect(ring, dispatch_uid="pqap_site.ring")


def ring(sender: object = None, *, name: str = "", **_: Any) -> None:
    """Send the bell of the task after stage `name`; a lost bell is rung again by the beat."""
    task = NEXT.get(name)
    if task is None:
        return
    try:
        app.send_task(task, expires=settings.PQAP.collection.poll_seconds)
    except (OperationalError, OSError) as problem:
        log.warning("The bell for %s was not rung (%s); the scheduler will ring it.", task, problem)
