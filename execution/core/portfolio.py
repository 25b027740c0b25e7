"""What fills, deposits and orders do to an account; every cent a journal entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from execution.core import costs, ledger
from execution.core.ports import Match, Take
from execution.core.types import (
    OPEN_STATES,
    EndReason,
    Fact,
    Fill,
    Liquidity,
    Order,
    OrderState,
    Portfolio,
    Position,
    Side,
)
from markets.core import venue
from markets.core.frozen import replace
from markets.core.types import ONE
from strategies.core.types import Plan, digest

Key = TypeVar("Key")
Value = TypeVar("Value")


def put(mapping: Mapping[Key, Value], key: Key, value: Value | None) -> dict[Key, Value]:
    """A copy of `mapping` with `key` set, or without it when `value` is None."""
    changed = dict(mapping)
    if value is None:
        changed.pop(key, None)
    else:
        changed[key] = value
    return changed


def deposit(portfolio: Portfolio, amount: int, at: int, cause: str) -> tuple[Portfolio, list[Fact]]:
    """Capital in or out: no profit, no loss, and a drawdown that stays the share it was."""
    equity = portfolio.equity + amount
    high_water = portfolio.high_water + amount
    if portfolio.equity > 0:
        high_water = portfolio.high_water * equity // portfolio.equity
    return replace(
        portfolio,
        cash=portfolio.cash + amount,
        deposits=portfolio.deposits + amount,
        equity=equity,
        high_water=high_water,
        day_open=portfolio.day_open + amount,
    ), [ledger.deposit(portfolio.account, amount, at, cause)]


def place(portfolio: Portfolio, order: Order) -> tuple[Portfolio, list[Fact]]:
    """A new order with its reservation taken from cash, or from the shares it sells."""
    cash = portfolio.cash - (order.reserved if order.side is Side.BUY else 0)
    placed = replace(
        portfolio,
        cash=cash,
        orders=put(portfolio.orders, order.id, order),
        placed=(*portfolio.placed, order.placed_at),
    )
    return placed, [order, ledger.reserve(order)]


def free(portfolio: Portfolio, strategy: str, token: str) -> int:
    """Shares of a holding that no open order or operation has set aside."""
    held = portfolio.positions.get((strategy, token))
    if held is None:
        return 0
    selling = sum(
        order.reserved
        for order in portfolio.orders.values()
        if order.side is Side.SELL and (order.strategy, order.token) == (strategy, token)
    )
    giving = sum(
        operation.size
        for operation in portfolio.operations.values()
        if operation.strategy == strategy and token in operation.given
    )
    return held.size - selling - giving


def apply(portfolio: Portfolio, match: Match, at: int) -> tuple[Portfolio, list[Fact]]:
    """What one order's match at `at` did: its fills, then what is left of its reservation."""
    order, facts = match.order, list[Fact]()
    left = order.reserved
    for take in match.takes:
        fill = _fill(order, take, at)
        portfolio, fill = _booked(portfolio, order, fill)
        left -= fill.notional + fill.fee if fill.side is Side.BUY else fill.size
        facts += [fill, ledger.fill(fill)]
    if order.state in OPEN_STATES:
        open_still = replace(order, reserved=left)
        moved = replace(portfolio, orders=put(portfolio.orders, order.id, open_still))
        changed = match.takes or portfolio.orders[order.id].state is not order.state
        return moved, [*facts, open_still] if changed else facts
    ended, released = _end(portfolio, order, left, at)
    return ended, facts + released


