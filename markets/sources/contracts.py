"""What we rely on in every reply and message of the exchange: field, type, and where it stands.

A field that only some markets have is agreed for those (`given`), so that its loss shows; a field
that is listed as "some" must turn up within twenty items. What is not listed may come and go.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from markets.sources import wire, wire_data
from markets.sources.drift import Contract, Field, Kind, Part, Presence

_NUMERAL = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*", re.ASCII | re.DOTALL)
_DIGITS = re.compile(r"\d{1,78}", re.ASCII)
_CONDITION = re.compile(r"(0x[0-9a-fA-F]{62,64})?", re.ASCII)

Rule = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_array_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return isinstance(wire.decode(value.encode(errors="replace")), list)
    except ValueError:
        return False


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TEXT = Kind("text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a number", _is_number)
WHOLE = Kind("a whole number", _is_whole)
NUMERAL = Kind("a number in a text", _matches(_NUMERAL))
DIGITS = Kind("a text of digits", _matches(_DIGITS))
CONDITION = Kind("a condition id", _matches(_CONDITION))
MOMENT = Kind("a time in a text", _matches(_MOMENT))
ARRAY_TEXT = Kind("a list in a text", _is_array_text)
LIST = Kind("a list", lambda value: isinstance(value, list))
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
SIDE = Kind("BUY or SELL", lambda value: value in ("BUY", "SELL"))
STATUS = Kind(
    "a known status", lambda value: isinstance(value, str) and value in wire_data.STATUSES
)
ANY_MOMENT = Kind(
    "a time in a text", lambda value: MOMENT.holds(value) or DIGITS.holds(value) or value == ""
)

SOME = Presence.SOME


def given(**values: Any) -> Rule:
    """Of items whose fields have these values, absent ones counting as null."""
    wanted = tuple(values.items())
    return lambda item, asked: all(item.get(key) == value for key, value in wanted)


def _trades(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Markets that should be open for orders: neither closed nor a placeholder."""
    return item.get("active") is True and item.get("closed") is False


