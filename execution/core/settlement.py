"""What the end of a market does to an account: its orders go, its holdings become their payout."""

from dataclasses import replace

from execution.core import ledger, operations, portfolio
from execution.core.types import (
    EndReason,
    Fact,
    Fill,
    HoldingKey,
    Liquidity,
    Portfolio,
    Side,
)
from markets.core import venue
from markets.core.amounts import plain
from markets.core.tick import Tick
from markets.core.types import Resolution, Status
from strategies.core.types import digest


def advance(account: Portfolio, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """The account after what a tick tells of outcomes."""
    facts: list[Fact] = []
    for resolution in tick.resolutions:
        if resolution.status is Status.RESOLVED:
            account, news = _settle(account, resolution, tick.at)
            facts += news
    return account, facts


def _settle(account: Portfolio, resolution: Resolution, at: int) -> tuple[Portfolio, list[Fact]]:
    """Pay a finally resolved market out: its open orders go, its holdings become their payout."""
    facts: list[Fact] = []
    if resolution.payouts is None:
        return account, facts
    for order in [o for o in account.orders.values() if o.market == resolution.market]:
        account, cancelled = portfolio.cancel(account, order, EndReason.RESOLVED, at)
        facts += cancelled
    for waiting in [o for o in account.operations.values() if resolution.market in o.markets]:
        account, returned = operations.cancel(account, waiting, EndReason.RESOLVED, at)
        facts += returned
    for key, held in sorted(account.positions.items()):
        if held.market == resolution.market:
            account, settled = _pay(account, key, resolution.payouts[held.index], at)
            facts += settled
    return account, facts


def _pay(account: Portfolio, key: HoldingKey, payout: int, at: int) -> tuple[Portfolio, list[Fact]]:
    held = account.positions[key]
    paid = venue.proceeds(held.size, payout)
    fill = Fill(
        id=digest("settlement", account.account, held.strategy, held.token, at),
        order="",
        account=account.account,
        strategy=held.strategy,
        market=held.market,
        token=held.token,
        outcome=held.outcome,
        side=Side.SELL,
        price=payout,
        size=held.size,
        notional=paid,
        fee=0,
        liquidity=Liquidity.SETTLEMENT,
        evidence=f"resolved: pays {plain(payout)} a share",
        book_at=at,
        at=at,
        realized_pnl=paid - held.cost,
        fair_value=paid,
        settlement_gain=paid - held.fair_cost,
    )
    return replace(
        account,
        cash=account.cash + paid,
        positions=portfolio.put(account.positions, key, None),
        realized=account.realized + fill.realized_pnl,
    ), [portfolio.with_claims(fill, held), ledger.settle(fill)]
