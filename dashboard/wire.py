"""How integers inside become text on the wire, and how text asked for becomes integers."""

from datetime import UTC, date, datetime

ONE = 1_000_000
LARGEST = 2**63 - 1


def decimal(micro: int) -> str:
    """Micro-units as a plain decimal without trailing zeros: 415_000 -> "0.415"."""
    sign, whole, rest = "-" if micro < 0 else "", *divmod(abs(micro), ONE)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:06d}".rstrip("0")


def micro(text: str) -> int:
    """The inverse of `decimal`; raises ValueError unless `text` is a plain decimal."""
    whole, point, rest = text.removeprefix("-").partition(".")
    digits = whole + rest
    if not (digits.isascii() and digits.isdigit() and whole) or len(rest) > 6 or len(whole) > 12:
        raise ValueError("a plain decimal with at most 6 places was expected")
    if point and not rest:
        raise ValueError("a plain decimal with at most 6 places was expected")
    value = int(whole) * ONE + int(rest.ljust(6, "0"))
    return -value if text.startswith("-") else value


def instant(at: int) -> str:
    """Milliseconds UTC as ISO 8601: 2026-01-01T12:00:00.000Z."""
    seconds, millis = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def at(text: str) -> int:
    """ISO 8601 text as ms UTC; a bare date is its midnight; raises ValueError without an offset."""
    if len(text) == 10:
        moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time needs an offset, such as Z")
    return round(moment.timestamp() * 1000)
