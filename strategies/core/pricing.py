"""Log odds, prices and what a purchase may cost: shared by rules that state an expected price."""

from math import exp, log

import numpy as np

from markets.core import venue
from markets.core.tick import Ints
from markets.core.types import ONE, FeeSchedule
from markets.core.window import Floats


def probability(logit: float) -> float:
    """The probability, or price in dollars, of log odds."""
    return 1 / (1 + exp(-logit))


def logit(price: int) -> float:
    """Log odds of a price in micro; the mirrored price gives exactly the negative."""
    return log(price) - log(ONE - price)


def prices(logits: Floats) -> Ints:
    """Micro-dollars of log odds; mirrored exactly: a logit and its negative add up to ONE."""
    cheaper = np.exp(-np.abs(logits))
    price: Ints = np.rint(ONE * cheaper / (1 + cheaper)).astype(np.int64)
    return np.where(logits <= 0, price, ONE - price)


def charge(chance: float, schedule: FeeSchedule) -> float:
    """The taker's fee for one share at a price in dollars, before the exchange rounds it."""
    return float(schedule.rate / ONE * (chance * (1 - chance)) ** schedule.exponent)


def highest(budget: float, schedule: FeeSchedule, tick_size: int) -> int | None:
    """The highest price on the grid that with its fee takes at most `budget` dollars a share.

    Inside the grid (tick_size to ONE - tick_size); None where even its lowest price is too dear.
    """
    if budget <= tick_size / ONE:
        return None
    price = venue.floor_price(int(min(budget, 1.0) * ONE), tick_size)
    while price >= tick_size and price / ONE + charge(price / ONE, schedule) > budget:
        price -= tick_size
    return price if price >= tick_size else None
