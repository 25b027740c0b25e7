"""Micro-units as people write them."""

from markets.core.types import ONE


def plain(micro: int) -> str:
    """An amount without needless zeros: 12.5, 100, -0.000001."""
    whole, part = divmod(abs(micro), ONE)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if micro < 0 else text
