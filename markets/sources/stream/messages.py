"""Frames of the market socket as typed facts; what cannot be read is named, never guessed.

A frame holds one message, an array of messages, or the text PONG. Three shapes of
`price_change` are in use: `price_changes` (each with its token), and two older ones that name
the token once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from markets.core.types import ONE, Level
from markets.sources import wire, wire_clob
from markets.sources.wire import Unreadable, Wire

PONG = "PONG"
FUTURE_MS = 60_000
"""A message dated further ahead than this would make every later one look old."""


@dataclass(frozen=True, slots=True)
class Touch:
    """Best bid and ask the exchange states for a token, None where it says the side is empty."""

    bid: int | None
    ask: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A full book: it replaces whatever was known of the token. `tick_size` 0 is not stated."""

    market: str
    token: str
    at: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    hash: str = ""
    tick_size: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """The new total at one price of one side; size 0 removes the level."""

    market: str
    token: str
    at: int
    bid_side: bool
    price: int
    size: int
    touch: Touch | None = None


@dataclass(frozen=True, slots=True)
class Best:
    """The top of a token's book, stated by itself."""

    market: str
    token: str
    at: int
    touch: Touch


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade; `side` is the taker's, "buy" or "sell"."""

    market: str
    token: str
    at: int
    side: str
    price: int
    size: int
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A token's price grid became finer or coarser: its book must be read anew."""

    market: str
    token: str
    at: int
    tick_size: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A market that has just been created, wherever on the exchange; `event` is its slug."""

    market: str
    event: str
    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A market was resolved; `winner` is the winning token, "" where none is stated."""

    market: str
    at: int
    winner: str


@dataclass(frozen=True, slots=True)
class Flawed:
    """A message that cannot be used; `token` and `market` are "" where even they are unclear.

    `kind` is the event type, "unknown" for one we do not know, "garbage" for no message at all.
    """

    kind: str
    why: str
    market: str = ""
    token: str = ""


Message = Whole | Delta | Best | Trade | Grid | Listed | Ended | Flawed


class _Told(Wire):
    market: wire.ConditionId
    timestamp: str | int


class _Aimed(_Told):
    asset_id: wire.TokenId


class _Whole(_Aimed):
    hash: str | None = None
    bids: list[wire_clob.ClobLevel]
    asks: list[wire_clob.ClobLevel]
    tick_size: wire.Micro | None = Field(default=None, gt=0, lt=ONE)


class _Change(Wire):
    asset_id: wire.TokenId
    price: Any
    size: wire.MicroDown = Field(ge=0)
    side: str
    best_bid: wire.Micro | None = Field(default=None, ge=0, le=ONE)
    best_ask: wire.Micro | None = Field(default=None, ge=0, le=ONE)


class _Best(_Aimed):
    best_bid: wire.Micro = Field(ge=0, le=ONE)
    best_ask: wire.Micro = Field(ge=0, le=ONE)


class _Trade(_Aimed):
    price: Any
    size: Any
    side: str
    transaction_hash: str | None = None


class _Grid(_Aimed):
    new_tick_size: wire.Micro = Field(gt=0, lt=ONE)


class _Listed(_Told):
    event_message: Any = None


class _Ended(_Told):
    winning_asset_id: str | None = None


def read(frame: str | bytes, now: int) -> tuple[Message, ...]:
    """The messages of one frame received at `now` (ms UTC), in order; none for PONG."""
    text = frame.encode() if isinstance(frame, str) else frame
    if text.strip() == PONG.encode():
        return ()
    try:
        body = wire.decode(text)
    except ValueError as e:
        return (Flawed("garbage", str(e)[:80]),)
    found = body if isinstance(body, list) else [body]
    return tuple(message for item in found for message in _messages(item, now))


