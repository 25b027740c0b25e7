"""The limits, and the one function that says why an order may not be made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Risk limits: money in micro-dollars, `max_drawdown` in micro (100_000 is 10 %)."""

    max_capital_per_market: int
    max_capital_per_strategy: int
    daily_loss_limit: int
    max_drawdown: int
