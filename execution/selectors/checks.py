"""Whether the books can be believed: guards in place, totals right, projections as the ledger."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.db import connection
from django.db.models import Sum

from execution.core.types import CASH_ASSET
from execution.models import Account, LedgerAccount, Position, Posting, guards
from execution.models.rows import SPENDABLE
from execution.selectors import proofs
from execution.selectors.snapshot import snapshot


def faults() -> list[str]:
    """Everything wrong with the books, one sentence each; reads all of them, so not for pages.

    All is read as of one moment, beside a desk at work.
    """
    with snapshot():
        return _faults()


def postings() -> int:
    """How many postings there are."""
    return Posting.objects.count()


def _faults() -> list[str]:
    rows = {row.pk: row for row in LedgerAccount.objects.all()}
    balances = {
        (row.account, row.strategy, row.kind, row.asset): row.debits - row.credits
        for row in rows.values()
    }
    return [
        *(f"the guard {name} is missing" for name in guards.missing(connection)),
        *_totals(rows),
        *_balanced(balances),
        *_cash(balances),
        *_shares(balances),
        *proofs.bookings(),
        *proofs.orders(),
        *proofs.accounts(balances),
        *proofs.ended_markets(),
    ]


def _balanced(balances: proofs.Balances) -> Iterator[str]:
    """Each account's assets balance to nothing, and nothing that can be spent is overdrawn."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for (account, strategy, kind, asset), amount in balances.items():
        sums[account, asset] += amount
        if kind in SPENDABLE and amount < 0:
            yield f"{account}/{strategy} owes {-amount} of {kind} {asset[:12]}"
    for (account, asset), gap in sorted(sums.items()):
        if gap:
            yield f"account {account} is out of balance by {gap} of {asset[:12]}"


def _totals(rows: Mapping[int, LedgerAccount]) -> Iterator[str]:
    """A LedgerAccount's totals must be the sum of its postings."""
    for side in ("debit", "credit"):
        sums = Posting.objects.values(f"{side}_id").annotate(total=Sum("amount"))
        folded = dict(sums.values_list(f"{side}_id", "total"))
        for key, row in rows.items():
            kept = getattr(row, f"{side}s")
            if kept != folded.get(key, 0):
                yield f"{row} has {side}s of {kept}, its postings make {folded.get(key, 0)}"


def _cash(balances: proofs.Balances) -> Iterator[str]:
    """Shown cash, reservations and debts must be what lies in the ledger."""
    for account in Account.objects.all():
        free = balances.get((account.name, "", "CASH", CASH_ASSET), 0)
        held = sum(
            amount
            for (name, _, kind, asset), amount in balances.items()
            if (name, kind, asset) == (account.name, "RESERVED", CASH_ASSET)
        )
        owed = -balances.get((account.name, "", "OWED", CASH_ASSET), 0)
        pairs = (
            ("cash", account.cash, free),
            ("reserve", account.reserved, held),
            ("debt", account.state.get("owed", 0), owed),
        )
        for what, shown, booked in pairs:
            if shown != booked:
                yield f"account {account.name} shows {what} of {shown}, the ledger holds {booked}"


def _shares(balances: proofs.Balances) -> Iterator[str]:
    """Shown holdings must be the shares that lie in the ledger, free or reserved for a sale."""
    booked: dict[tuple[str, str, str], int] = defaultdict(int)
    for (account, strategy, kind, asset), amount in balances.items():
        if asset != CASH_ASSET and kind in ("POSITION", "RESERVED") and amount:
            booked[account, strategy, asset] += amount
    shown = {(p.account, p.strategy, p.token): p.size for p in Position.objects.all()}
    for key in sorted(set(booked) | set(shown)):
        if shown.get(key, 0) != booked.get(key, 0):
            holder = f"{key[0]}/{key[1]}"
            yield (
                f"{holder} shows {shown.get(key, 0)} of token {key[2][:12]}, "
                f"the ledger holds {booked.get(key, 0)}"
            )
