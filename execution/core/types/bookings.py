"""The ledger's words: what moved, between which two LedgerAccounts, because of what."""

from dataclasses import dataclass

CASH_ASSET = "USD"
"""The ledger's name of the collateral; every other asset is a token id."""


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
