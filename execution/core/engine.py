"""`step`: one account through one tick. Paper, backtest and live all run this function.

Order within a tick: people's changes, resolutions, arrivals and fills, marks and breakers, exits,
entries by (strategy, market, token).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from execution.core import breakers, controls, entries, exits, paper, portfolio
from execution.core.controls import Controls
from execution.core.ports import Venue
from execution.core.sizing import Sizing
from execution.core.types import (
    Change,
    ChangeKind,
    Disposed,
    Disposition,
    Equity,
    Fact,
    Order,
    OrderState,
    OrderType,
    Portfolio,
    Position,
    Purpose,
    Side,
)
from markets.core import venue as rules
from markets.core.tick import Tick
from markets.core.types import Status
from strategies.core.types import Opinion, Signal, digest

BAR_MS = 300_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from tick to tick: sizing and the zone of the trading day."""

    sizing: Sizing
    zone: tzinfo


def step(
    account: Portfolio,
    tick: Tick,
    signals: Sequence[Signal],
    opinions: Mapping[str, Opinion],
    *,
    control: Controls,
    venue: Venue,
    setting: Setting,
    changes: Iterable[Change] = (),
    lapsed: bool = False,
) -> tuple[Portfolio, list[Fact]]:
    """The account after one tick, and everything that happened to it as facts, in order.

    `control` already holds what `changes` decided; of the changes only money and resumes are
    applied here. A lapsed tick fills, settles and marks, but makes no order.
    """
    facts: list[Fact] = []
    for change in changes:
        account, news = _apply_change(account, change, tick.at)
        facts += news
    for resolution in tick.resolutions:
        if resolution.status is Status.RESOLVED:
            account, news = portfolio.settle(account, resolution, tick.at)
            facts += news
    account, news = _arrivals(account, tick, control, venue)
    facts += news
    account, halt = breakers.judge(
        portfolio.mark(account, tick), control.limits, tick.at, setting.zone
    )
    if halt:
        facts.append(halt)
        control = controls.latch(control, halt.scope, halt.reason)
        account, news = _cancel_halted(account, control, tick.at)
        facts += news
    if not lapsed:
        account, news = _exits(account, tick, opinions, control, venue)
        facts += news
    account, news = entries.enter(
        account, tick, signals, control=control, venue=venue, sizing=setting.sizing, lapsed=lapsed
    )
    facts += news
    return _record_equity(account, tick, facts)


def _apply_change(account: Portfolio, change: Change, at: int) -> tuple[Portfolio, list[Fact]]:
    cause = f"change {change.id}"
    if change.kind is ChangeKind.DEPOSIT:
        return portfolio.deposit(account, int(change.value), at, cause)
    if change.kind is ChangeKind.WITHDRAW and int(change.value) <= account.cash:
        return portfolio.deposit(account, -int(change.value), at, cause)
    if change.kind is ChangeKind.RESUME and change.scope in ("", controls.ALL):
        return breakers.rebase(account), []
    return account, []


def _arrivals(
    account: Portfolio, tick: Tick, control: Controls, venue: Venue
) -> tuple[Portfolio, list[Fact]]:
    """Cancel what a halt stops, then match what has arrived against this tick's books."""
    account, facts = _cancel_halted(account, control, tick.at)
    account = replace(account, depleted=paper.refresh(account.depleted, tick))
    orders = sorted(account.orders.values(), key=_place)
    matches, depleted = venue.match(orders, tick, account.depleted)
    account = replace(account, depleted=depleted)
    for match in matches:
        account, news = portfolio.apply(account, match, tick.at)
        facts += news + _told(account, match.order, tick.at)
    return account, facts


def _place(order: Order) -> tuple[bool, str, str, str, int]:
    """Exits before entries, then (strategy, market, token)."""
    entry = order.purpose is Purpose.ENTRY
    return entry, order.strategy, order.market, order.token, order.leg


def _told(account: Portfolio, order: Order, at: int) -> list[Fact]:
    """What the end of an entry order means for its signal, in the base account."""
    if account.account != entries.BASE or not order.signal:
        return []
    if order.filled:
        return [Disposed(order.signal, Disposition.TRADED, "", at)]
    if order.state in (OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED):
        return [Disposed(order.signal, Disposition.REFUSED, order.reason, at)]
    return []


def _cancel_halted(account: Portfolio, control: Controls, at: int) -> tuple[Portfolio, list[Fact]]:
    """A halt is read again when an order would fill: nothing fills under it."""
    facts: list[Fact] = []
    for order in list(account.orders.values()):
        if control.halted(order.strategy, order.market):
            account, news = portfolio.cancel(account, order, "HALTED", at)
            facts += news
            if order.signal and account.account == entries.BASE:
                facts.append(Disposed(order.signal, Disposition.REFUSED, "HALTED", at))
    return account, facts


def _exits(
    account: Portfolio,
    tick: Tick,
    opinions: Mapping[str, Opinion],
    control: Controls,
    venue: Venue,
) -> tuple[Portfolio, list[Fact]]:
    facts: list[Fact] = []
    for held, reason in exits.due(account, tick, opinions):
        order = _exit_order(account.account, held, reason, tick, venue)
        if order and not control.halted(held.strategy, held.market):
            account, news = portfolio.place(account, order)
            facts += news
    return account, facts


def _exit_order(
    account: str, held: Position, reason: str, tick: Tick, venue: Venue
) -> Order | None:
    """A sell of the whole holding a little through the bid; None while nobody bids a dollar."""
    bid, _ = tick.touch(held.token)
    market = tick.universe.markets[tick.universe.column[held.market]]
    if bid is None or rules.proceeds(held.size, bid) < rules.MIN_NOTIONAL:
        return None
    key = (account, held.strategy, held.market, held.token, Purpose.EXIT, tick.at, 0)
    order = Order(
        id=digest(*key),
        account=account,
        strategy=held.strategy,
        market=held.market,
        token=held.token,
        outcome=held.outcome,
        side=Side.SELL,
        type=OrderType.FAK,
        price=rules.floor_price(bid - exits.SLIPPAGE, market.terms.tick_size),
        size=held.size,
        purpose=Purpose.EXIT,
        placed_at=tick.at,
        arrives_at=0,
        reserved=held.size,
        reason=reason,
        index=held.index,
    )
    return replace(order, arrives_at=venue.arrival(order, market.terms.taker_delay_ms))


def _record_equity(
    account: Portfolio, tick: Tick, facts: list[Fact]
) -> tuple[Portfolio, list[Fact]]:
    """One equity fact a bar, and one for every tick in which something was booked."""
    bar = tick.at // BAR_MS
    if bar == account.equity_bar and not facts:
        return account, facts
    account = replace(account, equity_bar=bar)
    equity = Equity(
        account.account, tick.at, account.cash, account.reserved, account.equity, account.drawdown
    )
    return account, [*facts, equity]
