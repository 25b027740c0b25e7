"""Orders, what they meet, and why some were never made."""

from dataclasses import dataclass

from execution.core.types.words import (
    Disposition,
    Liquidity,
    OrderState,
    OrderType,
    Purpose,
    RefusalCode,
    Side,
)
from strategies.core.types import Plan


@dataclass(frozen=True, slots=True)
class Order:
    """One order; prices in micro-dollars, sizes in micro-shares, times in ms UTC.

    `reserved` is what it still holds back (micro-dollars for a buy, micro-shares for a sell);
    `plan` travels from the signal to the position; `waits` counts ticks without a fresh book.
    `expires_at` is when a GTD order asks to end; `group` names the basket it is a leg of.
    `ahead` are the shares queued before a resting order, `seen` what its price displayed on the
    book of `seen_at`, the last one looked at.

    What the decision saw is kept for the account of costs: `fair` (the microprice), `touch` (the
    best price it could take) and `expected` (what a walk would have paid on average), 0 where
    there was none. `claimed` (fair value), `edge` and `deviation` (of the result) are what the
    signal said of a share.
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
    event: str = ""
    waits: int = 0
    post_only: bool = False
    expires_at: int = 0
    group: str = ""
    ahead: int = 0
    seen: int = 0
    seen_at: int = 0
    tick_size: int = 0
    fair: int = 0
    touch: int = 0
    expected: int = 0
    claimed: int = 0
    edge: int = 0
    deviation: int = 0

    @property
    def left(self) -> int:
        """Micro-shares not filled yet."""
        return self.size - self.filled


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution at one level of one book, or a settlement; `evidence` says why it is real.

    Where its result came from, micro-dollars: `fair_value` is its size at the microprice of the
    decision; a purchase cost that plus `spread_cost`, `latency_cost` and `slippage_cost`, a sale
    brought that less them (negative where the price was better). `signal_gain` is what the fair
    value gained between purchase and sale, `settlement_gain` what the payout added to it.
    `rebate` estimates the maker's share of fees; it is not part of the result.

    For the trial of the strategy, and of no row: what the signals said of the shares that left
    (`claimed`, `hoped`, `deviation`), and what the decision's walk through the book expected to
    pay beyond the touch (`expected`).
    """

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
    liquidity: Liquidity
    evidence: str
    book_at: int
    at: int
    level: int = 0
    realized_pnl: int = 0
    fair_value: int = 0
    spread_cost: int = 0
    latency_cost: int = 0
    slippage_cost: int = 0
    signal_gain: int = 0
    settlement_gain: int = 0
    rebate: int = 0
    claimed: int = 0
    hoped: int = 0
    deviation: int = 0
    expected: int = 0


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