def _messages(item: object, now: int) -> Iterator[Message]:
    if not isinstance(item, Mapping):
        yield Flawed("garbage", "a message is not an object")
        return
    kind = item.get("event_type")
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        yield Flawed("unknown", f"event_type: {str(kind)[:40]!r} is not known")
        return
    try:
        yield from reader(item, now)
    except Unreadable as e:
        market, token = wire.text(item, "market"), wire.text(item, "asset_id")
        yield Flawed(str(kind), str(e)[:200], market, token)


def _whole(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Whole, item)
    _, book = wire_clob.book(_unhashed(item), now)
    at, tick_size = _at(found, now), found.tick_size or 0
    hash = found.hash or ""
    yield Whole(found.market, found.asset_id, at, book.bids, book.asks, hash, tick_size)


def _unhashed(item: Mapping[str, Any]) -> dict[str, Any]:
    """The book without its hash: the recipe is known for `/books`, not for the socket."""
    return {key: value for key, value in item.items() if key != "hash"}


def _changes(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    told = wire.read(_Told, item)
    at = _at(told, now)
    for row in _rows(item):
        try:
            yield _delta(told.market, at, wire.read(_Change, row))
        except Unreadable as e:
            yield Flawed("price_change", str(e)[:200], told.market, wire.text(row, "asset_id"))


def _rows(item: Mapping[str, Any]) -> list[Any]:
    """The changes of a message in any of its shapes, each with its token."""
    if "price_changes" in item:
        return wire.items(item, "price_changes")
    named = {"asset_id": item.get("asset_id")}
    if "changes" in item:
        rows = wire.items(item, "changes")
        return [named | dict(row) if isinstance(row, Mapping) else row for row in rows]
    return [item]


def _delta(market: str, at: int, row: _Change) -> Delta:
    touch = None
    if row.best_bid is not None and row.best_ask is not None:
        touch = _touch(row.best_bid, row.best_ask)
    bid_side = _buys(row.side)
    return Delta(market, row.asset_id, at, bid_side, _price(row.price), row.size, touch)


def _best(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Best, item)
    touch = _touch(found.best_bid, found.best_ask)
    yield Best(found.market, found.asset_id, _at(found, now), touch)


def _trade(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Trade, item)
    try:
        size = wire.size_of(found.size)
    except (ValueError, TypeError) as e:
        raise Unreadable(f"size: {e}") from e
    yield Trade(
        found.market,
        found.asset_id,
        _at(found, now),
        "buy" if _buys(found.side) else "sell",
        _price(found.price),
        size,
        found.transaction_hash or "",
    )


def _grid(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Grid, item)
    if ONE % found.new_tick_size:
        raise Unreadable("new_tick_size: does not divide one dollar")
    yield Grid(found.market, found.asset_id, _at(found, now), found.new_tick_size)


def _listed(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Listed, item)
    yield Listed(found.market, wire.text(found.event_message, "slug"), _at(found, now))


def _ended(item: Mapping[str, Any], now: int) -> Iterator[Message]:
    found = wire.read(_Ended, item)
    yield Ended(found.market, _at(found, now), found.winning_asset_id or "")


READERS = {
    "book": _whole,
    "price_change": _changes,
    "best_bid_ask": _best,
    "last_trade_price": _trade,
    "tick_size_change": _grid,
    "new_market": _listed,
    "market_resolved": _ended,
}


def _at(found: _Told, now: int) -> int:
    try:
        at = wire.unix_ms(found.timestamp)
    except ValueError as e:
        raise Unreadable(f"timestamp: {e}") from e
    if at > now + FUTURE_MS:
        raise Unreadable("timestamp: lies in the future")
    return at


def _price(value: Any) -> int:
    try:
        return wire.price_of(value)
    except (ValueError, TypeError) as e:
        raise Unreadable(f"price: {e}") from e


def _buys(side: str) -> bool:
    if side not in ("BUY", "SELL"):
        raise Unreadable(f"side: {side[:20]!r} is neither BUY nor SELL")
    return side == "BUY"


def _touch(bid: int, ask: int) -> Touch:
    """Bid 0 and ask 1 are how the exchange writes an empty side."""
    return Touch(bid or None, None if ask == ONE else ask)
