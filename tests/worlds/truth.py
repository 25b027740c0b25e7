"""What every outcome is really worth, bar by bar: martingales that end at 0 or 1.

A market's probability is S(W_t / sqrt(T - t)) with S the normal distribution, so it is an exact
martingale whose last value is the outcome. An event of three outcomes is a chain of two of them:
p1 = a, p2 = (1 - a) b, p3 = (1 - a)(1 - b), with a and b independent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from markets.core.window import DAY, Floats

SIDES = 3
"""Outcomes of an event that has more than two."""


@dataclass(frozen=True, slots=True)
class Life:
    """One event: the first bar it is shown, the bar at which it is decided, how many markets."""

    first: int
    end: int
    outcomes: int
    number: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How many bars, events at a time, and how many of them have three outcomes.

    An event that is decided is followed by the next one in its place at the following midnight.
    """

    days: int = 90
    events: int = 300
    many: int = 50
    shortest: int = 20
    longest: int = 70

    @property
    def bars(self) -> int:
        """Bars the world lasts."""
        return self.days * DAY


def lives(shape: Shape, rng: np.random.Generator) -> list[Life]:
    """The events of a world, those that share a place one after the other."""
    found: list[Life] = []
    for place in range(shape.events):
        outcomes = SIDES if place < shape.many else 1
        start = 0
        while start < shape.bars:
            length = int(rng.integers(shape.shortest * DAY, shape.longest * DAY))
            found.append(Life(start, start + length, outcomes, len(found)))
            start += (length // DAY + 1) * DAY
    return found


def paths(life: Life, last: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(probabilities, standard deviations of the next step), a row a market, a column a bar.

    Bars run from the life's first to its end or `last`, whichever comes before; at the end bar
    itself the probabilities are the payouts.
    """
    if life.outcomes == 1:
        return tuple(each[None, :] for each in _one(life, last, rng))  # type: ignore[return-value]
    (a, sa), (b, sb) = _one(life, last, rng), _one(life, last, rng)
    values = np.stack((a, (1 - a) * b, (1 - a) * (1 - b)))
    spread = np.stack((sa, np.hypot(sa * b, sb * (1 - a)), np.hypot(sa * (1 - b), sb * (1 - a))))
    return values, spread


def _one(life: Life, last: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    length = life.end - life.first
    shown = min(last, life.end) - life.first + 1
    start = rng.normal() * 0.6 * np.sqrt(length)
    walk = start + np.concatenate(([0.0], np.cumsum(rng.normal(size=shown - 1))))
    left = np.sqrt(np.maximum(length - np.arange(shown), 1e-12))
    z = np.clip(walk / left, -40, 40)
    return normal(z), np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / left


_GRID: NDArray[np.float64] = np.linspace(-8, 8, 16_001)
_DENSITY = np.exp(-(_GRID**2) / 2)
_TABLE: Floats = np.concatenate(([0.0], np.cumsum((_DENSITY[1:] + _DENSITY[:-1]) / 2)))
_TABLE /= _TABLE[-1]


def normal(z: Floats) -> Floats:
    """The normal distribution, from a table fine to a millionth."""
    return np.interp(z, _GRID, _TABLE, left=0.0, right=1.0)


def threshold(distance: Floats) -> Floats:
    """How many deviations a standard normal must exceed so that its mean there is `distance`.

    The inverse of the Mills ratio's reciprocal: E[e | e > c] = pdf(c) / (1 - cdf(c)).
    """
    return np.interp(distance, _MEAN_ABOVE, _ABOVE)


_ABOVE = np.linspace(-3.0, 6.0, 901)
_MEAN_ABOVE = (
    np.exp(-(_ABOVE**2) / 2)
    / np.sqrt(2 * np.pi)
    / np.maximum(1 - np.interp(_ABOVE, _GRID, _TABLE), 1e-10)
)
