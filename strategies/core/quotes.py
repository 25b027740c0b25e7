"""A Quote as the journal keeps it: where it stands while nothing is held, on the market's grid."""

from dataclasses import dataclass
from math import ceil, exp, floor

from markets.core.types import ONE
from strategies.core.types import Quote, quote_id


@dataclass(frozen=True, slots=True)
class Quoted:
    """A Quote as first stated with these prices: YES micro-dollars at zero inventory.

    What it would have to keep out of a touch's way is not in them: the touch moves with every tick.
    """

    quote: Quote
    bid: int
    ask: int
    fair: int

    @property
    def id(self) -> str:
        """The id of its signal."""
        return quote_id(self.quote)


def quoted(quote: Quote, tick_size: int) -> Quoted:
    """Where a quote stands while nothing is held, inside (0, 1)."""
    low, high = outward(quote.fair, quote.half_width, tick_size)
    last = (ONE - 1) // tick_size * tick_size
    return Quoted(quote, max(low, tick_size), min(high, last), round(probability(quote.fair)))


def outward(middle: float, half_width: float, tick_size: int) -> tuple[int, int]:
    """floor S(x - d) and ceil S(x + d) on the grid, micro-dollars; x and d are logits."""
    low, high = probability(middle - half_width), probability(middle + half_width)
    return floor(low) // tick_size * tick_size, -(-ceil(high) // tick_size) * tick_size


def probability(logit: float) -> float:
    """The probability of a logit, in micro-dollars."""
    return ONE / (1 + exp(-logit))
