"""Bets that are sold again after a time: what the expected price then is worth now."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from markets.core import venue
from markets.core.panel import Panel
from markets.core.types import ONE
from markets.core.window import HOUR, Floats
from strategies.core import pricing
from strategies.core.types import Bet, Plan

SIX_HOURS = 6 * HOUR


class Named(Protocol):
    """Who signs a Bet."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Aim:
    """What a rule expects of one token: `chance` is its price in dollars when it is sold again.

    `cautious` is the price that the edge is counted from, where that is not `chance` itself;
    `least` is the edge demanded in dollars a share, `size` micro-shares.
    """

    yes: bool
    chance: float
    least: float
    size: int
    variance: float
    plan: Plan
    why: str
    cautious: float | None = None


def touch(panel: Panel, column: int, *, yes: bool) -> tuple[int, int]:
    """Bid and ask of a token at the last bar; those of NO are exactly the mirror of YES's."""
    bid, ask = int(panel.features.bid[column]), int(panel.features.ask[column])
    return (bid, ask) if yes else (ONE - ask, ONE - bid)


def bet(who: Named, panel: Panel, column: int, aim: Aim) -> Bet | str:
    """The Bet that the token is worth more then than it costs now, or why costs eat it.

    Both sides are taken: the ask with its fee now; then the bid, half of today's spread below the
    expected price, with its fee. What is held to the outcome is not sold, so that costs nothing.
    """
    market = panel.tick.universe.markets[column]
    fee = market.terms.fee
    if fee is None:
        return "the fee schedule is unknown"
    if aim.size < market.terms.min_size:
        return (
            f"{aim.size / ONE:.0f} shares / the smallest order is {market.terms.min_size / ONE:.0f}"
        )
    bid, ask = touch(panel, column, yes=aim.yes)
    counted = aim.chance if aim.cautious is None else aim.cautious
    leaving = pricing.charge(counted, fee) + (ask - bid) / 2 / ONE
    net = counted if aim.plan.hold_to_resolution else counted - leaving
    spent = ask / ONE + pricing.charge(ask / ONE, fee)
    budget = net - aim.least
    limit = None if spent > budget else pricing.highest(budget, fee, market.terms.tick_size)
    if limit is None or ask > limit:
        return f"nets {net - spent:+.4f} a share after costs / needs {aim.least:.4f}"
    token = market.yes if aim.yes else market.no
    return Bet(
        strategy=who.name,
        version=who.version,
        at=panel.tick.at,
        market=market.id,
        token=token.id,
        outcome=token.outcome,
        fair=int(aim.chance * ONE),
        limit=limit,
        edge=int((net - spent) * ONE),
        size=venue.floor_size(aim.size),
        variance=aim.variance,
        plan=aim.plan,
        why=aim.why,
    )


def gains(panel: Panel, yes: Floats, no: Floats) -> tuple[Floats, Floats]:
    """What YES and NO at these log odds are worth beyond their asks, before any fee, dollars."""
    shown = panel.features
    return (
        1 / (1 + np.exp(-yes)) - shown.ask / ONE,
        1 / (1 + np.exp(-no)) - (ONE - shown.bid) / ONE,
    )


def bounded(panel: Panel, column: int) -> float:
    """p (1 - p) at the last microprice, the same for both tokens."""
    price = int(panel.features.micro[column])
    return (price / ONE) * ((ONE - price) / ONE)


def variance(panel: Panel, column: int, bars: float, jump_probability: float) -> float:
    """Variance of the price so many bars ahead, dollars squared: diffusion or spread, and a jump.

    `jump_probability` is that of a jump to 0 or 1 within six hours. At most p (1 - p).
    """
    hourly, most = panel.features.hourly, bounded(panel, column)
    moves = max(float(hourly.spread[column]) ** 2, float(hourly.step[column]) ** 2 * bars)
    return min(most**2 * moves + jump_probability * bars / SIX_HOURS * most, most)
