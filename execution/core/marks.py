"""What holdings would bring now: liquidation value, never a mid and never a last trade."""

from execution.core.types import HoldingState, Portfolio, Position
from markets.core import venue
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule

DISPUTED_MOST = ONE // 2
"""What a share of a disputed outcome is marked at, at most, whatever is bid for it."""


def mark(account: Portfolio, tick: Tick) -> Portfolio:
    """Every holding at liquidation value: what walking the bids would pay now, fees taken off.

    Shares beyond the displayed bids are worth nothing; a market no longer tracked keeps its mark.
    A decided holding is worth its payout. What is owed lessens equity.
    """
    positions = {
        key: _mark(held, tick, account.locked.get(held.market))
        for key, held in account.positions.items()
    }
    value = sum(held.value for held in positions.values())
    equity = account.cash + account.reserved + value - account.owed
    return replace(
        account, positions=positions, equity=equity, high_water=max(account.high_water, equity)
    )


def _mark(held: Position, tick: Tick, state: str | None) -> Position:
    if held.resolved:
        return replace(held, mark=held.payout, value=venue.proceeds(held.size, held.payout))
    disputed = state == HoldingState.DISPUTED
    most = DISPUTED_MOST if disputed else ONE
    if held.token not in tick.universe.token:
        if not disputed:
            return held
        value = min(held.value, venue.proceeds(held.size, most))
        return replace(held, mark=min(held.mark, most), value=value)
    column, _ = tick.universe.token[held.token]
    fee = tick.universe.markets[column].terms.fee
    value = liquidation(held.size, tick, held.token, fee, most=most)
    best = tick.touch(held.token)[0] or 0
    return replace(held, value=value, mark=min(best, most), peak=max(held.peak, best))


def liquidation(
    size: int, tick: Tick, token: str, fee: FeeSchedule | None, *, most: int = ONE
) -> int:
    """Micro-dollars that selling `size` into the displayed bids would bring, fees taken off.

    No bid counts for more than `most` (micro-dollars a share).
    """
    paid = 0
    for level in tick.book(token).bids:
        sold, price = min(size, level.size), min(level.price, most)
        paid += venue.proceeds(sold, price)
        paid -= venue.taker_fee(sold, price, fee) if fee else 0
        size -= sold
        if not size:
            break
    return max(0, paid)
