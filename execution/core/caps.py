"""What caps a size: depth, capital, the worst case, cash; each with its room and its figures."""

from collections.abc import Iterator
from dataclasses import dataclass

from execution.core import exposure
from execution.core.exposure import Exposure, Stake
from execution.core.kelly import Sizing
from execution.core.risk import Limits
from execution.core.taking import MAX_LEVELS
from execution.core.types import Portfolio, RefusalCode
from markets.core import venue
from markets.core.types import ONE
from strategies.core.types import Bet

ROUNDING = MAX_LEVELS * (venue.FEE_STEP + 1)
"""What a reservation keeps aside for the rounding of its fills, micro-dollars."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap: its code, the shares it leaves room for, its limit, and what is used of it."""

    code: RefusalCode
    room: int
    limit: int
    value: int


def caps(
    bet: Bet,
    account: Portfolio,
    held: Exposure,
    depth: int,
    share: int,
    limits: Limits,
    sizing: Sizing,
) -> Iterator[Cap]:
    """Every cap with its room, in the order they are told."""
    equity = max(0, account.equity)
    room = depth * sizing.max_depth_share // ONE
    yield Cap(RefusalCode.DEPTH, room, sizing.max_depth_share, depth)
    limit = min(limits.max_capital_per_market, equity * sizing.max_fraction_per_market // ONE)
    used = exposure.used(account, market=bet.market)
    yield Cap(RefusalCode.MARKET_CAP, _shares(limit - used, share), limit, used)
    limit = min(limits.max_capital_per_strategy, equity * sizing.max_fraction_per_strategy // ONE)
    used = exposure.used(account, strategy=bet.strategy)
    yield Cap(RefusalCode.STRATEGY_CAP, _shares(limit - used, share), limit, used)
    yield from _loss_caps(bet, held, share, equity, limits, sizing)
    spendable = account.cash - equity * max(sizing.cash_floor, limits.cash_floor) // ONE
    yield Cap(RefusalCode.CASH, _shares(spendable, share), spendable, 0)


def _loss_caps(
    bet: Bet, held: Exposure, share: int, equity: int, limits: Limits, sizing: Sizing
) -> Iterator[Cap]:
    """Caps on the worst case: a bet that hedges what is held has more room than its cost."""
    group = held.group(bet.market)
    at = group.place
    stake = Stake(bet.market, held.universe.token[bet.token][1], 0, share, sure=False)
    caps = (
        (RefusalCode.EVENT_CAP, limits.max_event_loss, sizing.max_fraction_per_event, group.loss),
        (RefusalCode.CLUSTER_CAP, limits.max_cluster_loss, sizing.max_fraction_per_cluster,
         held.cluster(at.cluster)),
        (RefusalCode.CATEGORY_CAP, equity, sizing.max_fraction_per_category,
         held.category(at.category)),
        (RefusalCode.TOTAL_CAP, limits.max_total_exposure, sizing.max_fraction_total, held.total),
    )  # fmt: skip
    for code, most, fraction, lost in caps:
        limit = min(most, equity * fraction // ONE)
        apart = lost - group.loss
        yield Cap(code, group.room(stake, limit - apart - ROUNDING), limit, lost)


def _shares(money: int, share: int) -> int:
    """Micro-shares that `money` pays for, the rounding of a reservation kept aside."""
    return max(0, money - ROUNDING) * ONE // share
