"""Dual arbitrage: both tokens of one market for less than the dollar they pay together.

Idea. One YES and one NO share of a market pay exactly one dollar, whatever happens. If both asks
with their fees add up to less, buying the pair earns the difference.

Formula. Edge of a set = 1 - ask YES - ask NO - fee(ask YES) - fee(ask NO), walked through the
displayed depth of both books for as long as it stays at or above `min_edge`.

Why it hardly ever trades. YES and NO are two views of one book: a NO ask is 1 - a YES bid. In any
read that shows one instant the asks add up to 1 + spread. What looks like a pair below a dollar is
two books read at different times. So this rule is a detector: incoherent or stale pairs are counted
under their code, never traded, and a burst of signals would mean that the data is broken.

Silent. STALE, INCOHERENT, FEE, RULES, VENUE; EDGE wherever the books are sound and the pair costs
a dollar or more, or has been seen cheap on one tick only.

How it loses. One leg fills and the other does not; the pair is then a bet on one side. Both legs
are therefore fill-or-kill and arrive on one tick.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags, Ints, Tick
from markets.core.types import ONE, FeeSchedule, Market
from strategies.core import gates, walking
from strategies.core.gates import Thresholds
from strategies.core.ports import Range
from strategies.core.types import Basket, Bet, Opinion, Plan, Silence, Worded, silence_code

EXEMPT = (
    Silence.SPREAD,
    Silence.DEPTH,
    Silence.BAND,
    Silence.EXPIRY,
    Silence.ACTIVITY,
    Silence.JUMP,
    Silence.WARMUP,
)
LIMITS = Thresholds()
TO_RESOLUTION = Plan(max_hold_ms=0, hold_to_resolution=True)
WAITS = "cheap on one tick only: waits for the next"


@dataclass(frozen=True, slots=True)
class Params:
    """When a pair of asks is worth buying.

    Below 0 a pair may lose so much: good only for tests that must see trades.
    """

    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a set")] = 0.004
    min_profit: Annotated[float, Range(-1_000, 1_000, "dollars")] = 0.25
    max_sets: Annotated[float, Range(5, 100_000, "sets")] = 500.0


@dataclass(frozen=True, slots=True)
class Pairing:
    """Sets worth buying: how many micro-sets, the worst price of each leg, and the whole gain."""

    size: int
    yes_limit: int
    no_limit: int
    profit: int


def set_edge(yes_ask: int, no_ask: int, fee: FeeSchedule) -> int:
    """What one set bought at two asks gains after both fees, micro-dollars; negative is a loss."""
    return walking.edge((yes_ask, no_ask), (fee, fee), ONE)


class DualArb:
    """Buys YES and NO together below a dollar; on sound books that never happens."""

    name = "dual_arb_v1"
    version = "1"
    description = "Buys YES and NO of one market when both together cost less than a dollar."

    def __init__(self, params: Params) -> None:
        self.params = params

    def evaluate(self, panel: Panel) -> Opinion:
        """EDGE or a gate for every market, and a Basket where a sound pair is cheap twice."""
        tick = panel.tick
        n = len(tick.universe)
        horizon = np.zeros(n, dtype=np.int64)
        silence = gates.silences(panel, LIMITS, horizon=horizon, exempt=EXEMPT)
        sound = silence == 0
        torn = np.flatnonzero(silence == silence_code(Silence.INCOHERENT)).tolist()
        silence[sound] = silence_code(Silence.EDGE)
        signals = []
        waiting = set()
        looked = _worth_a_look(tick, sound, self.params).tolist()
        for column in looked:
            answer = self._judge(panel, column)
            if isinstance(answer, Basket):
                silence[column] = 0
                signals.append(answer)
            elif answer:
                waiting.add(column)
        told = frozenset(column for column in (*torn, *looked) if silence[column])
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(signals),
            silence=silence,
            fair=np.zeros(n, dtype=np.int64),
            close=np.zeros(n, dtype=np.int8),
            detail=Worded(
                told,
                lambda column: WAITS if column in waiting else _explain(tick, column),
            ),
        )

    def _judge(self, panel: Panel, column: int) -> Basket | bool:
        """The Basket for a sound pair that is cheap on two ticks in a row, else if it is on one."""
        market = panel.tick.universe.markets[column]
        found = pairing(panel.tick, market, self.params)
        if found is None:
            return False
        before = panel.previous
        if before is None or not _confirms(before, panel.tick, market, self.params):
            return True
        return self._basket(panel.tick, market, found)

    def _basket(self, tick: Tick, market: Market, found: Pairing) -> Basket:
        """Both legs fill-or-kill at the worst price walked to, the thinner book first."""
        yes, no = tick.book(market.yes.id), tick.book(market.no.id)
        edge = walking.claimed(found.profit, found.size)
        legs = [(yes, market.yes, found.yes_limit), (no, market.no, found.no_limit)]
        legs.sort(key=lambda leg: sum(level.size for level in leg[0].asks))
        bets = [
            Bet(
                strategy=self.name,
                version=self.version,
                at=tick.at,
                market=market.id,
                token=token.id,
                outcome=token.outcome,
                fair=ONE - (found.no_limit if token is market.yes else found.yes_limit),
                limit=limit,
                edge=edge,
                size=found.size,
                variance=0.0,
                plan=TO_RESOLUTION,
                leg=place,
                why=f"a pair for a dollar gains {edge / ONE:.4f} after fees",
            )
            for place, (_, token, limit) in enumerate(legs)
        ]
        return Basket(strategy=self.name, version=self.version, at=tick.at, legs=tuple(bets))


def pairing(tick: Tick, market: Market, params: Params) -> Pairing | None:
    """The sets worth buying at this tick's displayed asks, or None."""
    fee = market.terms.fee
    if fee is None:
        return None
    wanted = walking.Wanted(
        pays=ONE,
        min_edge=round(params.min_edge * ONE),
        min_profit=round(params.min_profit * ONE),
        least=market.terms.min_size,
        most=round(params.max_sets * ONE),
    )
    offers = [walking.Offer(tick.book(token.id).asks, fee) for token in market.tokens]
    found = walking.sets(offers, wanted)
    if isinstance(found, str):
        return None
    yes_limit, no_limit = found.limits
    return Pairing(found.size, yes_limit, no_limit, found.profit)


