"""The words of trading as enums: sides, kinds, states and reasons."""

from enum import StrEnum


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


RESTING_TYPES = (OrderType.GTC, OrderType.GTD)


class OrderState(StrEnum):
    PLACED = "placed"
    RESTING = "resting"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN_STATES = (OrderState.PLACED, OrderState.RESTING)


class EndReason(StrEnum):
    """Why an order ended before all of it was filled, or was turned away at the door."""

    NO_FILL = "NO_FILL"
    STALE = "STALE"
    HALTED = "HALTED"
    RESOLVED = "RESOLVED"
    OFF_GRID = "OFF_GRID"
    FEE_UNKNOWN = "FEE_UNKNOWN"
    NOT_ACCEPTING = "NOT_ACCEPTING"
    MIN_SIZE = "MIN_SIZE"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    CROSSES_BOOK = "CROSSES_BOOK"
    BAD_EXPIRATION = "BAD_EXPIRATION"
    NOT_POST_ONLY = "NOT_POST_ONLY"
    EXPIRED = "EXPIRED"
    TICK_CHANGED = "TICK_CHANGED"
    GAME_START = "GAME_START"
    RESTART = "RESTART"
    WITHDRAWN = "WITHDRAWN"
    BY_HAND = "BY_HAND"
    LEG_FAILED = "LEG_FAILED"


class Liquidity(StrEnum):
    """How a fill came about."""

    TAKER = "taker"
    MAKER = "maker"
    SETTLEMENT = "settlement"
    OPERATION = "operation"


class HoldingState(StrEnum):
    """What keeps a holding from being sold for cash as usual."""

    CLOSED = "closed"
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    RESOLVED = "resolved"


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
    AUTO_DISABLED = "AUTO_DISABLED"
    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"
    MARKET_CAP = "MARKET_CAP"
    STRATEGY_CAP = "STRATEGY_CAP"
    EVENT_CAP = "EVENT_CAP"
    CLUSTER_CAP = "CLUSTER_CAP"
    CATEGORY_CAP = "CATEGORY_CAP"
    TOTAL_CAP = "TOTAL_CAP"
    CASH = "CASH"
    ORDER_RATE = "ORDER_RATE"
    MIN_SIZE = "MIN_SIZE"
    DEPTH = "DEPTH"
    COOLDOWN = "COOLDOWN"
    HOLDING = "HOLDING"
    STALE = "STALE"
    FEE_UNKNOWN = "FEE_UNKNOWN"
    NOT_ACCEPTING = "NOT_ACCEPTING"
    SELF_CROSS = "SELF_CROSS"
    BATCH_LIMIT = "BATCH_LIMIT"
    NO_FILL = "NO_FILL"
    CLOSING = "CLOSING"
    NOT_EMPTY = "NOT_EMPTY"


class OperationKind(StrEnum):
    """What turns shares and cash into each other without a trade."""

    SPLIT = "split"
    MERGE = "merge"
    CONVERT = "convert"


class OperationState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    CANCELLED = "cancelled"


class ChangeKind(StrEnum):
    """Kinds of decisions, people's but for the last: stored facts that a turn applies."""

    HALT = "halt"
    RESUME = "resume"
    ENABLE = "enable"
    DISABLE = "disable"
    RESET_STRATEGY = "reset_strategy"
    LIMIT = "limit"
    RESET_LIMIT = "reset_limit"
    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    CANCEL = "cancel"
    NEW_ACCOUNT = "new_account"
    IMPORT = "import"
    CONFIGURATION = "configuration"
    LEARNT = "learnt"
