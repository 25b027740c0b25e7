"""When a holding ends: the strategy says leave, its time is up, or its market is ending."""

from collections.abc import Iterator, Mapping

from execution.core.types import HoldingKey, Portfolio, Position, Purpose
from markets.core.tick import Tick
from strategies.core.types import LEAVE_NO, LEAVE_YES, STOP, Opinion

SLIPPAGE = 20_000
"""How far below the bid an exit may sell: two cents; the rest is tried again next tick."""


def due(
    portfolio: Portfolio, tick: Tick, opinions: Mapping[str, Opinion]
) -> Iterator[tuple[Position, str]]:
    """Holdings that should be sold at this tick and why ("close", "stop", "time"), in order."""
    for key, held in sorted(portfolio.positions.items(), key=_order):
        if not _sellable(held, tick) or _leaving(portfolio, key):
            continue
        reason = _reason(held, tick, opinions.get(held.strategy))
        if reason:
            yield held, reason


def _order(item: tuple[HoldingKey, Position]) -> tuple[str, str, str]:
    return item[1].strategy, item[1].market, item[1].token


def _sellable(held: Position, tick: Tick) -> bool:
    """Whether the exchange would take a sale: a closed market is left alone until it resolves."""
    column = tick.universe.column.get(held.market)
    if column is None:
        return False
    return bool(tick.universe.accepting[column] and tick.universe.fee_known[column])


def _leaving(portfolio: Portfolio, key: HoldingKey) -> bool:
    """Whether an exit is already on its way."""
    return any(
        (o.strategy, o.token) == key and o.purpose is Purpose.EXIT
        for o in portfolio.orders.values()
    )


def _reason(held: Position, tick: Tick, opinion: Opinion | None) -> str:
    plan = held.plan
    if opinion is not None:
        column = tick.universe.column[held.market]
        leave = LEAVE_YES if held.index == 0 else LEAVE_NO
        told = int(opinion.close[column])
        if told & leave:
            return "stop" if told & STOP else "close"
    if not plan.hold_to_resolution and tick.at - held.opened_at >= plan.max_hold_ms:
        return "time"
    return ""
