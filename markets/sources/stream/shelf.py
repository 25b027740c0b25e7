"""Every local book, which line feeds it, and which of them may be believed now.

Sockets write from their thread and the collector reads from its own, so each public method
holds the lock. Pure but for that: every time is an argument.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from threading import RLock
from typing import Any

from markets.core.book import Anomaly
from markets.core.types import Book, FeedState, Market
from markets.sources.stream import messages
from markets.sources.stream.local import LocalBook, Verdict
from markets.sources.stream.messages import Best, Delta, Ended, Flawed, Grid, Listed, Trade, Whole
from markets.sources.stream.news import News
from markets.sources.stream.pace import Pace

BOOKLESS = frozenset({"last_trade_price", "new_market", "market_resolved"})
"""Messages that say nothing of a book: a bad one costs no trust."""


@dataclass(slots=True)
class Line:
    """One connection: its tokens with the time each was last subscribed to, and what it brought.

    `heard_at` is when a message about one of its tokens last came (ms UTC); a PONG is none, and
    neither is news of markets that are not ours.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    open: bool = False
    opened_at: int = 0
    heard_at: int = 0
    frozen: bool = False
    lossy: bool = False
    """A loss was found on it: compare all its books at the next occasion."""
    why: str = "connecting"


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def guarded(self: "Shelf", *arguments: Any, **named: Any) -> Any:
        with self._lock:
            return method(self, *arguments, **named)

    return guarded


