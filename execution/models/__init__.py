"""Rows of what we did and what came of it; private to this app, neighbours use the selectors."""

from execution.models.rows import (
    Account,
    Change,
    Equity,
    HaltState,
    JournalEntry,
    Lapse,
    LedgerAccount,
    LimitState,
    Order,
    Position,
    Posting,
    Refusal,
    StrategyState,
    Trade,
)

__all__ = [
    "Account",
    "Change",
    "Equity",
    "HaltState",
    "JournalEntry",
    "Lapse",
    "LedgerAccount",
    "LimitState",
    "Order",
    "Position",
    "Posting",
    "Refusal",
    "StrategyState",
    "Trade",
]
