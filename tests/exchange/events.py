"""The world's changes in the words of the market WebSocket."""

import random
from dataclasses import dataclass
from typing import Any

from tests.exchange.shapes import decimal, mirrored
from tests.exchange.world import ONE, Listing, World

Levels = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A market as its followers know it; YES levels, best first."""

    bids: Levels
    asks: Levels
    tick: int
    at: int
    closed: bool


def look(world: World, listing: Listing) -> Shown:
    bids, asks = world.levels(listing)
    return Shown(tuple(bids), tuple(asks), listing.tick, listing.changed_at, listing.closed)


def sides(listing: Listing, token: str, shown: Shown) -> tuple[Levels, Levels]:
    """Bids and asks of one of the two tokens."""
    if token == listing.yes:
        return shown.bids, shown.asks
    return tuple(mirrored(list(shown.asks))), tuple(mirrored(list(shown.bids)))


def book(listing: Listing, token: str, shown: Shown) -> dict[str, Any]:
    bids, asks = sides(listing, token, shown)
    return _about(listing, token, shown.at) | {
        "event_type": "book",
        "bids": [_level(level) for level in reversed(bids)],
        "asks": [_level(level) for level in reversed(asks)],
        "hash": f"{shown.at:040x}",
        "tick_size": decimal(shown.tick, ONE),
    }


def changes(listing: Listing, before: Shown, now: Shown) -> dict[str, Any]:
    """One message for both tokens, each change with the best prices after all of them."""
    rows = [
        row
        for token in (listing.yes, listing.no)
        for row in _rows(token, sides(listing, token, before), sides(listing, token, now))
    ]
    told = {"market": listing.condition, "timestamp": str(now.at), "event_type": "price_change"}
    return told | {"price_changes": rows}


def best(listing: Listing, before: Shown, now: Shown) -> list[dict[str, Any]]:
    """Where the top of a token's book moved."""
    found = []
    for token in (listing.yes, listing.no):
        old, new = _best(sides(listing, token, before)), _best(sides(listing, token, now))
        if old != new:
            told = {"event_type": "best_bid_ask", "best_bid": new[0], "best_ask": new[1]}
            spread = float(new[1]) - float(new[0])
            found.append(_about(listing, token, now.at) | told | {"spread": f"{spread:.4g}"})
    return found


def trade(listing: Listing, shown: Shown, draw: random.Random, at: int) -> dict[str, Any]:
    """A taker meets the touch of one of the two tokens."""
    token = draw.choice((listing.yes, listing.no))
    bids, asks = sides(listing, token, shown)
    side = draw.choice(("BUY", "SELL"))
    price, size = (asks if side == "BUY" else bids)[0]
    return _about(listing, token, at) | {
        "event_type": "last_trade_price",
        "price": decimal(price, ONE),
        "size": decimal(draw.randrange(100, max(size, 101)), 100),
        "side": side,
        "fee_rate_bps": "0",
        "transaction_hash": f"0x{draw.getrandbits(256):064x}",
    }


def regrid(listing: Listing, before: Shown, now: Shown) -> list[dict[str, Any]]:
    """The new price grid, then fresh books on it."""
    told = {
        "event_type": "tick_size_change",
        "old_tick_size": decimal(before.tick, ONE),
        "new_tick_size": decimal(now.tick, ONE),
    }
    tokens = (listing.yes, listing.no)
    announced = [_about(listing, token, now.at) | told for token in tokens]
    return announced + [book(listing, token, now) for token in tokens]


def resolved(listing: Listing, at: int) -> dict[str, Any]:
    """An outcome; a draw names no winner."""
    found = {
        "event_type": "market_resolved",
        "id": str(500_000 + listing.index),
        "market": listing.condition,
        "assets_ids": [listing.yes, listing.no],
        "tags": [listing.category],
        "timestamp": str(at),
    }
    if listing.payouts in ((1_000_000, 0), (0, 1_000_000)):
        yes = listing.payouts == (1_000_000, 0)
        found |= {"winning_asset_id": listing.yes if yes else listing.no}
        found |= {"winning_outcome": "Yes" if yes else "No"}
    return found


def new_market(world: World, listing: Listing) -> dict[str, Any]:
    tokens = [listing.yes, listing.no]
    return {
        "event_type": "new_market",
        "id": str(500_000 + listing.index),
        "question": f"Will {listing.slug} end well?",
        "market": listing.condition,
        "slug": listing.slug,
        "description": "",
        "assets_ids": tokens,
        "outcomes": ["Yes", "No"],
        "event_message": {"id": listing.event, "slug": f"event-{listing.event}"},
        "timestamp": str(world.now()),
        "tags": [listing.category],
        "condition_id": listing.condition,
        "active": True,
        "clob_token_ids": tokens,
        "sports_market_type": "",
        "line": "",
        "game_start_time": "",
        "order_price_min_tick_size": decimal(listing.tick, ONE),
        "group_item_title": "",
    }


def _about(listing: Listing, token: str, at: int) -> dict[str, Any]:
    return {"market": listing.condition, "asset_id": token, "timestamp": str(at)}


def _rows(
    token: str, before: tuple[Levels, Levels], now: tuple[Levels, Levels]
) -> list[dict[str, Any]]:
    bid, ask = _best(now)
    rows = []
    for side, old, new in zip(("BUY", "SELL"), before, now, strict=True):
        held, wanted = dict(old), dict(new)
        for price in sorted(held.keys() | wanted.keys()):
            if held.get(price) != wanted.get(price):
                size = decimal(wanted.get(price, 0), 100)
                rows.append({"price": decimal(price, ONE), "side": side, "size": size})
    return [{"asset_id": token, "hash": "", "best_bid": bid, "best_ask": ask} | row for row in rows]


def _best(levels: tuple[Levels, Levels]) -> tuple[str, str]:
    bids, asks = levels
    return (
        decimal(bids[0][0], ONE) if bids else "0",
        decimal(asks[0][0], ONE) if asks else "1",
    )


def _level(level: tuple[int, int]) -> dict[str, str]:
    price, size = level
    return {"price": decimal(price, ONE), "size": decimal(size, 100)}
