"""Liquidity rewards as a pure function of orders: how the exchange scores who waits in the book.

A market that pays rewards names the widest distance from the middle that counts. Scores are exact
integers in micro-shares. Source: the exchange's page on its liquidity rewards programme.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from markets.core.types import ONE

SINGLE = 3
"""One side alone counts for a third, while the middle is inside these prices ..."""
INSIDE = (100_000, 900_000)
"""... and for nothing outside."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order in the book: micro-shares, and micro-dollars from the middle."""

    size: int
    distance: int


def side(orders: Iterable[Waiting], widest: int, boost: int = ONE) -> int:
    """The score of one side: sum of ((v - s) / v)^2 * boost * size over distances s below v.

    `widest` is v in micro-dollars, `boost` the market's multiplier in micro. One side are YES bids
    with NO asks, the other YES asks with NO bids. ValueError unless `widest` is above 0.
    """
    if widest <= 0:
        raise ValueError(f"widest is {widest}; it must be above 0 micro-dollars")
    counted = sum(
        (widest - order.distance) ** 2 * order.size
        for order in orders
        if 0 <= order.distance < widest
    )
    return counted * boost // (widest**2 * ONE)


def score(first: int, second: int, middle: int) -> int:
    """What both sides' scores make: the smaller one, or a third of the larger where that is more.

    Outside of 0.10 to 0.90 (`middle` in micro-dollars) one side alone makes nothing.
    """
    low, high = INSIDE
    smaller, larger = sorted((first, second))
    return max(smaller, larger // SINGLE) if low <= middle <= high else smaller


def share(own: int, others: int, pool: int) -> int:
    """What a score earns of a pool, micro-dollars, beside all other scores; 0 without a score."""
    return own * pool // (own + others) if own > 0 else 0
