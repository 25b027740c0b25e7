"""The world's markets in the shapes the exchange sends, oddities included."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from tests.exchange.world import ONE, Listing, Trade, World


def events(world: World) -> list[dict[str, Any]]:
    """Open events, highest 24-hour volume first; idle markets ride in the first of them."""
    groups: dict[str, list[Listing]] = {}
    for listing in world.listings:
        groups.setdefault(listing.event, []).append(listing)
    open_ = {id: members for id, members in groups.items() if not all(x.hidden for x in members)}
    rows = [event(world, id, members) for id, members in open_.items()]
    rows.sort(key=lambda row: -row["volume24hr"])
    if rows:
        homeless = [x for x in world.listings if x.event not in open_]
        strays = [x for x in homeless if x.kind in ("placeholder", "closed")]
        rows[0]["markets"] += [row for x in strays if (row := market(world, x)) is not None]
    return rows


def event(world: World, id: str, members: list[Listing]) -> dict[str, Any]:
    """An event with its markets; its 24-hour volume is that of its open ones."""
    found = _event(id, members)
    found["markets"] = [row for x in members if (row := market(world, x)) is not None]
    tags = dict.fromkeys(["all", *(slug for x in members for slug in x.tags or (x.category,))])
    found["tags"] = [{"id": str(k), "slug": slug, "label": slug} for k, slug in enumerate(tags)]
    return found


def _event(id: str, members: list[Listing]) -> dict[str, Any]:
    """An event as its markets carry it along: without markets and tags."""
    first, slug = members[0], members[0].event_slug or f"event-{id}"
    augmented = any(x.kind == "placeholder" for x in members) and first.neg_risk
    return {
        "id": id,
        "slug": slug,
        "ticker": slug,
        "title": first.title or f"Event {id}",
        "active": True,
        "closed": all(x.closed for x in members),
        "archived": False,
        "negRisk": first.neg_risk,
        "enableNegRisk": first.neg_risk,
        "negRiskAugmented": augmented,
        "liquidity": float(sum(x.volume * 2 for x in members)),
        "volume": float(sum(x.volume * 30 for x in members)),
        "volume24hr": sum(x.volume for x in members if not x.hidden),
        "startDate": iso(first.created_at),
        "endDate": iso(first.end_at),
    }


def alone(world: World, listing: Listing, *, tags: bool) -> dict[str, Any] | None:
    """A market as `/markets` shows it: with its event inside, its tags only when asked for."""
    found = market(world, listing)
    if not isinstance(found, dict):
        return found
    members = [x for x in world.listings if x.event == listing.event]
    found = found | {"events": [_event(listing.event, members)]}
    if tags:
        slugs = listing.tags or (listing.category,)
        found["tags"] = [{"id": slug, "slug": slug, "label": slug} for slug in slugs]
    return found


def market(world: World, listing: Listing) -> dict[str, Any] | None:
    placeholder = listing.kind == "placeholder"
    price = round(world.price(listing), 4)
    prices = json.dumps([str(price), str(round(1 - price, 4))])
    bid, ask = world.touch(listing)
    found = {
        "id": str(500_000 + listing.index),
        "question": f"Will {listing.slug} end well?",
        "conditionId": listing.condition,
        "questionID": listing.condition,
        "slug": listing.slug,
        "outcomes": json.dumps(list(listing.outcomes)),
        "outcomePrices": None if placeholder else _end_prices(listing) or prices,
        "clobTokenIds": json.dumps([listing.yes, listing.no]),
        "active": not placeholder,
        "closed": listing.closed,
        "archived": False,
        "acceptingOrders": not listing.closed and listing.kind not in ("paused", "placeholder"),
        "enableOrderBook": True,
        "orderPriceMinTickSize": listing.tick / ONE,
        "orderMinSize": 5,
        "liquidity": str(listing.volume * 2 + 0.5),
        "liquidityNum": listing.volume * 2 + 0.5,
        "volume": str(listing.volume * 30),
        "volumeNum": listing.volume * 30,
        "volume24hr": listing.volume + 0.25,
        "bestBid": bid / ONE,
        "bestAsk": ask / ONE,
        "spread": (ask - bid) / ONE,
        "comboStatus": "disabled",
        "negRiskOther": False,
        "createdAt": iso(listing.created_at),
        "startDate": iso(listing.created_at),
        "endDate": iso(listing.end_at),
        "updatedAt": iso(world.now()),
        "negRisk": listing.neg_risk,
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
        "feesEnabled": True,
        "umaResolutionStatuses": "[]",
    }
    found |= _details(listing) | listing.extra
    return _spoil(world.spoiled_markets, listing.condition, found)


def _details(listing: Listing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if listing.fee_rate is not None:
        found["feeType"] = f"{listing.category}_fees_v2"
        found["feeSchedule"] = {
            "rate": float(listing.fee_rate),
            "exponent": 1,
            "takerOnly": True,
            "rebateRate": 0.25,
        }
    if listing.kind == "sports":
        found |= {"gameStartTime": spaced(listing.end_at), "secondsDelay": 3}
    if listing.state in ("proposed", "disputed", "resolved"):
        found["umaResolutionStatus"] = listing.state
    if listing.closed:
        found["closedTime"] = spaced(listing.ended_at)
    return found


def _end_prices(listing: Listing) -> str | None:
    if listing.state == "void":
        return '["0.485", "0.515"]'
    if listing.payouts is None:
        return None
    shown = {1_000_000: "1", 0: "0", 500_000: "0.5"}
    return json.dumps([shown[paid] for paid in listing.payouts])


def book(world: World, token: str) -> dict[str, Any] | None:
    """A token's book, worst level first, with its hash; None when there is no such book."""
    listing = world.by_token(token)
    if listing is None or listing.closed or listing.kind == "placeholder":
        return None
    bids, asks = world.levels(listing)
    if token == listing.no:
        bids, asks = mirrored(asks), mirrored(bids)
    found = {
        "market": listing.condition,
        "asset_id": token,
        "timestamp": str(listing.changed_at),
        "hash": "",
        "bids": [_level(level) for level in reversed(bids)],
        "asks": [_level(level) for level in reversed(asks)],
        "min_order_size": "5",
        "tick_size": decimal(listing.tick, ONE),
        "neg_risk": listing.neg_risk,
        "last_trade_price": "",
    }
    text = json.dumps(found, separators=(",", ":"))
    found["hash"] = hashlib.sha1(text.encode()).hexdigest()
    return _spoil(world.spoiled_books, token, found)


