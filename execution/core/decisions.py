"""What a person's decision does to one account; switches, limits and halts are in `controls`."""

from execution.core import breakers, controls, portfolio, trials
from execution.core.types import Change, ChangeKind, Fact, Portfolio
from markets.core.tick import Tick


def apply(account: Portfolio, change: Change, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """The account after one decision; kinds that concern no account change nothing here."""
    cause = f"change {change.id}"
    if change.kind is ChangeKind.DEPOSIT:
        return portfolio.deposit(account, int(change.value), tick.at, cause)
    if change.kind is ChangeKind.WITHDRAW and int(change.value) <= account.cash - account.owed:
        return portfolio.deposit(account, -int(change.value), tick.at, cause)
    if change.kind is ChangeKind.RESUME and change.scope in ("", controls.ALL):
        return breakers.rebase(account), []
    if change.kind is ChangeKind.ENABLE:
        return trials.restart(account, change.scope, tick.at), []
    return account, []
