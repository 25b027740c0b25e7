"""Why the exchange would turn an order away at its door, or take it out of the book."""

from execution.core.types import (
    RESTING_TYPES,
    EndReason,
    Order,
    OrderState,
    Side,
)
from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import ONE, Market
from strategies.core import gates

GTD_AHEAD_MS = 180_000
"""A good-till-date order must ask for at least three minutes."""
GTD_EARLY_MS = 60_000
"""It is taken out a minute before the time it asks for."""
BATCH = 15
"""Orders in one request at most."""


def marketable(order: Order) -> bool:
    """Whether its limit reached the other side on the book of its decision."""
    if not order.touch:
        return False
    if order.side is Side.BUY:
        return order.price >= order.touch
    return order.price <= order.touch


def rests(order: Order) -> bool:
    """Whether it waits in the book rather than taking what is there."""
    return order.type in RESTING_TYPES and not marketable(order)


def turned_away(order: Order, tick: Tick) -> EndReason | None:
    """Why an order that arrives, or one that rests, cannot be in the book at this tick."""
    if order.token not in tick.universe.token:
        return EndReason.NOT_ACCEPTING
    column, _ = tick.universe.token[order.token]
    market = tick.universe.markets[column]
    if order.state is OrderState.RESTING:
        return _taken_out(order, market, tick)
    return _market(order, market, tick) or _terms(order, market, tick)


def _market(order: Order, market: Market, tick: Tick) -> EndReason | None:
    if market.terms.fee is None:
        return EndReason.FEE_UNKNOWN
    if not market.terms.accepting_orders:
        return EndReason.NOT_ACCEPTING
    if gates.restarting(tick.at):
        return EndReason.RESTART
    if rests(order) and started(market, order.placed_at, tick.at):
        return EndReason.GAME_START
    return None


def _terms(order: Order, market: Market, tick: Tick) -> EndReason | None:
    if not venue.on_grid(order.price, market.terms.tick_size):
        return EndReason.OFF_GRID
    if order.post_only and order.type not in RESTING_TYPES:
        return EndReason.NOT_POST_ONLY
    if order.post_only and marketable(order):
        return EndReason.CROSSES_BOOK
    if not rests(order):
        return EndReason.MIN_NOTIONAL if _worth(order, tick) < venue.MIN_NOTIONAL else None
    if order.size < market.terms.min_size:
        return EndReason.MIN_SIZE
    if order.expires_at and order.expires_at < order.arrives_at + GTD_AHEAD_MS:
        return EndReason.BAD_EXPIRATION
    return None


def _worth(order: Order, tick: Tick) -> int:
    """What a taking order is worth at most: a buy at its limit, a sale at the bid."""
    bid, _ = tick.touch(order.token)
    return venue.cost(order.size, order.price if order.side is Side.BUY else bid or ONE)


def _taken_out(order: Order, market: Market, tick: Tick) -> EndReason | None:
    """What ends an order in the book before anything can fill it on this tick."""
    if order.tick_size and market.terms.tick_size != order.tick_size:
        return EndReason.TICK_CHANGED
    if not market.terms.accepting_orders:
        return EndReason.NOT_ACCEPTING
    if gates.restarting(tick.at):
        return EndReason.RESTART
    return None


def over(order: Order, market: Market, at: int) -> EndReason | None:
    """What ends an order in the book at this tick, after all that happened before that moment."""
    if order.expires_at and at >= order.expires_at - GTD_EARLY_MS:
        return EndReason.EXPIRED
    if started(market, order.placed_at, at):
        return EndReason.GAME_START
    return None


def ends_at(order: Order, market: Market) -> int | None:
    """The moment (ms UTC) from which nothing in the book can fill it any more, or None."""
    ends = [order.expires_at - GTD_EARLY_MS] if order.expires_at else []
    if market.game_start_at is not None and market.game_start_at > order.placed_at:
        ends.append(market.game_start_at)
    return min(ends, default=None)


def started(market: Market, after: int, at: int) -> bool:
    """Whether the market's game began in (after, at]: the exchange clears the book then."""
    start = market.game_start_at
    return start is not None and after < start <= at
