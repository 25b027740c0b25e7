"""The strategies as the worlds run them: with defaults, and eager to trade at any price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.tick import Universe
from markets.core.types import ONE
from markets.core.window import HOUR
from strategies.core.calibration import Calibration
from strategies.core.evaluate import silent
from strategies.core.ports import Strategy
from strategies.core.seasons import Seasons
from strategies.core.types import Basket, Bet, Opinion, Signal, Silence, silence_code
from strategies.library import REGISTRY
from strategies.library.ml_prediction_v1 import MlPrediction
from strategies.library.time_arb_v1 import TimeArb
from strategies.library.value_bet_v1 import ValueBet
from tests.worlds import knowledge
from tests.worlds.plants import PLANTS, Plant
from tests.worlds.world import World

SKILL = 0.6
"""Of the model in the world in which there is something to know."""

FRESH: Mapping[str, Mapping[str, float]] = {
    name: {"max_model_days": 365} for name in ("value_bet_v1", "time_arb_v1", "ml_prediction_v1")
}
"""What was learnt before the world began is not learnt anew within it."""

OWN: Mapping[str, Mapping[str, float]] = {
    "momentum_v1": {"max_move": 0.5, "max_strength": 20},
}
"""Parameters for a strategy's own world: it drifts faster than real markets do."""

EAGER: Mapping[str, Mapping[str, float]] = {
    "mean_reversion_v1": {
        "entry_zscore": 1.0, "exit_zscore": 0.2, "min_edge": -0.2, "max_half_life": 48,
        "max_variance_ratio": 2, "max_false_discoveries": 1,
    },
    "momentum_v1": {
        "min_strength": 0.2, "max_strength": 20, "min_move": 0, "max_move": 0.5, "min_edge": -0.2,
        "min_beta_t": -100, "min_variance_ratio": 0, "max_false_discoveries": 1,
    },
    "value_bet_v1": {
        "min_edge": -0.2, "min_errors": 0, "min_annual": 0, "max_model_days": 365,
    },
    "time_arb_v1": {
        "min_edge": -0.2, "max_false_discoveries": 1, "min_pair_edge": -0.2, "min_profit": -10_000,
        "max_model_days": 365,
    },
    "ml_prediction_v1": {"min_edge": -0.2, "max_model_days": 365},
    "set_arb_v1": {"min_edge": -0.2, "min_profit": -1_000, "min_yearly_return": -1_000,
                   "max_gap": 1, "max_sets": 20},
    "market_maker_v1": {"hedge_share": 0, "max_markets": 6},
}  # fmt: skip
"""Entry thresholds so low that noise crosses them."""

OFTEN = {"set_arb_v1": 100, "mean_reversion_v1": 150, "market_maker_v1": 1}
"""Rules that have less to say are heard more often than one time in 400."""

CLAIM = 50_000
"""What an eager rule claims to gain with a share, micro-dollars, so that it is given a size."""


def defaults() -> Sequence[Strategy]:
    """Every strategy with its default parameters and nothing learnt."""
    return [entry.built(entry.built.params()) for entry in REGISTRY.values() if entry.built]


def told(world: World, *, skill: float) -> Sequence[Strategy]:
    """Every strategy with its default parameters, told what such a world teaches."""
    return [rule(name, world, skill=skill, **FRESH.get(name, {})) for name in REGISTRY]


def rule(name: str, world: World, *, skill: float = SKILL, **params: float) -> Strategy:
    """One strategy, told what such a world teaches."""
    built = REGISTRY[name].built
    assert built is not None
    return built(built.params(**params), inputs(built.learns, world, skill))


def inputs(names: Sequence[str], world: World, skill: float) -> Mapping[str, Any]:
    """What rules that learn these may know of a world like this one."""
    known = {
        "calibration": lambda: _calibration(world.plant),
        "seasons": lambda: _seasons(world.plant),
        "forecaster": lambda: knowledge.Seer(world, skill),
    }
    return {name: known[name]() for name in names if name in known}


@lru_cache
def _calibration(plant: Plant) -> Calibration:
    return knowledge.calibrated(plant, seed=101)


@lru_cache
def _seasons(plant: Plant) -> Seasons:
    return knowledge.seasonal(plant, seed=102)


def mirrored(own: Strategy) -> Strategy:
    """The same rule, told the same of markets whose YES and NO are swapped."""
    if isinstance(own, ValueBet):
        return ValueBet(own.params, calibration=own.calibration.mirrored())
    if isinstance(own, TimeArb):
        return TimeArb(own.params, seasons=own.seasons.mirrored())
    if isinstance(own, MlPrediction):
        return MlPrediction(own.params, forecaster=own.forecaster)
    return own


@dataclass(frozen=True, slots=True)
class Eager:
    """A rule that claims to gain with whatever it signals, so that it is sized and trades.

    Enough trades for statistics, few enough for the time there is: but for a maker, which must look
    after its quotes, a rule is asked once an hour, and heard of each event one time in `every`.
    """

    own: Strategy
    every: int

    @property
    def name(self) -> str:
        return self.own.name

    @property
    def version(self) -> str:
        return self.own.version

    def evaluate(self, panel: Panel) -> Opinion:
        """The rule's opinion, each Bet with a claim that a size can be reckoned from."""
        tick = panel.tick
        if self.every > 1 and tick.at // BAR_MS % HOUR:
            return silent(self, panel, Silence.NO_SIGNAL)
        said, hour = self.own.evaluate(panel), tick.at // (HOUR * BAR_MS)
        heard = [each for each in said.signals if self._hears(each, tick.universe, hour)]
        waiting = np.full_like(said.silence, silence_code(Silence.NO_SIGNAL))
        return replace(said, signals=tuple(map(_claiming, heard)), silence=waiting)

    def _hears(self, signal: Signal, world: Universe, hour: int) -> bool:
        market = signal.legs[0].market if isinstance(signal, Basket) else signal.market
        event = world.markets[world.column[market]].event.id
        return crc32(f"{self.name} {event} {hour}".encode()) % self.every == 0


def eager(world: World) -> Sequence[Strategy]:
    """Every strategy but the detector of dual sets, its thresholds lowered and without skill."""
    return [
        Eager(rule(name, world, skill=0.0, **EAGER[name]), OFTEN.get(name, 400)) for name in PLANTS
    ]


def _claiming(signal: Signal) -> Signal:
    if isinstance(signal, Basket):
        return replace(signal, legs=tuple(_claim(leg) for leg in signal.legs))
    return _claim(signal) if isinstance(signal, Bet) else signal


def _claim(bet: Bet) -> Bet:
    fair = bet.fair
    if bet.plan.hold_to_resolution:
        fair = min(max(fair, bet.limit + CLAIM), ONE - 1)
    return replace(bet, edge=max(bet.edge, CLAIM), fair=fair)
