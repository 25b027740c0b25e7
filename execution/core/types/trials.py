"""The evidence for and against a strategy, counted by events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """What a strategy's closed holdings have shown so far."""

    clusters: int = 0
