"""Set arbitrage: outcomes of one event that exclude each other, for less than they surely pay.

Idea. In a neg-risk event at most one outcome comes true. (a) Where all outcomes are on offer one
of them does: a YES share of each pays exactly a dollar together. (b) NO shares of any k outcomes
pay at least k - 1 dollars, whether or not there are outcomes nobody has listed yet.

Formula. (a) Edge of a set = 1 - sum of YES asks with fees, and `min_yearly_return` on its cost
until the event ends, because the money is locked up to then. (b) Edge = (k - 1) - sum of NO asks
with fees; an outcome belongs into the set where its NO with its fee costs less than a dollar. The
shares are converted: k - 1 dollars at once, and YES shares of all other outcomes for nothing. Both
are walked through the displayed depth of all legs together.

Silent. STALE, INCOHERENT, EXPIRY (no end known, proposed, live), FEE, RULES, VENUE; NO_SIGNAL
where nothing excludes the market; EDGE where the sums leave nothing or were seen on one tick only;
RULES where an outcome is a day old or younger, and, for (a), where the event may grow or an outcome
is missing. A leg that a gate shuts keeps (a) out under that gate's code; (b) does without it.

How it loses. The missing outcome: four of five at 0.80 are no bargain. A leg that fails leaves a
bet, so all legs are fill-or-kill and arrive on one tick; dead legs at prices nobody honours; rules
that change meanwhile; years until (a) pays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import venue
from markets.core.panel import Panel
from markets.core.tick import Flags, Ints, Tick
from markets.core.types import ONE, Market, Token
from strategies.core import gates, walking
from strategies.core.gates import Thresholds
from strategies.core.ports import Range
from strategies.core.types import (
    SILENCES,
    Basket,
    Bet,
    Opinion,
    Plan,
    Silence,
    Worded,
    digest,
    silence_code,
)

EXEMPT = (
    Silence.SPREAD,
    Silence.DEPTH,
    Silence.BAND,
    Silence.ACTIVITY,
    Silence.JUMP,
    Silence.WARMUP,
)
LIMITS = Thresholds(time_least=0, time_holdings=0)
TO_RESOLUTION = Plan(max_hold_ms=0, hold_to_resolution=True)
DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
WAITS = "cheap on one tick only: waits for the next"
ALONE = "no other tracked outcome excludes this one"


@dataclass(frozen=True, slots=True)
class Params:
    """When a set of outcomes is worth buying.

    Edge, profit and return below 0 allow a loss: good only for tests that must see trades.
    """

    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a set")] = 0.005
    min_yearly_return: Annotated[float, Range(-1_000, 10, "a year")] = 0.10
    min_profit: Annotated[float, Range(-1_000, 1_000, "dollars")] = 0.25
    max_sets: Annotated[float, Range(5, 100_000, "sets")] = 500.0
    max_legs: Annotated[float, Range(2, 15, "legs")] = 12.0
    min_leg_depth: Annotated[float, Range(0, 100_000, "shares")] = 5.0
    max_gap: Annotated[float, Range(0, 1, "dollars a set")] = 0.05


@dataclass(frozen=True, slots=True)
class No:
    """Why an event that looks cheap is not bought, for all of its markets that no gate shuts."""

    reason: Silence
    words: str


@dataclass(frozen=True, slots=True)
class Leg:
    """A token that a set would hold one share of."""

    market: Market
    token: Token


class SetArb:
    """Buys all YES of an event, or NO of several outcomes, below what they surely pay.

    `outcomes` says how many open outcomes each event (by id) has on the exchange, where that is
    known; without it a missing outcome shows only by prices that leave more than `max_gap`.
    """

    name = "set_arb_v1"
    version = "1"
    description = "Buys every outcome of an event when together they cost less than they pay."

    def __init__(self, params: Params, outcomes: Mapping[str, int] | None = None) -> None:
        self.params = params
        self.outcomes = dict(outcomes or {})
        self.inputs = digest(*sorted(self.outcomes.items())) if self.outcomes else ""

    def evaluate(self, panel: Panel) -> Opinion:
        """A Basket for each event that is cheap twice; EDGE, NO_SIGNAL or a gate elsewhere."""
        tick, rivals = panel.tick, panel.tick.universe.rivals
        n = len(tick.universe)
        horizon = np.zeros(n, dtype=np.int64)
        shut = gates.silences(panel, LIMITS, horizon=horizon, exempt=EXEMPT)
        silence = _by_default(shut, rivals.columns)
        signals: list[Basket] = []
        said: dict[int, str] = {}
        for number in _worth_a_look(tick, shut == 0, self.params):
            members = rivals.of(number)
            answer = self._judge(panel, members, shut)
            if isinstance(answer, Basket):
                signals.append(answer)
                silence[[tick.universe.column[leg.market] for leg in answer.legs]] = 0
                continue
            for column in members:
                said[column] = answer.words
                silence[column] = shut[column] or silence_code(answer.reason)
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(signals),
            silence=silence,
            fair=np.zeros(n, dtype=np.int64),
            close=np.zeros(n, dtype=np.int8),
            detail=_detail(tick, shut, said),
            inputs=self.inputs,
        )

    def _judge(self, panel: Panel, members: list[int], shut: NDArray[np.int8]) -> Basket | No:
        """The better of both ways to buy the event's outcomes, or why there is none."""
        tick = panel.tick
        markets = [tick.universe.markets[column] for column in members]
        age = min(tick.at - market.created_at for market in markets)
        if age < DAY_MS:
            return No(Silence.RULES, f"an outcome was added {age / 3_600_000:.1f} h ago / needs 24")
        answers = [self._several_no(panel, members, shut)]
        if _asked(tick, members) < ONE - self._min_edge:
            answers.insert(0, self._every_yes(panel, members, shut))
        found = [answer for answer in answers if isinstance(answer, Basket)]
        if found:
            return max(found, key=lambda basket: basket.legs[0].edge * basket.legs[0].size)
        return answers[0]

    @property
    def _min_edge(self) -> int:
        return round(self.params.min_edge * ONE)

    def _every_yes(self, panel: Panel, members: list[int], shut: NDArray[np.int8]) -> Basket | No:
        """A YES share of every outcome, held until the event ends."""
        tick = panel.tick
        markets = [tick.universe.markets[column] for column in members]
        incomplete = self._incomplete(tick, members, markets)
        if incomplete:
            return No(Silence.RULES, incomplete)
        blocked = sorted((int(shut[column]), column) for column in members if shut[column])
        if blocked:
            code, column = blocked[0]
            reason, question = SILENCES[code - 1], tick.universe.markets[column].question
            words = f"{len(blocked)} of {len(members)} outcomes cannot be bought: {question}"
            return No(reason, f"{words} ({reason})")
        if len(members) > self.params.max_legs:
            words = f"{len(members)} legs / at most {self.params.max_legs:.0f}"
            return No(Silence.EDGE, words)
        legs = [Leg(market, market.yes) for market in markets]
        return self._buy(panel, legs, pays=ONE, min_edge=self._locked(tick, markets))

    def _incomplete(self, tick: Tick, members: list[int], markets: Sequence[Market]) -> str:
        """Why not exactly one of these outcomes must come true, or ""."""
        event, known = markets[0].event, self.outcomes.get(markets[0].event.id)
        if event.augmented:
            return "the event may grow: only NO of several outcomes can be bought"
        if known is not None and known != len(members):
            return f"{len(members)} of the event's {known} outcomes are tracked / needs all"
        asked, least = _asked(tick, members), ONE - round(self.params.max_gap * ONE)
        if asked < least:
            words = f"asks of all {len(members)} outcomes add up to {asked / ONE:.4f}"
            return f"{words} / below {least / ONE:.4f} one must be missing"
        return ""

    def _locked(self, tick: Tick, markets: Sequence[Market]) -> int:
        """The smallest edge, micro-dollars, that also earns the yearly return until the end.

        Of edge / cost >= return * time, with cost = 1 - edge: edge >= q / (1 + q).
        """
        left = max(market.terms.end_at or 0 for market in markets) - tick.at
        due = max(self.params.min_yearly_return * left / YEAR_MS, -0.5)
        return max(self._min_edge, round(ONE * due / (1 + due)))

    def _several_no(self, panel: Panel, members: list[int], shut: NDArray[np.int8]) -> Basket | No:
        """A NO share of each outcome that adds to the gain, converted at once."""
        tick = panel.tick
        legs = self._chosen(tick, [column for column in members if not shut[column]])
        if len(legs) < 2:
            words = f"{len(legs)} outcomes bid more than their fees / needs 2"
            return No(Silence.EDGE, words)
        pays = (len(legs) - 1) * ONE
        return self._buy(panel, legs, pays=pays, min_edge=self._min_edge, convert=True)

    def _chosen(self, tick: Tick, columns: Sequence[int]) -> list[Leg]:
        """The outcomes whose NO with its fee costs less than the dollar it adds, best first."""
        found = []
        for column in columns:
            market = tick.universe.markets[column]
            asks, fee = tick.book(market.no.id).asks, market.terms.fee
            enough = sum(level.size for level in asks) >= self._least([market])
            if fee is not None and enough:
                gain = walking.edge([asks[0].price], [fee], ONE)
                found.append((-gain, market.id, Leg(market, market.no)))
        best = sorted((each for each in found if each[0] < 0), key=lambda each: each[:2])
        return [leg for *_, leg in best[: int(self.params.max_legs)]]

    def _least(self, markets: Sequence[Market]) -> int:
        """The fewest micro-sets that every leg's exchange minimum and our own allow."""
        smallest = max(market.terms.min_size for market in markets)
        return max(smallest, round(self.params.min_leg_depth * ONE), 1)

    def _buy(
        self, panel: Panel, legs: Sequence[Leg], *, pays: int, min_edge: int, convert: bool = False
    ) -> Basket | No:
        """The Basket, if its legs are cheap on this tick and were on the one before."""
        wanted = walking.Wanted(
            pays=pays,
            min_edge=min_edge,
            min_profit=round(self.params.min_profit * ONE),
            least=self._least([leg.market for leg in legs]),
            most=round(self.params.max_sets * ONE),
        )
        found = _walked(panel.tick, legs, wanted)
        if isinstance(found, str):
            return No(Silence.EDGE, f"{len(legs)} {legs[0].token.outcome}: {found}")
        before = panel.previous
        if before is None or not _confirms(before, panel.tick, legs, wanted):
            return No(Silence.EDGE, WAITS)
        return self._basket(panel.tick, legs, found, pays=pays, convert=convert)

    def _basket(
        self, tick: Tick, legs: Sequence[Leg], found: walking.Sets, *, pays: int, convert: bool
    ) -> Basket:
        """All legs fill-or-kill at the worst price walked to, the thinnest book first."""
        edge = walking.claimed(found.profit, found.size)
        spare = max(0, pays - sum(found.limits)) // len(legs)
        kind = "NO, converted," if convert else "YES, held to the end,"
        order = sorted(range(len(legs)), key=lambda place: _thinness(tick, legs[place]))
        bets = [
            Bet(
                strategy=self.name,
                version=self.version,
                at=tick.at,
                market=legs[place].market.id,
                token=legs[place].token.id,
                outcome=legs[place].token.outcome,
                fair=min(found.limits[place] + spare, ONE),
                limit=found.limits[place],
                edge=edge,
                size=found.size,
                variance=0.0,
                plan=TO_RESOLUTION,
                leg=number,
                why=f"{len(legs)} {kind} gain {edge / ONE:.4f} a set after fees",
            )
            for number, place in enumerate(order)
        ]
        return Basket(self.name, self.version, tick.at, tuple(bets), convert=convert)


