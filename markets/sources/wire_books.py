"""Replies of `/books`, read fast: books the exchange sends as it always does, or sent before.

A reply of 500 books is a megabyte, and most of it is what the last reply said. Each book's bytes
are looked at on their own: bytes seen in the last round stand for the book read then; bytes in
exactly the exchange's notation are read here, under every rule `wire_clob.book` knows; any others
are decoded as JSON for `wire_clob.book` to read or refuse. The result is the same for all three.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from markets.core.types import Book, Level
from markets.sources import wire

_OPENING = b'{"market":"'
_BETWEEN = b'},{"market":"'
_NEXT_LEVEL = b'"},{"price":"'

_LEVEL = rb'\{"price":"0?\.\d{1,6}","size":"(?=[\d.]*[1-9])\d{1,12}(?:\.\d{1,6})?"\}'
_SIDE = rb"((?:" + _LEVEL + rb"(?:," + _LEVEL + rb")*+)?+)"
_BOOK = re.compile(
    rb'\{"market":"([^"\\\x00-\x1f\x7f-\xff]*)","asset_id":"(\d{1,78})","timestamp":"(\d{1,15})",'
    rb'"hash":"([0-9a-f]{40})","bids":\[' + _SIDE + rb'\],"asks":\[' + _SIDE + rb"\],"
    rb'"min_order_size":"([^"\\\x00-\x1f\x7f-\xff]*)","tick_size":"([^"\\\x00-\x1f\x7f-\xff]*)",'
    rb'"neg_risk":(?:true|false),"last_trade_price":"[^"\\\x00-\x1f\x7f-\xff]*"\}',
    re.ASCII,
)
"""A complete book in compact JSON, keys in the order in which they are hashed, nothing escaped:
with the hash cut out, these bytes are what the exchange hashed."""

MOST_PRICES = 20_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A readable book and the market it names; its `observed_at` is not set yet."""

    market: str
    book: Book

    def at(self, observed_at: int) -> Book:
        """The book as of the reply that showed it, ms UTC."""
        book = self.book
        return Book(
            book.token, book.bids, book.asks, observed_at,
            book.venue_at, book.hash, book.tick_size, book.min_size,
        )  # fmt: skip


class Replies:
    """Reads replies round by round; what one round showed is recognised in the next.

    At most `depth` levels a side are kept of each book (None: all).
    """

    def __init__(self, depth: int | None = None) -> None:
        self.depth = depth
        self._last: dict[bytes, Seen] = {}
        self._now: dict[bytes, Seen] = {}

    def next_round(self) -> None:
        """From here on only books of the round just read are recognised."""
        self._last, self._now = self._now, {}

    def decode(self, body: bytes) -> Any:
        """The JSON of a reply, with a `Seen` in place of each book read here.

        The first book is always left as JSON, for whoever watches what replies are made of. Raises
        ValueError on bytes that are not JSON.
        """
        pieces = split(body)
        if pieces is None:
            return wire.decode(body)
        try:
            return [wire.decode(pieces[0]), *map(self._piece, pieces[1:])]
        except ValueError:
            return wire.decode(body)

    def _piece(self, piece: bytes) -> Any:
        key = hashlib.blake2b(piece, digest_size=16).digest()
        seen = self._last.get(key) or quick(piece, self.depth)
        if seen is None:
            return wire.decode(piece)
        self._now[key] = seen
        return seen


def split(body: bytes) -> list[bytes] | None:
    """A compact array of books cut between them; None where it does not look like one.

    Put together again the pieces are the body, so if each is JSON, the body is, and holds them.
    """
    if not (body.startswith(b"[" + _OPENING) and body.endswith(b"}]")):
        return None
    first, *others = body[1:-2].split(_BETWEEN)
    return [first + b"}", *(b"%b%b}" % (_OPENING, other) for other in others)]


def quick(piece: bytes, depth: int | None) -> Seen | None:
    """A book in exactly the exchange's notation and order; None: let `wire_clob.book` judge."""
    found = _BOOK.fullmatch(piece)
    if found is None:
        return None
    market, token, stamp, stated, bids, asks, min_size, tick_size = found.groups()
    start, end = found.span(4)
    if hashlib.sha1(piece[:start] + piece[end:]).hexdigest().encode() != stated:
        return None
    try:
        sides = _side(bids, 1, depth), _side(asks, -1, depth)
        venue_at = wire.unix_ms(stamp.decode())
        grid = wire.grid_of(tick_size.decode()), wire.grid_of(min_size.decode())
    except ValueError:
        return None
    return Seen(
        market.decode(),
        Book(token.decode(), *sides, 0, venue_at, stated.decode(), *grid),
    )


def _side(text: bytes, upwards: int, depth: int | None) -> tuple[Level, ...]:
    """Levels best first of a side sent worst first, or ValueError.

    A price listed twice is out of order too.
    """
    if not text:
        return ()
    rows = text[10:-2].split(_NEXT_LEVEL)
    rows.reverse()
    prices = [_PRICES[row[: row.index(b'"')]] for row in rows]
    for worse, better in zip(prices[1:], prices, strict=False):
        if (better - worse) * upwards <= 0:
            raise ValueError("not in order")
    return tuple(map(Level, prices[:depth], map(_size, rows[:depth])))


def _size(row: bytes) -> int:
    """Micro-shares of `0.5","size":"12.5`."""
    whole, _, part = row[row.rindex(b'"') + 1 :].partition(b".")
    return int(whole) * 1_000_000 + (int(part) * _SCALE[len(part)] if part else 0)


_SCALE = (0, 100_000, 10_000, 1_000, 100, 10, 1)


class _Prices(dict[bytes, int]):
    """Prices in micro by their notation: there are few, and each comes back at every read."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= MOST_PRICES:
            self.clear()
        self[text] = price = wire.price_of(text.decode())
        return price


_PRICES = _Prices()
