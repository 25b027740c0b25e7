"""Daily loss and drawdown: what stops openings, and what latches the kill switch."""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from execution.core.risk import Limits
from execution.core.types import AccountName, Halt, Portfolio


def local_day(at: int, zone: tzinfo) -> int:
    """The calendar day an instant (ms UTC) belongs to in a zone, as an ordinal."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).toordinal()


def judge(
    portfolio: Portfolio, limits: Limits, at: int, zone: tzinfo
) -> tuple[Portfolio, Halt | None]:
    """The account after its day rolled and its breakers were read at freshly marked equity.

    At the daily loss limit openings stop until the next day of the zone; at the drawdown limit
    they stop until a person resumes, and in the base account the kill switch latches for all.
    """
    day = local_day(at, zone)
    if day != portfolio.day:
        portfolio = replace(portfolio, day=day, day_open=portfolio.equity, day_stopped=False)
    if portfolio.day_loss >= limits.daily_loss_limit:
        portfolio = replace(portfolio, day_stopped=True)
    if portfolio.stopped or portfolio.drawdown < limits.max_drawdown:
        return portfolio, None
    portfolio = replace(portfolio, stopped=True)
    if portfolio.account != AccountName.BASE:
        return portfolio, None
    reason = (
        f"drawdown {portfolio.drawdown / 10_000:.2f} % reached {limits.max_drawdown / 10_000:g} %"
    )
    return portfolio, Halt("all", reason, portfolio.account, at)


def rebase(portfolio: Portfolio) -> Portfolio:
    """After a person resumed: a stopped account's high-water mark is its equity now."""
    if not portfolio.stopped:
        return portfolio
    return replace(portfolio, stopped=False, high_water=portfolio.equity)