def _by_default(shut: NDArray[np.int8], exclusive: NDArray[np.int64]) -> NDArray[np.int8]:
    """The gates' codes; else EDGE in an event of several outcomes, and NO_SIGNAL outside."""
    told = np.full(len(shut), silence_code(Silence.NO_SIGNAL), dtype=np.int8)
    told[exclusive] = silence_code(Silence.EDGE)
    return np.where(shut != 0, shut, told)


def _worth_a_look(tick: Tick, sound: Flags, params: Params) -> list[int]:
    """Events whose touches alone would leave the edge on one of both ways, if books are deep.

    A NO book kept apart asks a tick less than the mirror of YES at most; else it is incoherent.
    """
    rivals, edge = tick.universe.rivals, round(params.min_edge * ONE)
    asked = np.where(tick.ask_valid, tick.ask + _fees(tick, tick.ask), ONE)
    bids = tick.bid - _fees(tick, tick.bid)
    apart = list(tick.no_depth)
    bids[apart] += tick.universe.tick_size[apart]
    bids = np.where(sound, np.maximum(bids, 0), 0)
    found = (rivals.sums(asked) < ONE - edge) | (rivals.sums(bids) > ONE + edge)
    numbers: list[int] = np.flatnonzero(found).tolist()
    return numbers


