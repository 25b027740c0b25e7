"""What calibration, forecasts and coherence together say an outcome's probability is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import Floats
from strategies.core import calibration, exclusive, ladders, pricing
from strategies.core.calibration import Calibration
from strategies.core.forecasts import Claim, Forecasts
from strategies.core.grouping import groups

LOWER_80 = 0.8416
"""Standard errors below the estimate at which 80 % of a normal distribution lie above."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Of each market: YES's probability in micro, and the lower 80 % bounds of YES's and of NO's.

    `error` is the standard error of the probability, `known` where anything is known; `events` how
    many the calibration rests on there, 0 where a forecast took its place.
    """

    fair: Ints
    low_yes: Floats
    low_no: Floats
    error: Floats
    known: Flags
    events: Ints


def believe(
    panel: Panel,
    known: Calibration,
    claimed: Forecasts,
    *,
    min_events: float,
    usable: bool,
) -> Belief:
    """The belief about each market at the last bar.

    Calibration unless it is not `usable`, a standing forecast in its place, and no claim beyond
    what ladders of deadlines allow: those never raise a bound, they only lower it.
    """
    shown, n = panel.features, len(panel.features.x)
    none, zeros = np.zeros(n), np.zeros(n, dtype=np.int64)
    belief = Belief(zeros, none, none, none, np.zeros(n, dtype=np.bool_), zeros)
    if usable and known.cells:
        belief = _calibrated(panel, known, min_events)
    claims = claimed.standing(panel.tick.universe, shown.at)
    if claims:
        belief = _forecast(panel, belief, claims)
    return _coherent(panel, belief) if bool(np.any(belief.known)) else belief


def _calibrated(panel: Panel, known: Calibration, min_events: float) -> Belief:
    """The calibrated price; in a complete event of exclusive outcomes, freed of its overround.

    Of the price as it stands and the price so freed, the more cautious bound counts.
    """
    shown, world = panel.features, panel.tick.universe
    found = groups(world)
    buckets = calibration.bucket((world.end_at - shown.at) / DAY_MS)
    curves = calibration.curves(known, found.categories, found.category, buckets)
    freed, complete = exclusive.normalised(panel)
    plain = curves.logits(shown.x)
    better = np.where(complete, curves.logits(freed), plain)
    error = curves.errors(shown.x)
    told = shown.valid & world.end_known & (curves.events >= min_events)
    return Belief(
        fair=np.where(told, pricing.prices(better), 0),
        low_yes=1 / (1 + np.exp(LOWER_80 * error - np.minimum(plain, better))),
        low_no=1 / (1 + np.exp(LOWER_80 * error - np.minimum(-plain, -better))),
        error=error / (2 + (np.exp(better) + np.exp(-better))),
        known=told,
        events=curves.events,
    )


def _forecast(panel: Panel, belief: Belief, claims: Mapping[int, Claim]) -> Belief:
    """What was claimed elsewhere in place of what was calibrated."""
    fair, events, known = belief.fair.copy(), belief.events.copy(), belief.known.copy()
    low_yes, low_no, error = belief.low_yes.copy(), belief.low_no.copy(), belief.error.copy()
    usable = panel.features.valid & panel.tick.universe.end_known
    for column, claim in claims.items():
        known[column] = usable[column]
        fair[column] = claim.probability if usable[column] else 0
        error[column], events[column] = claim.error / ONE, 0
        low_yes[column] = (claim.probability - LOWER_80 * claim.error) / ONE
        low_no[column] = (ONE - claim.probability - LOWER_80 * claim.error) / ONE
    return Belief(fair, low_yes, low_no, error, known, events)


def _coherent(panel: Panel, belief: Belief) -> Belief:
    """No claim beyond what the other deadlines' quotes allow."""
    floor, ceiling = ladders.bounds(panel)
    sound = belief.known & (floor <= ceiling)
    within = np.clip(belief.fair, floor, np.maximum(floor, ceiling))
    return replace(
        belief,
        fair=np.where(sound, within, belief.fair),
        low_yes=np.minimum(belief.low_yes, ceiling / ONE),
        low_no=np.minimum(belief.low_no, (ONE - floor) / ONE),
    )
