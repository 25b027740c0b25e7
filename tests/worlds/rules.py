"""The strategies as the worlds run them: with defaults, and eager to trade at any price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from zlib import crc32

from markets.core.panel import Panel
from markets.core.tick import Universe
from markets.core.types import ONE
from strategies.core.ports import Strategy
from strategies.core.types import Basket, Bet, Opinion, Quote, Signal
from strategies.library import REGISTRY
from strategies.library.ml_prediction_v1 import MlPrediction
from strategies.library.time_arb_v1 import TimeArb
from strategies.library.value_bet_v1 import ValueBet
from tests.worlds import knowledge
from tests.worlds.plants import PLANTS, Plant
from tests.worlds.world import World

SKILL = 0.6
"""Of the model in the world in which there is something to know."""

EAGER: Mapping[str, Mapping[str, float]] = {
    "mean_reversion_v1": {
        "entry_zscore": 1.0, "exit_zscore": 0.2, "min_edge": -0.2, "max_half_life": 48,
        "max_variance_ratio": 2, "max_false_discoveries": 1,
    },
    "momentum_v1": {
        "min_strength": 0.2, "max_strength": 20, "min_move": 0, "max_move": 0.5, "min_edge": -0.2,
        "min_beta_t": -100, "min_variance_ratio": 1, "max_false_discoveries": 1,
    },
    "value_bet_v1": {"min_edge": -0.2, "min_errors": 0, "min_annual": 0},
    "time_arb_v1": {
        "min_edge": -0.2, "max_false_discoveries": 1, "min_pair_edge": -0.2, "min_profit": -10_000,
    },
    "ml_prediction_v1": {"min_edge": -0.2},
    "set_arb_v1": {"min_edge": -0.2, "min_profit": -1_000, "min_yearly_return": -1_000,
                   "max_gap": 1, "max_sets": 20},
    "market_maker_v1": {"hedge_share": 0, "max_markets": 4},
}  # fmt: skip
"""Entry thresholds so low that noise crosses them."""

CLAIM = 50_000
"""What an eager rule claims to gain with a share, micro-dollars, so that it is given a size."""


def defaults() -> Sequence[Strategy]:
    """Every strategy with its default parameters and nothing learnt."""
    return [entry.built(entry.built.params()) for entry in REGISTRY.values() if entry.built]


def told(world: World, *, skill: float) -> Sequence[Strategy]:
    """Every strategy with its default parameters, told what such a world teaches."""
    return [rule(name, world, skill=skill) for name in REGISTRY]


def rule(name: str, world: World, *, skill: float = SKILL, **params: float) -> Strategy:
    """One strategy, told what such a world teaches."""
    built = REGISTRY[name].built
    assert built is not None
    return built(built.params(**params), inputs(world, skill))


def inputs(world: World, skill: float) -> Mapping[str, Any]:
    """Everything a rule may learn of a world like this one."""
    calibration, seasons = _learnt(world.plant)
    return {
        "calibration": calibration,
        "seasons": seasons,
        "forecaster": knowledge.Seer(world, skill),
    }


@lru_cache
def _learnt(plant: Plant) -> tuple[Any, Any]:
    return knowledge.calibrated(plant, seed=101), knowledge.seasonal(plant, seed=102)


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

    It is heard of each event in one hour of `every`, by a draw: enough trades for statistics, few
    enough for the time there is. Quotes are heard always.
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
        said, tick = self.own.evaluate(panel), panel.tick
        hour = tick.at // 3_600_000
        heard = (each for each in said.signals if self._hears(each, tick.universe, hour))
        return replace(said, signals=tuple(map(_claiming, heard)))

    def _hears(self, signal: Signal, world: Universe, hour: int) -> bool:
        if isinstance(signal, Quote):
            return True
        market = signal.legs[0].market if isinstance(signal, Basket) else signal.market
        event = world.markets[world.column[market]].event.id
        return crc32(f"{self.name} {event} {hour}".encode()) % self.every == 0


def eager(world: World) -> Sequence[Strategy]:
    """Every strategy but the detector of dual sets, its thresholds lowered and without skill."""
    return [
        Eager(rule(name, world, skill=0.0, **EAGER[name]), 25 if name == "set_arb_v1" else 400)
        for name in PLANTS
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