def cancel(
    portfolio: Portfolio, order: Order, reason: EndReason, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Take an open order back; what it still reserves returns."""
    state = OrderState.PARTLY_FILLED if order.filled else OrderState.CANCELLED
    cancelled = replace(order, state=state, reason=reason)
    return _end(portfolio, cancelled, order.reserved, at)


def _end(portfolio: Portfolio, order: Order, left: int, at: int) -> tuple[Portfolio, list[Fact]]:
    ended = replace(
        portfolio,
        cash=portfolio.cash + (left if order.side is Side.BUY else 0),
        orders=put(portfolio.orders, order.id, None),
    )
    facts: list[Fact] = [replace(order, reserved=0)]
    return ended, [*facts, ledger.release(order, left, at)] if left else facts


def _fill(order: Order, take: Take, at: int) -> Fill:
    buying = order.side is Side.BUY
    worth = venue.cost if buying else venue.proceeds
    fill = Fill(
        id=digest(order.id, at, take.level),
        order=order.id,
        account=order.account,
        strategy=order.strategy,
        market=order.market,
        token=order.token,
        outcome=order.outcome,
        side=order.side,
        price=take.price,
        size=take.size,
        notional=worth(take.size, take.price),
        fee=take.fee,
        liquidity=take.liquidity,
        evidence=take.evidence,
        book_at=take.book_at,
        at=at,
        level=take.level,
        rebate=take.rebate,
        expected=_expected(order, take),
    )
    return costs.parted(fill, fair=order.fair, touch=order.touch, met=take.touch)


def _expected(order: Order, take: Take) -> int:
    """What the decision's walk expected to pay for these shares beyond the touch."""
    if take.liquidity is not Liquidity.TAKER or not order.touch or not order.expected:
        return 0
    worse = order.expected - order.touch
    return take.size * (worse if order.side is Side.BUY else -worse) // ONE


@dataclass(frozen=True, slots=True)
class Origin:
    """What a purchase brings along beside its fill: place in its market, event, plan, claims.

    `claimed`, `edge` and `deviation` are the signal's fair value, its expected gain and how far
    from that it may end, a share in micro-dollars.
    """

    index: int
    event: str
    plan: Plan
    claimed: int = 0
    edge: int = 0
    deviation: int = 0


def _booked(portfolio: Portfolio, order: Order, fill: Fill) -> tuple[Portfolio, Fill]:
    if fill.side is Side.SELL:
        return sold(portfolio, fill, reason=order.reason)
    assert order.plan is not None
    origin = Origin(
        order.index, order.event, order.plan, order.claimed, order.edge, order.deviation
    )
    return bought(portfolio, fill, origin)


def bought(portfolio: Portfolio, fill: Fill, origin: Origin) -> tuple[Portfolio, Fill]:
    """Bought shares join the holding; the fee is realized at once. Cash was reserved before."""
    key = (fill.strategy, fill.token)
    held = portfolio.positions.get(key) or Position(
        fill.strategy, fill.market, fill.token, fill.outcome, origin.index, 0, 0, fill.at,
        origin.plan, event=origin.event,
    )  # fmt: skip
    grown = replace(
        held,
        size=held.size + fill.size,
        cost=held.cost + fill.notional,
        fair_cost=held.fair_cost + fill.fair_value,
        claimed=held.claimed + venue.proceeds(fill.size, origin.claimed),
        hoped=held.hoped + venue.proceeds(fill.size, origin.edge),
        deviation=held.deviation + venue.proceeds(fill.size, origin.deviation),
        peak=max(held.peak, fill.price),
    )
    fill = replace(fill, realized_pnl=-fill.fee)
    return replace(
        portfolio,
        positions=put(portfolio.positions, key, grown),
        realized=portfolio.realized - fill.fee,
        fees=portfolio.fees + fill.fee,
    ), fill


def sold(portfolio: Portfolio, fill: Fill, *, reason: str) -> tuple[Portfolio, Fill]:
    """Sold shares leave with their part of the cost; closing starts the plan's cooldown."""
    key = (fill.strategy, fill.token)
    held = portfolio.positions[key]
    rest = part(held, held.size - fill.size)
    fill = replace(
        with_claims(fill, held, rest),
        realized_pnl=fill.notional - fill.fee - (held.cost - rest.cost),
        signal_gain=fill.fair_value - (held.fair_cost - rest.fair_cost),
    )
    pause = held.plan.stop_cooldown_ms if reason == "stop" else held.plan.cooldown_ms
    cooled = portfolio.cooldowns
    if rest.size == 0 and pause:
        cooled = put(cooled, (fill.strategy, fill.market), fill.at + pause)
    return replace(
        portfolio,
        cash=portfolio.cash + fill.notional - fill.fee,
        positions=put(portfolio.positions, key, rest if rest.size else None),
        cooldowns=cooled,
        realized=portfolio.realized + fill.realized_pnl,
        fees=portfolio.fees + fill.fee,
    ), fill


def with_claims(fill: Fill, held: Position, rest: Position | None = None) -> Fill:
    """The fill with what was said of the shares that left with it: what the trial goes by."""
    return replace(
        fill,
        claimed=held.claimed - (rest.claimed if rest else 0),
        hoped=held.hoped - (rest.hoped if rest else 0),
        deviation=held.deviation - (rest.deviation if rest else 0),
    )


def part(held: Position, size: int) -> Position:
    """The holding with only `size` of its shares left, and their part of everything it cost."""
    gone = held.size - size
    return replace(
        held,
        size=size,
        cost=held.cost - held.cost * gone // held.size,
        fair_cost=held.fair_cost - held.fair_cost * gone // held.size,
        claimed=held.claimed - held.claimed * gone // held.size,
        hoped=held.hoped - held.hoped * gone // held.size,
        deviation=held.deviation - held.deviation * gone // held.size,
    )
