"""Accounts put away: each era of an account as a row, and the new one's beginning."""

from collections.abc import Iterable

from execution.core import state
from execution.core.types import Archived
from execution.models import Account, Archive


def save(archived: Iterable[tuple[int, Archived]]) -> None:
    """Store (tick, closed account) pairs in order, and let each account's next era begin."""
    for tick, fact in archived:
        account, closed = Account.objects.get(name=fact.account), fact.closed
        Archive.objects.create(
            account=fact.account,
            era=account.era,
            opened_at=account.opened_at,
            closed_at=fact.at,
            tick_id=tick,
            equity=closed.equity,
            deposits=closed.deposits,
            realized=closed.realized,
            fees=closed.fees,
            who=fact.who,
            why=fact.why,
            state=state.dump(closed),
        )
        Account.objects.filter(name=fact.account).update(
            era=account.era + 1, opened_at=fact.at, initial=fact.capital
        )
