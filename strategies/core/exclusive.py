"""Exclusive outcomes: prices that add up to more than one, brought back to one."""

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import Floats
from strategies.core.grouping import groups

LEAST, MOST = 0.9, 1.25
"""Sums of the outcomes' prices that pass for a complete event; outside, some outcome is missing."""

FEWEST = 3
"""Outcomes from which it is certain which of the two tokens are the exclusive ones."""

STEPS = 12


def normalised(panel: Panel) -> tuple[Floats, Flags]:
    """Log odds of YES after the power method, and where an event is complete enough to have them.

    In an event of which exactly one outcome comes, the probabilities are p^k with k such that they
    add up to one: it takes more from cheap outcomes, which carry more of the overround (Clarke,
    Kovalchik, Ingram 2017). Prices are the last bar's microprices.
    """
    shown, found = panel.features, groups(panel.tick.universe)
    known = np.where(shown.valid, 1, 0)
    size = np.bincount(found.event)
    complete = found.exclusive & (size >= FEWEST) & (np.bincount(found.event, known) == size)
    logits, told = np.zeros(len(known)), np.zeros(len(known), dtype=np.bool_)
    for sign, micro in ((1.0, shown.micro), (-1.0, ONE - shown.micro)):
        price = np.where(shown.valid, micro, ONE // 2) / ONE
        total = np.bincount(found.event, price)
        fits = (complete & (total >= LEAST) & (total <= MOST))[found.event]
        if fits.any():
            logs = np.log(np.where(fits, price, 0.5))
            power = _powers(logs, found.event, fits)
            chance = np.exp(power[found.event] * logs)
            chance = np.where(fits, chance, 0.5)
            logits += sign * np.where(fits, np.log(chance) - np.log1p(-chance), 0.0)
            told |= fits
    return logits, told


def _powers(logs: Floats, event: Ints, fits: Flags) -> Floats:
    """By event, the k at which sum(p^k) = 1: Newton's steps on a falling, convex function."""
    count = int(event.max()) + 1
    power = np.ones(count)
    mine = np.bincount(event, fits, minlength=count) > 0
    for _ in range(STEPS):
        part = np.where(fits, np.exp(power[event] * logs), 0.0)
        total = np.bincount(event, part, minlength=count)
        slope = np.bincount(event, part * logs, minlength=count)
        step = np.where(mine, (total - 1) / np.where(mine, slope, -1.0), 0.0)
        power = np.clip(power - step, 0.05, 20.0)
    return power
