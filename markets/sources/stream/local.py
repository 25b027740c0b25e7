"""One token's book kept from deltas, and whether it may be believed. Pure: time is an argument.

There are no sequence numbers, so a lost message is found, not announced: by the best prices the
exchange states beside its changes, by a book that crosses itself, and by comparing with `/books`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from markets.core.book import Anomaly
from markets.core.types import Book, Level
from markets.sources.stream.messages import Best, Delta, Touch, Whole

MEMORY_MS = 12_000
"""How long deltas are remembered, to be laid over a book read over HTTP meanwhile."""

MOST_REMEMBERED = 4_096


class Verdict(Enum):
    """What a comparison with `/books` showed."""

    CONFIRMED = "confirmed"
    RESET = "reset"
    AHEAD = "ahead"
    BEHIND = "behind"
    MISMATCH = "mismatch"


@dataclass(slots=True)
class Side:
    """Prices and sizes of one side. `since` is when each price was last said, gone ones too."""

    sizes: dict[int, int] = field(default_factory=dict)
    since: dict[int, int] = field(default_factory=dict)

    def fill(self, levels: Sequence[Level]) -> None:
        """Hold exactly these levels."""
        self.sizes = {level.price: level.size for level in levels}
        self.since = {}

    def put(self, price: int, size: int, at: int) -> None:
        """Take the newest word on a price: one older than what is known of it changes nothing."""
        if at < self.since.get(price, 0):
            return
        self.since[price] = at
        if size:
            self.sizes[price] = size
        else:
            self.sizes.pop(price, None)


@dataclass(slots=True)
class LocalBook:
    """The state of one token.

    `fault` says what is wrong with it; it begins as MISSING. `doubtful` means its line was silent
    for too long or brought old news: only HTTP ends that, no frame does. `floor` is the venue's
    time of the last full book: older deltas are part of it. `venue_at` is the time of the last
    change, `heard_at` when a frame last confirmed the book, `read_at` when HTTP last did (ms
    UTC). `streamed` tells that the socket has sent this token's book itself; `hash` is the
    exchange's while it is that of this very book.
    """

    token: str
    fault: Anomaly | None = Anomaly.MISSING
    doubtful: bool = False
    floor: int = 0
    venue_at: int = 0
    heard_at: int = 0
    read_at: int = 0
    streamed: bool = False
    hash: str = ""
    bids: Side = field(default_factory=Side)
    asks: Side = field(default_factory=Side)
    stated: tuple[int, int, Touch] | None = None
    """The newest best prices stated: the venue's time, when we heard it, and the prices."""
    _recent: deque[tuple[int, Delta]] = field(default_factory=deque)
    _whole_from: int = 0
    _behind: int = 0
    _shown: Book | None = None

    @property
    def observed_at(self) -> int:
        """When the book was last confirmed, ms UTC."""
        return max(self.heard_at, self.read_at)

    @property
    def trouble(self) -> Anomaly | None:
        """Why the book must not be used, None when it may be."""
        return self.fault or (Anomaly.STALE if self.doubtful else None)

    def touch(self) -> Touch:
        """Best bid and ask as kept here."""
        return Touch(max(self.bids.sizes, default=None), min(self.asks.sizes, default=None))

    def replace(self, whole: Whole, now: int) -> Anomaly | None:
        """A full book from the socket; the fault it left, if any."""
        self.streamed = True
        if whole.at < self.floor:
            return self.fault
        later = [delta for _, delta in self._recent if delta.at > whole.at]
        self._hold(whole.bids, whole.asks, whole.at, whole.hash)
        for delta in later:
            self._apply(delta)
        self.fault = self._unsound()
        if self.fault is None:
            self.heard_at, self._behind = now, 0
        return self.fault

    def change(self, deltas: Sequence[Delta], now: int) -> Anomaly | None:
        """The changes one message brings of this token; the fault they left, if any."""
        for delta in deltas:
            self._remember(delta, now)
        if self.fault is Anomaly.MISSING or deltas[-1].at < self.floor:
            return self.fault
        for delta in deltas:
            self._apply(delta)
        self._state(deltas[-1].at, now, deltas[-1].touch)
        if self.fault is None:
            self.fault = self._unsound() or self._contradicted()
        if self.fault is None:
            self.heard_at, self._behind = now, 0
        return self.fault

    def best(self, said: Best, now: int) -> None:
        """The best prices by themselves; `overdue` judges them, for the change may follow."""
        if self.fault is Anomaly.MISSING or said.at < self.venue_at:
            return
        self._state(said.at, now, said.touch)
        if self.fault is None and self.touch() == said.touch:
            self.heard_at = now

    def overdue(self, now: int, patience: int) -> bool:
        """Whether best prices were stated over `patience` ms ago and the book still disagrees."""
        if self.fault is not None or self.stated is None:
            return False
        at, heard_at, touch = self.stated
        return at >= self.venue_at and now - heard_at > patience and touch != self.touch()

    def doubt(self) -> None:
        """Nobody has vouched for the book lately; one never held is not doubtful, but missing."""
        if self.fault is not Anomaly.MISSING:
            self.doubtful = True

    def spoil(self, why: Anomaly) -> None:
        """A message of this token could not be read: the book lacks it."""
        if self.fault is not Anomaly.MISSING:
            self.fault = why

    def drop(self) -> None:
        """Forget the book: its line is gone, or its price grid has changed."""
        self._hold((), (), 0, "")
        self._recent.clear()
        self.fault, self.streamed, self.stated = Anomaly.MISSING, False, None
        self._whole_from = self._behind = 0

    def check(self, read: Book, *, asked_at: int, lag: int) -> Verdict:
        """Compare with what `/books` said (asked for at `asked_at`), and end up with the truth.

        Deltas that came since are laid over the read. `lag` (ms) is how far one may be behind
        the other without either being wrong.
        """
        if self.fault is not None:
            self._adopt(read)
            return Verdict.RESET
        doubtful, self.doubtful = self.doubtful, False
        verdict = self._compare(read, asked_at, lag)
        if doubtful and verdict is not Verdict.CONFIRMED:
            self._adopt(read)
            return Verdict.RESET
        return verdict

    def _compare(self, read: Book, asked_at: int, lag: int) -> Verdict:
        comparable = read.venue_at >= max(self.floor, self._whole_from)
        expected = self._over(read) if comparable else _sides(read)
        if expected == (self.bids.sizes, self.asks.sizes):
            self.read_at, self._behind = read.observed_at, 0
            if read.venue_at == self.venue_at and read.hash != self.hash:
                self.hash, self._shown = read.hash, None
            return Verdict.CONFIRMED
        if read.venue_at > self.venue_at:
            late = asked_at - read.venue_at > lag
            self._adopt(read)
            return Verdict.MISMATCH if late else Verdict.AHEAD
        if not comparable or self._known_for(read.venue_at, asked_at) > lag:
            return self._at_odds()
        self._adopt(read)
        return Verdict.MISMATCH

    def _at_odds(self) -> Verdict:
        """HTTP is older than what we know: once may be its cache, twice in a row is a mismatch."""
        self._behind += 1
        if self._behind < 2:
            return Verdict.BEHIND
        self.fault = Anomaly.MISMATCH
        return Verdict.MISMATCH

    def shown(self, depth: int | None) -> Book:
        """The book as the rest of the desk sees it, at most `depth` levels a side."""
        if self._shown is None:
            bids = sorted(self.bids.sizes.items(), reverse=True)[:depth]
            asks = sorted(self.asks.sizes.items())[:depth]
            self._shown = Book(
                self.token,
                tuple(Level(*level) for level in bids),
                tuple(Level(*level) for level in asks),
                self.observed_at,
                self.venue_at,
                self.hash,
            )
        if self._shown.observed_at != self.observed_at:
            kept = self._shown
            self._shown = Book(
                kept.token, kept.bids, kept.asks, self.observed_at, kept.venue_at, kept.hash
            )
        return self._shown

    def _hold(self, bids: Sequence[Level], asks: Sequence[Level], at: int, hash: str) -> None:
        self.bids.fill(bids)
        self.asks.fill(asks)
        self.floor = self.venue_at = at
        self.hash, self._shown = hash, None

    def _adopt(self, read: Book) -> None:
        """Take a read over HTTP for the truth, and the deltas that came after its instant."""
        later = [delta for _, delta in self._recent if delta.at >= read.venue_at]
        self._hold(read.bids, read.asks, read.venue_at, read.hash)
        self.read_at, self.doubtful, self._behind = read.observed_at, False, 0
        for delta in later:
            self._apply(delta)
        self.fault = self._unsound() or self._contradicted()

    def _over(self, read: Book) -> tuple[dict[int, int], dict[int, int]]:
        """The levels a read implies for now."""
        bids, asks = Side(), Side()
        bids.fill(read.bids)
        asks.fill(read.asks)
        for _, delta in self._recent:
            if delta.at >= read.venue_at:
                (bids if delta.bid_side else asks).put(delta.price, delta.size, delta.at)
        return bids.sizes, asks.sizes

    def _known_for(self, venue_at: int, asked_at: int) -> int:
        """How long before `asked_at` we had heard of a change later than `venue_at`, in ms."""
        heard = [heard_at for heard_at, delta in self._recent if delta.at > venue_at]
        return asked_at - min(heard, default=asked_at)

    def _remember(self, delta: Delta, now: int) -> None:
        self._recent.append((now, delta))
        while self._recent[0][0] < now - MEMORY_MS or len(self._recent) > MOST_REMEMBERED:
            self._whole_from = max(self._whole_from, self._recent.popleft()[1].at)

    def _apply(self, delta: Delta) -> None:
        if delta.at < self.floor:
            return
        (self.bids if delta.bid_side else self.asks).put(delta.price, delta.size, delta.at)
        self.venue_at = max(self.venue_at, delta.at)
        self.hash, self._shown = "", None

    def _state(self, at: int, now: int, touch: Touch | None) -> None:
        if touch is not None and (self.stated is None or at >= self.stated[0]):
            self.stated = (at, now, touch)

    def _contradicted(self) -> Anomaly | None:
        """MISMATCH when the best prices stated with the newest change are not those kept."""
        if self.stated is None or self.stated[0] != self.venue_at:
            return None
        return None if self.stated[2] == self.touch() else Anomaly.MISMATCH

    def _unsound(self) -> Anomaly | None:
        touch = self.touch()
        if touch.bid is not None and touch.ask is not None and touch.bid >= touch.ask:
            return Anomaly.CROSSED
        return None


def _sides(read: Book) -> tuple[dict[int, int], dict[int, int]]:
    bids = {level.price: level.size for level in read.bids}
    return bids, {level.price: level.size for level in read.asks}
