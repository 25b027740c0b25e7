"""What fills, settlements, deposits and marks do to an account; every cent a journal entry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from execution.core import ledger
from execution.core.ports import Match
from execution.core.types import (
    OPEN_STATES,
    Fact,
    Fill,
    HoldingKey,
    Order,
    OrderState,
    Portfolio,
    Position,
    Purpose,
    Side,
)
from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule, Resolution
from strategies.core.types import digest

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
    """Capital in or out: no profit, no loss, and no drawdown."""
    return replace(
        portfolio,
        cash=portfolio.cash + amount,
        deposits=portfolio.deposits + amount,
        equity=portfolio.equity + amount,
        high_water=portfolio.high_water + amount,
        day_open=portfolio.day_open + amount,
    ), [ledger.deposit(portfolio.account, amount, at, cause)]


def place(portfolio: Portfolio, order: Order) -> tuple[Portfolio, list[Fact]]:
    """A new order with its reservation taken from cash, or from the shares it sells."""
    cash = portfolio.cash - (order.reserved if order.side is Side.BUY else 0)
    placed = replace(portfolio, cash=cash, orders=put(portfolio.orders, order.id, order))
    return placed, [order, ledger.reserve(order)]


def apply(portfolio: Portfolio, match: Match, at: int) -> tuple[Portfolio, list[Fact]]:
    """What one order's match at `at` did: its fills, then what is left of its reservation."""
    order, facts = match.order, list[Fact]()
    left = order.reserved
    for take in match.takes:
        notional = _notional(order.side, take.size, take.price)
        fill = Fill(
            digest(order.id, at, take.level), order.id, order.account, order.strategy, order.market,
            order.token, order.outcome, order.side, take.price, take.size, notional, take.fee,
            "taker", _evidence(take.level, take.displayed, take.usable, take.depleted),
            take.book_at, at, take.level,
        )  # fmt: skip
        portfolio, fill = _book_fill(portfolio, order, fill)
        left -= notional + take.fee if order.side is Side.BUY else take.size
        facts += [fill, ledger.fill(fill)]
    if order.state in OPEN_STATES:
        return replace(portfolio, orders=put(portfolio.orders, order.id, order)), facts
    ended, released = _end(portfolio, order, left, at)
    return ended, facts + released


