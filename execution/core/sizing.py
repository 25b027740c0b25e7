"""From a Bet and what is held to the size that closes the gap, and what kept it small."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from execution.core import caps, drafting, exposure, growth, risk
from execution.core.exposure import Exposure, Group, State
from execution.core.kelly import SURE, Sizing, alone, carry, kelly, per_share, share_cost
from execution.core.risk import Limits
from execution.core.types import Portfolio, RefusalCode
from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import ONE
from strategies.core.types import Bet

__all__ = ["SURE", "Sized", "Sizing", "joint", "kelly", "per_share", "size_entry"]

LEAST_WEALTH = 1e-6
"""The share of its stake wealth that an event already overspent is still reckoned with."""

LEAST_CHANCE = 1e-6
"""No way an event may end is taken to be impossible."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A size in micro-shares and, where something cut it, the cap that bound it."""

    size: int
    bound_by: RefusalCode | None = None
    limit: int = 0
    value: int = 0


def size_entry(
    bet: Bet,
    account: Portfolio,
    tick: Tick,
    *,
    depth: int,
    limits: Limits,
    sizing: Sizing,
    others: Sequence[Bet] = (),
) -> Sized:
    """The largest size that Kelly wants and every cap allows; names the cap that bound it.

    `others` are the strategy's other bets of this tick: those on the same exclusive event are
    sized together with this one.
    """
    market = tick.universe.markets[tick.universe.column[bet.market]]
    assert market.terms.fee is not None
    share = per_share(bet.limit, market.terms.fee)
    held = Exposure.of(account, tick.universe)
    wanted = _wanted(bet, others, account, held, tick, sizing)
    bold = ONE if bet.variance == SURE else risk.boldness(account, limits)
    sized = Sized(wanted * bold // ONE)
    for cap in caps.caps(bet, account, held, depth, share, limits, sizing):
        if cap.room < sized.size:
            sized = Sized(max(0, cap.room), cap.code, cap.limit, cap.value)
    return Sized(venue.floor_size(sized.size), sized.bound_by, sized.limit, sized.value)


def _wanted(
    bet: Bet,
    others: Sequence[Bet],
    account: Portfolio,
    held: Exposure,
    tick: Tick,
    sizing: Sizing,
) -> int:
    """Kelly's size: by itself, or with all else the account has in an exclusive event."""
    event = held.group(bet.market)
    if bet.variance or not event.place.exclusive:
        return alone(bet, account.equity, tick, sizing)
    rivals = [
        other
        for other in others
        if other is not bet
        and other.strategy == bet.strategy
        and other.variance == 0
        and other.market in tick.universe.column
        and exposure.place(tick.universe, other.market).event == event.place.event
    ]
    if rivals or event.stakes:
        done = [r for r in rivals if exposure.held_or_open(account, r.strategy, r.market)]
        wanted = [bet, *(r for r in rivals if r not in done)]
        return joint(wanted, account, tick, sizing=sizing, beliefs=done)[0]
    return alone(bet, account.equity, tick, sizing)


def joint(
    bets: Sequence[Bet],
    account: Portfolio,
    tick: Tick,
    *,
    sizing: Sizing,
    beliefs: Sequence[Bet] = (),
) -> tuple[int, ...]:
    """Micro-shares of bets on one exclusive event that fit together and with what is held there.

    Maximises sum_s pi_s * log(W + payoff_s) over the event's states with W = kelly_fraction of
    equity, which for a single bet is its Kelly size. Never more of a bet than that: outcomes that
    cover each other would justify more, but only as far as all their probabilities are right.
    `beliefs` are bets already taken: their probabilities count, they are not sized.
    """
    most = [alone(bet, account.equity, tick, sizing) for bet in bets]
    group = Exposure.of(account, tick.universe).group(bets[0].market)
    wealth = max(0, account.equity) * sizing.kelly_fraction / ONE**2
    if not any(most) or wealth <= 0:
        return tuple(0 for _ in bets)
    markets = sorted({bet.market for bet in bets} | {stake.market for stake in group.stakes})
    chance = _chances(markets, [*bets, *beliefs], tick, sizing)
    states = [*(State({market: ONE}) for market in markets), State({})]
    base = np.array([wealth - _paid(group, account) + _worth(group, s) for s in states])
    shares = [share_cost(bet, tick) for bet in bets]
    gain = np.array(
        [
            [(state.pays(bet.market, _index(bet, tick)) - share) / ONE for bet, share in
             zip(bets, shares, strict=True)]
            for state in states
        ]
    )  # fmt: skip
    stakes = growth.maximise(
        chance, np.maximum(base, wealth * LEAST_WEALTH), gain, np.array(most) / ONE
    )
    return tuple(min(int(n * ONE), top) for n, top in zip(stakes, most, strict=True))


def _chances(
    markets: Sequence[str], bets: Sequence[Bet], tick: Tick, sizing: Sizing
) -> growth.Floats:
    """The probability of every outcome, and of none of them.

    A bet's own where there is one, less what waiting costs; else the market's price. More than
    one in all is scaled down to one.
    """
    said: dict[str, float] = {}
    for bet in reversed(bets):
        win = (bet.fair - carry(bet, share_cost(bet, tick), tick, sizing)) / ONE
        said[bet.market] = win if _index(bet, tick) == 0 else 1 - win
    named = np.array([said.get(market, _odds(market, tick)) for market in markets]).clip(0, 1)
    named /= max(1.0, float(named.sum()))
    every = np.append(named, 1.0 - float(named.sum())).clip(LEAST_CHANCE)
    shares: growth.Floats = every / every.sum()
    return shares


def _odds(market: str, tick: Tick) -> float:
    """What the market says of YES; nothing where it is not tracked."""
    column = tick.universe.column.get(market)
    if column is None:
        return 0.0
    return drafting.fair(tick.universe.markets[column].yes.id, tick) / ONE


def _paid(group: Group, account: Portfolio) -> float:
    """What the event's holdings are marked at: the part of wealth that its states replace."""
    markets = {stake.market for stake in group.stakes}
    marked = sum(p.value for p in account.positions.values() if p.market in markets)
    return marked / ONE


def _worth(group: Group, state: State) -> float:
    """What holdings pay in a state, less what open buys still cost if that makes things worse."""
    held = sum(s.size * state.pays(s.market, s.index) // ONE for s in group.stakes if s.sure)
    return (held - exposure.lost((s for s in group.stakes if not s.sure), state)) / ONE


def _index(bet: Bet, tick: Tick) -> int:
    return tick.universe.token[bet.token][1]
