"""Polymarket's rules as pure functions: fees, price grid, sizes, and kinds of market."""

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


def kinds(market: Market, at: int) -> frozenset[str]:
    """Which of the excludable kinds a market belongs to at an instant."""
    found = set()
    if market.game_start_at is not None or {"sports", "esports"} & set(market.tags):
        found.add(LIVE_SPORTS)
    life = (market.terms.end_at or 0) - market.created_at
    if "crypto" in market.tags and 0 < life <= DAY_MS:
        found.add(CRYPTO_SHORT)
    if "combo" in market.tags:
        found.add(COMBOS)
    if at - market.created_at < DAY_MS:
        found.add(YOUNG)
    return frozenset(found)
