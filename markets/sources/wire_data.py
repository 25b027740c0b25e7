"""Data v2: how a market ended, past prices, and the trades that were made."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from markets.core.types import ONE, PricePoint, Print, Resolution, Status
from markets.sources import wire
from markets.sources.wire import Unreadable, Wire

STATUSES = {
    "initialized": Status.OPEN,
    "posed": Status.OPEN,
    "active": Status.OPEN,
    "proposed": Status.PROPOSED,
    "reproposed": Status.PROPOSED,
    "challenged": Status.DISPUTED,
    "disputed": Status.DISPUTED,
    "arbitration": Status.DISPUTED,
    "resolved": Status.RESOLVED,
}


PROPOSALS = {
    "1000000000000000000": (ONE, 0),
    "0": (0, ONE),
    "500000000000000000": (ONE // 2, ONE // 2),
}
"""What a proposed price (YES, 1e-18 dollars) pays; any other, "69" for none yet, tells nothing."""

COMBO = re.compile(r"0x[0-9a-fA-F]{62}", re.ASCII)
"""The id of a bet on several markets at once: no market of its own."""

SIDES = {"BUY": "buy", "SELL": "sell"}


def _traded_price(value: object) -> int:
    """The price of a trade in micro, to the nearest: an average over levels has many decimals."""
    price = int(wire.exact(value).scaleb(6).to_integral_value(ROUND_HALF_EVEN))
    if not 0 < price < ONE:
        raise ValueError("price is not between 0 and 1")
    return price


def _traded_size(value: object) -> int:
    """A positive number of shares in micro; not the cached reader, which needs a hashable value."""
    size = wire.micro_down(value)
    if size <= 0:
        raise ValueError("size is not positive")
    return size


class DataTrade(Wire):
    """One row of the trades; the older route writes the same in other names."""

    condition_id: str = Field(validation_alias=AliasChoices("condition_id", "conditionId"))
    token_id: wire.TokenId = Field(validation_alias=AliasChoices("token_id", "asset"))
    side: str
    price: Annotated[int, BeforeValidator(_traded_price)]
    size: Annotated[int, BeforeValidator(_traded_size)]
    at: Annotated[int, BeforeValidator(lambda value: wire.unix_ms(value, unit_ms=1000))] = Field(
        validation_alias="timestamp"
    )
    transaction: str | None = Field(
        validation_alias=AliasChoices("transaction_hash", "transactionHash"), default=None
    )


class DataResolution(Wire):
    condition_id: wire.ConditionId
    status: str
    payouts: list[int] | None = None
    proposed_price: object = None
    reproposed_price: object = None
    resolved_at: str | int | None = None
    last_update_timestamp: str | int | None = None


class DataPrice(Wire):
    timestamp: str | int
    price: wire.MicroDown = Field(ge=0, le=ONE)


def history(body: object, token: str) -> tuple[tuple[PricePoint, ...], str]:
    """A page of `/v2/prices-history`, oldest first, and the cursor of the next page or "".

    A point we cannot read is left out; Unreadable when none of them can be.
    """
    missed = isinstance(body, Mapping) and body.get("data", ()) is None
    rows = [] if missed else wire.items(body, "data")
    points: dict[int, PricePoint] = {}
    for row in rows:
        try:
            found = wire.read(DataPrice, row)
            at = wire.any_ms(found.timestamp)
        except ValueError:
            continue
        if at:
            points[at] = PricePoint(token, at, found.price)
    if rows and not points:
        raise Unreadable(f"data: none of {len(rows)} points can be read")
    return tuple(points[at] for at in sorted(points)), _next_page(body)


def resolution(item: object, at: int) -> Resolution:
    """What `/v2/resolutions` says of one market, OPEN included.

    Resolved needs payouts that share one dollar between both outcomes; without them the row is
    Unreadable and another source must be asked. While an outcome is argued about, the newest
    proposal says which way it goes. `at` (ms UTC) is used where no time is given.
    """
    found = wire.read(DataResolution, item)
    if found.status not in STATUSES:
        raise Unreadable(f"status: {found.status[:40]!r} is not known")
    status = STATUSES[found.status]
    when = _first_time(found.resolved_at, found.last_update_timestamp) or at
    if status in (Status.PROPOSED, Status.DISPUTED):
        return Resolution(found.condition_id, status, when, proposed=_proposed(found))
    if status is not Status.RESOLVED:
        return Resolution(found.condition_id, status, when)
    return Resolution(found.condition_id, status, when, _payouts(found))


def trade(item: object) -> Print | None:
    """One trade of a market, None for a bet on several at once; Unreadable otherwise.

    `side` is the taker's, as the route counts takers; several rows may share one transaction.
    """
    found = wire.read(DataTrade, item)
    if COMBO.fullmatch(found.condition_id):
        return None
    if not wire.is_condition(found.condition_id):
        raise Unreadable("condition_id: is not a condition id (0x and 64 hex digits)")
    if found.side not in SIDES:
        raise Unreadable(f"side: {found.side[:20]!r} is neither BUY nor SELL")
    return Print(
        market=found.condition_id,
        token=found.token_id,
        side=SIDES[found.side],
        price=found.price,
        size=found.size,
        at=found.at,
        transaction=(found.transaction or "").lower(),
    )


def condition(item: object) -> str:
    """The condition id of a row that may be otherwise unreadable, lower case as sent, or ""."""
    return wire.text(item, "condition_id")


def _next_page(body: object) -> str:
    pages = body.get("pagination") if isinstance(body, Mapping) else None
    more = isinstance(pages, Mapping) and pages.get("has_more")
    return wire.text(pages, "next_cursor") if more else ""


def _payouts(found: DataResolution) -> tuple[int, int]:
    paid = found.payouts or []
    if len(paid) != 2 or min(paid) < 0 or sum(paid) != ONE:
        raise Unreadable(f"payouts: {paid[:4]} do not share one dollar")
    return (paid[0], paid[1])


def _proposed(found: DataResolution) -> tuple[int, int] | None:
    """What the newest proposal would pay, None where it cannot be told."""
    for price in (found.reproposed_price, found.proposed_price):
        pays = PROPOSALS.get(str(price))
        if pays:
            return pays
    return None


def _first_time(*values: str | int | None) -> int | None:
    for value in values:
        try:
            found = wire.any_ms(value) if value is not None else None
        except ValueError:
            continue
        if found:
            return found
    return None
