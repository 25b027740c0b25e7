"""A worker whose pool process dies is replaced whole.

Celery starts another pool process, but the worker may then go on without ever handing it a task:
alive, and deaf. The message was only a bell, so nothing is lost by starting afresh at once.
"""

import logging
import os
import threading
import time
from typing import Any

from celery import signals

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
_leaving = threading.Event()


def arm() -> None:
    """Watch the pool of the worker about to start, in its parent process."""
    signals.worker_ready.connect(_start, weak=False)
    signals.worker_shutting_down.connect(_stop, weak=False)


def _start(sender: Any, **_: object) -> None:
    pool = sender.pool._pool
    threading.Thread(target=_watch, args=(pool,), name="poolwatch", daemon=True).start()


def _stop(**_: object) -> None:
    _leaving.set()


def _watch(pool: Any) -> None:
    known = _pids(pool)
    while not _leaving.wait(LOOK_SECONDS):
        now = _pids(pool)
        if known and now != known:
            time.sleep(LOOK_SECONDS)  # A stop that ends the pool first says so a moment later.
            if not _leaving.is_set():
                log.warning("A pool process has ended: this worker ends too and is started afresh.")
                os._exit(1)
        known = now


def _pids(pool: Any) -> frozenset[int]:
    """Pool processes alive now."""
    return frozenset(process.pid for process in list(pool._pool) if process.is_alive())
