"""How the simulated world moves in one step: each rule for all rows at once, exact for any dt."""

import numpy as np
from numpy.typing import NDArray

from markets.core.types import ONE
from markets.sources.synthetic.listing import DAY, HOUR
from markets.sources.synthetic.scripts import MINUTE, Cast, Flags, Floats, Ints

OPEN, SPLIT = -1, -2
"""Outcomes that are no row: not decided yet, and half to each side."""

SPLIT_SHARE = 0.08
NEWS_VARIANCE = 0.3
RUMOR_RATE = 0.5 / HOUR
RUMOR_LEVEL = 2.0
RUMOR_DELAY = 25 * MINUTE
OUTSIDER = 0.4
SURE = 0.985
SURE_CALL_RATE = 2.0 / DAY

Throw = np.random.Generator


def called(crew: Cast, fair: Floats, *, at: int, dt: int, refuted_at: Ints, throw: Throw) -> Flags:
    """Which events are decided in this step: at their end, after a rumor, or by chance before."""
    leader = np.maximum.reduceat(fair, crew.first)
    rate = crew.call_rate + SURE_CALL_RATE * (leader > SURE)
    by_chance = throw.random(len(rate)) < -np.expm1(-rate * dt)
    refuted = (refuted_at > 0) & (refuted_at <= at)
    return by_chance | refuted | (at >= crew.end_at)


def outcomes(crew: Cast, fair: Floats, throw: Throw) -> Ints:
    """How each event would end if it were decided now: drawn from its fair probabilities."""
    picked = pick(crew, fair, throw) - crew.first
    split = (throw.random(len(picked)) < SPLIT_SHARE) & crew.binary
    return np.where(split, SPLIT, picked)


def pick(crew: Cast, fair: Floats, throw: Throw) -> Ints:
    """One row of each event, drawn by its fair probabilities."""
    running = np.cumsum(fair)
    before = (running - fair)[crew.first]
    total = running[crew.last] - before
    bar = throw.random(len(crew.first)) * total
    below = (running - before[crew.event] <= bar[crew.event]).astype(np.int64)
    return np.minimum(crew.first + np.add.reduceat(below, crew.first), crew.last)


def learn(crew: Cast, weight: Floats, *, still: Flags, dt: int, throw: Throw) -> Floats:
    """Fair log-probabilities after a step of Bayesian learning; a martingale for any dt.

    The truth of this step is drawn from those probabilities and seen through noise, so the expected
    posterior is the prior. News is the same step with much more to learn.
    """
    truth = pick(crew, np.exp(weight), throw)
    news = throw.random(len(truth)) < -np.expm1(-crew.news_rate * dt)
    variance = crew.learning**2 * (dt / DAY) + NEWS_VARIANCE * news
    variance = np.where(still, 0.0, variance)
    seen = np.sqrt(variance)[crew.event] * throw.standard_normal(len(weight))
    seen[truth] += variance
    return normalized(crew, weight + seen)


def normalized(crew: Cast, weight: Floats) -> Floats:
    """Log-weights shifted so that each event's probabilities sum to one."""
    top = np.maximum.reduceat(weight, crew.first)[crew.event]
    total = np.add.reduceat(np.exp(weight - top), crew.first)[crew.event]
    return weight - top - np.log(total)


def pin(crew: Cast, weight: Floats, *, fresh: Flags, outcome: Ints) -> Floats:
    """Weights with the just decided events at their outcome, as far as a price may go."""
    weight = weight.copy()
    for index in np.flatnonzero(fresh):
        rows = slice(crew.first[index], crew.last[index] + 1)
        count = crew.last[index] + 1 - crew.first[index]
        share = np.full(count, (1 - SURE) / (count - 1))
        if outcome[index] == SPLIT:
            share[:] = 1 / count
        else:
            share[outcome[index]] = SURE
        weight[rows] = np.log(share)
    return weight


def trade(crew: Cast, noise: NDArray[np.float32], *, still: Flags, dt: int, throw: Throw) -> Floats:
    """Noise traders push the logit off its fair value, informed ones pull it back (exact OU)."""
    kept = 0.5 ** (dt / crew.half_life)
    pushed = crew.noise * np.sqrt(1 - kept**2) * throw.standard_normal(len(noise))
    return np.where(still[crew.event], 0.0, noise.astype(np.float64) * kept + pushed)


def rumors(crew: Cast, fair: Floats, noise: Floats, *, dt: int, throw: Throw) -> tuple[Flags, Ints]:
    """Which events a false rumor strikes, and the outcome that will refute it before long.

    It takes an extreme shock that lifts an outsider, or sinks the favorite.
    """
    bar = RUMOR_LEVEL * crew.noise
    lifted = crew.shocked & (noise > bar) & (fair < OUTSIDER)
    sunk = crew.shocked & (noise < -bar) & (fair > 1 - OUTSIDER)
    somewhere = np.logical_or.reduceat(lifted | sunk, crew.first)
    struck = somewhere & (throw.random(len(somewhere)) < -np.expm1(-RUMOR_RATE * dt))
    left = np.where(lifted, 0.0, fair)
    favored = np.logical_or.reduceat(sunk, crew.first)[crew.event]
    left = np.where(favored & ~sunk, 0.0, left)
    nobody = np.add.reduceat(left, crew.first)[crew.event] == 0
    left = np.where(nobody, fair, left)
    return struck, pick(crew, left, throw) - crew.first


def touched(crew: Cast, *, dt: int, throw: Throw) -> Flags:
    """Which books are put up anew in this step; quiet markets keep theirs for minutes."""
    return throw.random(len(crew.refresh)) < -np.expm1(-dt / crew.refresh)


def spreads(crew: Cast, throw: Throw) -> Ints:
    """Spreads in ticks: each market's own, now and then a tick more."""
    return crew.spread + (throw.random(len(crew.spread)) < 0.15)


def price(weight: Floats, noise: Floats) -> Ints:
    """The traded value in micro: fair value and noise added in logit."""
    weight = np.minimum(weight, -1e-5)
    odds = weight - np.log(-np.expm1(weight)) + noise
    return np.rint(ONE / (1 + np.exp(-odds))).astype(np.int64)