class Shelf:
    """The books of all lines. `faults` and `events` count what happened, by kind."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.faults: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.news = News()
        self.lines: dict[int, Line] = {}
        self._books: dict[str, LocalBook] = {}
        self._line_of: dict[str, Line] = {}
        self._market_of: dict[str, Market] = {}
        self._checked_at = 0
        self._whole_asked = False
        self._lock = RLock()

    # The sockets' side.

    @_locked
    def follow(self, number: int, tokens: Iterable[str], now: int) -> None:
        """Tokens that a line carries from now on, beside those it had."""
        line = self.lines.setdefault(number, Line(opened_at=now, heard_at=now))
        for token in tokens:
            line.tokens[token] = now
            self._line_of[token] = line
            self._books[token] = LocalBook(token)

    @_locked
    def leave(self, number: int, tokens: Iterable[str]) -> None:
        """Tokens that a line carries no more."""
        line = self.lines.get(number) or Line()
        for token in tokens:
            line.tokens.pop(token, None)
            self._line_of.pop(token, None)
            self._books.pop(token, None)

    @_locked
    def end_line(self, number: int) -> None:
        """A line is given up for good."""
        line = self.lines.pop(number, None)
        for token in line.tokens if line else ():
            self._line_of.pop(token, None)
            self._books.pop(token, None)

    @_locked
    def opened(self, number: int, now: int) -> None:
        """The socket is open and everything has been subscribed to."""
        line = self.lines[number]
        line.open, line.opened_at, line.heard_at, line.why = True, now, now, ""
        line.frozen = False
        line.tokens = dict.fromkeys(line.tokens, now)

    @_locked
    def closed(self, number: int, why: str) -> None:
        """The socket is gone: what it brought is forgotten, for nobody knows what it missed."""
        line = self.lines.get(number)
        if line is None:
            return
        line.open, line.why = False, why
        for token in line.tokens:
            self._books[token].drop()
        self.news.forget_grids(self._markets(line))

    @_locked
    def heard_at(self, number: int) -> int:
        """When a line last brought data, ms UTC."""
        line = self.lines.get(number)
        return line.heard_at if line else 0

    def receive(self, number: int, frame: str | bytes, now: int) -> None:
        """Take one frame heard at `now` (ms UTC); nothing in it raises."""
        found = messages.read(frame, now)
        if found:
            self._take(number, found, now)

    # The collector's side.

    @_locked
    def learn(self, markets: Sequence[Market]) -> None:
        """The markets that are tracked, with the tokens that belong to each."""
        self._market_of = {token.id: market for market in markets for token in market.tokens}
        self.news.learn(markets)

    @_locked
    def expire(self, now: int) -> None:
        """Doubt every book that neither its line nor HTTP has vouched for lately."""
        for line in self.lines.values():
            silent = self._silent(line, now)
            for token in line.tokens:
                book = self._books[token]
                live = line.open and not silent and book.streamed
                if not live and now - book.read_at > self.pace.freeze_ms:
                    book.doubt()
                if book.overdue(now, self.pace.lag_ms):
                    self._fault(line, book, Anomaly.MISMATCH)

    @_locked
    def due(self, tokens: Sequence[str], now: int) -> list[str]:
        """Which of the tokens should be asked for over HTTP now: a market's two go together, for
        one read ahead of the other would show two instants."""
        self._whole_asked = now - self._checked_at >= self.pace.check_ms
        if self._whole_asked:
            return list(tokens)
        due = {token for token in tokens if self._is_due(token, now)}
        markets = {self._market_of[token].id for token in due if token in self._market_of}
        known = self._market_of
        return [t for t in tokens if t in due or (t in known and known[t].id in markets)]

    @_locked
    def ill(self, tokens: Sequence[str]) -> dict[str, Anomaly]:
        """Which of the tokens' books are wrong, and how: not those merely missing or doubtful."""
        found = {t: self._books[t].fault for t in tokens if t in self._books}
        return {t: why for t, why in found.items() if why and why is not Anomaly.MISSING}

    @_locked
    def check(self, read: Mapping[str, Book], asked_at: int) -> set[str]:
        """Compare books with those read over HTTP; the tokens whose local book was wrong."""
        if self._whole_asked:
            self._checked_at = asked_at
        known = [token for token in read if token in self._books]
        for token in known:
            self._line_of[token].lossy = False
            if read[token].tick_size:
                self.news.grid(self._market_of[token].id, read[token].tick_size)
        wrong = {token for token in known if self._compared(token, read[token], asked_at)}
        for token in wrong:
            self._line_of[token].lossy = True
        return wrong

    def _compared(self, token: str, read: Book, asked_at: int) -> bool:
        """Whether the local book was wrong; then its subscription may be lost, too."""
        held = self._books[token]
        verdict = held.check(read, asked_at=asked_at, lag=self.pace.lag_ms)
        self.events[f"check_{verdict.value}"] += 1
        if verdict is not Verdict.MISMATCH:
            return False
        self.faults["mismatch"] += 1
        held.streamed = False
        return True

    @_locked
    def view(
        self, tokens: Sequence[str], depth: int | None
    ) -> tuple[dict[str, Book], dict[str, Anomaly]]:
        """The believed books of the tokens, and why each other one is not believed."""
        books: dict[str, Book] = {}
        refused: dict[str, Anomaly] = {}
        for token in tokens:
            held = self._books.get(token)
            trouble = held.trouble if held else Anomaly.MISSING
            if held and trouble is None:
                books[token] = held.shown(depth)
            else:
                refused[token] = trouble or Anomaly.MISSING
        return books, refused

    @_locked
    def to_resubscribe(self, now: int) -> dict[int, list[str]]:
        """Tokens, by line, of which the socket should be asked for a fresh book; not too often."""
        found: dict[int, list[str]] = {}
        for number, line in self.lines.items():
            for token, asked_at in line.tokens.items() if line.open else ():
                book = self._books[token]
                wanting = not book.streamed or book.fault is not None
                if wanting and now - asked_at >= self.pace.resubscribe_ms:
                    found.setdefault(number, []).append(token)
                    line.tokens[token] = now
        return found

    @_locked
    def standing(self, now: int) -> tuple[FeedState, str]:
        """How far the whole stream can be trusted, and why not further."""
        lines = list(self.lines.values())
        shut = [line for line in lines if not line.open]
        silent = [line for line in lines if line.open and self._silent(line, now)]
        if not lines:
            return FeedState.DEGRADED, "no connection yet; books are read over HTTP"
        if len(shut) == len(lines):
            return FeedState.DOWN, f"no connection: {shut[0].why}; books are read over HTTP"
        if shut:
            return FeedState.DEGRADED, f"{len(shut)} of {len(lines)} connections: {shut[0].why}"
        if silent:
            told = f"{len(silent)} of {len(lines)} connections bring no data"
            return FeedState.DEGRADED, told
        return FeedState.OK, ""

    def _take(self, number: int, found: Sequence[messages.Message], now: int) -> None:
        with self._lock:
            line = self.lines.get(number)
            if line is None:
                return
            self.events["frames"] += 1
            if any(self._concerns(line, message) for message in found):
                if self._silent(line, now):
                    self._doubt(line)
                line.heard_at, line.frozen = now, False
            waiting: dict[tuple[str, int], list[Delta]] = {}
            for message in found:
                if isinstance(message, Delta):
                    waiting.setdefault((message.token, message.at), []).append(message)
                    continue
                self._flush(line, waiting, now)
                TAKE[type(message)](self, line, message, now)
            self._flush(line, waiting, now)

    def _flush(self, line: Line, waiting: dict[tuple[str, int], list[Delta]], now: int) -> None:
        """Apply the changes of one instant together: best prices are true after the last one."""
        for deltas in waiting.values():
            book = self._ours(line, deltas[0])
            if book is None:
                continue
            had = book.fault
            fault = book.change(deltas, now)
            if fault is not None and had is None:
                self._fault(line, book, fault)
            self._late(book, deltas[-1].at, now)
        waiting.clear()

    def _whole(self, line: Line, said: Whole, now: int) -> None:
        book = self._ours(line, said)
        if book is None:
            return
        if said.tick_size:
            self.news.grid(self._market_of[said.token].id, said.tick_size)
        fault = book.replace(said, now)
        if fault is not None:
            self._fault(line, book, fault)

    def _best(self, line: Line, said: Best, now: int) -> None:
        book = self._ours(line, said)
        if book is not None:
            book.best(said, now)
            self._late(book, said.at, now)

    def _trade(self, line: Line, said: Trade, now: int) -> None:
        if self._ours(line, said) is not None:
            self.events["trades"] += self.news.trade(said, now)

    def _grid(self, line: Line, said: Grid, now: int) -> None:
        if self._ours(line, said) is None:
            return
        market = self._market_of[said.token]
        self.news.grid(market.id, said.tick_size)
        self.events["tick_size_changes"] += 1
        for token in market.tokens:
            if token.id in self._books:
                self._books[token.id].drop()

    def _listed(self, line: Line, said: Listed, now: int) -> None:
        self.news.listing(said)

    def _ended(self, line: Line, said: Ended, now: int) -> None:
        self.news.end(said)

    def _flawed(self, line: Line, said: Flawed, now: int) -> None:
        """A message we could not read cost one token's trust, or where nobody knows whose it was,
        that of the whole line."""
        self.faults[said.kind if said.kind in ("garbage", "unknown") else f"bad_{said.kind}"] += 1
        if said.kind == "unknown" or said.kind in BOOKLESS:
            return
        tokens = [said.token] if said.token in line.tokens else self._sides(line, said.market)
        for token in tokens:
            self._books[token].spoil(Anomaly.BAD_PAYLOAD)
        if not tokens and not (said.token or said.market):
            self._doubt(line)

    def _sides(self, line: Line, market: str) -> list[str]:
        known = self._market_of
        return [t for t in line.tokens if market and t in known and known[t].id == market]

    def _ours(self, line: Line, said: Delta | Whole | Best | Trade | Grid) -> LocalBook | None:
        """The book a message is about; None where it is not this line's or its market's."""
        market = self._market_of.get(said.token)
        if said.token not in line.tokens or market is None:
            self.faults["stray"] += 1
            return None
        if market.id.lower() != said.market.lower():
            self.faults["foreign"] += 1
            self._books[said.token].spoil(Anomaly.BAD_PAYLOAD)
            return None
        return self._books[said.token]

    def _concerns(self, line: Line, said: messages.Message) -> bool:
        return getattr(said, "token", "") in line.tokens

    def _late(self, book: LocalBook, at: int, now: int) -> None:
        """Old news: the line lags, so the book is of then and not of now."""
        if now - at > self.pace.late_ms:
            self.faults["late"] += 1
            book.doubt()

    def _fault(self, line: Line, book: LocalBook, fault: Anomaly) -> None:
        book.spoil(fault)
        self.faults[fault.lower()] += 1
        line.lossy = True

    def _silent(self, line: Line, now: int) -> bool:
        silent = now - line.heard_at > self.pace.freeze_ms
        if silent and line.open and not line.frozen:
            line.frozen = True
            self.faults["frozen"] += 1
        return silent

    def _doubt(self, line: Line) -> None:
        for token in line.tokens:
            self._books[token].doubt()

    def _is_due(self, token: str, now: int) -> bool:
        book, line = self._books.get(token), self._line_of.get(token)
        if book is None or line is None or book.trouble is not None or line.lossy:
            return True
        return now - book.observed_at >= self.pace.quiet_ms

    def _markets(self, line: Line) -> set[str]:
        known = self._market_of
        return {known[token].id for token in line.tokens if token in known}


TAKE: Mapping[type, Callable[[Shelf, Line, Any, int], None]] = {
    Whole: Shelf._whole,
    Best: Shelf._best,
    Trade: Shelf._trade,
    Grid: Shelf._grid,
    Listed: Shelf._listed,
    Ended: Shelf._ended,
    Flawed: Shelf._flawed,
}
