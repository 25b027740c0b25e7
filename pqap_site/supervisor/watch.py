"""Keeps the programs running, and ends all of them together."""

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pqap_site import lifeline
from pqap_site.supervisor.child import Child, Program, prefixed
from pqap_site.supervisor.crashes import FIRST_PAUSE_SECONDS, MOST_CRASHES, WINDOW_SECONDS, Crashes

STOP_SECONDS = 7.5
"""How long programs may take to end by themselves; then they are killed.

An idle worker takes about 5 s: the threads of its pool look up once a second, one after the other.
"""

SAME_REQUEST_SECONDS = 1.0
LOOK_SECONDS = 0.5
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = logging.getLogger(__name__)


@dataclass
class _Seat:
    """A program's place: the process in it, if any, and when to start the next one."""

    program: Program
    crashes: Crashes
    child: Child | None = None
    start_at: float = 0.0


class Supervisor:
    """Runs programs until a signal asks it to stop or one of them cannot be kept alive."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        folder: Path,
        environ: Mapping[str, str],
        show: Callable[[Program, str], None] = prefixed,
        stop_seconds: float = STOP_SECONDS,
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._seats = [_Seat(program, Crashes(first_pause)) for program in programs]
        self._folder = folder
        self._show = show
        self._stop_seconds = stop_seconds
        self._asked_at: float | None = None
        self._hurried = False
        self._lifeline, self._end_of_lifeline = lifeline.open_pipe()
        self._environ = {**environ, lifeline.VARIABLE: str(self._lifeline)}

    def run(self) -> int:
        """Block until everything has ended; 0 after a signal, 1 when a program was given up."""
        with self._signals() as woken:
            try:
                gave_up = self._keep_running(woken)
            finally:
                self._end_all(woken)
        return 1 if gave_up else 0

    def _keep_running(self, woken: int) -> bool:
        while self._asked_at is None:
            for seat in self._seats:
                if seat.child is None and time.monotonic() >= seat.start_at:
                    self._start(seat)
                elif seat.child is not None and self._lost(seat):
                    return True
            _wait(woken, LOOK_SECONDS)
        return False

    def _start(self, seat: _Seat) -> None:
        seat.child = Child(
            seat.program,
            folder=self._folder,
            environ=self._environ,
            lifeline=self._lifeline,
            show=self._show,
        )
        log.info("Started the %s (process %d).", seat.program.role, seat.child.pid)

    def _lost(self, seat: _Seat) -> bool:
        """After a crash, clear the seat and plan the next start; True when it is given up."""
        assert seat.child is not None
        code = seat.child.ended()
        if code is None:
            return False
        seat.child.kill()
        seat.child.reap(1.0)
        seat.child = None
        pause = seat.crashes.add(time.monotonic())
        if pause is None:
            log.critical(
                "The %s ended more than %d times within %d seconds (last exit code %s): PQAP "
                "stops. The lines above say why; start it again when that is mended.",
                *(seat.program.role, MOST_CRASHES, WINDOW_SECONDS, code),
            )
            return True
        seat.start_at = time.monotonic() + pause
        log.error(
            "The %s ended (exit code %s); starting it again in %.1f seconds.",
            *(seat.program.role, code, pause),
        )
        return False

    def _end_all(self, woken: int) -> None:
        children = [seat.child for seat in self._seats if seat.child is not None]
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + self._stop_seconds
        while not self._hurried and time.monotonic() < deadline:
            if all(child.ended() is not None for child in children):
                break
            _wait(woken, 0.1)
        for child in children:
            if child.ended() is None:
                log.warning("The %s did not end in time and was killed.", child.program.role)
            child.kill()
        for child in children:
            child.reap(1.0)
        os.close(self._end_of_lifeline)
        os.close(self._lifeline)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Notice requests to stop; yields a descriptor that becomes readable at any signal."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        before = {number: signal.getsignal(number) for number in (*STOPPING, signal.SIGCHLD)}
        wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reading)
            os.close(writing)

    def _ask(self, *_: object) -> None:
        """The first request stops in order; one that comes clearly later stops at once.

        Not merely the second: a process group and its leader may both be sent the first.
        """
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at > SAME_REQUEST_SECONDS:
            self._hurried = True


def _wait(woken: int, seconds: float) -> None:
    if select.select([woken], [], [], seconds)[0]:
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)
