"""The Kelly size of one bet: a fraction of it, less what waiting for the end costs."""

from dataclasses import dataclass

from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule
from strategies.core.types import Bet

YEAR_MS = 365 * 86_400_000
SURE = 1e-12
"""The variance of a complete set's result: Kelly bounds a gamble, not a sure gain; caps do."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How boldly a Bet becomes shares; all in micro (100_000 is 0.10).

    `kelly_fraction` scales the Kelly size, `max_depth_share` caps an order as a share of believed
    depth, `cash_floor` is the share of equity that stays cash, `risk_free` what locked capital
    would earn in a year. The fractions of equity cap a market's and a strategy's cost, and the
    worst case of an event, a cluster, a category and the account.
    """

    kelly_fraction: int
    max_fraction_per_market: int
    max_depth_share: int
    cash_floor: int
    max_fraction_per_event: int = ONE
    max_fraction_per_cluster: int = ONE
    max_fraction_per_category: int = ONE
    max_fraction_per_strategy: int = ONE
    max_fraction_total: int = ONE
    risk_free: int = 50_000


def kelly(bet: Bet, equity: int, fraction: int, all_in: int, carry: int = 0) -> int:
    """Micro-shares a fractional Kelly bettor wants, never more than the Bet's own cap.

    Timed exit: n = W * mu / s2. Hold to resolution: f = (pi - c) / (1 - c) of W, n = f * W / c.
    `all_in` is the cost of a share at the limit with its fee, `carry` what that cost would have
    earned until the end instead; both in micro-dollars.
    """
    wealth = max(0, equity) / ONE
    if bet.variance > 0:
        shares = wealth * (bet.edge / ONE) / bet.variance
    else:
        win, paid = (bet.fair - carry) / ONE, all_in / ONE
        shares = (win - paid) / (1 - paid) * wealth / paid if paid < win else 0.0
    return min(bet.size, int(max(0.0, shares) * fraction))


def per_share(limit: int, fee: FeeSchedule) -> int:
    """The most one share can cost at `limit` or better, fee included, micro-dollars."""
    worst = min(limit, ONE // 2)
    return limit + venue.taker_fee(ONE, worst, fee) + venue.FEE_STEP


def carry(bet: Bet, share: int, tick: Tick, sizing: Sizing) -> int:
    """What the cost of a share held to resolution would earn until then, micro-dollars.

    c * rf * T / 365; a market without a scheduled end is taken to last a year.
    """
    if bet.variance > 0:
        return 0
    end_at = tick.universe.markets[tick.universe.column[bet.market]].terms.end_at
    left = YEAR_MS if end_at is None else max(0, end_at - tick.at)
    return share * sizing.risk_free * left // (YEAR_MS * ONE)


def alone(bet: Bet, equity: int, tick: Tick, sizing: Sizing) -> int:
    """The Kelly size of one bet by itself, micro-shares; 0 where the fee is not known."""
    fee = tick.universe.markets[tick.universe.column[bet.market]].terms.fee
    if fee is None:
        return 0
    share = per_share(bet.limit, fee)
    hurdle = carry(bet, share, tick, sizing)
    return kelly(bet, equity, sizing.kelly_fraction, share, hurdle)


def share_cost(bet: Bet, tick: Tick) -> int:
    """What a share of a bet costs at most with its fee; a whole dollar where that is unknown."""
    fee = tick.universe.markets[tick.universe.column[bet.market]].terms.fee
    return per_share(bet.limit, fee) if fee else ONE
