"""A test-only strategy that quotes often and moves its quotes: parity needs resting orders."""

from dataclasses import dataclass
from math import log
from typing import Annotated

import numpy as np

from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core.ports import Range
from strategies.core.types import (
    LEAVE_BOTH,
    Opinion,
    Plan,
    Quote,
    Silence,
    digest,
    silence_code,
)
from strategies.library import REGISTRY, Built, Entry


@dataclass(frozen=True, slots=True)
class Params:
    """Half the width of its quotes, in logits."""

    half_width: Annotated[float, Range(0.001, 1)] = 0.02


class Quoter:
    """Quotes around the middle of some books; which ones is a hash of market and quarter hour."""

    name = "quoter"
    version = "1"
    description = "Makes liquidity for tests."

    def __init__(self, params: Params = Params()) -> None:
        self.params = params
        self.plan = Plan(3_600_000)

    def evaluate(self, panel: Panel) -> Opinion:
        tick = panel.tick
        n = len(tick.universe)
        silence = np.full(n, silence_code(Silence.NO_SIGNAL), dtype=np.int8)
        quotes = []
        for column, market in enumerate(tick.universe.markets):
            luck = int(digest("quoter", market.id, tick.at // 900_000)[:8], 16)
            if luck % 4 or not tick.coherent[column] or not tick.two_sided[column]:
                continue
            middle = (int(tick.bid[column]) + int(tick.ask[column])) / 2 / ONE
            quotes.append(
                Quote(
                    self.name, self.version, tick.at, market.id, log(middle / (1 - middle)),
                    self.params.half_width, 0.001, 20 * ONE, 60 * ONE, self.plan,
                    split=30 * ONE * (luck // 4 % 3 == 0), max_age_ms=600_000,
                )
            )  # fmt: skip
            silence[column] = 0
        close = np.zeros(n, dtype=np.int8) + np.int8(LEAVE_BOTH * (tick.at // 300_000 % 37 == 0))
        fair = np.zeros(n, dtype=np.int64)
        return Opinion(self.name, self.version, tuple(quotes), silence, fair, close)


def register() -> None:
    """Make the quoter a strategy like any other, in this process."""
    built = Built(params=Params, make=Quoter, validate=lambda _: None)
    REGISTRY["quoter"] = Entry("quoter", Quoter.description, built)
