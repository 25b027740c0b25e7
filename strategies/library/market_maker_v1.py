"""Market making: resting bids and asks around a fair price, leaning against what is held.

Idea. Whoever is in a hurry pays the spread; a maker waits and earns it, pays no fee and gets a part
of the taker's. What it loses is the trades in which the other side knew more.

Formula. p is the microprice, x its logit, s the root mean square logit change of an hour, tau the
horizon. For q YES shares held, quotes stand around x - q * g p(1-p) s^2 tau (lean against the
holding) at a distance d = g' s^2 tau / 2 + ln(1 + g'/k) / g', where g' = g Q p(1-p) is the risk
aversion of one quote of Q shares (Avellaneda and Stoikov 2008, in logits by the delta method); d is
never less than one tick, nor than the move that five minutes bring on average plus `hedge_share` of
the taker's fee. Prices are rounded outward, and never cross the touch. An ask without shares is a
bid for NO: one book.

Steady. p starts from the last bar's close and moves in half ticks; s, and with it the width, change
once an hour. So a quote is moved when its price is, and keeps its place in the queue otherwise.

Silent. All gates, at a maker's numbers: mid in [0.05, 0.95], six hours to the end, spread to
`max_spread`, JUMP only while the move of the last 15 minutes is one (afterwards quotes are
`jump_widening` times as wide for `widened_minutes`), and ten minutes before a game; WARMUP without
a volatility; EDGE where the spread is one tick, since then the queue is all there is to win, and no
reward is known for waiting in it; NO_SIGNAL beyond the `max_markets` that trade most.

Leaves. Six hours before the end, when rules become unclear, and after `max_hold_hours`, by taking.

How it loses. Run over by news; last in every queue; filled on one side until `max_inventory`; an
edge of nothing traded thousands of times. Liquidity rewards and rebates are never counted as edge.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import bars, venue
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.tick import Flags, Ints, Tick, Universe
from markets.core.types import ONE
from markets.core.window import HOUR, Floats
from strategies.core import gates
from strategies.core.gates import HOUR_MS, Thresholds
from strategies.core.ports import Range
from strategies.core.types import (
    HOLD,
    LEAVE_BOTH,
    SILENCES,
    Opinion,
    Plan,
    Quote,
    Silence,
    Worded,
    silence_code,
)

MINUTE_MS = 60_000
AGE = MINUTE_MS
"""A quote outlives its book by so much; by more where ticks are further apart."""
MEAN_MOVE = 0.8
"""What a normal move is on average, in standard deviations: sqrt(2 / pi)."""
ANY_TICKS = 10_000
ANY_SHARE = 2.0
"""A maker minds a spread only by `max_spread`: neither in ticks nor as a share of the price."""


@dataclass(frozen=True, slots=True)
class Params:
    """How wide, how large and how long; `fill_decay` is k, `risk_aversion` g."""

    quote_shares: Annotated[float, Range(5, 100_000, "shares")] = 20.0
    max_inventory: Annotated[float, Range(1, 100, "quotes")] = 5.0
    risk_aversion: Annotated[float, Range(0.0001, 10, "per dollar")] = 0.02
    fill_decay: Annotated[float, Range(0.1, 10_000, "per logit")] = 30.0
    horizon_hours: Annotated[float, Range(0.25, 6, "hours")] = 6.0
    hedge_share: Annotated[float, Range(0, 1, "share")] = 1.0
    jump_widening: Annotated[float, Range(1, 10, "times")] = 2.0
    widened_minutes: Annotated[float, Range(0, 55, "minutes")] = 30.0
    max_spread: Annotated[float, Range(0.002, 0.5, "dollars")] = 0.08
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    max_hold_hours: Annotated[float, Range(0.25, 720, "hours")] = 24.0
    max_markets: Annotated[int, Range(1, 5_000, "markets")] = 10


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What holds for every market until the next bar closes: logits, micro-dollars and shares.

    `ranked` are the columns, the most traded first.
    """

    anchor: Ints
    half_width: Floats
    skew: Floats
    size: Ints
    sigma: Floats
    narrow: Flags
    widened: Flags
    ranked: Ints


