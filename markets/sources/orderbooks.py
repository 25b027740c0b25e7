"""Reading Polymarket's order books in batches, both tokens of a market in one call."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.types import Book, Market
from markets.sources import wire, wire_clob
from markets.sources.transport import Host, Rejected, Transport
from markets.sources.wire import Unreadable
from markets.sources.wire_books import Replies, Seen
from markets.sources.wire_clob import BadHash

logger = logging.getLogger(__name__)

BATCH = 500
"""The most tokens the exchange takes in one `/books` call."""

SECONDS = 6.5
"""For all books of a cycle of eight seconds: twenty calls of 300 ms, waiting and reading."""

SPARE_CALLS = 20
"""Calls beyond one a batch, for finding which market of a rejected batch is at fault."""
LEAST_SECONDS = 0.5
OUTCAST_SECONDS = 180.0
"""How long a market whose tokens the exchange rejects is left out of the batches."""


class OrderBooks:
    """Books by token; what could not be read of the last call is in `refused`."""

    def __init__(
        self,
        transport: Transport,
        clob: Host,
        now: Callable[[], int],
        *,
        depth: int | None = None,
        batch: int = BATCH,
        seconds: float = SECONDS,
    ) -> None:
        self.transport, self.clob, self.now = transport, clob, now
        self.depth, self.batch, self.seconds = depth, batch, seconds
        self.replies = Replies(depth)
        self.refused: dict[str, Anomaly] = {}
        self._markets: dict[str, Market] = {}
        self._outcast: dict[str, float] = {}
        self._learnt: Iterable[Market] = ()
        self._unread = ""

    def learn(self, markets: Iterable[Market]) -> None:
        """Remember which tokens belong together; telling it the same again costs nothing."""
        if markets is self._learnt:
            return
        self._learnt = markets
        self._markets = {token.id: market for market in markets for token in market.tokens}

    def read(self, tokens: Sequence[str]) -> dict[str, Book]:
        """The books of the tokens that have a readable one; SourceDown when no call succeeded."""
        self.refused = {}
        self.replies.next_round()
        clock = self.transport.clock
        until = clock() + self.seconds
        asked = [unit for unit in self._units(tokens) if not self._is_outcast(unit)]
        queue = _from(self._unread, _batches(asked, self.batch))
        books: dict[str, Book] = {}
        calls, answered = len(queue) + SPARE_CALLS, False
        down: SourceDown | None = None
        while queue and calls and clock() < until:
            units = queue.pop(0)
            calls -= 1
            try:
                books |= self._call(units, _share(until - clock(), len(queue)))
                answered = True
            except Rejected as rejected:
                down = down or rejected
                queue = self._halves(units) + queue
            except SourceDown as failed:
                down = failed
        self._unread = queue[0][0][0] if queue else ""
        if down and not answered:
            self._outcast.clear()
            raise down
        for token in tokens:
            if token not in books:
                self.refused.setdefault(token, Anomaly.MISSING)
        return books

    def _call(self, units: Sequence[tuple[str, ...]], within: float) -> dict[str, Book]:
        """One `/books` call; every book of it was observed when the reply arrived."""
        tokens = [token for unit in units for token in unit]
        asked = [{"token_id": token} for token in tokens]
        decode = self.replies.decode
        body = self.transport.post(self.clob, "/books", asked, within=within, decode=decode)
        observed_at = self.now()
        try:
            found = wire.items(body, "")
        except Unreadable as e:
            raise SourceDown(f"{self.clob.url} changed its order books: {e}") from e
        books: dict[str, Book] = {}
        faults: dict[str, Unreadable] = {}
        for item in found:
            self._take(item, observed_at, books, faults)
        wanted = set(tokens)
        self._refuse({token: why for token, why in faults.items() if token in wanted})
        return {t: book for t, book in books.items() if t in wanted and t not in faults}

    def _take(
        self, item: Any, observed_at: int, books: dict[str, Book], faults: dict[str, Unreadable]
    ) -> None:
        try:
            if isinstance(item, Seen):
                market, book = item.market, item.at(observed_at)
            else:
                market, book = wire_clob.book(item, observed_at, depth=self.depth)
        except Unreadable as e:
            faults[wire.text(item, "asset_id")] = e
            return
        known = self._markets.get(book.token)
        if known and known.id != market:
            faults[book.token] = Unreadable("market: the token belongs to another one")
        elif book.token in books and books[book.token] != book:
            faults[book.token] = Unreadable("the reply holds two different books of one token")
        books[book.token] = book

    def _refuse(self, faults: Mapping[str, Unreadable]) -> None:
        for token, why in faults.items():
            tampered = isinstance(why, BadHash)
            self.refused[token] = Anomaly.HASH if tampered else Anomaly.BAD_PAYLOAD
        if faults:
            token, why = next(iter(faults.items()))
            logger.warning("Refused %d books, the first: token %s, %s", len(faults), token, why)

    def _units(self, tokens: Sequence[str]) -> list[tuple[str, ...]]:
        """Tokens that must share a call: those of a known market, else neighbours in pairs."""
        asked, units, lone = set(tokens), [], []
        seen: set[str] = set()
        for token in tokens:
            market = self._markets.get(token)
            if token in seen:
                continue
            if market:
                unit = tuple(t.id for t in market.tokens if t.id in asked)
                units.append(unit)
                seen.update(unit)
            else:
                lone.append(token)
                seen.add(token)
        units += [tuple(lone[at : at + 2]) for at in range(0, len(lone), 2)]
        return units

    def _is_outcast(self, unit: tuple[str, ...]) -> bool:
        return self._outcast.get(unit[0], float("-inf")) > self.transport.clock()

    def _halves(self, units: Sequence[tuple[str, ...]]) -> list[Sequence[tuple[str, ...]]]:
        """What to ask after a rejected call: each half, or nothing for a single market."""
        if len(units) == 1:
            self._outcast[units[0][0]] = self.transport.clock() + OUTCAST_SECONDS
            return []
        middle = len(units) // 2
        return [units[:middle], units[middle:]]


def _share(left: float, waiting: int) -> float:
    """Seconds one call may take: while others wait, half of what is left, so that one that hangs
    does not cost them theirs."""
    return max(left / 2, min(left, LEAST_SECONDS)) if waiting else left


def _from(token: str, queue: list[Sequence[tuple[str, ...]]]) -> list[Sequence[tuple[str, ...]]]:
    """The batch with this token first: where time ran out last, so that no market always waits."""
    for place, units in enumerate(queue):
        if any(token in unit for unit in units):
            return queue[place:] + queue[:place]
    return queue


def _batches(units: Sequence[tuple[str, ...]], most: int) -> list[Sequence[tuple[str, ...]]]:
    """Units in order, packed into batches of at most `most` tokens, none split."""
    batches: list[list[tuple[str, ...]]] = []
    room = 0
    for unit in units:
        if len(unit) > room:
            batches.append([])
            room = most
        batches[-1].append(unit)
        room -= len(unit)
    return list(batches)
