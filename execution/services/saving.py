"""Everything a batch of turns led to, as rows; runs inside the desk's one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from execution.core.desk import Desk, Turn
from execution.core.types import (
    Change,
    Disposed,
    Equity,
    Fill,
    JournalEntry,
    Order,
    Refusal,
)
from execution.models import Change as ChangeRow
from execution.models import Equity as EquityRow
from execution.models import Lapse, Trade
from execution.models import Order as OrderRow
from execution.models import Refusal as RefusalRow
from execution.services import bookings, projections
from markets.services import universe
from strategies import services as journal


def save(
    desk: Desk,
    turns: Sequence[Turn],
    *,
    changes: Sequence[Change],
    lapsed: Sequence[int],
    now: datetime,
) -> None:
    """Store the facts of consecutive turns and the state they lead to."""
    facts = [(turn.tick.id, fact) for turn in turns for fact in turn.facts]
    last = turns[-1].tick
    journal.record([(turn.tick, turn.page) for turn in turns])
    _save_orders((tick, fact) for tick, fact in facts if isinstance(fact, Order))
    Trade.objects.bulk_create(_trade(t, f) for t, f in facts if isinstance(f, Fill))
    RefusalRow.objects.bulk_create(_refusal(t, f) for t, f in facts if isinstance(f, Refusal))
    bookings.book([(t, f) for t, f in facts if isinstance(f, JournalEntry)], now)
    EquityRow.objects.bulk_create(_equity(f) for _, f in facts if isinstance(f, Equity))
    journal.dispose(
        (fact.signal, fact.disposition, fact.reason)
        for _, fact in facts
        if isinstance(fact, Disposed)
    )
    _stamp(changes, turns[0].tick.id)
    _save_lapse(lapsed, now)
    projections.show(desk.portfolios, last.at)
    projections.show_switches(changes)
    projections.show_halts(desk.control, changes, last.at)
    projections.show_limit_use(desk.portfolios)
    _keep_held(desk)


def _save_orders(orders: Iterable[tuple[int, Order]]) -> None:
    """Insert new orders, and move known ones to their newest state."""
    newest: dict[str, OrderRow] = {}
    for tick, order in orders:
        first = newest.get(order.id)
        newest[order.id] = _order(first.tick_id if first else tick, order)
    OrderRow.objects.bulk_create(
        newest.values(),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["filled", "reserved", "state", "reason"],
    )


def _order(tick: int, order: Order) -> OrderRow:
    return OrderRow(
        id=order.id,
        tick_id=tick,
        account=order.account,
        strategy=order.strategy,
        market=order.market,
        token=order.token,
        outcome=order.outcome,
        side=order.side,
        type=order.type,
        price=order.price,
        size=order.size,
        purpose=order.purpose,
        leg=order.leg,
        signal_id=order.signal or None,
        placed_at=order.placed_at,
        arrives_at=order.arrives_at,
        filled=order.filled,
        reserved=order.reserved,
        state=order.state,
        reason=order.reason,
    )


def _trade(tick: int, fill: Fill) -> Trade:
    return Trade(
        id=fill.id,
        tick_id=tick,
        account=fill.account,
        order_id=fill.order or None,
        strategy=fill.strategy,
        market=fill.market,
        token=fill.token,
        outcome=fill.outcome,
        side=fill.side,
        price=fill.price,
        size=fill.size,
        notional=fill.notional,
        fee=fill.fee,
        liquidity=fill.liquidity,
        evidence=fill.evidence,
        level=fill.level,
        book_at=fill.book_at,
        at=fill.at,
        realized_pnl=fill.realized_pnl,
    )


def _refusal(tick: int, refusal: Refusal) -> RefusalRow:
    return RefusalRow(
        tick_id=tick,
        at=refusal.at,
        account=refusal.account,
        strategy=refusal.strategy,
        market=refusal.market,
        token=refusal.token,
        signal=refusal.signal,
        code=refusal.code,
        limit=refusal.limit,
        value=refusal.value,
    )


def _equity(equity: Equity) -> EquityRow:
    return EquityRow(
        account=equity.account,
        at=equity.at,
        cash=equity.cash,
        reserved=equity.reserved,
        equity=equity.equity,
        drawdown=equity.drawdown,
    )


def _stamp(changes: Sequence[Change], tick: int) -> None:
    """Mark people's changes with the tick that first applied them, for replays."""
    ids = [change.id for change in changes]
    ChangeRow.objects.filter(pk__in=ids, applied_tick=None).update(applied_tick=tick)


def _save_lapse(lapsed: Sequence[int], now: datetime) -> None:
    if lapsed:
        Lapse.objects.create(from_tick=lapsed[0], to_tick=lapsed[-1], recorded_at=now)


def _keep_held(desk: Desk) -> None:
    """Ask markets to keep watching what is held or on order, and to let go of the rest."""
    wanted = {
        thing.market
        for portfolio in desk.portfolios.values()
        for thing in (*portfolio.positions.values(), *portfolio.orders.values())
    }
    universe.keep_exactly(wanted, reason="held")
