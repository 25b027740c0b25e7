"""The accounts as `step` goes on from them, and the ledger's newest entry, as of one moment."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Subquery

from execution.core import state
from execution.core.types import Portfolio
from execution.models import Account, Posting


@dataclass(frozen=True, slots=True)
class Books:
    """Every account, the tick they were marked at (ms UTC), and the newest journal entry's id."""

    portfolios: dict[str, Portfolio]
    at: int
    head: str


def books() -> Books:
    """Read in one statement, so that accounts and ledger are of the same commit."""
    rows = list(Account.objects.annotate(head=Subquery(_newest()[:1])).order_by("name"))
    return Books(
        {row.name: state.load(row.state) for row in rows},
        max((row.marked_at for row in rows), default=0),
        next((row.head for row in rows if row.head), ""),
    )


def head() -> str:
    """The id of the newest journal entry, '' before the first."""
    return str(_newest().first() or "")


def _newest() -> QuerySet[Any]:
    return Posting.objects.order_by("-pk").values_list("entry_id", flat=True)
