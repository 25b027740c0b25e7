"""An account's beginnings: a new one under an old name, and one taken over from a file."""

import json
from dataclasses import dataclass

from execution.core import leaving, ledger, marks, operations, portfolio, state
from execution.core.types import (
    Archived,
    Change,
    EndReason,
    Fact,
    JournalEntry,
    Portfolio,
    Position,
    Refusal,
    RefusalCode,
)
from markets.core.frozen import replace
from markets.core.tick import Tick

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Imported:
    """One account of a file: what it shall be afterwards, micro-units; `sha256` is the file's.

    Cash and the cost of what is held are deposits, realized profit and rebates together.
    """

    sha256: str
    adjust: bool
    cash: int
    deposits: int
    realized: int
    fees: int
    rebates: int = 0
    positions: tuple[Position, ...] = ()

    def dump(self) -> str:
        """The value of an import's Change: canonical JSON."""
        return json.dumps(state.plain(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def load(cls, value: str) -> "Imported":
        """What `dump` wrote; raises ValueError, KeyError or TypeError for anything else."""
        found: Imported = state.made(cls, json.loads(value))
        return found


def renew(account: Portfolio, change: Change, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """Put the account away as it stands and open a new one with `change.value` micro-dollars.

    Nothing of the old one stays: no order, cooldown, trial, and no payout to be corrected.
    """
    account, facts = _at_rest(account, tick.at)
    cause, capital = f"change {change.id}", int(change.value)
    name = account.account
    facts.append(Archived(name, account, capital, change.who, change.why, tick.at))
    entry = ledger.archive(account, tick.at, cause)
    opened, deposited = portfolio.deposit(Portfolio(name), capital, tick.at, cause)
    return opened, [*facts, *_booked(entry), *deposited]


def take_over(account: Portfolio, change: Change, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """Make the account what a file says, once for each file.

    An account that holds, has traded or has open work is left alone unless the import adjusts.
    """
    wanted = Imported.load(change.value)
    if change.scope != account.account or wanted.sha256 in account.imported:
        return account, []
    if not (wanted.adjust or empty(account)):
        holds = f"{len(account.positions)} holdings, {len(account.orders)} open orders"
        return account, [refusal(account, change, RefusalCode.NOT_EMPTY, "empty", holds, tick.at)]
    before, facts = _at_rest(account, tick.at)
    after = replace(
        before,
        cash=wanted.cash,
        deposits=wanted.deposits,
        realized=wanted.realized,
        fees=wanted.fees,
        rebates=wanted.rebates,
        owed=0,
        settled={},
        positions={(held.strategy, held.token): held for held in wanted.positions},
        baskets={},
        closing={},
        imported=(*before.imported, wanted.sha256),
        stopped=False,
        day_stopped=False,
        flatten=False,
        rolling=(),
        rolling_loss=0,
        high_water=0,
    )
    after = marks.mark(after, tick)
    after = replace(after, high_water=max(0, after.equity), day_open=after.equity)
    cause = f"change {change.id}"
    return after, [*facts, *_booked(ledger.taken_over(before, after, tick.at, cause))]


def empty(account: Portfolio) -> bool:
    """Whether nothing ever happened here but deposits."""
    work = account.positions or account.orders or account.operations
    return not work and account.realized == account.fees == account.rebates == 0


def refusal(
    account: Portfolio, change: Change, code: RefusalCode, limit: object, value: object, at: int
) -> Refusal:
    """A decision that could not be carried out; its number stands where a token would."""
    cause = f"change {change.id}"
    return Refusal(account.account, "", "", cause, "", code, str(limit), str(value), at)


def _at_rest(account: Portfolio, at: int) -> tuple[Portfolio, list[Fact]]:
    """The account with every open order and operation taken back."""
    account, facts = leaving.cancel(account, EVERYTHING, at)
    for operation in list(account.operations.values()):
        account, news = operations.cancel(account, operation, EndReason.BY_HAND, at)
        facts += news
    return account, facts


def _booked(entry: JournalEntry) -> list[Fact]:
    """The entry, where it moves anything."""
    return [entry] if entry.postings else []
