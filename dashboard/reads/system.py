"""The system page: the flow of data, the strategies, the stores, the environment."""

import platform
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

from dashboard import wire
from dashboard.apps import DashboardConfig
from dashboard.reads import overview, quality, state
from execution.selectors import accounts, control
from markets.selectors import catalogue
from strategies.selectors import journal as opinions

STATE_WORDS = {
    "active": "active",
    "disabled": "disabled",
    "auto_disabled": "auto-disabled",
    "invalid": "invalid configuration",
    "unavailable": "not built yet",
    "shadow": "shadow",
}
SOURCES = {
    "synthetic": "the built-in simulated exchange",
    "polymarket": "Polymarket",
    "replay": "a recording, replayed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the flow of data: what it does, how it is, and its figures."""

    name: str
    does: str
    state: str
    figures: tuple[str, ...]
    moved_at: int | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """One place where data lie; `size` in bytes, None where it is not a file of ours."""

    name: str
    where: str
    what: str
    size: int | None


@dataclass(frozen=True, slots=True)
class System:
    """The whole page."""

    now: int
    health: state.Health
    steps: tuple[Step, ...]
    strategies: tuple[state.StrategyLine, ...]
    stores: tuple[Store, ...]
    tables: tuple[tuple[str, int], ...]
    environment: tuple[tuple[str, str], ...]
    synthetic: bool
    halted: control.Halted | None
    troubles: tuple[overview.Trouble, ...]
    waiting: tuple[control.Decision, ...]
    data: quality.Quality


def read(now: int, report: state.Health) -> System:
    """The page's content as of `now` (ms UTC)."""
    counted = {**catalogue.row_counts(), **opinions.row_counts(), **control.row_counts()}
    return System(
        now=now,
        health=report,
        steps=_steps(now),
        strategies=state.strategies(),
        stores=stores(),
        tables=tuple(counted.items()),
        environment=environment(),
        synthetic=settings.PQAP.exchange.source == "synthetic",
        halted=next((halt for halt in control.halts() if halt.scope == "all"), None),
        troubles=overview.troubles(now, report.report, accounts.capital()),
        waiting=control.waiting(),
        data=quality.read(now),
    )


def stores() -> tuple[Store, ...]:
    """Where this environment keeps what it owns."""
    paths = settings.PATHS
    return (
        _database(),
        Store("Broker", *_broker()),
        Store("Log", _short(paths.log), "what happened, in lines", _size(paths.log)),
        Store("Archive", _short(paths.archive), "sealed days, Parquet", _size(paths.archive)),
    )


def environment() -> tuple[tuple[str, str], ...]:
    """The environment in words, in reading order."""
    pqap = settings.PQAP
    local = f"http://{pqap.api.bind}:{pqap.api.port}"
    return (
        ("Environment", pqap.env),
        ("Mode", "paper: no order leaves this machine"),
        ("Market data", SOURCES.get(pqap.exchange.source, pqap.exchange.source)),
        ("URL", pqap.site.url or local),
        ("Server", pqap.site.server or platform.node()),
        ("TLS", str(pqap.site.tls) if pqap.site.tls else "none: plain HTTP on this machine"),
        ("Reading without login", "allowed" if pqap.api.public_read else "not allowed"),
        ("Time zone of the day", pqap.time_zone),
        ("Configuration", f"{pqap.path.name}, digest {pqap.digest[:12]}"),
        ("Version", f"PQAP {settings.VERSION}, Django {django.get_version()}, "
                    f"Python {platform.python_version()}"),
    )  # fmt: skip


def _steps(now: int) -> tuple[Step, ...]:
    found = {line.name: line for line in state.stages(now)}
    counted, looks = catalogue.collection(at=now, every=state.poll_ms()), opinions.looks().values()
    collect, desk = found["collect"], found["desk"]
    active = control.active_count()
    signalled = sum(look.signalled for look in looks)
    silent = sum(sum(look.silent.values()) for look in looks)
    notify = found.get("notify")
    source = SOURCES.get(settings.PQAP.exchange.source, settings.PQAP.exchange.source)
    return (
        Step("Exchange", f"{source} shows its order books", collect.state, ()),
        Step("Collect", "reads, refuses the absurd, stores one snapshot a market and tick",
             collect.state,
             (f"{counted.markets} markets", f"{counted.snapshots:,} snapshots",
              f"{counted.anomalies} anomalies in the last hour"), collect.moved_at),
        Step("Strategies", "say what an outcome is worth, or why they stay silent",
             desk.state,
             (f"{active} active", f"{signalled} signals now", f"{silent} silences now")),
        Step("Execution", "sizes, checks risk, fills on paper, keeps the ledger", desk.state,
             (f"tick {desk.position}", f"{desk.behind} behind"), desk.moved_at),
        Step("Messages", "tell people what happened", notify.state if notify else "waiting", (),
             notify.moved_at if notify else None),
        Step("Dashboard", "shows it all, here and on the API", "ok",
             (f"up since {_minute(DashboardConfig.started_at)}",)),
    )  # fmt: skip


def _minute(at: int) -> str:
    return wire.instant(at)[:16].replace("T", " ") + " UTC"


def _database() -> Store:
    if connection.vendor != "sqlite":
        return Store("Database", connection.settings_dict["NAME"], "PostgreSQL", None)
    path = Path(connection.settings_dict["NAME"])
    size = sum(_size(Path(f"{path}{end}")) or 0 for end in ("", "-wal"))
    return Store("Database", _short(path), "SQLite: everything but the archive", size)


def _broker() -> tuple[str, str, int | None]:
    if settings.BROKER_URL:
        return settings.BROKER_URL.partition(":")[0], "wakes the workers", None
    folder = settings.PATHS.broker
    return _short(folder), "wakes the workers; a lost message costs nothing", _size(folder)


def _size(path: Path) -> int | None:
    """Bytes of a file or of everything in a folder; None when there is none."""
    try:
        if path.is_dir():
            return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        return path.stat().st_size
    except OSError:
        return None


def _short(path: Path) -> str:
    """A path as people know it: from the data folder on."""
    parts = path.parts
    return "/".join(parts[-3:] if path.parent.name == settings.PQAP.env else parts[-2:])