def mirrored(levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(ONE - price, size) for price, size in levels]


def clob_market(listing: Listing) -> dict[str, Any]:
    return {
        "c": listing.condition,
        "t": [{"t": listing.yes, "o": "Yes"}, {"t": listing.no, "o": "No"}],
        "mos": 5,
        "mts": listing.tick / ONE,
        "mbf": 1000,
        "tbf": 1000,
        "ao": not listing.closed,
        "fd": {"r": float(listing.fee_rate or "0.04"), "e": 1, "to": True},
    }


def resolution(listing: Listing) -> dict[str, Any] | None:
    """A `/v2/resolutions` row; none for a market nobody has asked about."""
    if listing.state in ("open", "void"):
        return None
    row = {
        "condition_id": listing.condition,
        "status": listing.state,
        "was_disputed": listing.state == "disputed",
        "last_update_timestamp": iso(listing.ended_at),
    }
    if listing.state == "resolved":
        row |= {"payouts": list(listing.payouts or ()), "resolved_at": iso(listing.ended_at)}
    return row


def trade(made: Trade) -> dict[str, Any]:
    """A `/v2/trades` row: the YES token, the taker's side, a time in whole seconds."""
    return {
        "proxy_wallet": "0x" + "a1" * 20,
        "side": made.side,
        "token_id": made.listing.yes,
        "condition_id": made.listing.condition,
        "size": made.size / 100,
        "price": made.price / ONE,
        "timestamp": made.second,
        "title": made.listing.slug,
        "slug": made.listing.slug,
        "event_slug": "",
        "outcome": "Yes",
        "outcome_index": 999,
        "transaction_hash": made.transaction,
    }


def history(
    world: World, listing: Listing, start: int, end: int, step: int = 60
) -> list[dict[str, Any]]:
    """One point every `step` seconds from `start` to `end` (Unix seconds), the last one twice."""
    level = world.price(listing)
    points = [
        {"t": at, "p": round(min(max(level + ((at // 300) % 7 - 3) / 500, 0.01), 0.99), 4)}
        for at in range(start - start % step + step, end, step)
    ]
    return points + points[-1:]


def data_history(points: list[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    """The same as rows of Data v2, which repeats none."""
    return [
        {"timestamp": point["t"], "price": point["p"], "resolution_seconds": step}
        for point in points[:-1]
    ]


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def spaced(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).isoformat(sep=" ")[:-3]


def decimal(units: int, scale: int) -> str:
    """4200 of 10000 -> "0.42", as short as the exchange writes it."""
    return f"{units / scale:.4f}".rstrip("0").rstrip(".")


def _level(level: tuple[int, int]) -> dict[str, str]:
    price, size = level
    return {"price": decimal(price, ONE), "size": decimal(size, 100)}


def _spoil(spoilers: dict[str, Any], key: str, found: dict[str, Any]) -> dict[str, Any] | None:
    spoiler = spoilers.get(key)
    return spoiler(found) if spoiler else found
