"""Maker rebates: accrued from maker fills, paid once a day and market, on their own line.

The pool's other makers are unknown, so a fill's share is estimated as the taker's fee times the
market's rebate rate. Off in headline figures unless the configuration pays them.
"""

from collections.abc import Iterable

from execution.core import ledger
from execution.core.types import Fact, Fill, Portfolio
from markets.core.frozen import replace
from markets.core.types import ONE

DAY_MS = 86_400_000
LEAST = ONE
"""A day's rebate of a market below a dollar is not paid."""


def accrue(account: Portfolio, facts: Iterable[Fact]) -> Portfolio:
    """The account with the rebates of this tick's maker fills noted by market."""
    accrued = dict(account.accrued)
    for fact in facts:
        if isinstance(fact, Fill) and fact.rebate:
            accrued[fact.market] = accrued.get(fact.market, 0) + fact.rebate
    return account if accrued == account.accrued else replace(account, accrued=accrued)


def pay(account: Portfolio, at: int, *, paid: bool) -> tuple[Portfolio, list[Fact]]:
    """At the first tick of a UTC day, pay what the days before accrued, if rebates are paid."""
    day = at // DAY_MS
    if day == account.rebate_day:
        return account, []
    due = {m: amount for m, amount in sorted(account.accrued.items()) if paid and amount >= LEAST}
    facts: list[Fact] = [
        ledger.rebate(account.account, market, account.rebate_day, amount, at)
        for market, amount in due.items()
    ]
    total = sum(due.values())
    return replace(
        account,
        cash=account.cash + total,
        rebates=account.rebates + total,
        accrued={},
        rebate_day=day,
    ), facts
