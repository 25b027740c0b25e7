"""Time: hours of the week at which prices drift, and deadlines whose prices contradict each other.

Idea. Two things may hang on time alone. (a) At some hours of the week prices of a category might
drift; at others trading is cheap. (b) "By March" implies "by June": when the first costs more than
the second, buying the second and selling the first cannot lose. The mere passing of time is not
traded: a fair price has it in already.

Formula. (a) From resolved and running markets, the mean logit return of each hour of the week and
category, shrunk, is told to the rule. From the next full hour on, means of consecutive hours that
stand and point the same way are added up, at most `hold_hours`; the logit x of the microprice then
is expected at x + sum, and the token is bought when that, sold at the bid after its fee, beats the
ask with its fee by `min_edge`. (b) Edge of a pair = 1 - ask(YES later) - ask(NO earlier) - fees -
carry until the later deadline, walked through both books while it is at least `min_pair_edge`.

Silent. (a) All gates; NO_MODEL without seasons, with seasons older than `max_model_days` or newer
than the tick; NO_SIGNAL where no hour that stands begins within 15 minutes, or the clocks change
today; EDGE where costs eat the drift. An hour stands with `min_days`, `min_events`, `min_weeks`,
the same sign in both halves, and after controlling false discoveries over all cells. (b) STALE,
INCOHERENT, EXPIRY, FEE, RULES, VENUE on either leg; seen on one tick only.

Leaves. (a) When the last of those hours is over. (b) At the outcome: one leg pays a dollar.

Evidence. (a) None: no study finds hours at which prices of prediction markets drift. What is
useful is the schedule of cheap hours, which each silence tells. (b) Studies of recorded books find
such pairs seldom and small.

How it loses. (a) 168 hours times ten categories: some look special by chance. One election night
makes an hour. (b) Questions that do not quite imply each other, such as two sources or two zones;
one leg that fills alone; a leg that is settled at one half.
"""

