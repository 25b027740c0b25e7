"""Times as people type them on a command line."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime


def day(text: str) -> int:
    """A date such as 2026-01-31; the start of that UTC day in ms UTC."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no day such as 2026-01-31") from error
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)


def instant(text: str) -> int:
    """An ISO time with its zone, or a date for its start in UTC; in ms UTC."""
    if _time(text).tzinfo is None and len(text) <= len("2026-01-31"):
        return day(text)
    return zoned(text)


def zoned(text: str) -> int:
    """An ISO time with its zone, in ms UTC."""
    found = _time(text)
    if found.tzinfo is None:
        raise ArgumentTypeError(f"'{text}' needs a zone; end it with Z for UTC")
    return round(found.timestamp() * 1000)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no time such as 2026-01-31T12:00:00Z") from error


def seconds(text: str) -> int:
    """A whole number of seconds, 1 or more, in ms."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"'{text}' must be a whole number of seconds, 1 or more")
    return int(text) * 1000
