"""Where a result came from: signal, settlement, costs, and what is still open, to the micro-dollar.

For every account: equity - deposits = signal + settlement - spread - latency - slippage - fees
+ rebates + open. Each fill carries its parts (`costs`), so the sum closes to exactly zero.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields
from typing import TypeVar

from execution.core.types import Fill, Portfolio, Position

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The parts of a result in micro-dollars; costs are positive where they cost something.

    `signal` is what fair value gained between purchase and sale, `settlement` what payouts added
    to it, `open` what holdings would bring now less their fair value at purchase. `rebates` are
    those booked. `undivided` is the cash of trades from before trades were divided into parts, and
    what an account that was taken over from a file brought along.
    """

    signal: int = 0
    settlement: int = 0
    spread: int = 0
    latency: int = 0
    slippage: int = 0
    fees: int = 0
    rebates: int = 0
    open: int = 0
    undivided: int = 0

    @property
    def result(self) -> int:
        """All parts together: gain or loss."""
        costs = self.spread + self.latency + self.slippage + self.fees
        gains = self.signal + self.settlement + self.rebates + self.open + self.undivided
        return gains - costs

    def __add__(self, other: "Attribution") -> "Attribution":
        """Both together, part by part."""
        return Attribution(*(getattr(self, n) + getattr(other, n) for n in NAMES))


NAMES = tuple(field.name for field in fields(Attribution))


def of_fill(fill: Fill) -> Attribution:
    """The parts of one fill."""
    return Attribution(
        signal=fill.signal_gain,
        settlement=fill.settlement_gain,
        spread=fill.spread_cost,
        latency=fill.latency_cost,
        slippage=fill.slippage_cost,
        fees=fill.fee,
    )


def of_holding(held: Position) -> Attribution:
    """What a holding is worth beyond its fair value at purchase."""
    return Attribution(open=held.value - held.fair_cost)


def by(
    key: Callable[[Fill | Position], Key], fills: Iterable[Fill], held: Iterable[Position]
) -> dict[Key, Attribution]:
    """The parts of fills and holdings, summed by whatever `key` says of each."""
    found: dict[Key, Attribution] = {}
    for fill in fills:
        found[key(fill)] = found.get(key(fill), Attribution()) + of_fill(fill)
    for holding in held:
        found[key(holding)] = found.get(key(holding), Attribution()) + of_holding(holding)
    return found


def of_account(account: Portfolio, fills: Iterable[Fill]) -> Attribution:
    """The parts of an account's whole result; `fills` are all it ever had."""
    whole = by(lambda _: "", fills, account.positions.values()).get("", Attribution())
    return whole + Attribution(rebates=account.rebates)


def gap(account: Portfolio, parts: Attribution) -> int:
    """By how much parts and result differ, micro-dollars; anything but 0 is a fault."""
    return account.equity - account.deposits - parts.result
