"""Rows that show the newest state of accounts, holdings, switches and limits."""

import logging
from collections.abc import Iterable, Mapping

from django.db import DatabaseError, transaction
from django.db.models import F

from execution.core import exposure, risk, state
from execution.core.controls import Controls
from execution.core.exposure import Exposure
from execution.core.risk import LIMIT_NAMES
from execution.core.types import (
    AccountName,
    Change,
    ChangeKind,
    HoldingState,
    Portfolio,
    Suspension,
)
from execution.core.types import Position as Held
from execution.models import Account, HaltState, LimitState, Position, StrategyState
from markets.core.tick import Tick
from markets.core.types import ONE

log = logging.getLogger("pqap.desk")

AUTO_DISABLED = "auto_disabled"
"""The state of a strategy that a rule switched off."""


def show(portfolios: Mapping[str, Portfolio], at: int) -> None:
    """Write every account's figures, its exact state, and its holdings as of one tick."""
    for name, portfolio in portfolios.items():
        Account.objects.filter(name=name).update(
            cash=portfolio.cash,
            reserved=portfolio.reserved,
            equity=portfolio.equity,
            high_water=portfolio.high_water,
            day_open=portfolio.day_open,
            deposits=portfolio.deposits,
            realized=portfolio.realized,
            fees=portfolio.fees,
            drawdown=portfolio.drawdown,
            rebates=portfolio.rebates,
            stopped=_stopped(portfolio),
            marked_at=at,
            state=state.dump(portfolio),
        )
    _show_holdings(portfolios)


def _stopped(portfolio: Portfolio) -> str:
    if portfolio.stopped:
        return "DRAWDOWN"
    return "DAILY_LOSS" if portfolio.day_stopped else ""


def holding_state(held: Held, locked: Mapping[str, str]) -> str:
    """How a holding's market stands: '' while it trades."""
    return HoldingState.RESOLVED if held.resolved else locked.get(held.market, "")


def _show_holdings(portfolios: Mapping[str, Portfolio]) -> None:
    rows = [
        Position(
            account=name,
            strategy=held.strategy,
            market=held.market,
            token=held.token,
            outcome=held.outcome,
            size=held.size,
            cost=held.cost,
            mark=held.mark,
            value=held.value,
            opened_at=held.opened_at,
            fair_cost=held.fair_cost,
            state=holding_state(held, portfolio.locked),
        )
        for name, portfolio in portfolios.items()
        for held in portfolio.positions.values()
    ]
    kept = {(row.account, row.strategy, row.token) for row in rows}
    gone = [
        row.pk
        for row in Position.objects.all()
        if (row.account, row.strategy, row.token) not in kept
    ]
    Position.objects.filter(pk__in=gone).delete()
    Position.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "strategy", "token"],
        update_fields=["size", "cost", "mark", "value", "opened_at", "fair_cost", "state"],
    )


def show_switches(changes: Iterable[Change]) -> None:
    """Remember overrides of strategies and limits; `reset` takes an override away."""
    for change in changes:
        match change.kind:
            case ChangeKind.ENABLE | ChangeKind.DISABLE:
                on = change.kind is ChangeKind.ENABLE
                StrategyState.objects.filter(name=change.scope).update(
                    override=on,
                    overridden=F("configured"),
                    state="active" if on else "disabled",
                    reason=change.why,
                )
            case ChangeKind.RESET_STRATEGY:
                for row in StrategyState.objects.filter(name=change.scope):
                    row.override, row.overridden, row.reason = None, None, ""
                    row.state = "active" if row.configured else "disabled"
                    row.save()
            case ChangeKind.LIMIT:
                LimitState.objects.filter(name=change.scope).update(
                    override=int(change.value), overridden=F("configured")
                )
            case ChangeKind.RESET_LIMIT:
                LimitState.objects.filter(name=change.scope).update(override=None, overridden=None)


def show_suspensions(control: Controls, suspensions: Iterable[Suspension]) -> None:
    """Make the switches show which strategies a rule has switched off, why and since when."""
    since = {suspension.strategy: suspension.at for suspension in suspensions}
    for row in StrategyState.objects.all():
        shown = (row.suspended, row.suspended_at, row.state, row.reason)
        row.suspended = control.suspended.get(row.name, "")
        row.suspended_at = since.get(row.name, row.suspended_at) if row.suspended else 0
        if row.suspended and row.state == "active":
            row.state, row.reason = AUTO_DISABLED, row.suspended
        if shown != (row.suspended, row.suspended_at, row.state, row.reason):
            row.save()


def show_halts(control: Controls, changes: Iterable[Change], at: int) -> None:
    """Make the halt rows equal to the halts in force.

    Rows that cannot be written stop nothing: the halts are in force all the same, and at the next
    start what cannot be read counts as halted.
    """
    try:
        with transaction.atomic():
            _show_halts(control, changes, at)
    except DatabaseError as fault:
        log.critical("The halts in force cannot be written down: %s", fault)


def _show_halts(control: Controls, changes: Iterable[Change], at: int) -> None:
    who = {c.scope or "all": c.who for c in changes if c.kind is ChangeKind.HALT}
    HaltState.objects.exclude(scope__in=list(control.halts)).delete()
    shown = dict(HaltState.objects.values_list("scope", "reason"))
    for scope, reason in control.halts.items():
        # A halt that was lifted and set again within one batch has a new reason, not a new row.
        if shown.get(scope) != reason:
            new = {"reason": reason, "who": who.get(scope, "breaker"), "at": at}
            HaltState.objects.update_or_create(scope=scope, defaults=new)


def show_limit_use(portfolios: Mapping[str, Portfolio], tick: Tick) -> None:
    """How much of each limit the base account uses as of a tick."""
    use = limit_use(portfolios[AccountName.BASE], tick)
    for name in LIMIT_NAMES:
        LimitState.objects.filter(name=name).exclude(used=use[name]).update(used=use[name])


def limit_use(account: Portfolio, tick: Tick) -> Mapping[str, int]:
    """Each limit's use in its own unit, in millionths; where a limit holds for many, the most."""
    things = (*account.positions.values(), *account.orders.values())
    markets, names = {t.market for t in things}, {t.strategy for t in things}
    stake = Exposure.of(account, tick.universe)
    column = tick.universe.column
    seen = [int(tick.observed_at[column[market]]) for market in markets if market in column]
    oldest = max((tick.at - at for at in seen if at), default=0)
    return {
        "max_capital_per_market": _most(exposure.used(account, market=m) for m in markets),
        "max_capital_per_strategy": _most(exposure.used(account, strategy=n) for n in names),
        "max_event_loss": _most(group.loss for group in stake.groups.values()),
        "max_cluster_loss": _most(stake.cluster(key) for key in stake.clusters()),
        "max_total_exposure": stake.total,
        "daily_loss_limit": max(account.day_loss, account.rolling_loss),
        "max_drawdown": account.drawdown,
        "max_orders_per_minute": len(risk.recent(account.placed, tick.at)) * ONE,
        "max_book_age": oldest * ONE // risk.SECOND_MS,
    }


def _most(figures: Iterable[int]) -> int:
    return max(figures, default=0)