def _trades_v1(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return _trades(item, asked) and item.get("version") != "v2"


def _trades_v2(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return _trades(item, asked) and item.get("version") == "v2"


def _has_positions(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Markets of both protocols may list positions: only the version tells which ids count."""
    return bool(item.get("positionIds"))


def _sport(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return str(item.get("feeType") or "").startswith("sports")


def _crypto(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return "updown" in str(item.get("slug"))


def _argued(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Markets that a person resolved; the short crypto ones end by themselves."""
    closed = item.get("closed") is True and item.get("umaResolutionStatus") == "resolved"
    return closed and not _crypto(item, asked)


def _first_full_page(key: str) -> Rule:
    """A first page as long as was asked for: the exchange lists more than that."""

    def holds(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
        rows, limit = item.get(key), asked.get("limit")
        walking = "after_cursor" not in asked and "condition_ids" not in asked
        return walking and isinstance(rows, list) and _is_whole(limit) and len(rows) == limit

    return holds


_MARKET = (
    Field("conditionId", CONDITION),
    Field("slug", TEXT),
    Field("question", TEXT),
    Field("outcomes", ARRAY_TEXT),
    Field("active", FLAG),
    Field("closed", FLAG),
    Field("archived", FLAG, SOME),
    Field("outcomePrices", ARRAY_TEXT, SOME, _trades),
    Field("clobTokenIds", ARRAY_TEXT, when=_trades_v1),
    Field("positionIds", LIST, when=_trades_v2),
    Field("version", TEXT, SOME, _has_positions),
    Field("acceptingOrders", FLAG, when=_trades),
    Field("enableOrderBook", FLAG, when=_trades),
    Field("orderPriceMinTickSize", NUMBER, when=_trades),
    Field("orderMinSize", NUMBER, when=_trades),
    Field("feesEnabled", FLAG, SOME, _trades),
    Field("feeType", TEXT, SOME, given(active=True, closed=False, feesEnabled=True)),
    Field("feeSchedule", OBJECT, SOME, given(active=True, closed=False, feesEnabled=True)),
    Field("volume24hr", NUMBER, SOME, _trades),
    Field("liquidityNum", NUMBER, SOME, _trades),
    Field("bestBid", NUMBER, SOME, _trades),
    Field("bestAsk", NUMBER, SOME, _trades),
    Field("createdAt", MOMENT, SOME),
    Field("startDate", MOMENT, SOME),
    Field("endDate", MOMENT, SOME, _trades),
    Field("updatedAt", MOMENT, SOME),
    Field("eventStartTime", MOMENT, SOME, _crypto),
    Field("gameStartTime", MOMENT, SOME, _sport),
    Field("sportsMarketType", TEXT, SOME, _sport),
    Field("secondsDelay", NUMBER, SOME, _sport),
    Field("umaResolutionStatuses", ARRAY_TEXT, SOME),
    Field("umaResolutionStatus", TEXT, SOME, given(closed=True)),
    Field("closedTime", MOMENT, SOME, given(closed=True)),
    Field("resolvedBy", TEXT, SOME, _argued),
    Field("automaticallyResolved", FLAG, SOME, given(closed=True, umaResolutionStatus="resolved")),
)
_FEES = (
    Field("rate", NUMBER),
    Field("exponent", NUMBER),
    Field("takerOnly", FLAG),
    Field("rebateRate", NUMBER, SOME),
)
_EVENT = (
    Field("id", TEXT),
    Field("slug", TEXT),
    Field("title", TEXT),
    Field("negRisk", FLAG, SOME),
    Field("negRiskAugmented", FLAG, SOME),
    Field("tags", LIST, SOME),
    Field("markets", LIST),
)
_TAG = (Field("slug", TEXT),)
_LEVEL = (Field("price", NUMERAL), Field("size", NUMERAL))
_PAGES = (Field("pagination", OBJECT, when=lambda item, asked: bool(item.get("data"))),)
_PAGE = (Field("has_more", FLAG), Field("next_cursor", TEXT, null=True))
_POINT = (Field("t", WHOLE), Field("p", NUMBER))


def _object(*parts: Part) -> Contract:
    return Contract(False, parts)


def _markets(*path: str) -> tuple[Part, ...]:
    return (Part(path, _MARKET), Part((*path, "feeSchedule"), _FEES))


def _with_event() -> tuple[Part, ...]:
    """A market read by itself, which carries the event it belongs to."""
    market, fees = _markets()
    named = _EVENT[:-2]  # without its markets and tags
    whole = Part((), (*market.fields, Field("events", LIST, SOME)))
    return (whole, fees, Part(("events",), named))


def _cursor(key: str) -> Field:
    return Field("next_cursor", TEXT, when=_first_full_page(key))


CATALOGUE = {
    "gamma/events/keyset": _object(
        Part((), (Field("events", LIST), _cursor("events"))),
        Part(("events",), _EVENT),
        Part(("events", "tags"), _TAG),
        *_markets("events", "markets"),
    ),
    "gamma/markets/keyset": _object(
        Part((), (Field("markets", LIST), _cursor("markets"))), *_markets("markets")
    ),
    "gamma/markets/slug": _object(*_with_event()),
    "gamma/events/slug": _object(Part((), _EVENT), Part(("tags",), _TAG), *_markets("markets")),
}
_BOOK = (
    Field("market", CONDITION),
    Field("asset_id", DIGITS),
    Field("timestamp", DIGITS),
    Field("hash", TEXT),
    Field("bids", LIST),
    Field("asks", LIST),
)
_LEVELS = (Part(("bids",), _LEVEL), Part(("asks",), _LEVEL))
BOOKS = {
    "clob/books": Contract(
        True,
        (
            Part(
                (),
                (
                    *_BOOK,
                    Field("min_order_size", NUMERAL),
                    Field("tick_size", NUMERAL),
                    Field("neg_risk", FLAG),
                    Field(
                        "last_trade_price",
                        Kind(
                            "a number in a text, or nothing", lambda v: v == "" or NUMERAL.holds(v)
                        ),
                    ),
                ),
            ),
            *_LEVELS,
        ),
    ),
    "clob/clob-markets": _object(
        Part(
            (),
            (
                Field("c", CONDITION),
                Field("t", LIST),
                Field("mos", NUMBER),
                Field("mts", NUMBER),
                Field("fd", OBJECT, SOME),
            ),
        ),
        Part(("t",), (Field("t", DIGITS), Field("o", TEXT))),
        Part(("fd",), (Field("r", NUMBER), Field("e", NUMBER), Field("to", FLAG))),
    ),
    "clob/prices-history": _object(Part((), (Field("history", LIST),)), Part(("history",), _POINT)),
    "clob/batch-prices-history": _object(
        Part((), (Field("history", OBJECT),)), Part(("history", "*"), _POINT)
    ),
}
DATA = {
    "data/v2/resolutions": _object(
        Part((), (Field("data", LIST, null=True),)),
        Part(
            ("data",),
            (
                Field("condition_id", CONDITION),
                Field("status", STATUS),
                Field("payouts", LIST, when=given(status="resolved")),
                Field("resolved_at", ANY_MOMENT, when=given(status="resolved")),
                Field("last_update_timestamp", ANY_MOMENT, SOME),
            ),
        ),
    ),
    "data/v2/trades": _object(
        Part((), (Field("data", LIST, null=True), *_PAGES)),
        Part(
            ("data",),
            (
                Field("condition_id", CONDITION),
                Field("token_id", DIGITS),
                Field("side", SIDE),
                Field("price", NUMBER),
                Field("size", NUMBER),
                Field("timestamp", WHOLE),
                Field("transaction_hash", TEXT),
            ),
        ),
        Part(("pagination",), _PAGE),
    ),
    "data/v2/prices-history": _object(
        Part((), (Field("data", LIST, null=True), *_PAGES)),
        Part(("data",), (Field("timestamp", WHOLE), Field("price", NUMBER))),
        Part(("pagination",), _PAGE),
    ),
}


def _message(*fields: Field, more: tuple[Part, ...] = ()) -> Contract:
    kind = Field("event_type", TEXT)
    return _object(Part((), (kind, Field("timestamp", DIGITS), *fields)), *more)


_OF_MARKET = Field("market", CONDITION)
_OF_TOKEN = (_OF_MARKET, Field("asset_id", DIGITS))
_CHANGE = (
    Field("asset_id", DIGITS),
    Field("price", NUMERAL),
    Field("size", NUMERAL),
    Field("side", SIDE),
    Field("best_bid", NUMERAL),
    Field("best_ask", NUMERAL),
)
STREAM = {
    "stream/book": _object(Part((), (Field("event_type", TEXT), *_BOOK)), *_LEVELS),
    "stream/price_change": _message(
        _OF_MARKET, Field("price_changes", LIST), more=(Part(("price_changes",), _CHANGE),)
    ),
    "stream/last_trade_price": _message(
        *_OF_TOKEN, Field("price", NUMERAL), Field("size", NUMERAL), Field("side", SIDE)
    ),
    "stream/tick_size_change": _message(
        *_OF_TOKEN, Field("old_tick_size", NUMERAL), Field("new_tick_size", NUMERAL)
    ),
    "stream/best_bid_ask": _message(
        *_OF_TOKEN, Field("best_bid", NUMERAL), Field("best_ask", NUMERAL)
    ),
    "stream/new_market": _message(
        _OF_MARKET,
        Field("slug", TEXT),
        Field("question", TEXT),
        Field("assets_ids", LIST),
        Field("outcomes", LIST),
    ),
    "stream/market_resolved": _message(
        _OF_MARKET,
        Field("assets_ids", LIST),
        Field("winning_asset_id", DIGITS, SOME),
    ),
}
"""Messages of the market stream, by "stream/" and their `event_type`."""

CONTRACTS: Mapping[str, Contract] = MappingProxyType(CATALOGUE | BOOKS | DATA | STREAM)
"""Every contract, by host and route (or "stream/" and kind of message)."""
