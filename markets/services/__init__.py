"""Writes of what the exchange showed us; `keep` and `release` are how neighbours pin a market."""

from markets.services.universe import keep, release

__all__ = ["keep", "release"]
