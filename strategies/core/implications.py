"""Pairs of deadlines that contradict each other: YES of the later and NO of the earlier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags, Tick
from markets.core.types import ONE, Market, Token
from strategies.core import ladders, walking
from strategies.core.ladders import DAY_MS
from strategies.core.timed import Named
from strategies.core.types import Basket, Bet, Plan
from strategies.core.walking import Offer, Sets, Wanted

TO_RESOLUTION = Plan(max_hold_ms=0, hold_to_resolution=True)

Pair = tuple[int, int, bool, bool]
"""(column of the earlier, of the later, whether YES says it happens in each)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When a pair is worth buying: micro-dollars and micro-sets, `risk_free` a year."""

    min_edge: int
    min_profit: int
    most: int
    risk_free: float


def candidates(tick: Tick, least: int) -> list[Pair]:
    """Pairs whose asks add up to at most 1 - `least` before fees, dearest contradiction first."""
    found = ladders.pairs(tick.universe)
    shown = tick.two_sided & tick.coherent
    early_bid = np.where(found.early_yes, tick.bid[found.early], ONE - tick.ask[found.early])
    late_ask = np.where(found.late_yes, tick.ask[found.late], ONE - tick.bid[found.late])
    gap = early_bid - late_ask
    wide = np.flatnonzero((gap >= least) & shown[found.early] & shown[found.late])
    order = wide[np.argsort(-gap[wide], kind="stable")].tolist()
    columns = (found.early, found.late, found.early_yes, found.late_yes)
    return [
        (int(early[at]), int(late[at]), bool(early_yes[at]), bool(late_yes[at]))
        for at in order
        for early, late, early_yes, late_yes in [columns]
    ]


def baskets(
    who: Named, panel: Panel, pairs: Sequence[Pair], terms: Terms, open_: Flags
) -> tuple[tuple[Basket, ...], dict[int, str]]:
    """The pairs to buy now, each market in one at most, and by column why another is not bought."""
    taken: set[int] = set()
    found: list[Basket] = []
    waiting: dict[int, str] = {}
    for pair in pairs:
        early, late, *_ = pair
        if early in taken or late in taken or not (open_[early] and open_[late]):
            continue
        answer = _judge(who, panel, pair, terms)
        if isinstance(answer, Basket):
            taken |= {early, late}
            found.append(answer)
        else:
            waiting |= {early: answer, late: answer}
    return tuple(found), {column: text for column, text in waiting.items() if column not in taken}


def _judge(who: Named, panel: Panel, pair: Pair, terms: Terms) -> Basket | str:
    """The Basket for a pair that is cheap on two reads in a row, or why there is none."""
    answer = pairing(panel.tick, pair, terms)
    if isinstance(answer, str):
        return answer
    before = panel.previous
    if before is None or not _confirms(before, panel.tick, pair, terms):
        return "deadlines contradict each other on one tick only: waits for the next"
    return _basket(who, panel.tick, pair, answer)


def pairing(tick: Tick, pair: Pair, terms: Terms) -> Sets | str:
    """The pairs worth buying at this tick's displayed asks, or in words why there are none.

    Whatever happens, one of the two shares pays a dollar: if not by the later deadline, then not
    by the earlier one. It pays at the later deadline at the latest, and waiting costs the carry.
    """
    (later, yes), (earlier, no) = legs(tick, pair)
    if later.terms.fee is None or earlier.terms.fee is None:
        return "a fee schedule is unknown"
    days = max(0, (later.terms.end_at or tick.at) - tick.at) / DAY_MS
    carry = round(ONE * terms.risk_free * days / 365)
    offers = (
        Offer(tick.book(yes.id).asks, later.terms.fee),
        Offer(tick.book(no.id).asks, earlier.terms.fee),
    )
    least = max(later.terms.min_size, earlier.terms.min_size)
    wanted = Wanted(ONE, terms.min_edge + carry, terms.min_profit, least, terms.most)
    found = walking.sets(offers, wanted)
    return f"deadlines contradict each other: {found}" if isinstance(found, str) else found


def legs(tick: Tick, pair: Pair) -> tuple[tuple[Market, Token], tuple[Market, Token]]:
    """(later market, the token that says it happens), (earlier market, the one that denies it)."""
    early, late, early_yes, late_yes = pair
    earlier, later = tick.universe.markets[early], tick.universe.markets[late]
    yes = later.yes if late_yes else later.no
    return (later, yes), (earlier, earlier.no if early_yes else earlier.yes)


def _confirms(before: Tick, now: Tick, pair: Pair, terms: Terms) -> bool:
    """Whether the tick before, both books read at another time, was sound and showed it too."""
    moved: list[int] = []
    for column in pair[:2]:
        place = before.universe.column.get(now.universe.markets[column].id)
        if place is None or not (before.coherent[place] and before.two_sided[place]):
            return False
        if before.observed_at[place] == now.observed_at[column]:
            return False
        moved.append(place)
    return isinstance(pairing(before, (moved[0], moved[1], *pair[2:]), terms), Sets)


def _basket(who: Named, tick: Tick, pair: Pair, found: Sets) -> Basket:
    """Both legs fill-or-kill at the worst price walked to, the thinner book first."""
    places = [
        (market, token, found.limits[n]) for n, (market, token) in enumerate(legs(tick, pair))
    ]
    places.sort(key=lambda leg: sum(level.size for level in tick.book(leg[1].id).asks))
    gain = walking.claimed(found.profit, found.size)
    bets = tuple(
        Bet(
            strategy=who.name,
            version=who.version,
            at=tick.at,
            market=market.id,
            token=token.id,
            outcome=token.outcome,
            fair=ONE - sum(other for _, each, other in places if each is not token),
            limit=limit,
            edge=gain,
            size=found.size,
            variance=0.0,
            plan=TO_RESOLUTION,
            leg=place,
            why=f"two deadlines contradict each other by {gain / ONE:.4f} a pair after fees",
        )
        for place, (market, token, limit) in enumerate(places)
    )
    return Basket(strategy=who.name, version=who.version, at=tick.at, legs=bets)
