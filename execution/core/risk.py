"""The limits, and the one gate that says why an order may not be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from execution.core import exposure
from execution.core.exposure import Exposure
from execution.core.types import (
    OPEN_STATES,
    RESTING_TYPES,
    Order,
    Portfolio,
    Purpose,
    RefusalCode,
    Side,
)
from markets.core.tick import Tick
from markets.core.types import ONE

MINUTE_MS = 60_000
SECOND_MS = 1_000


class Unit(StrEnum):
    """What a limit counts."""

    MONEY = "dollars"
    FRACTION = "fraction"
    COUNT = "count"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Limits:
    """Risk limits, each in millionths of its unit (see UNITS): dollars, a share of one, orders.

    `cash_floor` is the share of equity that stays cash. The last three are softer steps, off at
    0: sizes halve at `halve_at_drawdown`, everything is sold at `flatten_at_daily_loss`, and where
    `rolling_daily_loss` is 1 the last 24 hours are judged beside the calendar day.
    """

    max_capital_per_market: int
    max_capital_per_strategy: int
    daily_loss_limit: int
    max_drawdown: int
    max_event_loss: int
    max_cluster_loss: int
    max_total_exposure: int
    max_orders_per_minute: int
    max_book_age: int
    cash_floor: int = 0
    halve_at_drawdown: int = 0
    flatten_at_daily_loss: int = 0
    rolling_daily_loss: int = 0


UNITS: Mapping[str, Unit] = {
    "max_capital_per_market": Unit.MONEY,
    "max_capital_per_strategy": Unit.MONEY,
    "max_event_loss": Unit.MONEY,
    "max_cluster_loss": Unit.MONEY,
    "max_total_exposure": Unit.MONEY,
    "daily_loss_limit": Unit.MONEY,
    "max_drawdown": Unit.FRACTION,
    "max_orders_per_minute": Unit.COUNT,
    "max_book_age": Unit.SECONDS,
}
"""Every limit a person may override, and its unit, in the order they are shown."""
LIMIT_NAMES = frozenset(UNITS)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit an order would break: the code, the limit, and the value that breaks it."""

    code: RefusalCode
    limit: int | str
    value: int | str


def refuse(
    order: Order,
    account: Portfolio,
    limits: Limits,
    tick: Tick,
    *,
    halts: Mapping[str, str] | None = None,
) -> Breach | None:
    """Why this order may not be made, or None: every order passes here before it is placed.

    What leaves a holding is never refused. A sale that quotes only frees capital: halts, the
    order rate and crossing ourselves hold for it, the rest is for what opens. `halts` maps the
    scopes of latched kill switches to their reasons.
    """
    if _leaves(order):
        return None
    breach = _halted(order, halts or {}) or _rate(account, limits, tick) or _crossed(order, account)
    if breach or order.side is Side.SELL:
        return breach
    return (
        stopped(account, limits)
        or unsound(order.market, limits, tick)
        or _capital(order, account, limits)
        or _worst(order, account, limits, tick)
    )


def stopped(portfolio: Portfolio, limits: Limits) -> Breach | None:
    """The breaker or the debt that keeps this account from opening anything, or None."""
    if portfolio.stopped:
        return Breach(RefusalCode.DRAWDOWN, limits.max_drawdown, portfolio.drawdown)
    if portfolio.flatten or portfolio.day_stopped:
        limit = limits.flatten_at_daily_loss if portfolio.flatten else limits.daily_loss_limit
        loss = max(portfolio.day_loss, portfolio.rolling_loss)
        return Breach(RefusalCode.DAILY_LOSS, limit, loss)
    if portfolio.owed:
        return Breach(RefusalCode.CASH, portfolio.cash, portfolio.owed)
    return None


def unsound(market: str, limits: Limits, tick: Tick) -> Breach | None:
    """Why nothing may be opened on this market's book at this tick, or None; ages in ms."""
    column = tick.universe.column.get(market)
    if column is None:
        return Breach(RefusalCode.NOT_ACCEPTING, "", "")
    terms = tick.universe.markets[column].terms
    if terms.fee is None:
        return Breach(RefusalCode.FEE_UNKNOWN, "", "")
    if not terms.accepting_orders:
        return Breach(RefusalCode.NOT_ACCEPTING, "", "")
    oldest = limits.max_book_age * SECOND_MS // ONE
    age = tick.at - int(tick.observed_at[column])
    if age > oldest or not tick.coherent[column]:
        return Breach(RefusalCode.STALE, oldest, age)
    return None


