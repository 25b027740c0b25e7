"""The panel: what a strategy sees. The newest ticks, seven days of bars, and their statistics."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from markets.core import features
from markets.core.bars import BAR_MS, OpenBar, SealedBar, number
from markets.core.tick import Flags, Ints, Tick
from markets.core.types import PastBar
from markets.core.window import DAY, HOUR, REACH, WEEK, Floats, Window

Value = TypeVar("Value")

FRESH = 3
"""Bars (15 minutes) across which a market's last value still counts as its present one."""

LONG = WEEK - HOUR
"""Bars under the hourly statistics: an hour short of the window, so that figures refit on the hour
can be recomputed from the window at any bar of that hour."""

GAPS = LONG - REACH - HOUR
"""Bars for which the gap to the lagged average is known in full, whatever was before the window."""


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """Micro-dollars resting within a cent of each touch, for each token."""

    bid: Ints
    ask: Ints
    no_bid: Ints
    no_ask: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Hourly:
    """Statistics refit at the first bar close of a UTC hour, from bars closed by `at` (ms UTC).

    `spread` is the robust standard deviation of the logit's gap to its lagged average over 24
    hours, `step` the root mean square change of one bar over 24 hours, `pull` the share of the gap
    that a bar closes and `pull_t` its t-statistic, `ratio` the variance ratio and `ratio_z` its
    z-score. Each `_bars` counts the bars a figure rests on. All in logits, all 0 (the ratio 1)
    where nothing is known.
    """

    at: int
    spread: Floats
    spread_bars: Ints
    step: Floats
    pull: Floats
    pull_t: Floats
    pull_bars: Ints
    ratio: Floats
    ratio_z: Floats
    ratio_bars: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Figures of each market at the newest bar close `at` (ms UTC), one entry a column.

    `bid`, `ask`, `micro` (micro-dollars), `x` (logit of micro) and `mean` (its average of half-life
    six hours, lagged one bar) are those of the last bar observed, where `valid`: it is at most 15
    minutes old. `bars`, `gaps`, `changes`, `quiet` count known bars, missing ones since the first,
    mid changes and unchanged bars of the last 24 hours, `imported` those of the bars that came out
    of the price history: they have a price but no quotes, so they never count as observed. `jumps`
    are the sizes of the 15-minute moves that ended at each bar of the last hour, newest last, in
    their standard deviations, `jump` the largest of them.
    """

    at: int
    bid: Ints
    ask: Ints
    micro: Ints
    x: Floats
    mean: Floats
    valid: Flags
    bars: Ints
    imported: Ints
    gaps: Ints
    changes: Ints
    quiet: Ints
    jump: Floats
    jumps: Floats
    hourly: Hourly


class Panel:
    """The rolling view that strategies read; it moves only by `advance`.

    Columns are those of the newest tick's universe. Markets may enter and leave; one that comes
    back finds its bars again. Everything shown is a function of the last seven days of sealed bars,
    of the past bars learnt so far and of the ticks since the open bar began, so that `rebuild`
    equals the panel kept warm.
    """

    tick: Tick
    previous: Tick | None
    features: Features
    depth: Depths

    def __init__(self) -> None:
        self.previous = None
        self.window = Window()
        self._open = OpenBar()
        self._started = self._computed = False
        self._fitted: tuple[tuple[str, ...], Hourly] | None = None
        self._memo: dict[Hashable, object] = {}
        self._hour_memo: dict[Hashable, object] = {}
        self._tick_memo: dict[Hashable, object] = {}
        self._memo_tick: Tick | None = None

    @classmethod
    def rebuild(
        cls, bars: Iterable[SealedBar], ticks: Sequence[Tick], past: Iterable[PastBar] = ()
    ) -> "Panel":
        """The panel as it stood after the last of `ticks`.

        `bars` are those of the last seven days, oldest first, at least up to that tick's open bar
        (later ones are left out); `ticks` those since the open bar began, at least the last two;
        `past` what the ticks so far have brought of those seven days, grouped by market.
        """
        panel = cls()
        open_number = number(ticks[-1].at) if ticks else None
        last = None
        for bar in bars:
            if open_number is None or bar.number < open_number:
                panel.window.put(bar)
                last = bar
        panel._open = OpenBar.after(last)
        if open_number is not None:
            if open_number - 1 > panel.window.end:
                panel.window.roll(open_number - 1)
            panel.window.learn(past)
        for tick in ticks:
            if number(tick.at) == open_number:
                panel.advance(tick)
            else:
                panel._note(tick)
        return panel

    @property
    def started(self) -> bool:
        """Whether a tick has been taken; before that there is nothing to evaluate."""
        return self._started

    def advance(self, tick: Tick) -> None:
        """Take the next tick; figures of bars are computed only when one closed or was learnt."""
        before = self.tick if self._computed else None
        moved = self._take(tick)
        same = before is not None and _same_markets(before, tick)
        self._weigh(tick, before if same else None)
        if moved or not same:
            self._memo.clear()
            self.features = self._features()
            self._computed = True
        elif before is not None and before.universe is not tick.universe:
            self._memo.clear()

    def skip(self, tick: Tick) -> None:
        """Take the next tick where nobody asks for its figures: `advance` computes them again."""
        self._take(tick)
        self._computed = False

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` returns, computed once until a bar closes or the universe changes.

        For figures that depend on bars and terms alone; `key` names the rule and its parameters.
        """
        if key not in self._memo:
            self._memo[key] = make()
        return cast(Value, self._memo[key])

    def once_a_tick(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` returns, computed once for the newest tick: what several rules ask alike."""
        if self._memo_tick is not self.tick:
            self._tick_memo, self._memo_tick = {}, self.tick
        if key not in self._tick_memo:
            self._tick_memo[key] = make()
        return cast(Value, self._tick_memo[key])

    def _take(self, tick: Tick) -> bool:
        """Let a tick into bars and window; whether a bar closed or was learnt."""
        closed = self._open.add(tick)
        if closed is not None:
            self.window.put(closed)
        newest = number(tick.at) - 1
        moved = newest > self.window.end
        if moved:
            self.window.roll(newest)
        learnt = bool(tick.past) and self.window.learn(tick.past)
        if learnt:
            self._fitted = None
        self._note(tick)
        return closed is not None or moved or learnt

    def once_an_hour(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` returns, computed once until the hourly statistics are refit.

        For slow figures of the window as it stood `fitted_ago` bars ago; `key` names the rule, its
        parameters and whatever else but bars it depends on.
        """
        if key not in self._hour_memo:
            self._hour_memo[key] = make()
        return cast(Value, self._hour_memo[key])

    @property
    def fitted_ago(self) -> int:
        """Bars between the close that the hourly statistics end at and the newest one."""
        return self.window.end - self.features.hourly.at // BAR_MS + 1

    def _note(self, tick: Tick) -> None:
        if self._started:
            self.previous = self.tick
        self.tick, self._started = tick, True

    def _weigh(self, tick: Tick, before: Tick | None) -> None:
        """Depth near the touch; books that did not change are not read again."""
        if before is None:
            self.depth = Depths(*features.near_depths(list(tick.depth)))
            return
        pairs = enumerate(zip(tick.depth, before.depth, strict=True))
        changed = [column for column, (new, old) in pairs if new is not old and new != old]
        if changed:
            found = features.near_depths([tick.depth[column] for column in changed])
            kept = [self.depth.bid, self.depth.ask, self.depth.no_bid, self.depth.no_ask]
            kept = [column.copy() for column in kept]
            for column, values in zip(kept, found, strict=True):
                column[changed] = values
            self.depth = Depths(*kept)

    def _features(self) -> Features:
        window = self.window
        rows = window.rows(self.tick.universe)
        valid = window.valid(rows, DAY)
        bars = valid.sum(axis=1)
        span = np.where(bars > 0, DAY - valid.argmax(axis=1), 0)
        changes = window.ints("changes", rows, DAY)
        hourly = self._hourly(rows)
        seen = window.seen(rows, DAY)
        newest, last = _newest(seen[:, -FRESH:])
        means, has_mean = window.mean(rows, FRESH)
        line = np.arange(len(rows))
        jumps = self._jumps(rows, hourly)

        def latest(name: str) -> Ints:
            return np.where(newest, window.ints(name, rows, FRESH)[line, last], 0)

        return Features(
            at=window.at,
            bid=latest("bid"),
            ask=latest("ask"),
            micro=latest("micro"),
            x=np.where(newest, window.x(rows, FRESH)[line, last], 0.0),
            mean=means[line, last] * newest,
            valid=newest & has_mean[line, last],
            bars=bars,
            imported=bars - seen.sum(axis=1),
            gaps=span - bars,
            changes=changes.sum(axis=1),
            quiet=(valid & (changes == 0)).sum(axis=1),
            jump=jumps.max(axis=1),
            jumps=jumps,
            hourly=hourly,
        )

    def _hourly(self, rows: Ints) -> Hourly:
        """The statistics of this hour, computed anew only when the hour or the markets changed."""
        window = self.window
        hour_bar = (window.end + 1) // HOUR * HOUR - 1
        at, ago = (hour_bar + 1) * BAR_MS, window.end - hour_bar
        ids = tuple(market.id for market in self.tick.universe.markets)
        if self._fitted is not None and self._fitted[0] == ids and self._fitted[1].at == at:
            return self._fitted[1]
        x, valid = window.x(rows, LONG, ago), window.valid(rows, LONG, ago)
        mean, has_mean = window.mean(rows, GAPS, ago)
        gap = x[:, -GAPS:] - mean
        known_gap = has_mean & valid[:, -GAPS:]
        rate, rate_t, rate_bars = features.pull(x[:, -GAPS:], valid[:, -GAPS:], gap, known_gap)
        ratio, z, ratio_bars = features.variance_ratio(x, valid)
        fitted = Hourly(
            at=at,
            spread=features.robust_spread(gap[:, -DAY:], known_gap[:, -DAY:]),
            spread_bars=known_gap[:, -DAY:].sum(axis=1),
            step=features.step_size(x[:, -DAY:], valid[:, -DAY:]),
            pull=rate,
            pull_t=rate_t,
            pull_bars=rate_bars,
            ratio=ratio,
            ratio_z=z,
            ratio_bars=ratio_bars,
        )
        self._fitted = ids, fitted
        self._hour_memo.clear()
        return fitted

    def _jumps(self, rows: Ints, hourly: Hourly) -> Floats:
        x, valid = self.window.x(rows, HOUR + FRESH), self.window.valid(rows, HOUR + FRESH)
        move, _ = features.steps(x, valid, FRESH)
        scale = (hourly.step * np.sqrt(FRESH))[:, None]
        return np.where(scale > 0, np.abs(move) / np.where(scale > 0, scale, 1.0), 0.0)


def _newest(valid: Flags) -> tuple[Flags, Ints]:
    """Whether any of a row's bars is valid, and which is the last that is."""
    seen: Flags = np.any(valid, axis=1)
    return seen, valid.shape[1] - 1 - valid[:, ::-1].argmax(axis=1)


def _same_markets(before: Tick, after: Tick) -> bool:
    """Whether both ticks have the same markets in the same columns."""
    old, new = before.universe, after.universe
    if old is new:
        return True
    return len(old) == len(new) and all(
        a.id == b.id for a, b in zip(old.markets, new.markets, strict=True)
    )
