"""No process outlives its supervisor.

Each process holds the reading end of a pipe whose writing end only the supervisor has. The kernel
closes that end when the supervisor dies, however it dies; the readers see the end of the file and
go. Works wherever there are pipes: no polling, no parent-death signal.
"""

import os
import signal
import threading
import time

VARIABLE = "PQAP_LIFELINE"
GRACE_SECONDS = 5.0

_held: int | None = None


def open_pipe() -> tuple[int, int]:
    """(the end children read, the end to keep); neither leaks into a child unasked."""
    return os.pipe()


def hold(*, grace: float = GRACE_SECONDS) -> bool:
    """Watch the pipe this process was given, here and in every process forked from it.

    When the supervisor is gone the process gets SIGTERM, and after `grace` seconds it exits anyway.
    False when there is no supervisor, as under systemd.
    """
    global _held
    number = os.environ.get(VARIABLE)
    if not number or _held is not None:
        return _held is not None
    _held = int(number)
    _watch(_held, grace)
    os.register_at_fork(after_in_child=lambda: _watch(int(number), grace))
    return True


def _watch(descriptor: int, grace: float) -> None:
    threading.Thread(
        target=_leave_at_end, args=(descriptor, grace), name="lifeline", daemon=True
    ).start()


def _leave_at_end(descriptor: int, grace: float) -> None:
    try:
        while os.read(descriptor, 1):
            pass
    except OSError:
        pass  # closed under us: as good as gone
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