from dataclasses import dataclass, replace
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from markets.core.panel import Panel
from markets.core.tick import Flags, Ints
from markets.core.types import ONE
from markets.core.window import HOUR, Floats
from strategies.core import gates, implications, ladders, pricing, seasons, timed
from strategies.core.beliefs import DAY_MS
from strategies.core.gates import HOUR_MS, Thresholds
from strategies.core.grouping import groups
from strategies.core.implications import Terms
from strategies.core.ports import Range
from strategies.core.seasons import Season, Seasons
from strategies.core.types import (
    LEAVE_BOTH,
    Basket,
    Bet,
    Opinion,
    Plan,
    Silence,
    Worded,
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
"""Gates that do not keep a pair of deadlines out: it needs no statistics and no way back."""

AHEAD_MS = HOUR_MS // 4
"""How long before its first hour a drift is bought."""


@dataclass(frozen=True, slots=True)
class Params:
    """What counts as an hour that drifts, and as a pair worth buying."""

    min_edge: Annotated[float, Range(-0.2, 0.5, "dollars a share")] = 0.010
    hold_hours: Annotated[float, Range(1, 6, "hours")] = 6.0
    min_days: Annotated[float, Range(1, 3_650, "days")] = 60.0
    min_events: Annotated[float, Range(1, 100_000, "events")] = 30.0
    min_weeks: Annotated[float, Range(1, 520, "weeks")] = 8.0
    max_false_discoveries: Annotated[float, Range(0.001, 1, "share")] = 0.05
    max_model_days: Annotated[float, Range(1, 3_650, "days")] = 30.0
    min_volume: Annotated[float, Range(0, 1e9, "dollars in 24 hours")] = 1_000.0
    min_pair_edge: Annotated[float, Range(-0.2, 0.5, "dollars a pair")] = 0.010
    min_profit: Annotated[float, Range(-1_000_000, 1_000, "dollars")] = 0.25
    max_pairs: Annotated[float, Range(5, 100_000, "pairs")] = 500.0
    risk_free: Annotated[float, Range(0, 1, "a year")] = 0.05
    cooldown_minutes: Annotated[float, Range(0, 10_080, "minutes")] = 60.0
    jump_probability: Annotated[float, Range(0, 1, "chance in 6 hours")] = 0.01
    max_shares: Annotated[float, Range(5, 1_000_000, "shares")] = 5_000.0


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What hours of the week say until the next bar closes."""

    drift: Floats
    unusable: str
    silence: NDArray[np.int8]
    fair: Ints
    bets: tuple[tuple[int, Bet], ...]


class TimeArb:
    """Buys what its hour lifts, and pairs of deadlines that contradict each other."""

    name = "time_arb_v1"
    version = "1"
    description = "Trades hours of the week and deadlines at which prices drift."

    def __init__(self, params: Params, *, seasons: Seasons = Seasons()) -> None:  # noqa: B008
        self.params, self.seasons, self.inputs = params, seasons, seasons.digest
        self.zone = ZoneInfo(seasons.zone)
        self.limits = Thresholds(volume_least=round(params.min_volume * ONE))
        self.hours: dict[tuple[str, int], Season] = {
            (cell.category, cell.hour): cell
            for cell in seasons.standing(
                rate=params.max_false_discoveries,
                min_days=params.min_days,
                min_events=params.min_events,
                min_weeks=params.min_weeks,
            )
        }

    def evaluate(self, panel: Panel) -> Opinion:
        """Drifts at the last bar close, silenced where a gate is shut now, and pairs of now."""
        view = panel.once((self.name, self.params, self.inputs), lambda: self._view(panel))
        n = len(view.silence)
        horizon = np.full(n, round(self.params.hold_hours * HOUR_MS))
        shut = gates.silences(panel, self.limits, horizon=horizon)
        said = np.where(shut != 0, shut, view.silence)
        baskets, waiting = self._pairs(panel)
        legs = {leg.market for basket in baskets for leg in basket.legs}
        for market in legs:
            said[panel.tick.universe.column[market]] = 0
        warming = shut == silence_code(Silence.WARMUP)
        told = np.flatnonzero((said != 0) & (warming | (shut == 0)))
        blurred = gates.rules(panel, self.limits, horizon) & ~_laddered(panel)
        drifting = (
            replace(bet, at=panel.tick.at)
            for column, bet in view.bets
            if not shut[column] and bet.market not in legs
        )
        return Opinion(
            strategy=self.name,
            version=self.version,
            signals=(*drifting, *baskets),
            silence=said,
            fair=view.fair,
            close=np.where(blurred, np.int8(LEAVE_BOTH), np.int8(0)),
            detail=Worded(
                frozenset((*told.tolist(), *(column for column in waiting if said[column]))),
                lambda column: self._explain(panel, view, column, waiting, warming),
            ),
            inputs=self.inputs,
        )

    def _view(self, panel: Panel) -> View:
        """Everything of the hours that can change only when a bar closes."""
        shown, unusable = panel.features, self._unusable(panel.features.at)
        drift, hold = np.zeros(len(shown.x)), np.zeros_like(shown.bid)
        if not unusable:
            drift, hold = self._drift(panel)
        moving = shown.valid & (drift != 0)
        waits = Silence.NO_MODEL if unusable else Silence.NO_SIGNAL
        codes = silence_code(Silence.EDGE), silence_code(waits)
        silence, bets = np.where(moving, *codes).astype(np.int8), []
        later = shown.x + drift
        gains = np.maximum(*timed.gains(panel, later, -later))
        for column in np.flatnonzero(moving & (gains >= self.params.min_edge)).tolist():
            answer = self._judge(panel, column, float(drift[column]), int(hold[column]))
            if isinstance(answer, Bet):
                silence[column] = 0
                bets.append((column, answer))
        fair = np.where(moving, pricing.prices(later), 0)
        return View(drift, unusable, silence, fair, tuple(bets))

    def _unusable(self, at: int) -> str:
        """Why no season counts at an instant, or ""."""
        if not self.seasons.cells:
            return "no seasons were fitted yet"
        age, most = (at - self.seasons.fitted_at) / DAY_MS, self.params.max_model_days
        if age < 0:
            return "the seasons were fitted later than this tick"
        return f"seasons of {age:.0f} days ago / at most {most:.0f}" if age > most else ""

    def _drift(self, panel: Panel) -> tuple[Floats, Ints]:
        """The logit move each market's coming hours bring, and how long they take in ms."""
        found, at = groups(panel.tick.universe), panel.features.at
        runs = [self._run(name, at) for name in found.categories]
        drift = np.array([run for run, _ in runs], dtype=np.float64)
        hold = np.array([until - at if until else 0 for _, until in runs], dtype=np.int64)
        return drift[found.category], hold[found.category]

    def _run(self, category: str, at: int) -> tuple[float, int]:
        """What consecutive hours that stand add up to from the next full one on, and their end."""
        start = -(-at // HOUR_MS) * HOUR_MS
        total, until = 0.0, 0
        if start - at > AHEAD_MS or seasons.switches(at, self.zone):
            return total, until
        for number in range(int(self.params.hold_hours)):
            begins = start + number * HOUR_MS
            cell = self.hours.get((category, seasons.hour_of_week(begins, self.zone)))
            if cell is None or cell.mean * total < 0 or seasons.switches(begins, self.zone):
                break
            total, until = total + cell.mean, begins + HOUR_MS
        return total, until

    def _judge(self, panel: Panel, column: int, drift: float, hold: int) -> Bet | str:
        """The Bet on the coming hours, or why costs eat them."""
        x, jump = float(panel.features.x[column]), self.params.jump_probability
        aim = timed.Aim(
            yes=drift > 0,
            chance=pricing.probability(x + drift if drift > 0 else -x - drift),
            least=self.params.min_edge,
            size=round(self.params.max_shares * ONE),
            variance=timed.variance(panel, column, hold / HOUR_MS * HOUR, jump),
            plan=Plan(max_hold_ms=hold, cooldown_ms=round(self.params.cooldown_minutes * 60_000)),
            why=f"the coming hours brought {drift:+.4f} in logits on average",
        )
        return timed.bet(self, panel, column, aim)

    def _pairs(self, panel: Panel) -> tuple[tuple[Basket, ...], dict[int, str]]:
        """Pairs of deadlines to buy now, and by column why a promising one is not bought."""
        terms = Terms(
            min_edge=round(self.params.min_pair_edge * ONE),
            min_profit=round(self.params.min_profit * ONE),
            most=round(self.params.max_pairs * ONE),
            risk_free=self.params.risk_free,
        )
        candidates = implications.candidates(panel.tick, terms.min_edge)
        if not candidates:
            return (), {}
        at_once = np.zeros(len(panel.tick.universe), dtype=np.int64)
        shut = gates.silences(panel, self.limits, horizon=at_once, exempt=EXEMPT)
        return implications.baskets(self, panel, candidates, terms, shut == 0)

    def _explain(
        self, panel: Panel, view: View, column: int, waiting: dict[int, str], warming: Flags
    ) -> str:
        """What keeps a market from a signal, for people."""
        if column in waiting:
            return waiting[column]
        if warming[column]:
            return gates.warming(panel, self.limits, column)
        if view.drift[column]:
            hold = int(self._drift(panel)[1][column])
            answer = self._judge(panel, column, float(view.drift[column]), hold)
            told = answer if isinstance(answer, str) else ""
        else:
            told = view.unusable or "no hour that stands begins within 15 minutes"
        words = panel.once((self.name, "ladders"), lambda: _ladder_words(panel))
        return f"{told}; {self._cheap(panel)}{words.get(column, '')}"

    def _cheap(self, panel: Panel) -> str:
        """The execution schedule in a sentence."""
        key = (self.name, "schedule", self.zone.key)
        found = panel.once_an_hour(key, lambda: seasons.schedule(panel, self.zone))
        best = ", ".join(
            f"{seasons.named(hour)} {found.width[hour] / ONE:.4f}" for hour in found.cheapest()
        )
        shown = panel.features
        width = (shown.ask - shown.bid)[shown.valid]
        now = f"{float(width.mean()) / ONE:.4f}" if len(width) else "unknown"
        return f"mean spread now {now}, cheapest hours {best or 'unknown'}"


def _laddered(panel: Panel) -> Flags:
    """Markets that are part of a ladder: their holders wait for the outcome."""
    found = ladders.pairs(panel.tick.universe)
    part = np.zeros(len(panel.tick.universe), dtype=np.bool_)
    part[found.early] = part[found.late] = True
    return part


def _ladder_words(panel: Panel) -> dict[int, str]:
    """By column, what the forward hazards of its ladder are and which of them is odd."""
    told = {}
    for ladder in ladders.ladders(panel.tick.universe):
        forward = ladders.forward_hazards(panel, ladder)
        shown = ", ".join(f"{hazard:.4f}" for hazard in forward)
        words = f"; deadlines of {ladder.stem!r}: hazards a day {shown}" if forward else ""
        odd = set(ladders.odd_stretches(forward))
        for place, rung in enumerate(ladder.rungs):
            strange = (
                ", the one up to here over 3 times its neighbours'" if place - 1 in odd else ""
            )
            told[rung.column] = words + strange
    return told
