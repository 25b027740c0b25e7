"""Five-minute bars: what each market last showed, sealed once and never recomputed."""

from dataclasses import dataclass

import numpy as np

from markets.core.tick import Flags, Ints, Tick, Universe

BAR_MS = 300_000
"""Length of a bar in ms: bar k covers [k * BAR_MS, (k + 1) * BAR_MS) of event time."""

EARLY_MS = 5_000
"""A bar takes observations made up to this long before it began, if a tick inside it brings them.

The books of one tick are read over some seconds and `tick.at` is the last of them. Counting from
the bar's start, and not from the tick before, makes every bar a function of its own ticks: a
restarted worker needs nothing older.
"""

LARGE = 1 << 42
"""Sizes from here on are scaled down before they are multiplied with prices: int64 would pass."""


@dataclass(frozen=True, eq=False)
class SealedBar:
    """The last coherent two-sided quote of each market in five minutes; `at` is the close, ms UTC.

    Prices in micro-dollars of the YES token. `changes` counts moves of the mid between consecutive
    coherent observations, the adjacent bar's last one included; `count` the observations. Where
    `valid` is false nothing was observed: a gap, never filled.
    """

    at: int
    universe: Universe
    bid: Ints
    ask: Ints
    micro: Ints
    changes: Ints
    count: Ints
    valid: Flags

    @property
    def number(self) -> int:
        """Which bar this is, counted from the epoch."""
        return self.at // BAR_MS - 1


def number(at: int) -> int:
    """The bar that an instant (ms UTC) falls into, counted from the epoch."""
    return at // BAR_MS


def microprices(bid: Ints, bid_size: Ints, ask: Ints, ask_size: Ints) -> Ints:
    """The touch weighted by the opposite size, micro-dollars, half to even.

    Rounded so that swapping YES and NO mirrors it exactly: m becomes 1 - m. Huge sizes are scaled
    down together, which moves the result by less than a micro-dollar.
    """
    largest = np.maximum(bid_size, ask_size)
    shift = np.where(largest < LARGE, 0, 22)
    bids, asks = bid_size >> shift, ask_size >> shift
    total = np.maximum(bids + asks, 1)
    doubled = 2 * (ask - bid) * bids + total
    above: Ints = doubled // (2 * total)
    above -= (doubled % (2 * total) == 0) & ((bid + above) % 2 == 1)
    halved = (bid + ask) // 2 + ((bid + ask) % 4 == 3)
    return np.where(bids + asks > 0, bid + above, halved)


class OpenBar:
    """The bar still being filled; it closes when a tick of a later bar arrives."""

    __slots__ = (
        "_ask",
        "_ask_size",
        "_bid",
        "_bid_size",
        "_changes",
        "_count",
        "_known",
        "_number",
        "_previous",
        "_seen",
        "_sum",
        "_universe",
    )

    def __init__(self) -> None:
        self._number: int | None = None
        self._previous: SealedBar | None = None

    @classmethod
    def after(cls, previous: SealedBar | None) -> "OpenBar":
        """An empty bar that follows `previous`: its values count for the first mid change."""
        bar = cls()
        bar._previous = previous
        return bar

    @property
    def number(self) -> int | None:
        """The bar being filled, counted from the epoch, or None before the first tick."""
        return self._number

    def add(self, tick: Tick) -> SealedBar | None:
        """Take a tick; returns the bar it closed, if it fell past the end of the open one."""
        closed = None
        wanted = number(tick.at)
        if self._number is None:
            self._open(wanted, tick.universe)
        elif wanted > self._number:
            closed = self._previous = self._seal()
            self._open(wanted, tick.universe)
        elif tick.universe is not self._universe:
            self._move(tick.universe)
        self._take(tick)
        return closed

    def _open(self, wanted: int, universe: Universe) -> None:
        n = len(universe)
        self._number, self._universe = wanted, universe
        self._bid, self._ask, self._bid_size, self._ask_size, self._changes, self._count = (
            np.zeros(n, dtype=np.int64) for _ in range(6)
        )
        self._seen = np.full(n, wanted * BAR_MS - EARLY_MS - 1, dtype=np.int64)
        self._known = np.zeros(n, dtype=np.bool_)
        self._sum = np.zeros(n, dtype=np.int64)
        last = self._previous
        if last is not None and last.number == wanted - 1:
            kept, here = matching(last.universe, universe)
            self._known[here] = last.valid[kept]
            self._sum[here] = (last.bid + last.ask)[kept]

    def _move(self, universe: Universe) -> None:
        """Follow the markets into a new universe; those that left take their open bar with them."""
        assert self._number is not None
        kept, here = matching(self._universe, universe)
        names = ("_bid", "_ask", "_bid_size", "_ask_size", "_changes", "_count")
        old = {name: getattr(self, name) for name in (*names, "_seen", "_known", "_sum")}
        self._open(self._number, universe)
        for name, values in old.items():
            getattr(self, name)[here] = values[kept]

    def _take(self, tick: Tick) -> None:
        fresh = tick.observed_at > self._seen
        np.copyto(self._seen, tick.observed_at, where=fresh)
        good = fresh & tick.coherent & tick.bid_valid & tick.ask_valid & (tick.bid < tick.ask)
        total = tick.bid + tick.ask
        self._changes += good & self._known & (total != self._sum)
        self._count += good
        self._known |= good
        np.copyto(self._sum, total, where=good)
        for kept, value in (
            (self._bid, tick.bid),
            (self._ask, tick.ask),
            (self._bid_size, tick.bid_size),
            (self._ask_size, tick.ask_size),
        ):
            np.copyto(kept, value, where=good)

    def _seal(self) -> SealedBar:
        assert self._number is not None
        valid = self._count > 0
        micro = microprices(self._bid, self._bid_size, self._ask, self._ask_size)
        return SealedBar(
            at=(self._number + 1) * BAR_MS,
            universe=self._universe,
            bid=self._bid,
            ask=self._ask,
            micro=np.where(valid, micro, 0),
            changes=self._changes,
            count=self._count,
            valid=valid,
        )


def matching(old: Universe, new: Universe) -> tuple[Ints, Ints]:
    """Columns of the markets that both universes hold: where they were and where they are."""
    found = [(old.column[m.id], here) for here, m in enumerate(new.markets) if m.id in old.column]
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
