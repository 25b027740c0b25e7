"""One account between two ticks: holdings, open work, and everything `step` goes on from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from execution.core.types.orders import Order
from execution.core.types.trials import Trial
from execution.core.types.words import OperationKind, OperationState, Side
from strategies.core.types import Plan

UNRESOLVED = -1
"""`payout` of a holding whose market is not decided."""


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one token held by one strategy; `cost` is what they were bought for, fees apart.

    `index` is the token's place in its market: 0 for YES, 1 for NO. `fair_cost` is the holding at
    the fair values of its purchases, `claimed` what its signals said it is worth and `hoped` what
    they said it gains (micro-dollars, all). `peak` is the best bid since it was opened. Once its
    market is decided, `payout` is what a share pays and `redeem_at` when that becomes cash.
    """

    strategy: str
    market: str
    token: str
    outcome: str
    index: int
    size: int
    cost: int
    opened_at: int
    plan: Plan
    mark: int = 0
    value: int = 0
    event: str = ""
    fair_cost: int = 0
    claimed: int = 0
    hoped: int = 0
    peak: int = 0
    payout: int = UNRESOLVED
    redeem_at: int = 0

    @property
    def resolved(self) -> bool:
        """Whether its market is decided and it only waits to be redeemed."""
        return self.payout != UNRESOLVED


@dataclass(frozen=True, slots=True)
class Depletion:
    """What we took from one displayed level and how much it displayed when last seen."""

    taken: int
    displayed: int


@dataclass(frozen=True, slots=True)
class Operation:
    """Shares turned into cash or cash into shares without a trade, done when `due_at` has passed.

    `size` is in micro-sets; `markets` are one market for a split or merge, and for a conversion
    those whose NO shares are given. `given` are the tokens set aside until then, `reserved` the
    cash a split holds back; `plan` goes with the shares that come.
    """

    id: str
    account: str
    strategy: str
    kind: OperationKind
    markets: tuple[str, ...]
    size: int
    placed_at: int
    due_at: int
    reserved: int = 0
    state: OperationState = OperationState.PENDING
    reason: str = ""
    given: tuple[str, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a basket: what was asked for, and whether it was had; prices in micro-dollars."""

    order: str
    signal: str
    market: str
    token: str
    limit: int
    place: int
    open: bool = True
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Assembly:
    """A basket being put together, or taken apart again when a leg could not be had.

    `size` in micro-sets; `edge` is what a set still gains and a dearer leg may eat, micro-dollars;
    `ticks_left` is how long its orders and their repair may take.
    """

    id: str
    strategy: str
    legs: tuple[Leg, ...]
    size: int
    edge: int
    ticks_left: int
    plan: Plan
    convert: bool = False
    repaired: bool = False
    unwinding: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A holding that was paid out, remembered for as long as the outcome may be corrected."""

    fill: str
    position: Position
    payout: int
    paid: int
    at: int


HoldingKey = tuple[str, str]
"""(strategy, token)."""
LevelKey = tuple[str, bool, int]
"""(YES token, is it an ask of the YES book, YES price): one key for a level and its mirror."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One account between two ticks: everything `step` needs to go on, and nothing else.

    Money in micro-dollars. `said` remembers what was last reported of each open signal, so that
    news is stored when it changes and not at every tick. `locked` maps a market in which something
    is held to its HoldingState while its outcome is not final; `settled` remembers payouts by fill
    id, and `owed` is what was paid out, corrected and not given back yet. `placed` are the times
    of the orders of the last minute, `trials` the evidence for and against each strategy.
    `flatten` says that the day's loss ends every holding; `rolling` holds (hour, result so far) of
    the last day where its loss is watched, `rolling_loss` what that day cost.
    `closing` are the holdings a person wants out of, each with the scope of the halt under which it
    is sold ('' for none); `imported` the hashes of the files taken over.
    `accrued` are maker rebates by market that `rebate_day` has not paid yet.
    """

    account: str
    cash: int = 0
    positions: Mapping[HoldingKey, Position] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)
    baskets: Mapping[str, Assembly] = field(default_factory=dict)
    depleted: Mapping[LevelKey, Depletion] = field(default_factory=dict)
    cooldowns: Mapping[HoldingKey, int] = field(default_factory=dict)
    said: Mapping[HoldingKey, tuple[str, str]] = field(default_factory=dict)
    locked: Mapping[str, str] = field(default_factory=dict)
    settled: Mapping[str, Settled] = field(default_factory=dict)
    trials: Mapping[str, Trial] = field(default_factory=dict)
    closing: Mapping[HoldingKey, str] = field(default_factory=dict)
    imported: tuple[str, ...] = ()
    accrued: Mapping[str, int] = field(default_factory=dict)
    placed: tuple[int, ...] = ()
    deposits: int = 0
    realized: int = 0
    fees: int = 0
    rebates: int = 0
    owed: int = 0
    rebate_day: int = 0
    equity: int = 0
    high_water: int = 0
    day: int = 0
    day_open: int = 0
    day_stopped: bool = False
    flatten: bool = False
    rolling: tuple[tuple[int, int], ...] = ()
    rolling_loss: int = 0
    stopped: bool = False
    equity_bar: int = 0

    @property
    def reserved(self) -> int:
        """Cash held back by open buys and by splits on their way."""
        buying = sum(o.reserved for o in self.orders.values() if o.side is Side.BUY)
        return buying + sum(o.reserved for o in self.operations.values())

    @property
    def drawdown(self) -> int:
        """How far equity lies below its high-water mark, in micro (100_000 is 10 %)."""
        if self.high_water <= 0:
            return 0
        return max(0, (self.high_water - self.equity) * 1_000_000 // self.high_water)

    @property
    def day_loss(self) -> int:
        """What this day has cost so far, micro-dollars; 0 when the day is up."""
        return max(0, self.day_open - self.equity)
