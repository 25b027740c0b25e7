"""Chance with a seed: the same draws in every process and every replay."""

import numpy as np

from markets.core.window import Floats
from strategies.core.types import digest


def uniforms(seed: object, count: int) -> Floats:
    """`count` numbers in [0, 1), a function of `seed` alone (SplitMix64, Steele et al. 2014)."""
    start = np.full(count, int(digest(seed)[:16], 16), dtype=np.uint64)
    z = start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    drawn: Floats = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn
