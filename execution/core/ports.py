"""Where orders meet a market: the port behind which the paper venue stands, later the live one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from execution.core.types import Depletion, LevelKey, Order
from markets.core.tick import Tick


@dataclass(frozen=True, slots=True)
class Take:
    """Shares taken from one displayed level, with what makes it believable."""

    level: int
    price: int
    size: int
    fee: int
    displayed: int
    usable: int
    depleted: int
    book_at: int


@dataclass(frozen=True, slots=True)
class Match:
    """What one tick did to one order: the levels it took, and its state afterwards."""

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
