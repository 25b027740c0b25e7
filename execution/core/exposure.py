"""How much of an account is bound, and where."""

from execution.core.types import Portfolio, Purpose, Side


def used(portfolio: Portfolio, *, market: str = "", strategy: str = "") -> int:
    """Capital bound in a market or by a strategy: holdings at cost plus reserved buys with fees."""
    held = sum(
        p.cost
        for p in portfolio.positions.values()
        if market in ("", p.market) and strategy in ("", p.strategy)
    )
    return held + sum(
        o.reserved
        for o in portfolio.orders.values()
        if o.side is Side.BUY and market in ("", o.market) and strategy in ("", o.strategy)
    )


def held_or_open(portfolio: Portfolio, strategy: str, market: str) -> bool:
    """Whether a strategy holds or is buying anything in a market."""
    return any(
        p.strategy == strategy and p.market == market for p in portfolio.positions.values()
    ) or any(
        o.strategy == strategy and o.market == market and o.purpose is Purpose.ENTRY
        for o in portfolio.orders.values()
    )
