"""An account as plain texts for a file, and back, exactly: decimal strings and ISO times."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from execution.core.types import UNRESOLVED, Order, Portfolio, Position
from markets.core.amounts import parse, plain
from strategies.core.types import Plan

FIGURES = ("cash", "reserved", "owed", "deposits", "realized", "fees", "rebates", "equity")
TEXTS = ("strategy", "market", "token", "outcome", "event")
AMOUNTS = (
    "size", "cost", "mark", "value", "fair_cost", "claimed", "hoped", "deviation", "peak", "payout",
)  # fmt: skip
TIMES = ("opened_at", "redeem_at")
PRICES_OF_PLAN = ("take_profit", "stop", "trail")
ORDER_TEXTS = ("id", "strategy", "market", "token", "outcome", "side", "type", "purpose", "state")
ORDER_AMOUNTS = ("price", "size", "filled", "reserved")


class Unreadable(ValueError):
    """A file that is not what it should be; the text names the field, the value and what is."""


def account(portfolio: Portfolio) -> dict[str, Any]:
    """The account as JSON-able texts, canonical: equal accounts give equal documents."""
    return {
        **{name: plain(getattr(portfolio, name)) for name in FIGURES},
        "positions": [_holding(held) for _, held in sorted(portfolio.positions.items())],
        "open_orders": [_order(order) for _, order in sorted(portfolio.orders.items())],
    }


def instant(at: int) -> str:
    """Milliseconds UTC as ISO 8601: 2026-01-01T12:00:00.000Z."""
    seconds, millis = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def figures(document: Mapping[str, Any], where: str) -> dict[str, int]:
    """An account's figures in micro-dollars."""
    return {name: amount(document, name, where) for name in FIGURES}


def holding(document: Mapping[str, Any], where: str) -> Position:
    """A holding as `account` wrote it; Unreadable where a field is missing or no such value."""
    found: dict[str, Any] = {n: text(document, n, where) for n in TEXTS if n != "event"}
    found |= {name: amount(document, name, where) for name in AMOUNTS if name != "payout"}
    found["payout"] = UNRESOLVED
    if document.get("payout") is not None:
        found["payout"] = amount(document, "payout", where)
    found["opened_at"] = _at(document, "opened_at", where)
    found["redeem_at"] = _at(document, "redeem_at", where) if document.get("redeem_at") else 0
    held = Position(
        **found,
        event=text(document, "event", where) if document.get("event") else "",
        index=whole(document, "index", where),
        plan=_plan(document.get("plan"), f"{where}.plan"),
    )
    if held.size <= 0 or held.cost < 0 or held.index not in (0, 1):
        raise Unreadable(f"{where}: size above 0, cost of 0 or more, index 0 or 1 are allowed")
    return held


def text(document: Mapping[str, Any], name: str, where: str) -> str:
    """A field's text, which may not be empty."""
    value = document.get(name)
    if not isinstance(value, str) or not value or not sound(value):
        raise Unreadable(f"{where}.{name}: {value!r} is not allowed; it must be a text")
    return value


def sound(value: str) -> bool:
    """Whether every database can keep this text: no NUL and no half of a character."""
    return not any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in value)


def amount(document: Mapping[str, Any], name: str, where: str) -> int:
    """A field's decimal text in micro-units."""
    value = document.get(name)
    try:
        return parse(value if isinstance(value, str) else "")
    except ValueError:
        raise Unreadable(
            f"{where}.{name}: {value!r} is not allowed; it must be a decimal in quotes, such as "
            '"12.5"'
        ) from None


def whole(document: Mapping[str, Any], name: str, where: str) -> int:
    """A field's whole number."""
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{where}.{name}: {value!r} is not allowed; it must be a whole number")
    return value


def _at(document: Mapping[str, Any], name: str, where: str) -> int:
    value = text(document, name, where)
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise Unreadable(
            f"{where}.{name}: {value!r} is not allowed; it must be a time such as "
            "2026-01-01T12:00:00.000Z"
        ) from None
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _plan(document: Any, where: str) -> Plan:
    if not isinstance(document, dict):
        raise Unreadable(f"{where}: {document!r} is not allowed; it must be an object")
    found: dict[str, Any] = {"hold_to_resolution": document.get("hold_to_resolution") is True}
    for field in fields(Plan):
        if field.name in PRICES_OF_PLAN:
            found[field.name] = amount(document, field.name, where)
        elif field.name != "hold_to_resolution":
            found[field.name] = whole(document, field.name, where)
    return Plan(**found)


def _holding(held: Position) -> dict[str, Any]:
    return {
        **{name: getattr(held, name) for name in TEXTS},
        **{name: plain(getattr(held, name)) for name in AMOUNTS},
        "payout": plain(held.payout) if held.resolved else None,
        "opened_at": instant(held.opened_at),
        "redeem_at": instant(held.redeem_at) if held.redeem_at else None,
        "index": held.index,
        "plan": {
            field.name: plain(value) if field.name in PRICES_OF_PLAN else value
            for field in fields(Plan)
            for value in [getattr(held.plan, field.name)]
        },
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        **{name: str(getattr(order, name)) for name in ORDER_TEXTS},
        **{name: plain(getattr(order, name)) for name in ORDER_AMOUNTS},
        "placed_at": instant(order.placed_at),
    }
