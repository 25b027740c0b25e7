"""Frames as the exchange writes them, stating only what a test cares about."""

import json
from typing import Any

from markets.core.types import Event, FeeSchedule, Market, Terms, Token

NOW = 1_790_000_000_000
CONDITION = "0x" + "ab" * 32
YES, NO = "1" * 70, "2" * 70


def market(condition: str = CONDITION, yes: str = YES, no: str = NO) -> Market:
    terms = Terms(None, 10_000, 5_000_000, FeeSchedule(50_000))
    event = Event("1", "event-1", "One?")
    return Market(
        condition, "slug", "One?", "politics", event, Token(yes, "Yes"), Token(no, "No"), terms
    )


def book(
    token: str = YES,
    bids: tuple[tuple[str, str], ...] = (("0.40", "100"), ("0.39", "50")),
    asks: tuple[tuple[str, str], ...] = (("0.42", "70"), ("0.43", "9")),
    at: int = NOW,
    **more: Any,
) -> dict[str, Any]:
    return {
        "event_type": "book",
        "market": CONDITION,
        "asset_id": token,
        "timestamp": str(at),
        "hash": "h",
        "bids": [{"price": price, "size": size} for price, size in reversed(bids)],
        "asks": [{"price": price, "size": size} for price, size in reversed(asks)],
        **more,
    }


def mirrored(**more: Any) -> dict[str, Any]:
    """The NO book beside the default `book()`."""
    bids = (("0.58", "70"), ("0.57", "9"))
    asks = (("0.60", "100"), ("0.61", "50"))
    return book(NO, bids, asks, **more)


def change(
    *rows: tuple[str, str, str],
    best: tuple[str, str] | None = None,
    token: str = YES,
    at: int = NOW,
    **more: Any,
) -> dict[str, Any]:
    """change(("BUY", "0.40", "5"), best=("0.40", "0.42"))"""
    stated = {"best_bid": best[0], "best_ask": best[1]} if best else {}
    listed = [
        {"asset_id": token, "price": price, "size": size, "side": side, "hash": "", **stated}
        for side, price, size in rows
    ]
    return {
        "event_type": "price_change",
        "market": CONDITION,
        "timestamp": str(at),
        "price_changes": listed,
        **more,
    }


def about(kind: str, token: str = YES, at: int = NOW, **more: Any) -> dict[str, Any]:
    told = {"event_type": kind, "market": CONDITION, "asset_id": token, "timestamp": str(at)}
    return told | more


def best(bid: str, ask: str, **more: Any) -> dict[str, Any]:
    return about("best_bid_ask", best_bid=bid, best_ask=ask, **more)


def trade(price: str = "0.42", size: str = "10", **more: Any) -> dict[str, Any]:
    told = {"price": price, "size": size, "side": "BUY", "transaction_hash": "0x1"}
    return about("last_trade_price", **told | more)


def text(*items: Any) -> str:
    return json.dumps(items[0] if len(items) == 1 else list(items))
