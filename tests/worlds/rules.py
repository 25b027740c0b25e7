"""The strategies as the worlds run them: with defaults, and eager to trade at any price."""

from collections.abc import Sequence

from strategies.core.ports import Strategy
from strategies.library import REGISTRY


def defaults() -> Sequence[Strategy]:
    """Every built strategy with its default parameters and nothing learnt."""
    return [entry.built(entry.built.params()) for entry in REGISTRY.values() if entry.built]
