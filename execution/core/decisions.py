"""What a person's decision does to one account; switches, limits and halts are in `controls`."""

from execution.core import breakers, controls, eras, leaving, portfolio
from execution.core.types import Change, ChangeKind, Fact, Portfolio, RefusalCode
from markets.core.tick import Tick

FLATTEN = "flatten"
"""The value of a halt that also sells what is held in its scope."""


def apply(account: Portfolio, change: Change, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """The account after one decision; kinds that concern no account change nothing here.

    What cannot be done is a Refusal, never nothing.
    """
    match change.kind:
        case ChangeKind.DEPOSIT | ChangeKind.WITHDRAW:
            return _paid(account, change, tick.at)
        case ChangeKind.CANCEL:
            return leaving.cancel(account, change.scope, tick.at)
        case ChangeKind.CLOSE:
            return leaving.begin(account, change.scope, tick.at)
        case ChangeKind.HALT | ChangeKind.RESUME:
            return _halted(account, change, tick.at)
        case ChangeKind.NEW_ACCOUNT:
            return eras.renew(account, change, tick)
        case ChangeKind.IMPORT:
            return eras.take_over(account, change, tick)
    return account, []


def _paid(account: Portfolio, change: Change, at: int) -> tuple[Portfolio, list[Fact]]:
    amount = int(change.value)
    if change.kind is ChangeKind.WITHDRAW:
        free = account.cash - account.owed
        if amount > free:
            return account, [eras.refusal(account, change, RefusalCode.CASH, free, amount, at)]
        amount = -amount
    return portfolio.deposit(account, amount, at, f"change {change.id}")


def _halted(account: Portfolio, change: Change, at: int) -> tuple[Portfolio, list[Fact]]:
    scope = change.scope or controls.ALL
    if change.kind is ChangeKind.HALT and change.value == FLATTEN:
        return leaving.flatten(account, scope, at)
    account = leaving.stop(account, scope)
    if change.kind is ChangeKind.RESUME and scope == controls.ALL:
        account = breakers.rebase(account)
    return account, []
