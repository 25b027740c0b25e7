"""The last seven days of bars: one row a market, one column a bar, gaps left as gaps."""

from collections.abc import Iterable
from itertools import groupby
from math import log
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from markets.core.bars import BAR_MS, SealedBar
from markets.core.past import moves
from markets.core.tick import Flags, Ints, Universe
from markets.core.types import ONE, PastBar

Floats = NDArray[np.float64]
Kind = TypeVar("Kind", bound=np.generic)

WEEK = 2_016
"""Bars kept: seven days."""

HOUR, DAY = 12, 288
"""Bars in an hour and in a day."""

REACH = 2 * DAY
"""Bars that the lagged average looks back: eight half-lives, 0.4 % of the weight left out."""

HALF_LIFE = 6 * HOUR
"""Half-life of the lagged average, in bars."""

WEIGHTS: Floats = 0.5 ** (np.arange(REACH, 0, -1) / HALF_LIFE)
"""Weight of each bar of the reach, oldest first; the newest is the bar before."""

ENOUGH = 0.5 * float(WEIGHTS.sum())
"""Weight of valid bars from which the lagged average is defined: six unbroken hours."""

SLACK = DAY
"""Spare columns, so that the window is moved back to the front once a day and not at each bar."""


class Window:
    """Bars as integer columns with the logit and its lagged average beside them, by market.

    The average of a bar is a sum over the fixed reach before it, never an updated one, and each
    row is summed alone: a window filled bar by bar and one filled from rows are equal bit for bit.
    Markets keep their row while any bar of theirs is inside the window. A bar was `seen` when we
    observed its quotes; the other valid ones came out of the exchange's price history.
    """

    def __init__(self) -> None:
        self.end = -1
        self._rows: dict[str, int] = {}
        self._asked: tuple[Universe, Ints] | None = None
        self._free: list[int] = []
        self._stop = WEEK
        blank = (0, WEEK + SLACK)
        self._ints: dict[str, NDArray[np.int32]] = {
            name: np.zeros(blank, dtype=np.int32) for name in ("bid", "ask", "micro", "changes")
        }
        self._x: Floats = np.zeros(blank)
        self._mean: Floats = np.zeros(blank)
        self._valid: Flags = np.zeros(blank, dtype=np.bool_)
        self._seen: Flags = np.zeros(blank, dtype=np.bool_)
        self._has_mean: Flags = np.zeros(blank, dtype=np.bool_)

    @property
    def at(self) -> int:
        """Close of the newest bar, ms UTC."""
        return (self.end + 1) * BAR_MS

    def rows(self, universe: Universe) -> Ints:
        """Each market's row, an empty one if it was never seen; true until the next bar."""
        if self._asked is None or self._asked[0] is not universe:
            self._admit([m.id for m in universe.markets if m.id not in self._rows])
            found = np.array([self._rows[m.id] for m in universe.markets], dtype=np.int64)
            found.flags.writeable = False
            self._asked = universe, found
        return self._asked[1]

    def put(self, bar: SealedBar) -> None:
        """Store a bar, newer than every bar before it, as the newest one."""
        if bar.number <= self.end:
            raise ValueError(f"bar {bar.at} is not newer than the window, which ends at {self.at}")
        self.roll(bar.number)
        kept = bar.valid
        rows, at = self.rows(bar.universe)[kept], self._stop - 1
        for name, column in self._ints.items():
            column[rows, at] = getattr(bar, name)[kept]
        self._x[rows, at] = [_logit(price) for price in bar.micro[kept].tolist()]
        self._valid[rows, at] = self._seen[rows, at] = True
        reach = slice(at - REACH, at)
        means = _averages(self._valid[rows, reach], self._x[rows, reach])
        self._mean[rows, at], self._has_mean[rows, at] = means

    def learn(self, past: Iterable[PastBar]) -> bool:
        """Fill gaps with imported bars, grouped by market; whether any was taken.

        Only inside the window and where nothing is known yet: what was seen is never overwritten,
        and a bar that has not closed is refused. The order in which bars are learnt leaves no
        trace.
        """
        taken = False
        for market, bars in groupby(past, key=attrgetter("market")):
            prices = self._inside(bars)
            if prices:
                taken |= self._fill(self._row(market), prices)
        return taken

    def roll(self, end: int) -> None:
        """Make `end` the newest bar; bars in between are gaps."""
        if self.end < 0 or end - self.end >= WEEK:
            self._forget()
            self.end = end
        step = end - self.end
        if self._stop + step > WEEK + SLACK:
            self._rewind(step)
        for column in self._columns():
            column[:, self._stop : self._stop + step] = 0
        self._stop += step
        self.end = end

    def _inside(self, bars: Iterable[PastBar]) -> dict[int, int]:
        """Column -> price of the bars that the window covers; the first of two counts."""
        first = self._stop - WEEK
        found: dict[int, int] = {}
        for bar in bars:
            column = self._stop - 1 - (self.end - (bar.at // BAR_MS - 1))
            if first <= column < self._stop and 0 < bar.price < ONE:
                found.setdefault(column, bar.price)
        return found

    def _fill(self, row: int, prices: dict[int, int]) -> bool:
        at = np.array(sorted(prices), dtype=np.int64)
        at = at[~self._valid[row, at]]
        if not len(at):
            return False
        price = [prices[column] for column in at.tolist()]
        for name in ("bid", "ask", "micro"):
            self._ints[name][row, at] = price
        self._x[row, at] = [_logit(each) for each in price]
        self._valid[row, at] = True
        self._recount(row)
        self._reweigh(row, at[0], at[-1] + REACH)
        return True

    def _recount(self, row: int) -> None:
        """Changes of imported bars: 1 where the price differs from that of one just before."""
        span = slice(self._stop - WEEK, self._stop)
        imported = self._valid[row, span] & ~self._seen[row, span]
        changes = self._ints["changes"][row, span]
        np.copyto(changes, moves(self._ints["micro"][row, span], imported), where=imported)

    def _reweigh(self, row: int, first: int, last: int) -> None:
        """The averages of a row's bars from `first` to `last`, as far as their reach is inside.

        The averages of older bars are not shown to anybody (see GAPS in the panel).
        """
        first = max(first, self._stop - WEEK + REACH)
        at = first + np.flatnonzero(self._valid[row, first : min(last + 1, self._stop)])
        if len(at):
            valid = sliding_window_view(self._valid[row], REACH)[at - REACH]
            means = _averages(valid, sliding_window_view(self._x[row], REACH)[at - REACH])
            self._mean[row, at], self._has_mean[row, at] = means

    def ints(self, name: str, rows: Ints, bars: int, ago: int = 0) -> Ints:
        """One integer series (bid, ask, micro, changes), newest last, `ago` bars before the end."""
        return self._ints[name][rows, self._span(bars, ago)].astype(np.int64)

    def valid(self, rows: Ints, bars: int, ago: int = 0) -> Flags:
        """Where a bar is known, observed or imported."""
        return self._valid[rows, self._span(bars, ago)]

    def seen(self, rows: Ints, bars: int, ago: int = 0) -> Flags:
        """Where a bar's quotes were observed, and not imported."""
        return self._seen[rows, self._span(bars, ago)]

    def x(self, rows: Ints, bars: int, ago: int = 0) -> Floats:
        """Logit of the microprice, 0 in gaps."""
        return self._x[rows, self._span(bars, ago)]

    def mean(self, rows: Ints, bars: int, ago: int = 0) -> tuple[Floats, Flags]:
        """The lagged average of the logit at each bar, and where it is defined."""
        span = self._span(bars, ago)
        return self._mean[rows, span], self._has_mean[rows, span]

    def _span(self, bars: int, ago: int) -> slice:
        stop = self._stop - ago
        return slice(stop - bars, stop)

    def _columns(self) -> tuple[NDArray[Any], ...]:
        flags = (self._valid, self._seen, self._has_mean)
        return (*self._ints.values(), self._x, self._mean, *flags)

    def _forget(self) -> None:
        for column in self._columns():
            column[:] = 0
        self._stop = WEEK

    def _rewind(self, step: int) -> None:
        """Move the bars that stay to the front, and let go of markets without any."""
        stay = WEEK - step
        for column in self._columns():
            column[:, :stay] = column[:, self._stop - stay : self._stop].copy()
        self._stop = stay
        alive: Flags = np.any(self._valid[:, :stay], axis=1)
        for market in [market for market, row in self._rows.items() if not alive[row]]:
            self._free.append(self._rows.pop(market))
            self._asked = None

    def _row(self, market: str) -> int:
        if market not in self._rows:
            self._admit([market])
        return self._rows[market]

    def _admit(self, markets: list[str]) -> None:
        """Give markets without a row an empty one."""
        if len(markets) > len(self._free):
            self._grow(len(markets) - len(self._free))
        for market in markets:
            self._rows[market] = self._free.pop()

    def _grow(self, needed: int) -> None:
        old = len(self._x)
        extra = max(needed, old // 2, 8)
        self._free.extend(range(old, old + extra))
        self._ints = {name: _taller(column, extra) for name, column in self._ints.items()}
        self._x, self._mean = _taller(self._x, extra), _taller(self._mean, extra)
        self._valid, self._seen = _taller(self._valid, extra), _taller(self._seen, extra)
        self._has_mean = _taller(self._has_mean, extra)


def _taller(column: NDArray[Kind], extra: int) -> NDArray[Kind]:
    blank = np.zeros((extra, column.shape[1]), dtype=column.dtype)
    return np.concatenate((column, blank))


def _averages(valid: Flags, x: Floats) -> tuple[Floats, Flags]:
    """The lagged average from the reach before each bar, a line a bar, and where it is defined."""
    weight = np.multiply(valid, WEIGHTS, order="C").sum(axis=1)
    total = np.multiply(x, WEIGHTS, order="C").sum(axis=1)
    known = weight >= ENOUGH
    return np.where(known, total / np.where(known, weight, 1.0), 0.0), known


def _logit(price: int) -> float:
    """Log odds of a price in micro; the mirrored price gives exactly the negative."""
    return log(price) - log(ONE - price)
