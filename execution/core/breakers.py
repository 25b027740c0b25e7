"""Daily loss and drawdown: what stops openings, and what latches the kill switch."""

from datetime import UTC, datetime, tzinfo

from execution.core.risk import Limits
from execution.core.types import AccountName, Halt, Portfolio
from markets.core.frozen import replace

HOUR_MS = 3_600_000
HOURS = 24
"""Length of the rolling day."""


def local_day(at: int, zone: tzinfo) -> int:
    """The calendar day an instant (ms UTC) belongs to in a zone, as an ordinal."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).toordinal()


def judge(
    portfolio: Portfolio, limits: Limits, at: int, zone: tzinfo
) -> tuple[Portfolio, Halt | None]:
    """The account after its day rolled and its breakers were read at freshly marked equity.

    At the daily loss limit openings stop until the next day of the zone; at the drawdown limit
    they stop until a person resumes, and in the base account the kill switch latches for all.
    Where they are configured, a second loss limit ends every holding until that next day, and
    the loss of the last 24 hours counts as a day's.
    """
    portfolio = _day(portfolio, limits, at, zone)
    if portfolio.stopped or portfolio.drawdown < limits.max_drawdown:
        return portfolio, None
    portfolio = replace(portfolio, stopped=True)
    if portfolio.account != AccountName.BASE:
        return portfolio, None
    reason = (
        f"drawdown {portfolio.drawdown / 10_000:.2f} % reached {limits.max_drawdown / 10_000:g} %"
    )
    return portfolio, Halt("all", reason, portfolio.account, at)


def _day(portfolio: Portfolio, limits: Limits, at: int, zone: tzinfo) -> Portfolio:
    day = local_day(at, zone)
    if day != portfolio.day:
        portfolio = replace(
            portfolio, day=day, day_open=portfolio.equity, day_stopped=False, flatten=False
        )
    portfolio = _rolled(portfolio, at) if limits.rolling_daily_loss else _unrolled(portfolio)
    loss = max(portfolio.day_loss, portfolio.rolling_loss)
    if loss >= limits.daily_loss_limit:
        portfolio = replace(portfolio, day_stopped=True)
    if limits.flatten_at_daily_loss and loss >= limits.flatten_at_daily_loss:
        portfolio = replace(portfolio, flatten=True)
    return portfolio


def _rolled(portfolio: Portfolio, at: int) -> Portfolio:
    """The account with its result noted once an hour, and its loss against 24 hours ago.

    Results (equity less deposits), so that a deposit is no gain. The oldest note is the newest
    one that is at least 24 hours old: a loss is seen for 24 hours, never less.
    """
    hour, result = at // HOUR_MS, portfolio.equity - portfolio.deposits
    notes = portfolio.rolling
    if not notes or notes[-1][0] != hour:
        notes = (*notes, (hour, result))
    old = sum(noted <= hour - HOURS for noted, _ in notes)
    notes = notes[max(0, old - 1) :]
    return replace(portfolio, rolling=notes, rolling_loss=max(0, notes[0][1] - result))


def _unrolled(portfolio: Portfolio) -> Portfolio:
    if not portfolio.rolling:
        return portfolio
    return replace(portfolio, rolling=(), rolling_loss=0)


def rebase(portfolio: Portfolio) -> Portfolio:
    """After a person resumed: a stopped account's high-water mark is its equity now."""
    if not portfolio.stopped:
        return portfolio
    return replace(portfolio, stopped=False, high_water=portfolio.equity)
