"""Every strategy PQAP knows, by name; adding one is one file and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from strategies.core.ports import Strategy
from strategies.library import (
    dual_arb_v1,
    market_maker_v1,
    mean_reversion_v1,
    ml_prediction_v1,
    momentum_v1,
    outside,
    set_arb_v1,
    time_arb_v1,
    value_bet_v1,
)
from strategies.library.dual_arb_v1 import DualArb
from strategies.library.market_maker_v1 import MarketMaker
from strategies.library.mean_reversion_v1 import MeanReversion
from strategies.library.ml_prediction_v1 import MlPrediction
from strategies.library.momentum_v1 import Momentum
from strategies.library.set_arb_v1 import SetArb
from strategies.library.time_arb_v1 import TimeArb
from strategies.library.value_bet_v1 import ValueBet


def _anything_goes(_: Any) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Built:
    """A rule that can run: called with a `params` instance it gives the strategy.

    `validate` says why parameters that are each in range make no rule together, or None. `learns`
    names what the rule is told beyond the panel: keyword arguments of `make`, which has a default
    for each, because until something was fitted there is nothing to tell.
    """

    make: Callable[..., Strategy]
    params: type[Any]
    validate: Callable[[Any], str | None] = _anything_goes
    learns: tuple[str, ...] = ()

    def __call__(self, params: Any, inputs: Mapping[str, object] | None = None) -> Strategy:
        known = inputs or {}
        return self.make(params, **{name: known[name] for name in self.learns if name in known})


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy's one plain sentence and its rule; None where it is not built yet."""

    name: str
    description: str
    built: Built | None = None


_ENTRIES = (
    Entry("dual_arb_v1", DualArb.description, Built(DualArb, dual_arb_v1.Params)),
    Entry(
        "mean_reversion_v1",
        MeanReversion.description,
        Built(MeanReversion, mean_reversion_v1.Params, mean_reversion_v1.validate),
    ),
    Entry("market_maker_v1", MarketMaker.description, Built(MarketMaker, market_maker_v1.Params)),
    Entry("set_arb_v1", SetArb.description, Built(SetArb, set_arb_v1.Params, learns=("outcomes",))),
    Entry(
        "time_arb_v1",
        TimeArb.description,
        Built(TimeArb, time_arb_v1.Params, learns=("seasons",)),
    ),
    Entry(
        "value_bet_v1",
        ValueBet.description,
        Built(
            ValueBet,
            value_bet_v1.Params,
            value_bet_v1.validate,
            learns=("calibration", "forecasts"),
        ),
    ),
    Entry(
        "momentum_v1",
        Momentum.description,
        Built(Momentum, momentum_v1.Params, momentum_v1.validate),
    ),
    Entry(
        "ml_prediction_v1",
        MlPrediction.description,
        Built(MlPrediction, ml_prediction_v1.Params, learns=("forecaster",)),
    ),
)

REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""All eight names; a name whose `built` is None is shown as unavailable and stops nothing.

The configuration's rules from outside join them when a process starts.
"""


def from_outside(name: str, path: str) -> Entry:
    """The entry of a rule at a dotted path; outside.NotARule when there is none."""
    rule = outside.find(name, path)
    validate = getattr(rule, "validate", _anything_goes)
    built = Built(partial(outside.make, rule), outside.params_of(rule), validate)
    return Entry(name, rule.description, built)
