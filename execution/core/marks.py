"""What holdings would bring now: liquidation value, never a mid."""

from dataclasses import replace

from execution.core.types import Portfolio, Position
from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import FeeSchedule


def mark(account: Portfolio, tick: Tick) -> Portfolio:
    """Every holding at liquidation value: what walking the bids would pay now, fees taken off.

    Shares beyond the displayed bids are worth nothing; a market no longer tracked keeps its mark.
    """
    positions = {key: _mark(held, tick) for key, held in account.positions.items()}
    value = sum(held.value for held in positions.values())
    equity = account.cash + account.reserved + value
    return replace(
        account, positions=positions, equity=equity, high_water=max(account.high_water, equity)
    )


def _mark(held: Position, tick: Tick) -> Position:
    if held.token not in tick.universe.token:
        return held
    column, _ = tick.universe.token[held.token]
    fee = tick.universe.markets[column].terms.fee
    value = liquidation(held.size, tick, held.token, fee)
    best, _ = tick.touch(held.token)
    return replace(held, value=value, mark=best or 0, peak=max(held.peak, best or 0))


def liquidation(size: int, tick: Tick, token: str, fee: FeeSchedule | None) -> int:
    """Micro-dollars that selling `size` into the displayed bids would bring, fees taken off."""
    paid = 0
    for level in tick.book(token).bids:
        sold = min(size, level.size)
        paid += venue.proceeds(sold, level.price)
        paid -= venue.taker_fee(sold, level.price, fee) if fee else 0
        size -= sold
        if not size:
            break
    return max(0, paid)
