"""Micro-units as people write them."""

from markets.core.types import ONE


def plain(micro: int) -> str:
    """An amount without needless zeros: 12.5, 100, -0.000001."""
    whole, part = divmod(abs(micro), ONE)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if micro < 0 else text


def parse(text: str) -> int:
    """The inverse of `plain`, exactly; ValueError unless `text` is a decimal of at most 6 places.

    No sign but a minus, no exponent, no spaces, at most twelve digits before the point.
    """
    whole, point, part = text.removeprefix("-").partition(".")
    digits = whole + part
    proper = digits.isascii() and digits.isdigit() and 0 < len(whole) <= 12 and len(part) <= 6
    if not proper or (point and not part):
        raise ValueError(f"{text!r} is not a decimal number with at most 6 places")
    micro = int(whole) * ONE + int(part.ljust(6, "0"))
    return -micro if text.startswith("-") else micro
