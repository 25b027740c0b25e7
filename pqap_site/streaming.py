"""The process behind `stream_books`: connections in a thread, one tick every poll_seconds."""

import logging
import signal
import threading
import time

from celery.exceptions import CeleryError
from django.conf import settings
from django.db import close_old_connections
from kombu.exceptions import OperationalError

from markets.services import collect
from markets.services import stream as service
from pqap_site import lifeline, ring, schedule, titles
from pqap_site.celery import app

log = logging.getLogger(__name__)

MOST_FAILURES = 10
"""Cycles that may fail one after the other before the process gives itself up for a fresh one."""


class Stopped(Exception):
    """The process cannot go on; the text says why."""


def run() -> int:
    """Stream until told to stop; the exit code."""
    titles.announce(settings.PQAP.env, "stream")
    lifeline.hold()
    ring.wire()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    streaming = service.open_streaming(settings.PQAP, sync_soon)
    try:
        _loop(streaming, stopping)
    except Stopped as why:
        log.error("The stream stops: %s", why)
        return 1
    finally:
        streaming.close()
    return 0


def sync_soon() -> None:
    """Ring for a reading of the list of markets; a lost bell only means the regular one."""
    try:
        app.send_task("markets.sync_markets", expires=schedule.SYNC_SECONDS)
    except (OperationalError, CeleryError, OSError) as problem:
        log.warning("The bell for markets.sync_markets was not rung (%s).", problem)


def _loop(streaming: service.Streaming, stopping: threading.Event) -> None:
    """Ticks on a fixed beat: a cycle that took long skips beats, it does not move them."""
    every = settings.PQAP.collection.poll_seconds
    began, beats, failures = time.monotonic(), 0, 0
    while not stopping.is_set():
        failures = 0 if _cycle(streaming) else failures + 1
        if failures >= MOST_FAILURES:
            raise Stopped(f"{failures} cycles failed one after the other")
        if not streaming.source.sockets.alive():
            raise Stopped("the thread of its connections has ended")
        beats = max(beats + 1, int((time.monotonic() - began) / every) + 1)
        stopping.wait(began + beats * every - time.monotonic())


def _cycle(streaming: service.Streaming) -> bool:
    """One tick; a failure is told and costs that tick."""
    close_old_connections()
    try:
        streaming.cycle(time.time_ns() // 1_000_000)
    except Exception:
        log.exception("A cycle of the stream failed")
        collect.forget()
        return False
    finally:
        close_old_connections()
    return True
