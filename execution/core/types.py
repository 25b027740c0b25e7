"""What we do and what came of it: orders, fills, refusals and ledger entries as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strategies.core.types import Plan

CASH_ASSET = "USD"
"""The ledger's name of the collateral; every other asset is a token id."""


class AccountName(StrEnum):
    """The three accounts that trade the same signals under different fill models."""

    PESSIMISTIC = "pessimistic"
    BASE = "base"
    OPTIMISTIC = "optimistic"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Purpose(StrEnum):
    """Why an order exists."""

    ENTRY = "entry"
    EXIT = "exit"
    QUOTE = "quote"
    REPAIR = "repair"


class OrderType(StrEnum):
    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"


class OrderState(StrEnum):
    PLACED = "placed"
    RESTING = "resting"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN_STATES = (OrderState.PLACED, OrderState.RESTING)


class Disposition(StrEnum):
    """What became of a signal in the base account."""

    TRADED = "traded"
    RESTING = "resting"
    REFUSED = "refused"
    SIZED_TO_ZERO = "sized_to_zero"
    SUPERSEDED = "superseded"
    SHADOW = "shadow"


class RefusalCode(StrEnum):
    """Why an order was not made; stored with the limit and the value that broke it."""

    HALTED = "HALTED"
    LAPSED = "LAPSED"
    DISABLED = "DISABLED"
    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"
    MARKET_CAP = "MARKET_CAP"
    STRATEGY_CAP = "STRATEGY_CAP"
    CASH = "CASH"
    MIN_SIZE = "MIN_SIZE"
    DEPTH = "DEPTH"
    COOLDOWN = "COOLDOWN"
    HOLDING = "HOLDING"
    STALE = "STALE"
    FEE_UNKNOWN = "FEE_UNKNOWN"
    NOT_ACCEPTING = "NOT_ACCEPTING"
    NO_FILL = "NO_FILL"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class Order:
    """One order; prices in micro-dollars, sizes in micro-shares, times in ms UTC.

    `reserved` is what it still holds back (micro-dollars for a buy, micro-shares for a sell);
    `plan` travels from the signal to the position; `waits` counts ticks without a fresh book.
    """

    id: str
    account: str
    strategy: str
    market: str
    token: str
    outcome: str
    side: Side
    type: OrderType
    price: int
    size: int
    purpose: Purpose
    placed_at: int
    arrives_at: int
    leg: int = 0
    signal: str = ""
    filled: int = 0
    reserved: int = 0
    state: OrderState = OrderState.PLACED
    reason: str = ""
    plan: Plan | None = None
    index: int = 0
    waits: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution at one level of one book, or a settlement; `evidence` says why it is real."""

    id: str
    order: str
    account: str
    strategy: str
    market: str
    token: str
    outcome: str
    side: Side
    price: int
    size: int
    notional: int
    fee: int
    liquidity: str
    evidence: str
    book_at: int
    at: int
    level: int = 0
    realized_pnl: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order that was not made: the limit, the value that broke it, and why in a code."""

    account: str
    strategy: str
    market: str
    token: str
    signal: str
    code: RefusalCode
    limit: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Disposed:
    """What became of one signal, as the base account saw it."""

    signal: str
    disposition: Disposition
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """A LedgerAccount's name: account, strategy ('' when shared), kind, asset."""

    account: str
    strategy: str
    kind: str
    asset: str


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount moved between two LedgerAccounts of one asset; it cannot be unbalanced."""

    debit: LedgerKey
    credit: LedgerKey
    amount: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One booking: its postings stand or fall together; `id` is a function of its cause."""

    id: str
    account: str
    kind: str
    cause: str
    at: int
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one token held by one strategy; `cost` is what they were bought for, fees apart.

    `index` is the token's place in its market: 0 for YES, 1 for NO.
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


@dataclass(frozen=True, slots=True)
class Depletion:
    """What we took from one displayed level and how much it displayed when last seen."""

    taken: int
    displayed: int


HoldingKey = tuple[str, str]
"""(strategy, token)."""
LevelKey = tuple[str, bool, int]
"""(YES token, is it an ask of the YES book, YES price): one key for a level and its mirror."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One account between two ticks: everything `step` needs to go on, and nothing else.

    Money in micro-dollars. `said` remembers what was last reported of each open signal, so that
    news is stored when it changes and not at every tick.
    """

    account: str
    cash: int = 0
    positions: Mapping[HoldingKey, Position] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    depleted: Mapping[LevelKey, Depletion] = field(default_factory=dict)
    cooldowns: Mapping[HoldingKey, int] = field(default_factory=dict)
    said: Mapping[HoldingKey, tuple[str, str]] = field(default_factory=dict)
    deposits: int = 0
    realized: int = 0
    fees: int = 0
    equity: int = 0
    high_water: int = 0
    day: int = 0
    day_open: int = 0
    day_stopped: bool = False
    stopped: bool = False
    equity_bar: int = 0

    @property
    def reserved(self) -> int:
        """Cash held back by open buys."""
        return sum(o.reserved for o in self.orders.values() if o.side is Side.BUY)

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


Fact = Order | Fill | Refusal | Disposed | JournalEntry | Equity | Halt


class ChangeKind(StrEnum):
    """Kinds of decisions people make; each is a stored fact that `step` applies."""

    HALT = "halt"
    RESUME = "resume"
    ENABLE = "enable"
    DISABLE = "disable"
    RESET_STRATEGY = "reset_strategy"
    LIMIT = "limit"
    RESET_LIMIT = "reset_limit"
    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """A person's decision as `step` sees it: stamped with the tick that first applied it."""

    kind: ChangeKind
    scope: str
    value: str
    who: str
    why: str
    id: int = 0
