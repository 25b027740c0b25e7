"""The CLOB: order books, trading parameters of one market, and past prices."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from markets.core.book import sort_levels
from markets.core.types import ONE, Book, FeeSchedule, Level, PricePoint
from markets.sources import wire, wire_gamma
from markets.sources.wire import Unreadable, Wire

HASHED = (
    "market",
    "asset_id",
    "timestamp",
    "hash",
    "bids",
    "asks",
    "min_order_size",
    "tick_size",
    "neg_risk",
    "last_trade_price",
)
"""The keys of a complete book, in the order in which the exchange hashes them."""

AHEAD_MS = 600_000
"""How far the exchange's clock may be ahead of ours; a book dated later would make every later
one of its market look as if it went backwards."""


@with_config(ConfigDict(extra="ignore", arbitrary_types_allowed=True))
class ClobLevel(TypedDict):
    price: Any
    size: Any


class ClobBook(Wire):
    """One token's book; arrays come in either order, prices as "0.5" or ".5"."""

    market: str
    asset_id: wire.TokenId
    timestamp: str | int | None = None
    hash: str | None = None
    bids: list[ClobLevel]
    asks: list[ClobLevel]
    min_order_size: Any = None
    tick_size: Any = None


class BadHash(Unreadable):
    """A book whose content is not what its hash was made of."""


class ClobFees(Wire):
    rate: wire.Micro = Field(alias="r", ge=0, le=ONE)
    exponent: wire.Number = Field(alias="e")
    taker_only: bool = Field(alias="to", default=True)


class ClobTerms(Wire):
    """`/clob-markets`: `mbf` and `tbf` are not the rate and are not read."""

    condition_id: wire.ConditionId = Field(alias="c")
    fees: ClobFees | None = Field(alias="fd", default=None)


class ClobPoint(Wire):
    at: int = Field(alias="t")
    price: wire.MicroDown = Field(alias="p", ge=0, le=ONE)


def book(item: object, observed_at: int, *, depth: int | None = None) -> tuple[str, Book]:
    """The market id a book belongs to and the book, best first, at most `depth` levels a side.

    `observed_at` (ms UTC) is when the reply arrived. Unreadable when anything in it is not what
    the exchange sends, BadHash when its hash does not match its content.
    """
    found = wire.read(ClobBook, item)
    if isinstance(item, Mapping) and not intact(item):
        raise BadHash("hash: does not match the book")
    venue_at = _venue_at(found.timestamp)
    if venue_at > observed_at + AHEAD_MS:
        raise Unreadable("timestamp: lies in the future")
    bids, asks = _side(found.bids, "bids", depth), _side(found.asks, "asks", depth)
    grid = _grid(found.tick_size), _grid(found.min_order_size)
    stated = found.hash or ""
    return found.market, Book(found.asset_id, bids, asks, observed_at, venue_at, stated, *grid)


def intact(item: Mapping[str, Any]) -> bool:
    """Whether a book's hash matches; true where it cannot be judged.

    The recipe is known for exactly these keys, so a book with fewer (an old one) or more (a
    newer one) is not judged.
    """
    if set(item) != set(HASHED) or not item["hash"]:
        return True
    try:
        return bool(item["hash"] == digest(item))
    except TypeError:
        return False


def digest(item: Mapping[str, Any]) -> str:
    """The hash the exchange gives a book: SHA-1 of its compact JSON with an empty hash."""
    ordered = {key: "" if key == "hash" else item[key] for key in HASHED}
    return hashlib.sha1(json.dumps(ordered, separators=(",", ":")).encode()).hexdigest()


def fee(item: object, market: str) -> FeeSchedule | None:
    """The fee schedule `/clob-markets` states for a market, None where it states none."""
    found = wire.read(ClobTerms, item)
    if found.condition_id != market:
        raise Unreadable("c: is another market")
    if found.fees is None:
        return None
    return wire_gamma.schedule(found.fees.rate, found.fees.exponent, found.fees.taker_only)


def history(body: object, token: str) -> tuple[PricePoint, ...]:
    """A token's past prices, oldest first, one a timestamp; a point we cannot read is left out.

    Unreadable when none of the points can be read: then the exchange changed what a point is.
    """
    return _points(wire.items(body, "history"), token)


def histories(body: object, tokens: Sequence[str]) -> dict[str, tuple[PricePoint, ...]]:
    """The same for each of the given tokens that the batch reply names."""
    found = body.get("history") if isinstance(body, Mapping) else None
    if not isinstance(found, Mapping):
        raise Unreadable("history is not an object")
    return {token: _points(wire.items(found, token), token) for token in tokens if token in found}


def _points(items: Sequence[object], token: str) -> tuple[PricePoint, ...]:
    points: dict[int, PricePoint] = {}
    for item in items:
        try:
            found = wire.read(ClobPoint, item)
            at = wire.unix_ms(found.at, unit_ms=1000)
        except ValueError:
            continue
        points[at] = PricePoint(token, at, found.price)
    if items and not points:
        raise Unreadable(f"history: none of {len(items)} points can be read")
    return tuple(points[at] for at in sorted(points))


def _venue_at(timestamp: object) -> int:
    if timestamp is None or timestamp == "":
        return 0
    try:
        return wire.unix_ms(timestamp)
    except ValueError as e:
        raise Unreadable(f"timestamp: {e}") from e


def _grid(value: object) -> int:
    """What a book states of its own grid is a service: garbage there does not cost the book."""
    return wire.grid_of(value) if isinstance(value, str | int | Decimal) else 0


def _side(levels: Sequence[ClobLevel], side: str, depth: int | None) -> tuple[Level, ...]:
    try:
        found = [Level(wire.price_of(x["price"]), wire.size_of(x["size"])) for x in levels]
    except (ValueError, TypeError) as e:
        raise Unreadable(f"{side}: {e}") from e
    if len({level.price for level in found}) != len(found):
        raise Unreadable(f"{side}: one price is listed twice")
    return sort_levels(found, bids=side == "bids")[:depth]
