"""From a Bet and what is held to the size that closes the gap, and what kept it small."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from execution.core import exposure
from execution.core.risk import Limits
from execution.core.taking import MAX_LEVELS
from execution.core.types import Portfolio, RefusalCode
from markets.core import venue
from markets.core.types import ONE, FeeSchedule
from strategies.core.types import Bet

SURE = 1e-12
"""The variance of a complete set's result: Kelly bounds a gamble, not a sure gain; caps do."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How boldly a Bet becomes shares; all in micro (100_000 is 0.10).

    `kelly_fraction` scales the Kelly size, `max_fraction_per_market` caps one market's cost as a
    share of equity, `max_depth_share` caps an order as a share of believed depth, `cash_floor`
    is the share of equity that stays cash.
    """

    kelly_fraction: int
    max_fraction_per_market: int
    max_depth_share: int
    cash_floor: int


@dataclass(frozen=True, slots=True)
class Sized:
    """A size in micro-shares and, where something cut it, the cap that bound it."""

    size: int
    bound_by: RefusalCode | None = None
    limit: int = 0
    value: int = 0


def kelly(bet: Bet, equity: int, fraction: int, all_in: int) -> int:
    """Micro-shares a fractional Kelly bettor wants, never more than the Bet's own cap.

    Timed exit: n = W * mu / s2. Hold to resolution: f = (pi - c) / (1 - c) of W, n = f * W / c.
    `all_in` is the cost of a share at the limit with its fee, micro-dollars.
    """
    wealth = max(0, equity) / ONE
    if bet.variance > 0:
        shares = wealth * (bet.edge / ONE) / bet.variance
    else:
        win, cost = bet.fair / ONE, all_in / ONE
        shares = (win - cost) / (1 - cost) * wealth / cost if cost < win else 0.0
    return min(bet.size, int(max(0.0, shares) * fraction))


def deviation(bet: Bet) -> int:
    """How far a share's result may end from what the Bet expects, micro-dollars (one deviation)."""
    win = min(max(bet.fair / ONE, 0.0), 1.0)
    variance = bet.variance if bet.variance > 0 else win * (1 - win)
    return round(math.sqrt(variance) * ONE)


def per_share(limit: int, fee: FeeSchedule) -> int:
    """The most one share can cost at `limit` or better, fee included, micro-dollars."""
    worst = min(limit, ONE // 2)
    return limit + venue.taker_fee(ONE, worst, fee) + venue.FEE_STEP


def size_entry(
    bet: Bet, portfolio: Portfolio, *, depth: int, fee: FeeSchedule, limits: Limits, sizing: Sizing
) -> Sized:
    """The largest size that Kelly wants and every cap allows; names the cap that bound it."""
    share = per_share(bet.limit, fee)
    wanted = kelly(bet, portfolio.equity, sizing.kelly_fraction, share)
    sized = Sized(wanted)
    for code, room, limit, value in _caps(bet, portfolio, depth, share, limits, sizing):
        if room < sized.size:
            sized = Sized(max(0, room), code, limit, value)
    return Sized(venue.floor_size(sized.size), sized.bound_by, sized.limit, sized.value)


def _caps(
    bet: Bet, portfolio: Portfolio, depth: int, share: int, limits: Limits, sizing: Sizing
) -> Iterator[tuple[RefusalCode, int, int, int]]:
    """(code, room in shares, limit, value used) of every cap, in the order they are told."""
    yield RefusalCode.DEPTH, depth * sizing.max_depth_share // ONE, sizing.max_depth_share, depth
    in_market = exposure.used(portfolio, market=bet.market)
    fraction = max(0, portfolio.equity) * sizing.max_fraction_per_market // ONE
    market_cap = min(limits.max_capital_per_market, fraction)
    yield RefusalCode.MARKET_CAP, _shares(market_cap - in_market, share), market_cap, in_market
    by_strategy = exposure.used(portfolio, strategy=bet.strategy)
    strategy_cap = limits.max_capital_per_strategy
    room = _shares(strategy_cap - by_strategy, share)
    yield RefusalCode.STRATEGY_CAP, room, strategy_cap, by_strategy
    floor = max(0, portfolio.equity) * sizing.cash_floor // ONE
    yield RefusalCode.CASH, _shares(portfolio.cash - floor, share), portfolio.cash - floor, 0


def _shares(money: int, share: int) -> int:
    """Micro-shares that `money` pays for, the rounding of a reservation kept aside."""
    return max(0, money - MAX_LEVELS * (venue.FEE_STEP + 1)) * ONE // share
