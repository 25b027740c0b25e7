"""A recording behind the Source port: yesterday's exchange, shown on today's clock."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from markets.core import book as books
from markets.core import ranking
from markets.core.book import Anomaly, Pair
from markets.core.ports import Listing, SourceDown
from markets.core.tick import Tick
from markets.core.types import Book, Level, Market, PricePoint, Print, Resolution
from markets.sources.recording import Recording

TORN_BY = 1_000
"""How far apart, in ms, a pair recorded as torn is shown again."""


def ticks(recording: Path) -> Iterator[Tick]:
    """The recorded ticks themselves, on their own clock: what a backtest reads."""
    return Recording(recording).ticks()


@dataclass(frozen=True, slots=True)
class Clock:
    """Recorded time on the asking clock: `start` is shown at `began`, the rest `speed` times as
    fast.
    """

    start: int
    began: int
    speed: float

    def recorded(self, at: int) -> int:
        """The recorded instant shown at `at`."""
        return self.start + int((at - self.began) * self.speed)

    def shown(self, recorded: int) -> int:
        """When a recorded instant is shown, in whole ms; 0, the unknown time, stays 0."""
        if not recorded:
            return 0
        return self.began + int((recorded - self.start) // self.speed)


class ReplaySource:
    """The newest recorded tick not later than the recorded time of `at`.

    Every time (observed, changed, scheduled ends, outcomes) is moved onto the asking clock, the
    distances divided by `speed`. The first `books` call starts the recording; before it, `markets`
    describes its beginning. Ticks between two calls are skipped. After the last tick the source
    is down. Prints and price histories are not recorded.
    """

    name = "replay"

    def __init__(
        self,
        recording: Path,
        speed: float = 1.0,
        start: int | None = None,
        checkpoint: bytes = b"",
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, was {speed}")
        self.refused: Mapping[str, Anomaly] = {}
        self.listing = Listing()
        self._recording = Recording(Path(recording))
        if not len(self._recording.ats):
            raise ValueError(f"{recording} holds no ticks")
        self._start = int(self._recording.ats[0]) if start is None else start
        self._speed = speed
        self._clock = _resumed(checkpoint, speed) if checkpoint else None

    def markets(self, at: int) -> Sequence[Market]:
        """The markets recorded at that time, their dates on the asking clock."""
        clock = self._clock or self._starting(at)
        return [_moved(each, clock) for each in self._tick(clock, at).universe.markets]

    def lookup(self, names: Sequence[str], at: int) -> Sequence[Market]:
        """Those of `markets` that have one of the names: there are no others."""
        return ranking.matching(self.markets(at), names)

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        """The books recorded at that time; `observed_at` is when the recording confirmed them."""
        clock = self._clock = self._clock or self._starting(at)
        tick = self._tick(clock, at)
        found: dict[str, Book] = {}
        refused: dict[str, Anomaly] = {}
        pairs: dict[int, Pair | None] = {}
        for token in tokens:
            column, side = tick.universe.token.get(token, (-1, 0))
            if column not in pairs:
                pairs[column] = _pair(tick, column, clock) if column >= 0 else None
            pair = pairs[column]
            book = (pair.yes, pair.no)[side] if pair else None
            fault = _fault(tick, column, book)
            if book and not fault:
                found[token] = book
            else:
                refused[token] = fault or Anomaly.MISSING
        self.refused = refused
        return found

    def prints(self, markets: Sequence[str], since: int, at: int) -> Iterable[Print]:
        """Nothing: recordings hold no trades."""
        return []

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """What the recording had said by then of the given markets."""
        if self._clock is None:
            return []
        clock, wanted = self._clock, set(markets)
        said = self._recording.said(clock.recorded(at))
        return [replace(r, at=min(clock.shown(r.at), at)) for r in said if r.market in wanted]

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Nothing: recordings hold no price histories."""
        return []

    def checkpoint(self) -> bytes:
        """Where the two clocks met; empty before the first `books`."""
        if self._clock is None:
            return b""
        return json.dumps([self._clock.start, self._clock.began]).encode()

    def _starting(self, at: int) -> Clock:
        return Clock(self._start, at, self._speed)

    def _tick(self, clock: Clock, at: int) -> Tick:
        ats, recorded = self._recording.ats, clock.recorded(at)
        if recorded > int(ats[-1]):
            raise SourceDown(
                f"The recording {self._recording.path.name} has been shown to its end; "
                "choose another one, or start it in a new environment."
            )
        place = int(np.searchsorted(ats, recorded, side="right")) - 1
        if place < 0:
            raise SourceDown(
                f"The recording {self._recording.path.name} begins later than the time asked for."
            )
        return self._recording.tick(place)


def _resumed(checkpoint: bytes, speed: float) -> Clock:
    start, began = json.loads(checkpoint)
    return Clock(int(start), int(began), speed)


def _moved(market: Market, clock: Clock) -> Market:
    """The market with its dates on the asking clock; an unknown date stays unknown."""
    end, game = market.terms.end_at, market.game_start_at
    return replace(
        market,
        terms=replace(market.terms, end_at=None if end is None else clock.shown(end)),
        created_at=clock.shown(market.created_at),
        game_start_at=None if game is None else clock.shown(game),
    )


def _pair(tick: Tick, column: int, clock: Clock) -> Pair | None:
    """Both books of a column on the asking clock, None where it was never read."""
    if not tick.observed_at[column]:
        return None
    yes_token, no_token = tick.universe.markets[column].tokens
    yes, no = tick.book(yes_token.id), tick.book(no_token.id)
    if not tick.depth[column]:
        yes = replace(yes, **_touches(tick, column))
        no = books.mirror(yes, no.token)
    pair = Pair(_on(clock, yes), _on(clock, no))
    tick_size = tick.universe.markets[column].terms.tick_size
    if not tick.coherent[column] and not books.incoherence(pair, tick_size):
        changed = pair.yes.venue_at or pair.yes.observed_at
        earlier = replace(pair.no, venue_at=changed - TORN_BY)
        return Pair(replace(pair.yes, venue_at=changed), earlier)
    return pair


def _touches(tick: Tick, column: int) -> dict[str, tuple[Level, ...]]:
    """A thinned recording keeps no depth; its touches are then the whole book."""
    bid = Level(int(tick.bid[column]), int(tick.bid_size[column]))
    ask = Level(int(tick.ask[column]), int(tick.ask_size[column]))
    return {
        "bids": (bid,) if tick.bid_valid[column] else (),
        "asks": (ask,) if tick.ask_valid[column] else (),
    }


def _fault(tick: Tick, column: int, book: Book | None) -> Anomaly | None:
    if book is None:
        return Anomaly.MISSING
    return books.absurdity(book, tick.universe.markets[column].terms.tick_size)


def _on(clock: Clock, book: Book) -> Book:
    return replace(
        book, observed_at=clock.shown(book.observed_at), venue_at=clock.shown(book.venue_at)
    )
