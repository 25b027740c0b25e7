"""Where orders meet a market: the port behind which the paper venue stands, later the live one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from execution.core.types import Depletion, LevelKey, Liquidity, Order
from markets.core.tick import Tick


@dataclass(frozen=True, slots=True)
class Take:
    """Shares that changed hands at one price, and what makes that believable.

    `level` numbers the takes of one order on one tick; `touch` is the best price when the order
    met the book; `rebate` is the maker's estimated share of the taker's fee, micro-dollars.
    """

    level: int
    price: int
    size: int
    fee: int
    evidence: str
    book_at: int
    touch: int = 0
    liquidity: Liquidity = Liquidity.TAKER
    rebate: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """What one tick did to one order: the takes, and its state afterwards."""

    order: Order
    takes: tuple[Take, ...]


class Venue(Protocol):
    """Matches orders against one tick; it knows nothing of accounts beyond their depletion."""

    def arrival(self, order: Order, delay_ms: int) -> int:
        """When an order placed now reaches the book, ms UTC."""
        ...

    def match(
        self, orders: Iterable[Order], tick: Tick, depleted: Mapping[LevelKey, Depletion]
    ) -> tuple[list[Match], dict[LevelKey, Depletion]]:
        """Matches of the given orders in the order given, and the depletion they leave."""
        ...

    def usable(
        self, token: str, buy: bool, limit: int, tick: Tick,
        depleted: Mapping[LevelKey, Depletion],
    ) -> int:  # fmt: skip
        """Shares believed takable now at `limit` or better."""
        ...
