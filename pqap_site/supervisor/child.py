"""One program the supervisor runs: its process, its lines, its end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NAME_WIDTH = 7
_console = threading.Lock()


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: a short name for its lines, a role in words, and the command."""

    name: str
    role: str
    command: tuple[str, ...]


class Child:
    """A running program, leader of its own session, so that a terminal's Ctrl-C passes it by."""

    def __init__(
        self,
        program: Program,
        *,
        folder: Path,
        environ: Mapping[str, str],
        lifeline: int,
        show: Callable[[Program, str], None],
    ) -> None:
        """Start it; it inherits nothing but the reading end of the lifeline."""
        self.program = program
        self._process = subprocess.Popen(
            program.command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lifeline,),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=_relay, args=(program, self._process.stdout, show), daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """SIGTERM to the program itself, which ends its own children in order."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the whole group: also what a program that died left behind."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self, timeout: float) -> None:
        """Collect the exit code and the last lines."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self._reader.join(timeout)


def prefixed(program: Program, line: str) -> None:
    """Print a line of a program behind its name."""
    with _console:
        sys.stdout.write(f"{program.name:<{NAME_WIDTH}} | {line}\n")
        sys.stdout.flush()


def plain(program: Program, line: str) -> None:
    """Print a line as it came: JSON stays JSON."""
    with _console:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _relay(program: Program, lines: IO[bytes], show: Callable[[Program, str], None]) -> None:
    with lines:
        for line in lines:
            # A closed terminal must not stop us from draining: the program would block.
            with contextlib.suppress(OSError, ValueError):
                show(program, line.decode("utf-8", "replace").rstrip("\n"))
