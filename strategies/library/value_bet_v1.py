"""Value betting: prices that are wrong in a way that past markets have shown.

Idea. Outcomes that trade at 0.70 need not come 70 times in 100. Where resolved markets of the same
category and the same time to the end show by how much they do not, the difference is worth buying;
so is a probability from elsewhere that is better than the market's.

Formula. pi = S(alpha + beta logit(m)), m the microprice at the last 5-minute close, alpha and beta
from the calibration's cell (category, time to the end). In a complete event of exclusive outcomes m
is first freed of its overround (power method) and the more cautious of the two counts. A standing
forecast from elsewhere takes the calibration's place. pi_L is the lower 80 % bound of the token's
probability, and never above what a deadline ladder allows: "by March" is worth no more than the
ask of "by June". Edge = pi_L - (ask + fee) - carry, carry = (ask + fee) * `risk_free` * T / 365
with T days until the end. Buy when it is at least `min_edge` and `min_errors` standard errors.

Silent. All gates, prices from 0.05 to 0.95 allowed; NO_MODEL without a calibration or forecast for
the market: none was fitted, it rests on fewer than `min_events` events, is older than
`max_model_days`, or newer than the tick; EDGE where the price is right as far as one knows. With
beta 1 and alpha 0 it never trades. A ladder or an overround never makes a bet, only unmakes one.

Leaves. At a bid of half a cent below pi; when the refreshed pi falls `cut_edge` below the market's
price; after half the time to the end, at most `max_hold_days`. Where the edge comes to `min_annual`
a year or more it is held to the end instead. Before the market's last day only if its rules blur.

Evidence. Favourites and longshots are mispriced on both large exchanges, but the sign differs by
category and time: too cautious in politics (a slope of 1.31 was reported), too bold in cheap
contracts elsewhere. Therefore nothing is assumed and everything is estimated.

How it loses. A cell fitted on few or special events; the winner's curse over thousands of markets;
money parked for months; one event's markets all wrong together.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from markets.core import venue
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.tick import Ints
from markets.core.types import ONE, Market
from markets.core.window import Floats
from strategies.core import beliefs, gates, pricing, timed
from strategies.core.beliefs import DAY_MS, Belief
from strategies.core.calibration import Calibration
from strategies.core.forecasts import Forecasts
from strategies.core.gates import Thresholds
from strategies.core.ports import Range
from strategies.core.types import (
    LEAVE_BOTH,
    LEAVE_NO,
    LEAVE_YES,
    Bet,
    Opinion,
    Plan,
    Silence,
    Worded,
    digest,
    silence_code,
)

TAKE_BELOW = 5_000
"""Micro-dollars below pi at which the gain is taken: the rest is not worth the wait."""


@dataclass(frozen=True, slots=True)
class Params:
    """What counts as wrong enough, and for how long to wait for it."""

    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a share")] = 0.020
    min_errors: Annotated[float, Range(0, 10, "standard errors")] = 2.0
    min_price: Annotated[float, Range(0.01, 0.99, "dollars")] = 0.10
    max_price: Annotated[float, Range(0.01, 0.99, "dollars")] = 0.95
    min_events: Annotated[float, Range(1, 1_000_000, "events")] = 200.0
    max_model_days: Annotated[float, Range(1, 3_650, "days")] = 30.0
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    risk_free: Annotated[float, Range(0, 1, "a year")] = 0.05
    min_annual: Annotated[float, Range(0, 100, "a year")] = 0.15
    max_hold_days: Annotated[float, Range(1, 365, "days")] = 30.0
    cut_edge: Annotated[float, Range(0, 1, "dollars a share")] = 0.010
    cooldown_minutes: Annotated[float, Range(0, 10_080, "minutes")] = 60.0
    jump_probability: Annotated[float, Range(0, 1, "chance in 6 hours")] = 0.01
    max_shares: Annotated[float, Range(5, 1_000_000, "shares")] = 5_000.0


def validate(params: Params) -> str | None:
    """Why these parameters make no rule together, or None."""
    if params.min_price >= params.max_price:
        return "min_price must be below max_price"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the rule believes of every market until the next bar closes."""

    belief: Belief
    silence: NDArray[np.int8]
    close: NDArray[np.int8]
    bets: tuple[tuple[int, Bet], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """One token as a purchase: dollars a share, but for `ask`, which is micro."""

    yes: bool
    ask: int
    low: float
    spent: float
    carry: float
    needed: float

    @property
    def gain(self) -> float:
        return self.low - self.spent * (1 + self.carry)


class ValueBet:
    """Buys what comes more often than its price says, by a calibration or by forecasts."""

    name = "value_bet_v1"
    version = "1"
    description = "Buys outcomes that win more often than their price says."

    def __init__(
        self,
        params: Params,
        *,
        calibration: Calibration = Calibration(),  # noqa: B008  frozen, and knows nothing
        forecasts: Forecasts = Forecasts(),  # noqa: B008
    ) -> None:
        self.params, self.calibration, self.forecasts = params, calibration, forecasts
        told = calibration.digest, forecasts.digest
        self.inputs = digest(*told) if any(told) else ""
        self.limits = Thresholds(
            band_low=ONE - round(max(params.max_price, 1 - params.min_price) * ONE),
            band_high=round(max(params.max_price, 1 - params.min_price) * ONE),
            volume_least=round(params.min_volume * ONE),
        )

    def evaluate(self, panel: Panel) -> Opinion:
        """The view of the last bar close, silenced where a gate is shut now."""
        view = panel.once((self.name, self.params, self.inputs), lambda: self._view(panel))
        at_once = np.zeros(len(view.silence), dtype=np.int64)
        shut = gates.silences(panel, self.limits, horizon=at_once)
        said = np.where(shut != 0, shut, view.silence)
        blurred = gates.rules(panel, self.limits, at_once)
        told = np.flatnonzero((said != 0) & (shut == 0))
        warming = np.flatnonzero(shut == silence_code(Silence.WARMUP))
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=tuple(
                replace(bet, at=panel.tick.at) for column, bet in view.bets if not shut[column]
            ),
            silence=said,
            fair=view.belief.fair,
            close=np.where(blurred, np.int8(LEAVE_BOTH), view.close),
            detail=Worded(
                frozenset((*told.tolist(), *warming.tolist())),
                lambda column: (
                    gates.warming(panel, self.limits, column)
                    if shut[column]
                    else self._explain(panel, view, column)
                ),
            ),
            inputs=self.inputs,
        )

    def _view(self, panel: Panel) -> View:
        """Everything that can change only when a bar closes or the universe does."""
        belief = beliefs.believe(
            panel,
            self.calibration,
            self.forecasts,
            min_events=self.params.min_events,
            usable=not self._unusable(panel.features.at),
        )
        codes = silence_code(Silence.EDGE), silence_code(Silence.NO_MODEL)
        silence = np.where(belief.known, *codes).astype(np.int8)
        bets = []
        for column in self._promising(panel, belief).tolist():
            answer = self._judge(panel, belief, column)
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
        return View(belief, silence, self._close(panel, belief), tuple(bets))

    def _close(self, panel: Panel, belief: Belief) -> NDArray[np.int8]:
        """Which holders leave: their token trades above what it is worth now."""
        behind, cut = belief.fair - panel.features.micro, round(self.params.cut_edge * ONE)
        told: NDArray[np.int8] = np.zeros(len(behind), dtype=np.int8)
        told += np.int8(LEAVE_YES) * (belief.known & (behind < -cut))
        told += np.int8(LEAVE_NO) * (belief.known & (behind > cut))
        return told

    def _unusable(self, at: int) -> str:
        """Why the calibration cannot be used at an instant, or ""."""
        if not self.calibration.cells:
            return "no calibration was fitted yet"
        age, most = (at - self.calibration.fitted_at) / DAY_MS, self.params.max_model_days
        if age < 0:
            return "the calibration was fitted later than this tick"
        return f"calibration of {age:.0f} days ago / at most {most:.0f}" if age > most else ""

    def _promising(self, panel: Panel, belief: Belief) -> Ints:
        """Columns in which either token is cheap enough before fees and carry."""
        gross = np.maximum(*_gross(panel, belief, slice(None)))
        needed = np.maximum(self.params.min_edge, self.params.min_errors * belief.error)
        if not self.params.min_errors:
            needed = np.full(len(gross), self.params.min_edge)
        return np.flatnonzero(belief.known & (gross >= needed))

    def _judge(self, panel: Panel, belief: Belief, column: int) -> Bet | str:
        """The Bet on the better token, or why there is none."""
        market, params = panel.tick.universe.markets[column], self.params
        yes_gain, no_gain = _gross(panel, belief, column)
        if market.terms.fee is None:
            return "the fee schedule is unknown"
        if round(params.max_shares * ONE) < market.terms.min_size:
            return f"the smallest order is {market.terms.min_size / ONE:.0f} shares"
        if yes_gain == no_gain:
            return "neither token is cheaper than the other"
        offer = self._offer(panel, belief, column, yes=bool(yes_gain > no_gain))
        lowest, highest = params.min_price, params.max_price
        if not round(lowest * ONE) <= offer.ask <= round(highest * ONE):
            return f"ask {offer.ask / ONE:.3f} / from {lowest:.2f} to {highest:.2f}"
        budget = (offer.low - offer.needed) / (1 + offer.carry)
        dear = offer.spent > budget
        limit = None if dear else pricing.highest(budget, market.terms.fee, market.terms.tick_size)
        if limit is None or offer.ask > limit:
            return f"edge {offer.gain:+.4f} a share after costs / needs {offer.needed:.4f}"
        top = venue.floor_price(round(highest * ONE), market.terms.tick_size)
        return self._bet(panel, belief, column, offer, min(limit, top))

    def _offer(self, panel: Panel, belief: Belief, column: int, *, yes: bool) -> Offer:
        """One token's price, cautious worth, carry and hurdle."""
        fee, params = panel.tick.universe.markets[column].terms.fee, self.params
        assert fee is not None
        _, ask = timed.touch(panel, column, yes=yes)
        doubt = params.min_errors * float(belief.error[column])
        return Offer(
            yes=yes,
            ask=ask,
            low=float((belief.low_yes if yes else belief.low_no)[column]),
            spent=ask / ONE + pricing.charge(ask / ONE, fee),
            carry=params.risk_free * _left(panel, column) / DAY_MS / 365,
            needed=max(params.min_edge, doubt) if params.min_errors else params.min_edge,
        )

    def _bet(self, panel: Panel, belief: Belief, column: int, offer: Offer, limit: int) -> Bet:
        market = panel.tick.universe.markets[column]
        token = market.yes if offer.yes else market.no
        yes_fair = int(belief.fair[column])
        fair = yes_fair if offer.yes else ONE - yes_fair
        plan = self._plan(market, fair, offer, _left(panel, column))
        bars, jump = plan.max_hold_ms / BAR_MS, self.params.jump_probability
        return Bet(
            strategy=self.name,
            version=self.version,
            at=panel.tick.at,
            market=market.id,
            token=token.id,
            outcome=token.outcome,
            fair=fair,
            limit=limit,
            edge=int(offer.gain * ONE),
            size=venue.floor_size(round(self.params.max_shares * ONE)),
            variance=0.0 if plan.hold_to_resolution else timed.variance(panel, column, bars, jump),
            plan=plan,
            why=f"worth {fair / ONE:.4f}, at least {offer.low:.4f} / costs {offer.spent:.4f}",
        )

    def _plan(self, market: Market, fair: int, offer: Offer, left: int) -> Plan:
        """Take the gain at pi; else half the time; or to the end where that pays well a year."""
        take = -(-(fair - TAKE_BELOW) // market.terms.tick_size) * market.terms.tick_size
        annual = (offer.low - offer.spent) / offer.spent * 365 * DAY_MS / max(left, 1)
        return Plan(
            max_hold_ms=min(left // 2, round(self.params.max_hold_days * DAY_MS)),
            cooldown_ms=round(self.params.cooldown_minutes * 60_000),
            hold_to_resolution=annual >= self.params.min_annual,
            take_profit=take if 0 < take < ONE else 0,
        )

    def _explain(self, panel: Panel, view: View, column: int) -> str:
        """What keeps a market from a signal, for people."""
        if view.belief.known[column]:
            answer = self._judge(panel, view.belief, column)
            return answer if isinstance(answer, str) else ""
        unusable, rests = self._unusable(panel.features.at), int(view.belief.events[column])
        if unusable:
            return unusable
        return f"its cell rests on {rests} / needs {self.params.min_events:.0f} events"


def _gross(panel: Panel, belief: Belief, at: int | slice) -> tuple[Floats, Floats]:
    """What YES and NO are cautiously worth beyond their asks, before fee and carry, dollars."""
    ask, bid = panel.features.ask[at], panel.features.bid[at]
    return belief.low_yes[at] - ask / ONE, belief.low_no[at] - (ONE - bid) / ONE


def _left(panel: Panel, column: int) -> int:
    """Milliseconds from the last bar to the scheduled end."""
    return max(0, int(panel.tick.universe.end_at[column]) - panel.features.at)
