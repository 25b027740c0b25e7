"""What rules are told beyond the panel, learnt from another stretch of the same kind of world."""

from dataclasses import dataclass

import numpy as np

from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.types import ONE
from markets.core.window import DAY, HOUR, Floats
from strategies.core import calibration, seasons
from strategies.core.calibration import Calibration
from strategies.core.draws import uniforms
from strategies.core.forecasting import Forecast
from strategies.core.seasons import Seasons
from tests.worlds import truth
from tests.worlds.plants import Plant, logit
from tests.worlds.world import CATEGORIES, START, World

BEFORE = 80 * DAY
"""Bars before the world in which what is learnt from took place."""


def calibrated(plant: Plant, *, seed: int, events: int = 4_000) -> Calibration:
    """Prices and outcomes of events that ended before the world began, five looks at each."""
    rng = np.random.default_rng(seed)
    price, outcome, days, event, category = [], [], [], [], []
    for number in range(events):
        life = truth.Life(0, int(rng.integers(20, 70)) * DAY, 1, number)
        worth, _ = truth.paths(life, life.end, rng)
        shown = plant.bend(worth, START - BEFORE * BAR_MS, rng)[0]
        for look in rng.integers(0, life.end - DAY, size=5).tolist():
            if 0.03 < shown[look] < 0.97:
                price.append(round(float(shown[look]) * ONE))
                outcome.append(float(worth[0, -1] > 0.5))
                days.append((life.end - look) / DAY)
                event.append(f"past-{number}")
                category.append(CATEGORIES[number % len(CATEGORIES)])
    return calibration.fit(
        np.array(price), np.array(outcome), np.array(days),
        event=event, category=category, fitted_at=START - BAR_MS,
    )  # fmt: skip


def seasonal(plant: Plant, *, seed: int, events: int = 120, days: int = 70) -> Seasons:
    """Hourly returns of events in the weeks before the world began."""
    rng, bars = np.random.default_rng(seed), days * DAY
    start = START - BEFORE * BAR_MS
    hours = start + np.arange(bars // HOUR - 1) * HOUR * BAR_MS
    move, at, event, category = [], [], [], []
    for number in range(events):
        worth, _ = truth.paths(truth.Life(0, bars + 30 * DAY, 1, number), bars - 1, rng)
        x = logit(np.clip(plant.bend(worth, start, rng)[0], 0.02, 0.98))[::HOUR]
        move.append(np.diff(x))
        at.append(hours[: len(x) - 1])
        event += [f"past-{number}"] * (len(x) - 1)
        category += [CATEGORIES[number % len(CATEGORIES)]] * (len(x) - 1)
    return seasons.fit(
        np.concatenate(move), np.concatenate(at),
        event=event, category=category, fitted_at=START - BAR_MS,
    )  # fmt: skip


@dataclass(frozen=True)
class Seer:
    """A model of stated skill: that share of the gap between price and worth, and noise.

    Where prices are what they should be there is no gap to see, and only the noise is left. It
    never looks ahead: the worth is that of the moment.
    """

    world: World
    skill: float
    noise: float = 0.15
    digest: str = "seer"

    def forecast(self, panel: Panel) -> Forecast:
        """The move that closes the gap, as far as it is seen, with its error."""
        tick, shown = panel.tick, panel.features
        bar = (shown.at - START) // BAR_MS - 1
        worth = np.array([self.world.worth(m.id, bar) for m in tick.universe.markets])
        flipped = np.array([not m.yes.id.startswith("yes") for m in tick.universe.markets])
        worth = np.where(flipped, 1 - worth, worth)
        gap = np.clip(logit(np.clip(worth, 0.01, 0.99)) - shown.x, -2, 2)
        side = np.where(flipped, -1.0, 1.0)
        move = self.skill * gap + (1 - self.skill) * self.noise * side * self._luck(panel, bar)
        error = np.full(len(worth), 0.05)
        return Forecast(move, error, shown.valid, self.digest, START - BAR_MS)

    def _luck(self, panel: Panel, bar: int) -> Floats:
        """A normal draw for each market and six hours."""
        found = [uniforms(f"{m.id} {bar // (6 * HOUR)}", 2) for m in panel.tick.universe.markets]
        u = np.array(found).reshape(-1, 2)
        return np.sqrt(-2 * np.log(1 - u[:, 0])) * np.cos(2 * np.pi * u[:, 1])
