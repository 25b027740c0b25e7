"""The file that halts everything: it works when the database does not, and for anyone with a shell.

Its being there is the halt; what it holds is the reason. The desk looks for it before each batch.
"""

from pathlib import Path

from django.conf import settings

WHO = "file"
LENGTH = 500


def path() -> Path:
    """Where it lies: data/<env>/HALT."""
    return Path(settings.PATHS.halt)


def reason() -> str:
    """Why everything is halted by the file, '' where there is none; unreadable counts as halted."""
    try:
        said = path().read_text(encoding="utf-8", errors="replace").strip()[:LENGTH]
    except FileNotFoundError:
        return ""
    except OSError as fault:
        return f"the file {path()} cannot be read: {fault.strerror or fault}"
    return said or f"the file {path()} is there"


def write(why: str) -> Path:
    """Halt everything by the file; returns where it lies."""
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path().write_text(why + "\n", encoding="utf-8")
    return path()


def remove() -> bool:
    """Take the file away; whether it was there."""
    try:
        path().unlink()
    except FileNotFoundError:
        return False
    return True
