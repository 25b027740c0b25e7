"""Outcomes corrected after they were paid: nothing is edited, what was booked is booked back.

Cash that is spent already is owed: it is given back from whatever comes in next.
"""

from execution.core import ledger, payouts, portfolio
from execution.core.types import (
    UNRESOLVED,
    Fact,
    Fill,
    Liquidity,
    Portfolio,
    Position,
    Settled,
    Side,
)
from markets.core.amounts import plain
from markets.core.frozen import replace
from strategies.core.types import digest


def paid(account: Portfolio, market: str, at: int) -> list[Settled]:
    """What was paid out in a market and can still be corrected, in (strategy, token) order."""
    found = [
        each
        for each in account.settled.values()
        if each.position.market == market and at - each.at <= payouts.REMEMBERED_MS
    ]
    return sorted(found, key=lambda each: (each.position.strategy, each.position.token, each.at))


def correct(
    account: Portfolio, settled: Settled, payout: int, at: int
) -> tuple[Portfolio, list[Fact]]:
    """A settlement undone and paid anew at the right payout, without another wait."""
    why = f"corrected: pays {plain(payout)} instead of {plain(settled.payout)}"
    account, facts = _reverse(account, settled, at, why)
    held = replace(settled.position, payout=payout)
    account, news = payouts.pay(account, held, payout, at, instead_of=settled.fill)
    return account, facts + news


def take_back(account: Portfolio, settled: Settled, at: int) -> tuple[Portfolio, list[Fact]]:
    """A settlement undone because its outcome is open again: the shares are held once more."""
    why = f"taken back: paid {plain(settled.payout)}, the outcome is open again"
    account, facts = _reverse(account, settled, at, why)
    held = replace(settled.position, payout=UNRESOLVED, redeem_at=0)
    key = (held.strategy, held.token)
    now = account.positions.get(key)
    whole = _joined(now, held) if now else held
    return replace(account, positions=portfolio.put(account.positions, key, whole)), facts


def repay(account: Portfolio, at: int) -> tuple[Portfolio, list[Fact]]:
    """Give back what is owed, as far as the free cash goes."""
    amount = min(account.owed, account.cash)
    if amount <= 0:
        return account, []
    repaid = replace(account, cash=account.cash - amount, owed=account.owed - amount)
    return repaid, [ledger.repay(account.account, amount, at)]


def _reverse(
    account: Portfolio, settled: Settled, at: int, why: str
) -> tuple[Portfolio, list[Fact]]:
    """The shares come back, the cash goes, and every figure of the settlement with its sign."""
    held = settled.position
    owed = max(0, settled.paid - account.cash)
    fill = Fill(
        id=digest("reversal", settled.fill),
        order="",
        account=account.account,
        strategy=held.strategy,
        market=held.market,
        token=held.token,
        outcome=held.outcome,
        side=Side.BUY,
        price=settled.payout,
        size=held.size,
        notional=settled.paid,
        fee=0,
        liquidity=Liquidity.SETTLEMENT,
        evidence=f"{why}, reverses {settled.fill}",
        book_at=at,
        at=at,
        realized_pnl=held.cost - settled.paid,
        fair_value=settled.paid,
        settlement_gain=held.fair_cost - settled.paid,
    )
    return replace(
        account,
        cash=account.cash - settled.paid + owed,
        owed=account.owed + owed,
        settled=portfolio.put(account.settled, settled.fill, None),
        realized=account.realized + fill.realized_pnl,
    ), [fill, ledger.reverse(fill, settled.fill, owed)]


def _joined(now: Position, back: Position) -> Position:
    """Shares that came back beside others of the same holding."""
    return replace(
        now,
        size=now.size + back.size,
        cost=now.cost + back.cost,
        opened_at=min(now.opened_at, back.opened_at),
        fair_cost=now.fair_cost + back.fair_cost,
        claimed=now.claimed + back.claimed,
        hoped=now.hoped + back.hoped,
        deviation=now.deviation + back.deviation,
        peak=max(now.peak, back.peak),
    )
