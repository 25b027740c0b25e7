"""Log lines: what they say, where they go, and what they never contain."""

import contextlib
import fcntl
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pqap_site import environment

OURS = ("pqap", "pqap_site", "markets", "strategies", "execution", "notifications", "dashboard")
TALKATIVE = ("celery", "django_celery_beat", "kombu", "httpx", "httpcore", "telegram", "asyncio")
"""Libraries that write a line for every task or request; only their warnings are news."""

SHORTEST_SECRET = 4
MAX_BYTES = 10_000_000
KEPT_FILES = 5
BOT_TOKEN = re.compile(r"\b(?:bot)?\d{6,}:[A-Za-z0-9_-]{30,}")
URL_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s/@]+(?=@)")
REDACTED = "[redacted]"


class Redaction:
    """Replaces the secrets' values, and what looks like a bot token or a URL's password."""

    def __init__(self, values: Iterable[str]) -> None:
        known = {value for value in values if len(value) >= SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Redaction":
        """The redaction that hides the five secrets as this process was given them."""
        return cls(environ.get(name, "").strip() for name in environment.SECRET_NAMES)

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        text = URL_PASSWORD.sub(rf"\1:{REDACTED}", text)
        return BOT_TOKEN.sub(REDACTED, text)


class TextFormatter(logging.Formatter):
    """2026-01-01T12:00:00.123Z INFO demo execution.services.desk: the message."""

    def __init__(self, env: str, redaction: Redaction) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {env} %(name)s: %(message)s")
        self._redaction = redaction

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Milliseconds, UTC."""
        return instant(record)

    def format(self, record: logging.LogRecord) -> str:
        """The whole text, traceback included, without secrets."""
        return self._redaction(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line with the same facts as the text."""

    def __init__(self, env: str, redaction: Redaction) -> None:
        super().__init__()
        self._env = env
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Secrets go before the text is escaped, so that none hides behind a backslash."""
        facts = {
            "at": instant(record),
            "level": record.levelname,
            "environment": self._env,
            "logger": record.name,
            "message": self._redaction(record.getMessage()),
            "process": record.process,
        }
        if record.exc_info:
            facts["exception"] = self._redaction(self.formatException(record.exc_info))
        return json.dumps(facts, ensure_ascii=False)


def instant(record: logging.LogRecord) -> str:
    """When the record was made: ISO 8601, milliseconds, UTC."""
    at = datetime.fromtimestamp(record.created, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class SharedFileHandler(logging.Handler):
    """Appends whole lines to one file that several processes share; whoever fills it turns it over.

    A line is one write to a file opened for appending, so lines of two processes never mix. The
    turn-over happens under a lock of its own; the other processes see the file moved and follow.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int = MAX_BYTES, kept_files: int = KEPT_FILES
    ) -> None:
        super().__init__()
        self._path = Path(path)
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._descriptor: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a failure is reported by logging and never raised."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            descriptor = self._current()
            os.write(descriptor, line)
            if os.fstat(descriptor).st_size >= self._max_bytes:
                self._turn_over()
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; the next record opens it again."""
        self.acquire()
        try:
            self._release()
        finally:
            self.release()
        super().close()

    def _current(self) -> int:
        if self._descriptor is not None and not self._is_file_of(self._descriptor):
            self._release()
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._descriptor = os.open(self._path, flags, 0o600)
        return self._descriptor

    def _is_file_of(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _turn_over(self) -> None:
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._descriptor is not None and self._is_file_of(self._descriptor):
                self._shift()
        finally:
            os.close(lock)

    def _shift(self) -> None:
        for number in range(self._kept_files - 1, 0, -1):
            older = Path(f"{self._path}.{number}")
            if older.exists():
                older.replace(f"{self._path}.{number + 1}")
        self._path.replace(f"{self._path}.1")


@contextlib.contextmanager
def quiet_console() -> Iterator[None]:
    """Only warnings reach the console for a while; the file still gets every line."""
    consoles = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    levels = [console.level for console in consoles]
    for console in consoles:
        console.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for console, level in zip(consoles, levels, strict=True):
            console.setLevel(level)


def configuration(
    *,
    env: str,
    level: str,
    style: str,
    debug: bool,
    file: Path,
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """What logging.config.dictConfig takes; `debug` touches PQAP's own loggers and nothing else."""
    formatter = JsonFormatter if style == "json" else TextFormatter
    ours = {name: {"level": "DEBUG" if debug else level} for name in OURS}
    others = {name: {"level": "WARNING"} for name in TALKATIVE}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": formatter, "env": env, "redaction": Redaction.of(environ)},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line"},
            "file": {"()": SharedFileHandler, "path": str(file), "formatter": "line"},
        },
        "root": {"level": level, "handlers": ["console", "file"]},
        "loggers": {
            **others,
            **ours,
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
        },
    }
