"""One runpqap for each environment: whoever holds the lock file runs it."""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 0.6
"""Other commands hold the lock for an instant, shared, to see which environments run."""


class AlreadyRunning(Exception):
    """The environment is running; the text says where and what to do."""


class Lock:
    """The exclusive lock on `path`; the kernel frees it however this process ends."""

    def __init__(self, path: Path, *, env: str) -> None:
        """Take the lock or raise AlreadyRunning."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _taken(self._descriptor):
            noted = notes(path)
            os.close(self._descriptor)
            raise AlreadyRunning(_sentence(env, noted))

    def note(self, **facts: Any) -> None:
        """Write down who holds the lock, for other commands and for people."""
        text = json.dumps({"pid": os.getpid(), **facts}) + "\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Let go; the file stays, empty of notes."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def notes(path: Path) -> dict[str, Any]:
    """What the holder of the lock wrote down; empty when nothing can be read."""
    try:
        noted = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _taken(descriptor: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


def _sentence(env: str, noted: dict[str, Any]) -> str:
    process = f" (process {noted['pid']})" if "pid" in noted else ""
    where = f" at {noted['url']}" if "url" in noted else ""
    stop = f"`kill {noted['pid']}`" if "pid" in noted else "Ctrl-C in its terminal"
    return f"PQAP {env} is already running{where}{process}: use it, or stop it first with {stop}."
