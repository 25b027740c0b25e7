"""The unit of work: every tracked market at one instant, as int64 columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from markets.core import book as books
from markets.core import clusters
from markets.core import rivals as exclusive
from markets.core.types import ONE, Book, Market, PastBar, Print, Resolution

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Universe:
    """The markets tracked from one instant on, in column order, with their terms as columns."""

    version: int
    markets: tuple[Market, ...]

    @cached_property
    def column(self) -> Mapping[str, int]:
        """Condition id -> column."""
        return {market.id: index for index, market in enumerate(self.markets)}

    @cached_property
    def token(self) -> Mapping[str, tuple[int, int]]:
        """Token id -> (column, 0 for YES or 1 for NO)."""
        return {
            token.id: (index, side)
            for index, market in enumerate(self.markets)
            for side, token in enumerate(market.tokens)
        }

    @cached_property
    def tick_size(self) -> Ints:
        """Price grid of each market, micro-dollars."""
        return np.array([m.terms.tick_size for m in self.markets], dtype=np.int64)

    @cached_property
    def min_size(self) -> Ints:
        """Smallest resting order of each market, micro-shares."""
        return np.array([m.terms.min_size for m in self.markets], dtype=np.int64)

    @cached_property
    def fee_known(self) -> Flags:
        """Whether each market's fee schedule is known."""
        return np.array([m.terms.fee is not None for m in self.markets], dtype=np.bool_)

    @cached_property
    def fee_rate(self) -> Ints:
        """Taker rate of each market in micro, 0 where unknown (mask with `fee_known`)."""
        rates = [m.terms.fee.rate if m.terms.fee else 0 for m in self.markets]
        return np.array(rates, dtype=np.int64)

    @cached_property
    def fee_exponent(self) -> Ints:
        """Exponent of each market's fee, 1 where unknown (mask with `fee_known`)."""
        exponents = [m.terms.fee.exponent if m.terms.fee else 1 for m in self.markets]
        return np.array(exponents, dtype=np.int64)

    @cached_property
    def end_known(self) -> Flags:
        """Whether each market has a scheduled end."""
        return np.array([m.terms.end_at is not None for m in self.markets], dtype=np.bool_)

    @cached_property
    def end_at(self) -> Ints:
        """Scheduled end of each market, ms UTC, 0 where unknown (mask with `end_known`)."""
        return np.array([m.terms.end_at or 0 for m in self.markets], dtype=np.int64)

    @cached_property
    def volume_24h(self) -> Ints:
        """24-hour volume of each market when the universe was ranked, micro-dollars."""
        return np.array([m.volume_24h for m in self.markets], dtype=np.int64)

    @cached_property
    def accepting(self) -> Flags:
        """Whether the exchange takes orders in each market."""
        return np.array([m.terms.accepting_orders for m in self.markets], dtype=np.bool_)

    @cached_property
    def cluster(self) -> Mapping[str, str]:
        """Condition id -> what the market shares with all that would be wrong together."""
        return clusters.of_events(self.markets)

    @cached_property
    def rivals(self) -> exclusive.Rivals:
        """The neg-risk events, whose markets exclude each other."""
        return exclusive.rivals(self.markets)

    def __len__(self) -> int:
        return len(self.markets)


@dataclass(frozen=True, eq=False)
class Tick:
    """Every market of a universe at one instant.

    Columns follow `universe.markets`. Touches are the YES token's; a missing side is bid 0 or ask
    ONE with size 0 and a false `*_valid`. A market not read in this tick is carried with its old
    `observed_at`; one never read has `observed_at` 0. `coherent` is false where both books were
    read but do not show one instant. `depth` holds packed YES books, `no_depth` the NO book where
    it is not the mirror. `at` is event time in ms UTC: the latest `observed_at` of the tick.
    `resolutions`, `prints` and `past` are what was learnt since the tick before; a print was made
    at its own `at`, but it is known only from this tick on.
    """

    at: int
    universe: Universe
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints
    bid_valid: Flags
    ask_valid: Flags
    observed_at: Ints
    venue_at: Ints
    coherent: Flags
    depth: tuple[bytes, ...]
    no_depth: Mapping[int, bytes] = field(default_factory=dict)
    resolutions: tuple[Resolution, ...] = ()
    prints: tuple[Print, ...] = ()
    past: tuple[PastBar, ...] = ()
    id: int = 0

    @property
    def two_sided(self) -> Flags:
        """Where both a bid and an ask are shown."""
        return self.bid_valid & self.ask_valid

    @cached_property
    def _opened(self) -> dict[str, Book]:
        return {}

    def book(self, token: str) -> Book:
        """One token's book with the stored depth; NO is the mirror of YES unless stored apart."""
        if token not in self._opened:
            self._opened[token] = self._open(token)
        return self._opened[token]

    def _open(self, token: str) -> Book:
        column, side = self.universe.token[token]
        yes = self.universe.markets[column].yes
        observed, venue = int(self.observed_at[column]), int(self.venue_at[column])
        if side == 1 and column in self.no_depth:
            return books.unpack(self.no_depth[column], token, observed, venue)
        book = books.unpack(self.depth[column], yes.id, observed, venue)
        return book if side == 0 else books.mirror(book, token)

    def without_depth(self) -> "Tick":
        """The same tick as an old archive keeps it: its touch, and no books."""
        return replace(self, depth=(b"",) * len(self.universe), no_depth={})

    def touch(self, token: str) -> tuple[int | None, int | None]:
        """A token's best bid and ask from the columns, None where the side is empty."""
        column, side = self.universe.token[token]
        bid = int(self.bid[column]) if self.bid_valid[column] else None
        ask = int(self.ask[column]) if self.ask_valid[column] else None
        if side == 0:
            return bid, ask
        return (None if ask is None else ONE - ask), (None if bid is None else ONE - bid)


def empty(universe: Universe) -> Tick:
    """A tick in which nothing has been read yet: the predecessor of the first one."""
    n = len(universe)
    zeros, ones = np.zeros(n, dtype=np.int64), np.full(n, ONE, dtype=np.int64)
    never = np.zeros(n, dtype=np.bool_)
    return Tick(
        0, universe, zeros, ones, zeros, zeros, never, never, zeros, zeros, never, (b"",) * n
    )