def _worth_a_look(tick: Tick, sound: Flags, params: Params) -> Ints:
    """Sound columns whose books may show a pair cheap enough.

    Where NO mirrors YES a pair costs a dollar and the spread, whatever the fees.
    """
    near: Flags = sound & (tick.bid - tick.ask >= round(params.min_edge * ONE))
    apart = [column for column in tick.no_depth if sound[column]]
    near[apart] = True
    return np.flatnonzero(near)


def _confirms(before: Tick, now: Tick, market: Market, params: Params) -> bool:
    """Whether the tick before, read at another time, was sound and showed a cheap pair too."""
    column = before.universe.column.get(market.id)
    if column is None or not before.coherent[column]:
        return False
    same_read = before.observed_at[column] == now.observed_at[now.universe.column[market.id]]
    return not same_read and pairing(before, market, params) is not None


def _explain(tick: Tick, column: int) -> str:
    """What both books show, in a sentence; for people."""
    market = tick.universe.markets[column]
    apart = "the two books do not show one instant"
    if column not in tick.no_depth or market.terms.fee is None:
        return apart
    yes, no = tick.book(market.yes.id), tick.book(market.no.id)
    if not yes.asks or not no.asks:
        return apart
    a, b = yes.asks[0].price, no.asks[0].price
    net = set_edge(a, b, market.terms.fee)
    shown = f"asks {a / ONE:.4f} + {b / ONE:.4f}, net {net / ONE:+.5f} a set after fees"
    return shown if tick.coherent[column] else f"mirror gap, {apart}: {shown}"
