"""The limits, and the one function that says why an order may not be made."""

from dataclasses import dataclass, fields

from execution.core import exposure
from execution.core.types import Order, Portfolio, RefusalCode, Side


@dataclass(frozen=True, slots=True)
class Limits:
    """Risk limits: money in micro-dollars, `max_drawdown` in micro (100_000 is 10 %)."""

    max_capital_per_market: int
    max_capital_per_strategy: int
    daily_loss_limit: int
    max_drawdown: int


LIMIT_NAMES = frozenset(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit an order would break: the code, the limit, and the value that breaks it."""

    code: RefusalCode
    limit: int | str
    value: int | str


def refuse(order: Order, portfolio: Portfolio, limits: Limits) -> Breach | None:
    """Why this order may not be made, or None; a sell only ever frees capital."""
    if order.side is Side.SELL:
        return None
    stop = stopped(portfolio, limits)
    if stop:
        return stop
    in_market = exposure.used(portfolio, market=order.market) + order.reserved
    if in_market > limits.max_capital_per_market:
        return Breach(RefusalCode.MARKET_CAP, limits.max_capital_per_market, in_market)
    by_strategy = exposure.used(portfolio, strategy=order.strategy) + order.reserved
    if by_strategy > limits.max_capital_per_strategy:
        return Breach(RefusalCode.STRATEGY_CAP, limits.max_capital_per_strategy, by_strategy)
    if order.reserved > portfolio.cash:
        return Breach(RefusalCode.CASH, portfolio.cash, order.reserved)
    return None


def stopped(portfolio: Portfolio, limits: Limits) -> Breach | None:
    """The breaker or the debt that keeps this account from opening anything, or None."""
    if portfolio.stopped:
        return Breach(RefusalCode.DRAWDOWN, limits.max_drawdown, portfolio.drawdown)
    if portfolio.day_stopped:
        return Breach(RefusalCode.DAILY_LOSS, limits.daily_loss_limit, portfolio.day_loss)
    if portfolio.owed:
        return Breach(RefusalCode.CASH, portfolio.cash, portfolio.owed)
    return None
