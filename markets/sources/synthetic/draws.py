"""Random numbers that are functions of their cause, so that nothing has to be remembered."""

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_TO_UNIT = np.uint64(11)

Keys = int | NDArray[np.int64]


def dice(seed: int, *cause: int) -> np.random.Generator:
    """The generator of one cause (a step, an event's birth); always the same for the same cause."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, *cause))))


def uniform(seed: int, *keys: Keys) -> NDArray[np.float64]:
    """One number in [0, 1) for each key, by hashing (splitmix64); keys broadcast together."""
    state = np.atleast_1d(np.array(seed & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64))
    for key in keys:
        state = _scramble(state + np.atleast_1d(np.asarray(key, dtype=np.int64)).view(np.uint64))
    return (state >> _TO_UNIT) * 2.0**-53


def _scramble(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + _GAMMA
    state = (state ^ (state >> _SHIFTS[0])) * _FIRST
    state = (state ^ (state >> _SHIFTS[1])) * _SECOND
    return state ^ (state >> _SHIFTS[2])