def _fees(tick: Tick, price: Ints) -> Ints:
    """A share's fee at these prices, micro-dollars, at most what the exchange takes."""
    world, bounded = tick.universe, (price / ONE) * ((ONE - price) / ONE)
    exact = world.fee_rate * bounded**world.fee_exponent
    fees: Ints = np.maximum(np.floor(exact).astype(np.int64) - venue.FEE_STEP, 0)
    return fees


def _asked(tick: Tick, members: Sequence[int]) -> int:
    """What a YES share of each costs at the touch, micro-dollars; a dollar where none is asked."""
    return int(np.where(tick.ask_valid, tick.ask, ONE)[list(members)].sum())


def _walked(tick: Tick, legs: Sequence[Leg], wanted: walking.Wanted) -> walking.Sets | str:
    offers = [
        walking.Offer(tick.book(leg.token.id).asks, leg.market.terms.fee)
        for leg in legs
        if leg.market.terms.fee is not None
    ]
    if len(offers) < len(legs):
        return "a fee is not known"
    return walking.sets(offers, wanted)


def _confirms(before: Tick, now: Tick, legs: Sequence[Leg], wanted: walking.Wanted) -> bool:
    """Whether the tick before, all of it read at another time, was sound and cheap too."""
    for leg in legs:
        was = before.universe.column.get(leg.market.id)
        if was is None or not before.coherent[was]:
            return False
        if before.observed_at[was] == now.observed_at[now.universe.column[leg.market.id]]:
            return False
    return isinstance(_walked(before, legs, wanted), walking.Sets)


def _thinness(tick: Tick, leg: Leg) -> tuple[int, str]:
    return sum(level.size for level in tick.book(leg.token.id).asks), leg.market.id


def _detail(tick: Tick, shut: NDArray[np.int8], said: Mapping[int, str]) -> Worded:
    """What was said of the events looked at; the sums of all others, worded when asked for."""
    rivals = tick.universe.rivals

    def words(column: int) -> str:
        if column in said or shut[column]:
            return said.get(column, "")
        if column not in rivals.number:
            return ALONE
        members = rivals.of(rivals.number[column])
        asked, bidden = _asked(tick, members), int(tick.bid[members].sum())
        cost, less = (int(_fees(tick, side)[members].sum()) for side in (tick.ask, tick.bid))
        asks = f"asks add up to {asked / ONE:.4f} and {cost / ONE:.4f} of fees"
        bids = f"bids to {bidden / ONE:.4f} less {less / ONE:.4f}"
        return f"{len(members)} outcomes: {asks}, {bids}"

    return Worded(range(len(shut)), words)
