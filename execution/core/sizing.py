"""From a Bet and what is held to the order that closes the gap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizing:
    """How boldly a Bet becomes shares; all in micro (100_000 is 0.10).

    `kelly_fraction` scales the Kelly size, `max_fraction_per_market` caps one market's cost as a
    share of equity, `max_depth_share` caps an order as a share of displayed depth, `cash_floor`
    is the share of equity that stays cash.
    """

    kelly_fraction: int
    max_fraction_per_market: int
    max_depth_share: int
    cash_floor: int
