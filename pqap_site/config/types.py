"""The effective configuration as frozen values; money and fractions in integer micro-units."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import time
from pathlib import Path

from execution.core.risk import Limits
from execution.core.sizing import Sizing
from markets.core.criteria import Filters
from strategies.library import Entry


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where market data comes from; `recording` and `speed` (1 is real time) serve replay only."""

    source: str
    gamma_url: str
    clob_url: str
    data_url: str
    ws_url: str
    recording: Path | None
    speed: float


@dataclass(frozen=True, slots=True)
class Collection:
    """Which markets are read, how often (seconds), and how long each kind of row is kept."""

    mode: str
    poll_seconds: int
    markets: int
    pinned: tuple[str, ...]
    exclude: tuple[str, ...]
    max_event_markets: int
    filters: Filters
    depth_levels: int
    keep_raw_hours: int
    keep_raw_days: int
    snapshot_seconds: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class Paper:
    """The account shown first, order latency (median and 95th percentile, ms), the luck's seed.

    `rebates` says whether estimated maker rebates are paid out, `redeem_minutes` is how long
    after its outcome a holding becomes cash.
    """

    fills: str
    latency_ms: int
    latency_p95_ms: int
    seed: int
    rebates: bool
    redeem_minutes: int


@dataclass(frozen=True, slots=True)
class Api:
    """Where the web process listens, and whether reads need a login."""

    public_read: bool
    bind: str
    port: int


@dataclass(frozen=True, slots=True)
class Site:
    """How people reach this installation; empty text where the file says null."""

    url: str
    hosts: tuple[str, ...]
    server: str
    tls: str
    contacts: str


@dataclass(frozen=True, slots=True)
class Logging:
    """The lowest level written, and `text` or `json` lines."""

    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Notifications:
    """What people hear of; quiet hours are (from, to) in the configured zone."""

    hourly: bool
    kinds: Mapping[str, bool]
    quiet_hours: tuple[time, time] | None


@dataclass(frozen=True, slots=True)
class Backup:
    """Where the daily backup goes (empty: nowhere) and when, UTC."""

    target: str
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything one environment was told; `digest` covers what takes effect, not the file's bytes.

    `strategies` holds the parameters of every built strategy whose block is valid, enabled or not;
    `invalid_strategies` says why the others stay off. `outside_strategies` are the rules that are
    not in the library, `outside_paths` where they were found. `forecasts` is the file
    of probabilities from elsewhere. `initial_capital` is in micro-dollars.
    """

    env: str
    path: Path
    digest: str
    debug: bool
    initial_capital: int
    enabled_strategies: tuple[str, ...]
    strategies: Mapping[str, object]
    invalid_strategies: Mapping[str, str]
    shadow_strategies: frozenset[str]
    outside_paths: Mapping[str, str]
    outside_strategies: Mapping[str, Entry]
    forecasts: Path | None
    risk_limits: Limits
    exchange: Exchange
    collection: Collection
    paper: Paper
    sizing: Sizing
    api: Api
    time_zone: str
    site: Site
    logging: Logging
    notifications: Notifications
    backup: Backup
    warnings: tuple[str, ...]


def digest(content: Mapping[str, object]) -> str:
    """sha256 of the effective content as canonical JSON, in hex."""
    text = json.dumps(_plain(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(item) for item in value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, time) else str(value)