def cancel(
    portfolio: Portfolio, order: Order, reason: str, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Take an open order back; its whole reservation returns."""
    cancelled = replace(order, state=OrderState.CANCELLED, reason=reason)
    return _end(portfolio, cancelled, order.reserved, at)


def _end(portfolio: Portfolio, order: Order, left: int, at: int) -> tuple[Portfolio, list[Fact]]:
    ended = replace(
        portfolio,
        cash=portfolio.cash + (left if order.side is Side.BUY else 0),
        orders=put(portfolio.orders, order.id, None),
    )
    facts: list[Fact] = [replace(order, reserved=0)]
    return ended, [*facts, ledger.release(order, left, at)] if left else facts


def _notional(side: Side, size: int, price: int) -> int:
    return venue.cost(size, price) if side is Side.BUY else venue.proceeds(size, price)


def _evidence(level: int, displayed: int, usable: int, depleted: int) -> str:
    """Why a fill is believed, in shares, for people and for later checks."""
    return (
        f"book crossed at level {level + 1}: {_shares(displayed)} displayed, "
        f"{_shares(depleted)} already taken by us, {_shares(usable)} believed"
    )


def _shares(micro: int) -> str:
    whole, part = divmod(micro, ONE)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def _book_fill(portfolio: Portfolio, order: Order, fill: Fill) -> tuple[Portfolio, Fill]:
    if fill.side is Side.BUY:
        return _buy(portfolio, order, fill)
    return _sell(portfolio, order, fill)


def _buy(portfolio: Portfolio, order: Order, fill: Fill) -> tuple[Portfolio, Fill]:
    """Bought shares join the holding; the fee is realized at once."""
    assert order.plan is not None
    key = (fill.strategy, fill.token)
    held = portfolio.positions.get(key)
    if held is None:
        held = Position(
            fill.strategy, fill.market, fill.token, fill.outcome, order.index, 0, 0, fill.at,
            order.plan,
        )  # fmt: skip
    grown = replace(held, size=held.size + fill.size, cost=held.cost + fill.notional)
    fill = replace(fill, realized_pnl=-fill.fee)
    return replace(
        portfolio,
        positions=put(portfolio.positions, key, grown),
        realized=portfolio.realized - fill.fee,
        fees=portfolio.fees + fill.fee,
    ), fill


def _sell(portfolio: Portfolio, order: Order, fill: Fill) -> tuple[Portfolio, Fill]:
    """Sold shares leave with their part of the cost; closing starts the plan's cooldown."""
    key = (fill.strategy, fill.token)
    held = portfolio.positions[key]
    cost = held.cost * fill.size // held.size
    rest = replace(held, size=held.size - fill.size, cost=held.cost - cost)
    fill = replace(fill, realized_pnl=fill.notional - fill.fee - cost)
    pause = held.plan.stop_cooldown_ms if order.reason == "stop" else held.plan.cooldown_ms
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


def settle(portfolio: Portfolio, resolution: Resolution, at: int) -> tuple[Portfolio, list[Fact]]:
    """Pay a finally resolved market out: its open orders go, its holdings become their payout."""
    facts: list[Fact] = []
    if resolution.payouts is None:
        return portfolio, facts
    for order in [o for o in portfolio.orders.values() if o.market == resolution.market]:
        portfolio, cancelled = cancel(portfolio, order, "RESOLVED", at)
        facts += cancelled
    for key, held in sorted(portfolio.positions.items()):
        if held.market == resolution.market:
            portfolio, settled = _settle_one(portfolio, key, resolution.payouts[held.index], at)
            facts += settled
    return portfolio, facts


def _settle_one(
    portfolio: Portfolio, key: HoldingKey, payout: int, at: int
) -> tuple[Portfolio, list[Fact]]:
    held = portfolio.positions[key]
    paid = venue.proceeds(held.size, payout)
    fill = Fill(
        digest("settlement", portfolio.account, held.strategy, held.token, at), "",
        portfolio.account, held.strategy, held.market, held.token, held.outcome, Side.SELL, payout,
        held.size, paid, 0, "settlement", f"resolved: pays {_shares(payout)} a share", at, at, 0,
        paid - held.cost,
    )  # fmt: skip
    return replace(
        portfolio,
        cash=portfolio.cash + paid,
        positions=put(portfolio.positions, key, None),
        realized=portfolio.realized + fill.realized_pnl,
    ), [fill, ledger.settle(fill)]


def mark(portfolio: Portfolio, tick: Tick) -> Portfolio:
    """Every holding at liquidation value: what walking the bids would pay now, fees taken off.

    Shares beyond the displayed bids are worth nothing; a market no longer tracked keeps its mark.
    """
    positions = {key: _mark(held, tick) for key, held in portfolio.positions.items()}
    value = sum(held.value for held in positions.values())
    equity = portfolio.cash + portfolio.reserved + value
    return replace(
        portfolio, positions=positions, equity=equity, high_water=max(portfolio.high_water, equity)
    )


def _mark(held: Position, tick: Tick) -> Position:
    if held.token not in tick.universe.token:
        return held
    column, _ = tick.universe.token[held.token]
    fee = tick.universe.markets[column].terms.fee
    value = liquidation(held.size, tick, held.token, fee)
    best, _ = tick.touch(held.token)
    return replace(held, value=value, mark=best or 0)


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


def used(portfolio: Portfolio, *, market: str = "", strategy: str = "") -> int:
    """Capital bound in a market or by a strategy: holdings at cost plus reserved buys with fees."""
    held = sum(
        p.cost
        for p in portfolio.positions.values()
        if market in ("", p.market) and strategy in ("", p.strategy)
    )
    return held + sum(
        o.reserved
        for o in portfolio.orders.values()
        if o.side is Side.BUY and market in ("", o.market) and strategy in ("", o.strategy)
    )


def held_or_open(portfolio: Portfolio, strategy: str, market: str) -> bool:
    """Whether a strategy holds or is buying anything in a market."""
    return any(
        p.strategy == strategy and p.market == market for p in portfolio.positions.values()
    ) or any(
        o.strategy == strategy and o.market == market and o.purpose is Purpose.ENTRY
        for o in portfolio.orders.values()
    )
