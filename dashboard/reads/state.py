"""The desk's state in one value: what /health, /api/status and the pages say alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from dashboard import health
from dashboard.apps import DashboardConfig
from execution.selectors import accounts, control, orders, overrides
from execution.services import stopfile
from markets.selectors import catalogue, continuity
from markets.selectors.feeds import feeds
from strategies.selectors import journal as opinions

HOUR_MS = 3_600_000
MODE = "paper"


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage: its position (a tick id), how many ticks behind, when it last moved (ms UTC)."""

    name: str
    state: str
    position: int
    behind: int
    moved_at: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of /health."""

    report: health.Report
    uptime_seconds: int
    active_strategies: int
    markets_tracked: int
    last_tick_at: int | None


@dataclass(frozen=True, slots=True)
class StrategyLine:
    """One strategy with its switch, its newest look and what it came to in the base account."""

    name: str
    enabled: bool
    configured: bool
    override: bool | None
    state: str
    reason: str
    mode: str
    description: str
    parameters: Mapping[str, Any]
    signals: int
    result: accounts.Result
    look: opinions.Look | None

    @property
    def counters(self) -> dict[str, Any]:
        """Its figures, as the API lists them."""
        return {
            "signals": self.signals,
            "trades": self.result.trades,
            "pnl": self.result.pnl,
            "realized_pnl": self.result.realized_pnl,
            "unrealized_pnl": self.result.unrealized_pnl,
            "seen": self.look.seen if self.look else 0,
            "signalled": self.look.signalled if self.look else 0,
            "silent": dict(self.look.silent) if self.look else {},
        }


def read_health(now: int) -> Health:
    """How the desk is at `now` (ms UTC); never raises because the database is away."""
    started = DashboardConfig.started_at
    uptime = max(0, now - started) // 1000
    try:
        collected = catalogue.newest()
        facts = _facts(now, started, collected)
        return Health(
            health.judge(facts),
            uptime,
            control.active_count(),
            facts.tracked,
            collected[1] if collected else None,
        )
    except DatabaseError:
        blank = health.Facts(now, started, poll_ms(), None, 0, 0, None, unreadable=True)
        return Health(health.judge(blank), uptime, 0, 0, None)


def health_answer(found: Health) -> dict[str, Any]:
    """/health in its keys, the four that clients rely on first."""
    return {
        "status": found.report.status,
        "uptime_seconds": found.uptime_seconds,
        "active_strategies": found.active_strategies,
        "markets_tracked": found.markets_tracked,
        "reasons": [reason.code for reason in found.report.reasons],
        "messages": [reason.message for reason in found.report.reasons],
        "environment": settings.PQAP.env,
        "last_tick_at": found.last_tick_at,
    }


def stages(now: int) -> tuple[StageLine, ...]:
    """The stages of the pipeline, left to right, with those that never ran."""
    found = {stage.name: stage for stage in catalogue.stages()}
    head = found["collect"].position if "collect" in found else 0
    shown = ("collect", "desk", *(name for name in found if name not in ("collect", "desk")))
    return tuple(_stage(name, found.get(name), head, now) for name in shown)


def strategies() -> tuple[StrategyLine, ...]:
    """Every strategy PQAP knows, in name order."""
    signals, results, looks = opinions.signal_counts(), accounts.results(), opinions.looks()
    return tuple(
        StrategyLine(
            name=switch.name,
            enabled=switch.enabled,
            configured=switch.configured,
            override=switch.override,
            state=switch.state,
            reason=switch.reason,
            mode="shadow" if switch.name in settings.PQAP.shadow_strategies else MODE,
            description=switch.description,
            parameters=switch.parameters,
            signals=signals.get(switch.name, 0),
            result=results.get(switch.name, accounts.Result()),
            look=looks.get(switch.name),
        )
        for switch in control.switches()
    )


def read_status(now: int) -> dict[str, Any]:
    """Everything /api/status tells, in its keys."""
    held = accounts.capital()
    failures = opinions.failures(since=now - HOUR_MS)
    halts = control.halts()
    stopped = next((halt for halt in halts if halt.scope == "all"), None)
    return {
        "environment": settings.PQAP.env,
        "mode": MODE,
        "started_at": DashboardConfig.started_at,
        "version": settings.VERSION,
        "capital": held[0] if held else unopened(),
        "strategies": [_figures(line) for line in strategies()],
        "collection": catalogue.collection(at=now, every=poll_ms()),
        "risk": {
            "limits": {limit.name: limit for limit in control.limits()},
            "halted": stopped is not None,
            "halt_reason": stopped.reason if stopped else "",
            "halts": halts,
            "overrides": overrides.in_force(),
        },
        "errors": sum(failure.count for failure in failures),
        "recent_errors": [
            {"at": failure.at, "source": failure.strategy, "count": failure.count,
             "text": failure.text}
            for failure in failures
        ],
        "accounts": held,
        "stages": stages(now),
        "health": read_health(now).report.status,
        "source": settings.PQAP.exchange.source,
        "config_digest": settings.PQAP.digest,
        "trades": orders.trade_count(),
        "positions": accounts.holding_count(),
    }  # fmt: skip


def unopened() -> accounts.Capital:
    """The base account's figures before it was opened: the capital it will get."""
    initial = settings.PQAP.initial_capital
    return accounts.Capital(
        account="base", initial=initial, cash=initial, reserved=0, equity=initial, pnl=0,
        deposits=initial, realized_pnl=0, unrealized_pnl=0, fees=0, drawdown=0,
        high_water=initial, day_pnl=0, stopped="", opened_at=0, marked_at=0,
    )  # fmt: skip


def _facts(now: int, started: int, collected: tuple[int, int, int] | None) -> health.Facts:
    positions = {stage.name: stage for stage in catalogue.stages()}
    desk = positions.get("desk")
    halt = next((halt for halt in control.halts() if halt.scope == "all"), None)
    looks, books = opinions.looks().values(), continuity.watching(now, poll_ms())
    return health.Facts(
        now=now,
        started_at=started,
        poll_ms=poll_ms(),
        tick_at=collected[2] if collected else None,
        ticks=collected[0] if collected else 0,
        desk=desk.position if desk else 0,
        desk_moved_at=desk.moved_at if desk else None,
        ledger=control.ledger_fault(),
        mismatch=control.mismatch(),
        halted=halt.reason if halt else stopfile.reason(),
        failing=tuple(sorted(look.strategy for look in looks if look.error)),
        feeds=feeds(),
        still_since=books.still_since,
        tracked=books.tracked,
        unconfirmed=books.unconfirmed,
    )


def _figures(line: StrategyLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "state": line.state,
        "reason": line.reason,
        "signals": line.signals,
        "trades": line.result.trades,
        "pnl": line.result.pnl,
    }


def _stage(name: str, stage: catalogue.StagePosition | None, head: int, now: int) -> StageLine:
    if stage is None:
        return StageLine(name, "waiting", 0, head, None)
    behind, still = max(0, head - stage.position), now - stage.moved_at
    late = still if name == "collect" or behind else 0
    if late > health.patience(poll_ms()):
        state = "stopped"
    elif late > health.OK_POLLS * poll_ms() or behind > health.BEHIND_TICKS:
        state = "late"
    else:
        state = "ok"
    return StageLine(name, state, stage.position, behind, stage.moved_at)


def poll_ms() -> int:
    """The ms between two looks at the exchange."""
    return int(settings.PQAP.collection.poll_seconds * 1000)