def recent(placed: tuple[int, ...], at: int) -> tuple[int, ...]:
    """The placing times that lie in the minute before an instant (ms UTC)."""
    return tuple(time for time in placed if time > at - MINUTE_MS)


def boldness(account: Portfolio, limits: Limits) -> int:
    """The share of a usual size that may be asked for, in micro: half of it in a drawdown."""
    halve_at = limits.halve_at_drawdown
    return ONE // 2 if halve_at and account.drawdown >= halve_at else ONE


def floor(account: Portfolio, limits: Limits) -> int:
    """Cash that must stay, micro-dollars."""
    return max(0, account.equity) * limits.cash_floor // ONE


def _leaves(order: Order) -> bool:
    """Whether an order only takes a holding down: an exit, or a leg that is sold back."""
    unwinds = order.purpose is Purpose.REPAIR and order.side is Side.SELL
    return order.purpose is Purpose.EXIT or unwinds


def _halted(order: Order, halts: Mapping[str, str]) -> Breach | None:
    scopes = ("all", f"strategy:{order.strategy}", f"market:{order.market}")
    scope = next((scope for scope in scopes if scope in halts), None)
    return Breach(RefusalCode.HALTED, scope, halts[scope]) if scope else None


def _rate(account: Portfolio, limits: Limits, tick: Tick) -> Breach | None:
    """Orders of the last minute with this one, exits counted."""
    count = len(recent(account.placed, tick.at)) + 1
    most = limits.max_orders_per_minute // ONE
    return Breach(RefusalCode.ORDER_RATE, most, count) if count > most else None


def _crossed(order: Order, account: Portfolio) -> Breach | None:
    """A resting order of this account that would trade with the new one, in any strategy.

    A buy meets our own sell at or below it. The exchange also pairs a buy of YES with a buy of NO
    that together offer a dollar, and a sale of each that together ask no more than one.
    """
    buy = order.side is Side.BUY
    for other in account.orders.values():
        if other.market != order.market or not _rests(other):
            continue
        same = other.index == order.index
        if same == (other.side is order.side):
            continue
        meets = other.price if same else ONE - other.price
        if order.price >= meets if buy else order.price <= meets:
            return Breach(RefusalCode.SELF_CROSS, meets, order.price)
    return None


def _rests(order: Order) -> bool:
    return order.type in RESTING_TYPES and order.state in OPEN_STATES


def _capital(order: Order, account: Portfolio, limits: Limits) -> Breach | None:
    """Limits on what is spent, whatever it may still be worth."""
    in_market = exposure.used(account, market=order.market) + order.reserved
    if in_market > limits.max_capital_per_market:
        return Breach(RefusalCode.MARKET_CAP, limits.max_capital_per_market, in_market)
    by_strategy = exposure.used(account, strategy=order.strategy) + order.reserved
    if by_strategy > limits.max_capital_per_strategy:
        return Breach(RefusalCode.STRATEGY_CAP, limits.max_capital_per_strategy, by_strategy)
    spendable = account.cash - floor(account, limits)
    if order.reserved > spendable:
        return Breach(RefusalCode.CASH, spendable, order.reserved)
    return None


def _worst(order: Order, account: Portfolio, limits: Limits, tick: Tick) -> Breach | None:
    """Limits on what can be lost; an order that raises no worst case passes, whatever is held.

    No worst case is larger than what was spent: where that is below a limit, nothing is reckoned.
    """
    stake, where = exposure.at_stake(order), exposure.place(tick.universe, order.market)
    assert stake is not None
    group = Exposure.alone(account, tick.universe, order.market)
    more = group.having(stake).loss - group.loss
    if more <= 0:
        return None
    if group.loss + more > limits.max_event_loss:
        return Breach(RefusalCode.EVENT_CAP, limits.max_event_loss, group.loss + more)
    spent = exposure.used(account) + order.reserved
    if spent > limits.max_cluster_loss:
        loss = Exposure.of(account, tick.universe).cluster(where.cluster) + more
        if loss > limits.max_cluster_loss:
            return Breach(RefusalCode.CLUSTER_CAP, limits.max_cluster_loss, loss)
    if spent > limits.max_total_exposure:
        loss = Exposure.of(account, tick.universe).total + more
        if loss > limits.max_total_exposure:
            return Breach(RefusalCode.TOTAL_CAP, limits.max_total_exposure, loss)
    return None
