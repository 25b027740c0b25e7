"""Buying complete sets: the asks of several tokens walked together while a set still gains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markets.core import venue
from markets.core.types import ONE, FeeSchedule, Level


@dataclass(frozen=True, slots=True)
class Offer:
    """One token's asks, best first, and the fee its taker pays."""

    asks: tuple[Level, ...]
    fee: FeeSchedule


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sets are worth buying.

    A set of one share of each token `pays` at least so many micro-dollars, whatever happens. The
    last set must gain `min_edge`, all together `min_profit` (micro-dollars both); `least` and
    `most` are micro-sets.
    """

    pays: int
    min_edge: int
    min_profit: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets worth buying: micro-sets, the worst price of each token, and the gain of them all."""

    size: int
    limits: tuple[int, ...]
    profit: int


Step = tuple[int, tuple[int, ...]]
"""(micro-sets, the price of each token)."""


def edge(prices: Sequence[int], fees: Sequence[FeeSchedule], pays: int) -> int:
    """What one set bought at these asks gains after fees, micro-dollars; negative is a loss."""
    spent = sum(
        price + venue.taker_fee(ONE, price, fee) for price, fee in zip(prices, fees, strict=True)
    )
    return pays - spent


def sets(offers: Sequence[Offer], wanted: Wanted) -> Sets | str:
    """The sets worth buying at the displayed asks, or in words why there are none.

    Greedy: a set's gain only falls along the walk, so stopping where it is too small is best.
    """
    if not all(offer.asks for offer in offers):
        return "a token is not offered at all"
    taken = list(_walk(offers, wanted))
    if not taken:
        best = edge([o.asks[0].price for o in offers], [o.fee for o in offers], wanted.pays)
        return f"nets {best / ONE:+.5f} a set after fees / needs {wanted.min_edge / ONE:.5f}"
    size = venue.floor_size(sum(sets for sets, _ in taken))
    if size < wanted.least:
        return f"{size / ONE:.2f} sets are offered / needs {wanted.least / ONE:.2f}"
    taken = list(_cut(taken, size))
    cheapest = min(taken[0][1])
    if venue.proceeds(size, cheapest) < venue.MIN_NOTIONAL:
        return f"{size / ONE:.2f} shares at {cheapest / ONE:.4f} / needs a dollar's worth of each"
    profit = size * wanted.pays // ONE - _spent(taken, offers)
    if profit < wanted.min_profit:
        return f"gains {profit / ONE:.2f} dollars in all / needs {wanted.min_profit / ONE:.2f}"
    return Sets(size, taken[-1][1], profit)


def claimed(profit: int, size: int) -> int:
    """What a signal for sets says each of them gains, micro-dollars: never less than one.

    Whoever allows a loss, as a test may, is taken at their word: sizing buys nothing that claims
    nothing.
    """
    return max(1, profit * ONE // size)


def _walk(offers: Sequence[Offer], wanted: Wanted) -> Iterator[Step]:
    """Sets and their prices, best first, while one gains at least `min_edge`."""
    left, fees = wanted.most, [offer.fee for offer in offers]
    stacks = [list(offer.asks[::-1]) for offer in offers]
    while left > 0 and all(stacks):
        levels = [stack.pop() for stack in stacks]
        prices = tuple(level.price for level in levels)
        if edge(prices, fees, wanted.pays) < wanted.min_edge:
            return
        size = min(left, *(level.size for level in levels))
        left -= size
        yield size, prices
        for stack, level in zip(stacks, levels, strict=True):
            if level.size > size:
                stack.append(Level(level.price, level.size - size))


def _cut(taken: Sequence[Step], size: int) -> Iterator[Step]:
    """The first `size` micro-sets of a walk."""
    for sets, prices in taken:
        if size <= 0:
            return
        yield min(sets, size), prices
        size -= sets


def _spent(taken: Sequence[Step], offers: Sequence[Offer]) -> int:
    """What the walk costs with its fees, micro-dollars."""
    return sum(
        venue.cost(size, price) + venue.taker_fee(size, price, offer.fee)
        for size, prices in taken
        for price, offer in zip(prices, offers, strict=True)
    )
