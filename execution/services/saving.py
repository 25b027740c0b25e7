"""Everything a batch of turns led to, as rows; runs inside the desk's one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from execution.core import funnel
from execution.core.desk import Desk, Turn
from execution.core.types import (
    Archived,
    Change,
    Disposed,
    Equity,
    Fact,
    Fill,
    JournalEntry,
    Operation,
    Order,
    Refusal,
    Suspension,
)
from execution.models import Change as ChangeRow
from execution.models import Equity as EquityRow
from execution.models import Lapse, Trade
from execution.models import Operation as OperationRow
from execution.models import Order as OrderRow
from execution.models import Refusal as RefusalRow
from execution.services import archiving, bookings, projections
from markets.services import universe
from strategies.services import journal

ORDER_COLUMNS = (
    "id", "account", "strategy", "market", "token", "outcome", "side", "type", "price", "size",
    "purpose", "leg", "placed_at", "arrives_at", "filled", "reserved", "state", "reason",
    "post_only", "expires_at", "group", "fair", "touch", "expected",
)  # fmt: skip
"""What an order's row keeps; the rest is state of the venue and the plan."""


FOR_TRIALS = ("claimed", "hoped", "deviation", "expected")
"""What a fill says to the trial of its strategy, and no row keeps."""


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
    journal.record(
        [(turn.tick, turn.page) for turn in turns],
        [funnel.came(turn.tick.at, turn.facts) for turn in turns],
    )
    _save_orders((tick, fact) for tick, fact in facts if isinstance(fact, Order))
    _save_operations((tick, fact) for tick, fact in facts if isinstance(fact, Operation))
    Trade.objects.bulk_create(_trade(t, f) for t, f in facts if isinstance(f, Fill))
    RefusalRow.objects.bulk_create(_refusal(t, f) for t, f in facts if isinstance(f, Refusal))
    bookings.book([(t, f) for t, f in facts if isinstance(f, JournalEntry)], now)
    EquityRow.objects.bulk_create(_equity(f) for _, f in facts if isinstance(f, Equity))
    journal.dispose(
        (fact.signal, fact.disposition, fact.reason)
        for _, fact in facts
        if isinstance(fact, Disposed)
    )
    archiving.save((t, f) for t, f in facts if isinstance(f, Archived))
    _stamp(changes, turns[0].tick.id, now)
    _save_lapse(lapsed, now)
    projections.show(desk.portfolios, last.at)
    projections.show_switches(changes)
    suspensions = [fact for _, fact in facts if isinstance(fact, Suspension)]
    projections.show_suspensions(desk.control, suspensions)
    projections.show_halts(desk.control, changes, last.at)
    projections.show_limit_use(desk.portfolios, last)
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


def _save_operations(operations: Iterable[tuple[int, Operation]]) -> None:
    """Insert new operations, and move known ones to their newest state."""
    newest: dict[str, OperationRow] = {}
    for tick, operation in operations:
        first = newest.get(operation.id)
        columns = _columns(operation, without=("given", "plan"))
        newest[operation.id] = OperationRow(
            tick_id=first.tick_id if first else tick,
            **{**columns, "markets": list(operation.markets)},
        )
    OperationRow.objects.bulk_create(
        newest.values(),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["reserved", "state", "reason"],
    )


def _order(tick: int, order: Order) -> OrderRow:
    columns = {name: getattr(order, name) for name in ORDER_COLUMNS}
    return OrderRow(tick_id=tick, signal_id=order.signal or None, **columns)


def _trade(tick: int, fill: Fill) -> Trade:
    columns = _columns(fill, without=("order", *FOR_TRIALS))
    return Trade(tick_id=tick, order_id=fill.order or None, **columns)


def _refusal(tick: int, refusal: Refusal) -> RefusalRow:
    return RefusalRow(tick_id=tick, **_columns(refusal))


def _equity(equity: Equity) -> EquityRow:
    return EquityRow(**_columns(equity))


def _columns(fact: Fact, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """A fact's fields under the names its row has too."""
    names = (field.name for field in fields(fact))
    return {name: getattr(fact, name) for name in names if name not in without}


def _stamp(changes: Sequence[Change], tick: int, now: datetime) -> None:
    """Mark people's changes with the tick that first applied them, for replays.

    What the desk itself found to be halted has no row yet, and gets one.
    """
    ids = [change.id for change in changes if change.id]
    ChangeRow.objects.filter(pk__in=ids, applied_tick=None).update(applied_tick=tick)
    ChangeRow.objects.bulk_create(
        ChangeRow(
            kind=change.kind, scope=change.scope, value=change.value, who=change.who,
            why=change.why, recorded_at=now, applied_tick=tick,
        )
        for change in changes
        if not change.id
    )  # fmt: skip


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
    wanted |= {
        shadow.market
        for portfolio in desk.portfolios.values()
        for trial in portfolio.trials.values()
        for shadow in trial.shadows.values()
        if not shadow.rests_until
    }
    universe.keep_exactly(wanted, reason="held")
