"""What happened, as facts: the core returns them, the shell stores them."""

from dataclasses import dataclass

from execution.core.types.accounts import Operation, Portfolio
from execution.core.types.bookings import JournalEntry
from execution.core.types.orders import Disposed, Fill, Order, Refusal
from execution.core.types.trials import Rule
from execution.core.types.words import ChangeKind


@dataclass(frozen=True, slots=True)
class Equity:
    """An account's worth at one tick, marked at what its holdings would fetch now."""

    account: str
    at: int
    cash: int
    reserved: int
    equity: int
    drawdown: int


@dataclass(frozen=True, slots=True)
class Halt:
    """The kill switch latched: scope "all", "strategy:<name>" or "market:<id>", and why."""

    scope: str
    reason: str
    account: str
    at: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """A strategy switched off by a rule, in words with its figures; only a person re-enables it."""

    strategy: str
    rule: Rule
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Archived:
    """An account closed by a person, as it stood; a new one began under its name with `capital`."""

    account: str
    closed: Portfolio
    capital: int
    who: str
    why: str
    at: int


Fact = (
    Order
    | Fill
    | Refusal
    | Disposed
    | Operation
    | JournalEntry
    | Equity
    | Halt
    | Suspension
    | Archived
)


@dataclass(frozen=True, slots=True)
class Change:
    """A person's decision as `step` sees it: stamped with the tick that first applied it."""

    kind: ChangeKind
    scope: str
    value: str
    who: str
    why: str
    id: int = 0
