"""Orders meet the books of a tick: what a halt stops goes first, then fills and ends."""

from execution.core import depletion, leaving, operations, portfolio
from execution.core.controls import Controls
from execution.core.ports import Match, Venue
from execution.core.types import (
    OPEN_STATES,
    AccountName,
    Disposed,
    Disposition,
    EndReason,
    Fact,
    OperationKind,
    Order,
    OrderState,
    Portfolio,
    Purpose,
)
from markets.core.frozen import replace
from markets.core.tick import Tick

ENDED_UNFILLED = (OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED)


def meet(
    account: Portfolio, tick: Tick, control: Controls, venue: Venue
) -> tuple[Portfolio, list[Fact]]:
    """Cancel what a halt stops, then match what has arrived against this tick's books."""
    account, facts = cancel_halted(account, control, tick.at)
    account = replace(account, depleted=depletion.refresh(account.depleted, tick))
    orders = sorted(account.orders.values(), key=_place)
    matches, depleted = venue.match(orders, tick, account.depleted)
    quiet = {match.order.id: match.order for match in matches if _is_quiet(match, account)}
    account = replace(account, depleted=depleted, orders={**account.orders, **quiet})
    for match in (match for match in matches if match.order.id not in quiet):
        account, news = portfolio.apply(account, match, tick.at)
        facts += news
        if match.takes or match.order.state not in OPEN_STATES:
            facts += told(account, match.order, tick.at)
    return account, facts


def _is_quiet(match: Match, account: Portfolio) -> bool:
    """Whether an order only waited: its place may have moved, and nothing else happened to it."""
    before, after = account.orders[match.order.id], match.order
    return not match.takes and after.state is before.state and after.state in OPEN_STATES


def cancel_halted(account: Portfolio, control: Controls, at: int) -> tuple[Portfolio, list[Fact]]:
    """A halt is read again when an order would fill: under it, only what it wants sold may."""
    facts: list[Fact] = []
    for operation in list(account.operations.values()):
        splits = operation.kind is OperationKind.SPLIT
        if splits and control.halted(operation.strategy, operation.markets[0]):
            account, news = operations.cancel(account, operation, EndReason.HALTED, at)
            facts += news
    for order in list(account.orders.values()):
        halted = control.halted(order.strategy, order.market)
        if halted and not leaving.spared(account, control, order):
            account, news = portfolio.cancel(account, order, EndReason.HALTED, at)
            facts += news
            if order.signal and account.account == AccountName.BASE and not quotes(order):
                facts.append(Disposed(order.signal, Disposition.REFUSED, EndReason.HALTED, at))
    return account, facts


def told(account: Portfolio, order: Order, at: int) -> list[Fact]:
    """What a fill or the end of an entry order means for its signal, in the base account.

    A quote goes on when an order of it ends: `quote_fates` says what becomes of it then.
    """
    if account.account != AccountName.BASE or not order.signal:
        return []
    if order.filled:
        return [Disposed(order.signal, Disposition.TRADED, "", at)]
    if order.state in ENDED_UNFILLED and not quotes(order):
        return [Disposed(order.signal, Disposition.REFUSED, order.reason, at)]
    return []


def quotes(order: Order) -> bool:
    """Whether an order stands for a quote."""
    return order.purpose is Purpose.QUOTE


def _place(order: Order) -> tuple[bool, str, str, str, int]:
    """Exits before entries, then (strategy, market, token)."""
    entry = order.purpose is Purpose.ENTRY
    return entry, order.strategy, order.market, order.token, order.leg
