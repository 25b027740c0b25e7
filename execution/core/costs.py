"""Where a fill's price came from: spread, latency and depth, each in micro-dollars.

The parts add up to the difference between what was paid and the fair value of the decision, to
the micro-dollar; so the result of an account closes to zero against them (`docs/paper-fills.md`).
"""

from execution.core.types import Fill, Liquidity, Side
from markets.core import venue
from markets.core.frozen import replace
from markets.core.types import ONE


def microprice(bid: int, bid_size: int, ask: int, ask_size: int) -> int:
    """The touch weighted by the opposite sizes, micro-dollars; a lone side speaks for both.

    Rounded half to even, so that YES and NO add up to a dollar whichever was asked for.
    """
    if bool(bid_size) != bool(ask_size):
        return bid if bid_size else ask
    if not bid_size:
        bid_size = ask_size = 1
    whole, rest = divmod(bid * ask_size + ask * bid_size, bid_size + ask_size)
    odd_half = 2 * rest == bid_size + ask_size and whole % 2
    return whole + (2 * rest > bid_size + ask_size or odd_half)


def parted(fill: Fill, *, fair: int, touch: int, met: int) -> Fill:
    """The fill with its cost in parts.

    `fair` and `touch` are the microprice and the best price to take when it was decided, `met`
    the best price when the order arrived. A maker takes no touch (0): all is spread, and negative
    where it earned some.
    """
    if fill.liquidity is not Liquidity.TAKER or not touch or not met:
        touch = met = fill.price
    worth = venue.cost if fill.side is Side.BUY else venue.proceeds
    sign = 1 if fill.side is Side.BUY else -1
    value = fill.size * fair // ONE
    decided, arrived = worth(fill.size, touch), worth(fill.size, met)
    return replace(
        fill,
        fair_value=value,
        spread_cost=sign * (decided - value),
        latency_cost=sign * (arrived - decided),
        slippage_cost=sign * (fill.notional - arrived),
    )
