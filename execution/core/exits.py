"""When a holding ends: the strategy says leave, its time is up, or its market is ending."""

from collections.abc import Iterator, Mapping

from execution.core import drafting, leaving, portfolio
from execution.core.controls import Controls
from execution.core.drafting import Draft
from execution.core.ports import Venue
from execution.core.types import (
    Fact,
    HoldingKey,
    Order,
    OrderType,
    Portfolio,
    Position,
    Purpose,
    Side,
)
from markets.core import venue as rules
from markets.core.tick import Tick
from strategies.core.types import LEAVE_NO, LEAVE_YES, STOP, Opinion

SLIPPAGE = 20_000
"""How far below the bid an exit may sell: two cents; the rest is tried again next tick."""


def leave(
    account: Portfolio,
    tick: Tick,
    opinions: Mapping[str, Opinion],
    *,
    control: Controls,
    venue: Venue,
) -> tuple[Portfolio, list[Fact]]:
    """Sell what is due at this tick, where no halt forbids it."""
    facts: list[Fact] = []
    for held, reason in due(account, tick, opinions):
        if leaving.may_sell(account, control, (held.strategy, held.token), held.market):
            order = sale(account, held, reason, tick, venue)
            if order:
                account, news = portfolio.place(account, order)
                facts += news
    return leaving.forget(account, tick), facts


def sale(account: Portfolio, held: Position, reason: str, tick: Tick, venue: Venue) -> Order | None:
    """A sale of the free shares a little through the bid; None while nobody bids a dollar."""
    bid, _ = tick.touch(held.token)
    size = rules.floor_size(portfolio.free(account, held.strategy, held.token))
    if bid is None or rules.proceeds(size, bid) < rules.MIN_NOTIONAL:
        return None
    tick_size = tick.universe.markets[tick.universe.column[held.market]].terms.tick_size
    draft = Draft(
        strategy=held.strategy,
        token=held.token,
        side=Side.SELL,
        type=OrderType.FAK,
        price=rules.floor_price(bid - SLIPPAGE, tick_size),
        size=size,
        purpose=Purpose.EXIT,
        reason=reason,
    )
    return drafting.order(draft, account.account, tick, venue)


def due(
    account: Portfolio, tick: Tick, opinions: Mapping[str, Opinion]
) -> Iterator[tuple[Position, str]]:
    """Holdings that should be sold at this tick and why, in order.

    A person says "by hand" or "flatten", the strategy "close" or "stop"; its plan says "take
    profit", "stop", "trail" or "time"; an account that flattens ends the rest for its "daily loss".
    """
    for key, held in sorted(account.positions.items(), key=_order):
        if not sellable(held, tick) or _leaving(account, key) or _in_basket(account, key):
            continue
        reason = leaving.reason(account, key)
        reason = reason or _reason(held, tick, opinions.get(held.strategy))
        reason = reason or ("daily loss" if account.flatten else "")
        if reason:
            yield held, reason


def _order(item: tuple[HoldingKey, Position]) -> tuple[str, str, str]:
    return item[1].strategy, item[1].market, item[1].token


def sellable(held: Position, tick: Tick) -> bool:
    """Whether the exchange would take a sale: a closed market is left alone until it resolves."""
    column = tick.universe.column.get(held.market)
    if column is None or held.resolved:
        return False
    return bool(tick.universe.accepting[column] and tick.universe.fee_known[column])


def _leaving(account: Portfolio, key: HoldingKey) -> bool:
    """Whether an exit is already on its way."""
    return any(
        (o.strategy, o.token) == key and o.purpose is Purpose.EXIT for o in account.orders.values()
    )


def _in_basket(account: Portfolio, key: HoldingKey) -> bool:
    """Whether it is a leg of a basket in the making, which completes it or takes it apart."""
    return any(
        (assembly.strategy, leg.token) == key
        for assembly in account.baskets.values()
        for leg in assembly.legs
    )


def _reason(held: Position, tick: Tick, opinion: Opinion | None) -> str:
    plan = held.plan
    if opinion is not None:
        column = tick.universe.column[held.market]
        leave = LEAVE_YES if held.index == 0 else LEAVE_NO
        told = int(opinion.close[column])
        if told & leave:
            return "stop" if told & STOP else "close"
    bid, _ = tick.touch(held.token)
    if bid is not None:
        if plan.take_profit and bid >= plan.take_profit:
            return "take profit"
        if bid <= plan.stop:
            return "stop"
        if plan.trail and bid <= held.peak - plan.trail:
            return "trail"
    if not plan.hold_to_resolution and tick.at - held.opened_at >= plan.max_hold_ms:
        return "time"
    return ""
