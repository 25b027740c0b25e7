"""How often outcomes come that trade at a price: fitted on resolved markets, never assumed.

pi = S(alpha + beta * logit(m)): a slope above 1 means that prices are too close to one half, below
1 that they are too extreme; alpha is a leaning towards YES whatever the price.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import Floats
from strategies.core.types import digest

DAYS = (1.0, 7.0, 30.0, 90.0)
"""Where one bucket of time to the end meets the next, days."""

PRIOR_SD = 0.25
"""How far a cell's alpha and beta are expected to be from those it is shrunk towards."""

STEPS = 25
"""Newton steps of a fit; each squares the error, so that the last ones change nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One category and bucket of time to the end: the curve, its covariance, and its events."""

    category: str
    bucket: int
    alpha: float
    beta: float
    var_alpha: float = 0.0
    covariance: float = 0.0
    var_beta: float = 0.0
    events: int = 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What past markets teach about prices; `fitted_at` is when the newest of them resolved (ms).

    Empty, it knows nothing.
    """

    cells: tuple[Cell, ...] = ()
    fitted_at: int = 0

    @property
    def digest(self) -> str:
        """The id of this knowledge, "" where there is none."""
        return digest(self.fitted_at, *self.cells) if self.cells else ""

    def mirrored(self) -> "Calibration":
        """The same knowledge of markets whose YES and NO are swapped."""
        turned = (
            replace(cell, alpha=-cell.alpha, covariance=-cell.covariance) for cell in self.cells
        )
        return replace(self, cells=tuple(turned))


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The curve of each market of a universe; zeros, beta 1 and 0 events where there is none."""

    alpha: Floats
    beta: Floats
    var_alpha: Floats
    covariance: Floats
    var_beta: Floats
    events: Ints

    def logits(self, x: Floats) -> Floats:
        """Calibrated log odds of log odds."""
        return self.alpha + self.beta * x

    def errors(self, x: Floats) -> Floats:
        """Standard error of the calibrated log odds."""
        square = self.var_alpha + 2 * self.covariance * x + self.var_beta * x * x
        return np.sqrt(np.maximum(square, 0.0))


def bucket(days: Floats) -> Ints:
    """Which bucket of time to the end each number of days falls into."""
    return np.searchsorted(np.array(DAYS), days, side="right").astype(np.int64)


def curves(known: Calibration, categories: Sequence[str], category: Ints, buckets: Ints) -> Curves:
    """The curve of each market, from the names of all categories and its place among them."""
    width, place = len(DAYS) + 1, {name: number for number, name in enumerate(categories)}
    table = np.zeros((6, len(categories) * width))
    table[1] = 1.0
    for cell in known.cells:
        if cell.category in place:
            table[:, place[cell.category] * width + cell.bucket] = (
                cell.alpha,
                cell.beta,
                cell.var_alpha,
                cell.covariance,
                cell.var_beta,
                cell.events,
            )
    found = table[:, category * width + buckets]
    alpha, beta, var_alpha, covariance, var_beta, events = found
    return Curves(alpha, beta, var_alpha, covariance, var_beta, events.astype(np.int64))


def fit(
    price: Ints,
    outcome: Floats,
    days: Floats,
    *,
    event: Sequence[str],
    category: Sequence[str],
    fitted_at: int,
) -> Calibration:
    """Fit every cell from YES prices (micro) of resolved markets and what YES then paid (0 to 1).

    One entry a market and time; `days` to the end then. An event weighs one in each fit however
    many entries it has, and errors are clustered by it. A cell is shrunk towards its category,
    that towards all, and those towards "the price is right" (0, 1). ValueError where a price is
    not inside (0, 1) or an outcome not in [0, 1].
    """
    if len(price) and not (int(price.min()) > 0 and int(price.max()) < ONE):
        raise ValueError(f"prices must be between 0 and {ONE}, both exclusive")
    if len(outcome) and not (float(outcome.min()) >= 0 and float(outcome.max()) <= 1):
        raise ValueError("outcomes must be between 0 and 1")
    if not len(price):
        return Calibration((), fitted_at)
    x = np.log(price) - np.log(ONE - price)
    events = np.unique(np.array(event, dtype=np.str_), return_inverse=True)[1]
    names, kinds = np.unique(np.array(category, dtype=np.str_), return_inverse=True)
    buckets = bucket(days)
    right = _Curve(np.array([0.0, 1.0]), np.zeros((2, 2)))
    pool = _fit(right, x, outcome, events)
    cells = []
    for number, name in enumerate(names.tolist()):
        mine: Flags = kinds == number
        whole = _fit(pool, x[mine], outcome[mine], events[mine])
        for place in np.unique(buckets[mine]).tolist():
            here = mine & (buckets == place)
            found = _fit(whole, x[here], outcome[here], events[here])
            cells.append(found.cell(name, place, len(np.unique(events[here]))))
    return Calibration(tuple(cells), fitted_at)


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """(alpha, beta) and their covariance."""

    at: Floats
    spread: Floats

    def cell(self, category: str, place: int, events: int) -> Cell:
        (var_alpha, covariance), (_, var_beta) = self.spread.tolist()
        alpha, beta = self.at.tolist()
        return Cell(category, place, alpha, beta, var_alpha, covariance, var_beta, events)


def _fit(parent: _Curve, x: Floats, outcome: Floats, event: Ints) -> _Curve:
    """The curve of these entries, shrunk towards its parent (a normal prior around it)."""
    weight = 1.0 / np.bincount(event)[event]
    columns = np.stack((np.ones(len(x)), x), axis=1)
    prior, at = np.eye(2) / PRIOR_SD**2, parent.at
    bread = prior
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(columns @ at, -30, 30)))
        slope = columns.T @ (weight * (outcome - chance)) - prior @ (at - parent.at)
        bread = columns.T @ (columns * (weight * chance * (1 - chance))[:, None]) + prior
        at = at + np.clip(np.linalg.solve(bread, slope), -1, 1)
    chance = 1 / (1 + np.exp(-np.clip(columns @ at, -30, 30)))
    score = columns * (weight * (outcome - chance))[:, None]
    by_event = np.stack([np.bincount(event, weights=line) for line in score.T], axis=1)
    inverse = np.linalg.inv(bread)
    own = inverse @ (by_event.T @ by_event) @ inverse
    lent = inverse @ prior @ (parent.spread + np.linalg.inv(prior)) @ prior @ inverse
    return _Curve(at, _together(own, lent))


def _together(one: Floats, other: Floats) -> Floats:
    """A bound on the covariance of a sum whose parts may go together: the parent saw this data."""
    if not float(np.trace(one)):
        return other
    ratio = float(np.sqrt(np.trace(other) / np.trace(one)))
    return (1 + ratio) * one + (1 + 1 / ratio) * other if ratio else one
