"""Journal entries and postings as rows; the triggers keep the totals."""

from collections.abc import Sequence
from datetime import datetime

from execution.core.types import JournalEntry, LedgerKey
from execution.models import JournalEntry as EntryRow
from execution.models import LedgerAccount, Posting


def book(entries: Sequence[tuple[int, JournalEntry]], now: datetime) -> None:
    """Insert (tick, entry) pairs in order; a cause booked twice is an IntegrityError."""
    if not entries:
        return
    EntryRow.objects.bulk_create(
        EntryRow(
            id=entry.id,
            account=entry.account,
            kind=entry.kind,
            cause=entry.cause,
            at=entry.at,
            tick_id=tick,
            recorded_at=now,
        )
        for tick, entry in entries
    )
    keys = _keys([entry for _, entry in entries])
    Posting.objects.bulk_create(
        Posting(
            entry_id=entry.id,
            debit_id=keys[posting.debit],
            credit_id=keys[posting.credit],
            asset=posting.debit.asset,
            amount=posting.amount,
        )
        for _, entry in entries
        for posting in entry.postings
    )


def _keys(entries: Sequence[JournalEntry]) -> dict[LedgerKey, int]:
    """The row of every LedgerAccount named, made where it is new."""
    wanted = {key for e in entries for p in e.postings for key in (p.debit, p.credit)}
    accounts = {key.account for key in wanted}
    assets = {key.asset for key in wanted}
    LedgerAccount.objects.bulk_create(
        (
            LedgerAccount(account=k.account, strategy=k.strategy, kind=k.kind, asset=k.asset)
            for k in sorted(wanted, key=lambda k: (k.account, k.strategy, k.kind, k.asset))
        ),
        ignore_conflicts=True,
    )
    rows = LedgerAccount.objects.filter(account__in=accounts, asset__in=assets)
    found = {LedgerKey(r.account, r.strategy, r.kind, r.asset): int(r.pk) for r in rows}
    return {key: found[key] for key in wanted}
