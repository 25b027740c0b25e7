"""Chance with a seed: the same draws in every process and every replay."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from strategies.core.draws import uniforms as uniforms

Floats = NDArray[np.float64]
ROUNDS, MOST_DRAWS = 2_000, 2_000_000
PATHS = 1_000


def mean_interval(
    blocks: Sequence[float], *, seed: object, level: float = 0.9
) -> tuple[float, float]:
    """The bootstrap interval of the mean of `blocks`, each resampled whole.

    A block is the result of one event: what happens within it hangs together, events do not.
    Percentile method (Efron 1979); 2,000 rounds, fewer above a thousand blocks.
    """
    count = len(blocks)
    rounds = max(200, min(ROUNDS, MOST_DRAWS // count))
    drawn = (uniforms(seed, rounds * count) * count).astype(np.int64).reshape(rounds, count)
    means = np.asarray(blocks, dtype=np.float64)[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def deepest_fall(results: Floats) -> Floats:
    """How far each row's running sum falls below its highest value so far (0 at the start)."""
    paths = np.cumsum(results, axis=-1)
    highs = np.maximum(np.maximum.accumulate(paths, axis=-1), 0.0)
    deepest: Floats = np.max(highs - paths, axis=-1)
    return deepest


def claimed_fall(
    hopes: Sequence[int],
    deviations: Sequence[int],
    chances: Sequence[int],
    *,
    seed: object,
    quantile: float = 0.95,
) -> float:
    """How deep a fall of the running sum the claims themselves lead to expect, in their unit.

    Each event is drawn from the two-point distribution with the claimed mean, deviation and
    chance of the better point (micro): for a holding kept to its end that is exactly its payoff.
    """
    chance = np.asarray(chances, dtype=np.float64) / 1_000_000
    odds = np.sqrt((1 - chance) / chance)
    hoped = np.asarray(hopes, dtype=np.float64)
    deviation = np.asarray(deviations, dtype=np.float64)
    won = uniforms(seed, PATHS * len(hopes)).reshape(PATHS, len(hopes)) < chance
    results = np.where(won, hoped + deviation * odds, hoped - deviation / odds)
    return float(np.quantile(deepest_fall(results), quantile))


def claimed_disappointment(
    chances: Sequence[int],
    *,
    seed: object,
    events: int,
    slack: float,
    widest: float,
    quantile: float,
) -> float:
    """The highest running sum of disappointments that true claims reach within `events`.

    Events are drawn in turn from the claimed two-point distributions, in deviations. Of the
    highest sums of all paths, the `quantile`: an alarm there has the false alarms one asked for.
    """
    chance = np.resize(np.asarray(chances, dtype=np.float64) / 1_000_000, events)
    odds = np.sqrt((1 - chance) / chance)
    won = uniforms(seed, PATHS * events).reshape(PATHS, events) < chance
    steps = np.clip(np.where(won, odds, -1 / odds), -widest, widest) + slack
    sums, highest = np.zeros(PATHS), np.zeros(PATHS)
    for step in steps.T:
        sums = np.maximum(0.0, sums - step)
        highest = np.maximum(highest, sums)
    return float(np.quantile(highest, quantile))
