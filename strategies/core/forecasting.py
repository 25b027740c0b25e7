"""What a model is to the rule that trades it: columns of expected moves, and how sure it is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags
from markets.core.window import HOUR, Floats

HORIZON = 6 * HOUR
"""Bars ahead that a forecast speaks of: six hours after the panel's newest bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Where each market's price will be six hours after the panel's newest bar, one entry a column.

    `move` is the expected change of the logit of YES's bid-ask middle from the newest bar's
    microprice, `error` its standard error (logits, not negative); `known` where the model says
    anything, and where it abstains both are ignored. `digest` names the model, `fitted_at` when
    the newest data that it learnt from ended (ms UTC).
    """

    move: Floats
    error: Floats
    known: Flags
    digest: str
    fitted_at: int


class Forecaster(Protocol):
    """A trained model, frozen: the same panel always gives the same forecast."""

    digest: str

    def forecast(self, panel: Panel) -> Forecast:
        """The forecast at the panel's newest bar; asked once a bar.

        Swapping YES and NO of every market must give exactly the negative move and the same error.
        """
        ...


class NoForecaster:
    """What is known before a model was trained: nothing."""

    digest = ""

    def forecast(self, panel: Panel) -> Forecast:
        """Abstains everywhere."""
        n = len(panel.tick.universe)
        return Forecast(np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.bool_), "", 0)


def check(forecast: Forecast, markets: int) -> Forecast:
    """The forecast; ValueError where its columns do not fit or a known entry is no number."""
    for name in ("move", "error", "known"):
        shape = getattr(forecast, name).shape
        if shape != (markets,):
            raise ValueError(f"forecast: {name} has shape {shape}, the tick has {markets} markets")
    known = forecast.known
    if not np.isfinite(forecast.move[known]).all() or not np.isfinite(forecast.error[known]).all():
        raise ValueError("forecast: a known move or error is not a finite number")
    if (forecast.error[known] < 0).any():
        raise ValueError("forecast: a standard error is negative; 0 or more is allowed")
    return forecast
