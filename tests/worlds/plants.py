"""What a world may show instead of the truth: nothing, or one inefficiency of a stated size."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from markets.core.bars import BAR_MS
from markets.core.window import HOUR, Floats

NEW_YORK = ZoneInfo("America/New_York")
Distortion = Callable[[Floats, int, np.random.Generator], Floats]
"""(probabilities of an event's markets by bar, ms UTC of the first, chance) -> shown middles."""


@dataclass(frozen=True, slots=True)
class Plant:
    """An inefficiency: how prices are bent, and how often takers come who know nothing.

    `noise` is the chance that such a taker comes to each side within a bar; the others come only
    when the price is about to move, so that a maker gains nothing from them.
    """

    name: str
    bend: Distortion
    noise: float = 0.0


def true(p: Floats, _: int, __: np.random.Generator) -> Floats:
    """Prices as they should be."""
    return p


def shocked(p: Floats, _: int, rng: np.random.Generator) -> Floats:
    """A gap to the truth that is forgotten with a half-life of two hours."""
    return probability(logit(p) + SHOCK * wandering(p.shape, rng, 2 * HOUR))


def drifting(p: Floats, _: int, rng: np.random.Generator) -> Floats:
    """A gap that grows and shrinks over days: moves of a day go on for another."""
    shocks = wandering(p.shape, rng, 20 * HOUR)
    slow = smooth(shocks, 0.5 ** (1 / (20 * HOUR)))
    return probability(logit(p) + DRIFT * slow / max(float(slow.std()), 1e-9))


def wandering(shape: tuple[int, ...], rng: np.random.Generator, half_life: int) -> Floats:
    """Noise of deviation 1 that keeps half of its value over so many bars."""
    keep = 0.5 ** (1 / half_life)
    pushed = rng.normal(size=shape)
    pushed[:, 1:] *= np.sqrt(1 - keep * keep)
    return smooth(pushed, keep)


def smooth(pushed: Floats, keep: float) -> Floats:
    """y[n] = keep * y[n - 1] + pushed[n] along the bars, a block at a time."""
    powers = keep ** np.arange(BLOCK + 1)
    place = np.arange(BLOCK)
    weights = np.tril(powers[np.abs(place[:, None] - place[None, :])])
    found, last = np.empty_like(pushed), np.zeros(len(pushed))
    for start in range(0, pushed.shape[1], BLOCK):
        part = pushed[:, start : start + BLOCK]
        size = part.shape[1]
        found[:, start : start + size] = (
            part @ weights[:size, :size].T + last[:, None] * powers[1 : size + 1]
        )
        last = found[:, start + size - 1]
    return found


def timid(p: Floats, _: int, __: np.random.Generator) -> Floats:
    """Prices too close to one half: the truth is SLOPE times as far from it, in logits."""
    return probability(logit(p) / SLOPE)


def timed(p: Floats, start: int, _: np.random.Generator) -> Floats:
    """Prices that rise over some hours of each day and come back over others, in New York."""
    return probability(logit(p) + SEASON * _daylight(start, p.shape[1]))


@lru_cache(maxsize=64)
def _daylight(start: int, bars: int) -> Floats:
    """How far up the day's hill each of so many bars stands; many events begin together."""
    hours = (local_hour(start + hour * HOUR * BAR_MS) for hour in range(-(-bars // HOUR)))
    return np.repeat([DAYLIGHT[hour] for hour in hours], HOUR)[:bars]


def local_hour(at: int) -> int:
    """The hour of the day in New York."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(NEW_YORK).hour


def cheap(p: Floats, _: int, rng: np.random.Generator) -> Floats:
    """Now and then one outcome of several is shown below its worth for two hours."""
    shown = p.copy()
    if len(p) == 1:
        return shown
    for start in np.flatnonzero(rng.random(p.shape[1]) < 1 / 400).tolist():
        row = int(rng.integers(len(p)))
        shown[row, start : start + 2 * HOUR] -= CHEAP
    return np.clip(shown, 0.0, 1.0)


def logit(p: Floats) -> Floats:
    """Log odds; those of the certain ones are large, not infinite."""
    safe = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(safe) - np.log1p(-safe)


def probability(x: Floats) -> Floats:
    """The inverse of `logit`."""
    return 1 / (1 + np.exp(-x))


SHOCK, DRIFT, SLOPE, SEASON, CHEAP = 0.35, 1.5, 1.6, 0.45, 0.08
BLOCK = 256
DAYLIGHT = tuple(float(np.clip(6 - abs(hour - 12), 0, 6) / 6) for hour in range(24))
"""How far up the day's hill each hour stands: from 6 to noon upwards, then down until 18."""

FAIR = Plant("fair", true)
PLANTS = {
    "mean_reversion_v1": Plant("shocked", shocked),
    "momentum_v1": Plant("drifting", drifting),
    "market_maker_v1": Plant("uninformed takers", true, noise=0.05),
    "value_bet_v1": Plant("timid", timid),
    "time_arb_v1": Plant("timed", timed),
    "set_arb_v1": Plant("cheap", cheap),
    "ml_prediction_v1": Plant("shocked", shocked),
}
"""The world in which each strategy should earn money."""
