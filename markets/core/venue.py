"""Polymarket's rules as pure functions: fees, price grid, sizes, and kinds of market."""

import re

from markets.core.types import ONE, FeeSchedule, Market

FEE_STEP = 10
"""Fees are charged in steps of 0.00001 dollar."""

SIZE_STEP = 10_000
"""Order sizes have two decimals."""

MIN_NOTIONAL = ONE
"""A marketable order must be worth at least one dollar."""


def taker_fee(size: int, price: int, fee: FeeSchedule) -> int:
    """The taker's fee for one fill in micro-dollars: C * r * (p * (1 - p)) ** e.

    Exact in integers, half up to five decimals; below 0.00001 it is 0.
    Source: the exchange's fee page, product rule "fee per fill at its own price".
    """
    scale = 2 * fee.exponent
    exact: int = size * fee.rate * (price * (ONE - price)) ** fee.exponent
    unit: int = FEE_STEP * ONE ** (scale + 1)
    if exact < unit:
        return 0
    return (2 * exact + unit) // (2 * unit) * FEE_STEP


def cost(size: int, price: int) -> int:
    """What buying `size` at `price` takes from cash, rounded against the buyer."""
    return -(-size * price // ONE)


def proceeds(size: int, price: int) -> int:
    """What selling `size` at `price` adds to cash, rounded against the seller."""
    return size * price // ONE


def on_grid(price: int, tick_size: int) -> bool:
    """Whether a limit price is one the exchange accepts."""
    return tick_size <= price <= ONE - tick_size and price % tick_size == 0


def floor_price(price: int, tick_size: int) -> int:
    """The grid price at or below `price`, clipped into the grid."""
    return min(max(price // tick_size * tick_size, tick_size), ONE - tick_size)


def floor_size(size: int) -> int:
    """`size` rounded down to the exchange's two decimals."""
    return size // SIZE_STEP * SIZE_STEP


LIVE_SPORTS = "live_sports"
CRYPTO_SHORT = "crypto_short"
COMBOS = "combos"
YOUNG = "younger_than_24h"
KINDS = (LIVE_SPORTS, CRYPTO_SHORT, COMBOS, YOUNG)
DAY_MS = 86_400_000
SHORT_MS = DAY_MS // 6
"""The longest window a short crypto market asks about: four hours."""

SHORT_SLUG = re.compile(r"-updown-(5m|15m|30m|1h|4h)-[0-9]+$|-up-or-down-.*-[0-9]{1,2}(am|pm)-et$")
"""How the exchange names them: hype-updown-5m-1782287400, ...-up-or-down-june-24-4am-et."""


def kinds(market: Market, at: int) -> frozenset[str]:
    """Which of the excludable kinds a market belongs to at an instant."""
    found = set()
    if market.game_start_at is not None or {"sports", "esports"} & set(market.tags):
        found.add(LIVE_SPORTS)
    if _crypto_short(market):
        found.add(CRYPTO_SHORT)
    if {"combo", "combos"} & set(market.tags):
        found.add(COMBOS)
    if at - market.created_at < DAY_MS:
        found.add(YOUNG)
    return frozenset(found)


def _crypto_short(market: Market) -> bool:
    """By its name, by the window it asks about, or because it was listed for a day or less.

    Such markets are listed about a day ahead, so that their age says nothing of their window.
    """
    if SHORT_SLUG.search(market.slug):
        return True
    if not {"crypto", "crypto-prices"} & set(market.tags):
        return False
    end, start = market.terms.end_at or 0, market.starts_at
    window = start is not None and 0 < end - start <= SHORT_MS
    return window or 0 < end - market.created_at <= DAY_MS
