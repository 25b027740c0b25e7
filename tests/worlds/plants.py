"""What a world may show instead of the truth: nothing, or one inefficiency of a stated size."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
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
    keep = 0.5 ** (1 / (2 * HOUR))
    gap = rng.normal(size=p.shape) * SHOCK * np.sqrt(1 - keep * keep)
    for bar in range(1, p.shape[1]):
        gap[:, bar] += keep * gap[:, bar - 1]
    return probability(logit(p) + gap)


def lagging(p: Floats, _: int, __: np.random.Generator) -> Floats:
    """News that is taken up slowly: an average of the truth with a half-life of half a day."""
    keep = 0.5 ** (1 / (LAG * HOUR))
    x, shown = logit(p), logit(p)
    for bar in range(1, p.shape[1]):
        shown[:, bar] = keep * shown[:, bar - 1] + (1 - keep) * x[:, bar]
    return probability(shown)


def timid(p: Floats, _: int, __: np.random.Generator) -> Floats:
    """Prices too close to one half: the truth is SLOPE times as far from it, in logits."""
    return probability(logit(p) / SLOPE)


def timed(p: Floats, start: int, _: np.random.Generator) -> Floats:
    """Prices that rise over some hours of each day and come back over others, in New York."""
    hours = [local_hour(start + bar * BAR_MS) for bar in range(p.shape[1])]
    return probability(logit(p) + SEASON * np.array([DAYLIGHT[hour] for hour in hours]))


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


SHOCK, LAG, SLOPE, SEASON, CHEAP = 0.35, 12, 1.6, 0.45, 0.12
DAYLIGHT = tuple(float(np.clip(6 - abs(hour - 12), 0, 6) / 6) for hour in range(24))
"""How far up the day's hill each hour stands: from 6 to noon upwards, then down until 18."""

FAIR = Plant("fair", true)
PLANTS = {
    "mean_reversion_v1": Plant("shocked", shocked),
    "momentum_v1": Plant("lagging", lagging),
    "market_maker_v1": Plant("uninformed takers", true, noise=0.05),
    "value_bet_v1": Plant("timid", timid),
    "time_arb_v1": Plant("timed", timed),
    "set_arb_v1": Plant("cheap", cheap),
    "ml_prediction_v1": Plant("shocked", shocked),
}
"""The world in which each strategy should earn money."""
