"""Paying a decided holding out: a fill without an order, its booking, and what is remembered."""

from execution.core import ledger, portfolio
from execution.core.types import Fact, Fill, Liquidity, Portfolio, Position, Settled, Side
from markets.core import venue
from markets.core.amounts import plain
from markets.core.frozen import replace
from strategies.core.types import digest

REMEMBERED_MS = 30 * 86_400_000
"""How long after its payment a settlement can still be corrected."""


def pay(
    account: Portfolio, held: Position, payout: int, at: int, *, instead_of: str = ""
) -> tuple[Portfolio, list[Fact]]:
    """Turn a holding into `payout` a share; it is no longer, or not again, among the positions.

    `instead_of` is the fill of a settlement this one replaces. No fee is taken.
    """
    paid = venue.proceeds(held.size, payout)
    cause = (instead_of,) if instead_of else ()
    fill = Fill(
        id=digest("settlement", account.account, held.strategy, held.token, at, *cause),
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
    fill = portfolio.with_claims(fill, held)
    settled = Settled(fill.id, held, payout, paid, at)
    known = {id: each for id, each in account.settled.items() if at - each.at <= REMEMBERED_MS}
    return replace(
        account,
        cash=account.cash + paid,
        settled={**known, fill.id: settled},
        realized=account.realized + fill.realized_pnl,
    ), [fill, ledger.settle(fill)]