class MarketMaker:
    """Quotes both sides of every market that is lively, wide and calm enough."""

    name = "market_maker_v1"
    version = "1"
    description = "Quotes both sides and earns the spread, leaning against its holding."

    def __init__(self, params: Params) -> None:
        self.params = params
        self.plan = Plan(max_hold_ms=round(params.max_hold_hours * HOUR_MS))
        self.limits = Thresholds(
            spread_ticks=ANY_TICKS,
            spread_most=round(params.max_spread * ONE),
            spread_share=ANY_SHARE,
            band_low=50_000,
            band_high=950_000,
            time_least=6 * HOUR_MS,
            live_ahead=10 * MINUTE_MS,
            jump_bars=1,
            volume_least=round(params.min_volume * ONE),
        )

    def evaluate(self, panel: Panel) -> Opinion:
        """A Quote wherever no gate is shut and there is a spread to earn."""
        tick = panel.tick
        view = panel.once((self.name, self.params), lambda: self._view(panel))
        at_once = np.zeros(len(tick.universe), dtype=np.int64)
        shut = gates.silences(panel, self.limits, horizon=at_once)
        stages = (shut != 0, view.sigma <= 0, view.narrow)
        codes = (shut, silence_code(Silence.WARMUP), silence_code(Silence.EDGE))
        silence = np.select(stages, codes, 0).astype(np.int8)
        silence[self._beyond(view, silence)] = silence_code(Silence.NO_SIGNAL)
        fair = _fair(tick, view.anchor)
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=self._quotes(panel, view, np.flatnonzero(silence == 0), fair),
            silence=silence,
            fair=fair,
            close=np.where(self._ending(panel), np.int8(LEAVE_BOTH), np.int8(HOLD)),
            detail=Worded(
                range(len(silence)),
                lambda column: self._words(panel, view, int(silence[column]), column),
            ),
        )

    def _beyond(self, view: View, silence: NDArray[np.int8]) -> Ints:
        """Of the markets that could be quoted, those after the `max_markets` most traded."""
        able: Ints = view.ranked[silence[view.ranked] == 0]
        return able[self.params.max_markets :]

    def _quotes(self, panel: Panel, view: View, columns: Ints, fair: Ints) -> tuple[Quote, ...]:
        """A Quote for each of the columns; one that would be the same is the same within a bar."""
        age = max(AGE, round(gates.oldest(panel, self.limits)))
        known: dict[tuple[int, int, int], Quote]
        known = panel.once((self.name, self.params, "quotes"), dict)
        found = []
        for column, price in zip(columns.tolist(), fair[columns].tolist(), strict=True):
            key = (column, price, age)
            if key not in known:
                known[key] = self._quote(panel, view, column, price, age)
            found.append(known[key])
        return tuple(found)

    def _quote(self, panel: Panel, view: View, column: int, fair: int, age: int) -> Quote:
        """The Quote at a fair price; dated by the close on which its figures rest."""
        size = int(view.size[column])
        return Quote(
            strategy=self.name,
            version=self.version,
            at=panel.features.at,
            market=panel.tick.universe.markets[column].id,
            fair=log(fair) - log(ONE - fair),
            half_width=float(view.half_width[column]),
            skew_per_share=float(view.skew[column]),
            size=size,
            max_inventory=venue.floor_size(round(size * self.params.max_inventory)),
            plan=self.plan,
            max_age_ms=age,
        )

    def _ending(self, panel: Panel) -> Flags:
        """Where holders leave whatever the price."""
        at_once = np.zeros(len(panel.tick.universe), dtype=np.int64)
        ending = gates.expiry(panel, self.limits, at_once)
        return ending | gates.rules(panel, self.limits, at_once)

    def _view(self, panel: Panel) -> View:
        """Everything that can change only when a bar closes or the universe does."""
        shown, world, params = panel.features, panel.tick.universe, self.params
        anchor = np.where(shown.valid, shown.micro, 0)
        bounded = np.where(shown.valid, (anchor / ONE) * ((ONE - anchor) / ONE), 0.25)
        size = np.maximum(round(params.quote_shares * ONE), world.min_size)
        sigma = shown.hourly.step * np.sqrt(HOUR)
        variance = sigma**2 * params.horizon_hours
        widened = self._widened(panel)
        width = np.maximum(
            half_width(bounded, variance, size / ONE, params),
            _floor(panel, bounded, params.hedge_share) / bounded,
        )
        return View(
            anchor=anchor,
            half_width=width * np.where(widened, params.jump_widening, 1.0),
            skew=skew(bounded, variance, params),
            size=-(-size // venue.SIZE_STEP) * venue.SIZE_STEP,
            sigma=np.where(shown.valid, sigma, 0.0),
            narrow=shown.ask - shown.bid <= world.tick_size,
            widened=widened,
            ranked=_ranked(world),
        )

    def _widened(self, panel: Panel) -> Flags:
        """Where a jump ended within the last `widened_minutes`, the newest bar apart."""
        back = 1 + round(self.params.widened_minutes * MINUTE_MS / BAR_MS)
        recent = panel.features.jumps[:, -back:]
        found: Flags = np.any(recent > self.limits.jump_most, axis=1)
        return found

    def _words(self, panel: Panel, view: View, code: int, column: int) -> str:
        """What keeps a market from a quote, for people; "" where the gate's name says it."""
        reason = SILENCES[code - 1] if code else None
        if reason is Silence.EDGE:
            one = int(panel.tick.universe.tick_size[column]) / ONE
            return (
                f"spread is one tick ({one:g}) / needs two: no reward for waiting in line is known"
            )
        if reason is Silence.NO_SIGNAL:
            return f"{self.params.max_markets} markets that trade more are quoted / no more than so"
        if reason is Silence.WARMUP:
            waits = gates.warmup(panel, self.limits, np.zeros_like(view.size))[column]
            known = gates.warming(panel, self.limits, column)
            return known if waits else "volatility of 24 hours is 0 / needs a move"
        if reason is Silence.SPREAD:
            width = int(panel.tick.ask[column] - panel.tick.bid[column]) / ONE
            return f"spread {width:.4f} / at most {self.limits.spread_most / ONE:.4f}"
        return ""


@lru_cache(maxsize=4)
def _ranked(world: Universe) -> Ints:
    """Columns by volume, the largest first; of equals the one whose id comes first.

    Ranked once: a universe never changes, and its hash is its identity.
    """
    ids = np.array([market.id for market in world.markets], dtype=np.str_)
    return np.asarray(np.lexsort((ids, -world.volume_24h)))


def skew(bounded: Floats, variance: Floats, params: Params) -> Floats:
    """How far one YES share held moves both quotes down, in logits: g p(1-p) s^2 tau.

    `bounded` is p(1-p), `variance` s^2 tau in logits squared.
    """
    return params.risk_aversion * bounded * variance


def half_width(bounded: Floats, variance: Floats, shares: Floats, params: Params) -> Floats:
    """Distance of each quote of `shares` from the middle, in logits; Avellaneda and Stoikov."""
    averse = params.risk_aversion * shares * bounded
    return averse * variance / 2 + np.log1p(averse / params.fill_decay) / averse


def _floor(panel: Panel, bounded: Floats, hedge_share: float) -> Floats:
    """The least distance, dollars: a tick, or what is lost to a move and to hedging it.

    The fee is reckoned at exponent 1, the largest there is.
    """
    world = panel.tick.universe
    adverse = MEAN_MOVE * panel.features.hourly.step * bounded
    hedged = hedge_share * world.fee_rate / ONE * bounded
    return np.maximum(world.tick_size / ONE, adverse + hedged)


def _fair(tick: Tick, anchor: Ints) -> NDArray[np.int64]:
    """The microprice in half ticks from the last close, micro-dollars; 0 where that is not known.

    Cut towards the close on both sides, so that swapping the tokens mirrors it exactly.
    """
    half = tick.universe.tick_size // 2
    micro = bars.microprices(tick.bid, tick.bid_size, tick.ask, tick.ask_size)
    gap = micro - anchor
    moved = anchor + np.sign(gap) * (np.abs(gap) // half) * half
    return np.where((anchor > 0) & tick.two_sided, np.clip(moved, half, ONE - half), 0)
