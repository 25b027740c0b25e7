"""Every key of a configuration file, what it takes and its default, as pydantic models."""

from datetime import time
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from markets.sources import categories
from pqap_site.config import leaves
from pqap_site.environment import ENVIRONMENTS

MOST_SEED = 2**63 - 1
Flag = Annotated[bool, leaves.flag()]
Share = Annotated[int | None, leaves.nullable(leaves.fraction("0", "1", above=True))]
Exclusion = Annotated[
    str, leaves.one_of("live_sports", "crypto_short", "combos", "younger_than_24h")
]
Category = Annotated[str, leaves.one_of(*categories.WORDS)]
Pin = Annotated[str, leaves.word("a market's id, slug or exchange URL")]
Host = Annotated[str, leaves.word("a host name, such as pqap.example.org", 253)]


class Block(BaseModel):
    """A block of keys: unknown ones are refused, an empty one means its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: object) -> object:
        return {} if value is None else value


def contradiction(key: str, must: str) -> PydanticCustomError:
    """Two keys of one block that do not go together; the fault is told at `key`."""
    return PydanticCustomError("contradiction", "{must}", {"key": key, "must": must})


class StrategyBlock(Block):
    class_: Annotated[
        str | None,
        leaves.nullable(leaves.word("a dotted path, such as my_desk.fade.Fade")),
        Field(alias="class"),
    ] = None
    mode: Annotated[str | None, leaves.one_of("paper", "shadow")] = None
    forecasts: Annotated[str | None, leaves.text(1000)] = None
    parameters: Annotated[dict[str, object], BeforeValidator(lambda v: {} if v is None else v)] = {}


class RiskLimits(Block):
    max_capital_per_market: Annotated[int, leaves.money()]
    max_capital_per_strategy: Annotated[int, leaves.money()]
    daily_loss_limit: Annotated[int, leaves.money()]
    max_drawdown: Annotated[int, leaves.fraction("0", "1", above=True)]
    max_event_loss: Annotated[int, leaves.money()]
    max_cluster_loss: Annotated[int, leaves.money()]
    max_total_exposure: Annotated[int, leaves.money()]
    max_orders_per_minute: Annotated[int, leaves.whole(1, 100_000, "orders")]
    max_book_age: Annotated[int | None, leaves.nullable(leaves.whole(1, 86400, "seconds"))] = None
    halve_at_drawdown: Share = None
    flatten_at_daily_loss: Annotated[int | None, leaves.nullable(leaves.money(positive=True))] = (
        None
    )
    rolling_daily_loss: Flag = False


class Exchange(Block):
    source: Annotated[str, leaves.one_of("polymarket", "synthetic", "replay")]
    gamma_url: Annotated[str, leaves.url("http", "https")] = "https://gamma-api.polymarket.com"
    clob_url: Annotated[str, leaves.url("http", "https")] = "https://clob.polymarket.com"
    data_url: Annotated[str, leaves.url("http", "https")] = "https://data-api.polymarket.com"
    ws_url: Annotated[str, leaves.url("ws", "wss")] = (
        "wss://ws-subscriptions-clob.polymarket.com/ws/market"
    )
    recording: Annotated[str, leaves.text(1000)] = ""
    speed: Annotated[float, leaves.factor("0.01", "100000")] = 1.0

    @model_validator(mode="after")
    def _replayable(self) -> Self:
        if self.source == "replay" and not self.recording:
            raise contradiction("recording", "a recorded file or folder, because source is replay")
        return self


class Filters(Block):
    categories: tuple[Category, ...] = ()
    min_liquidity: Annotated[int, leaves.money()] = 0
    max_spread: Annotated[int, leaves.fraction("0", "1", above=True)] = 1_000_000
    min_hours_to_end: Annotated[int, leaves.whole(0, 8760, "hours")] = 24
    max_days_to_end: Annotated[int | None, leaves.nullable(leaves.whole(1, 3650, "days"))] = None
    min_volume_24h: Annotated[int, leaves.money()] = 0
    min_price: Annotated[int, leaves.fraction("0", "0.5")] = 50_000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        days = self.max_days_to_end
        if days is not None and self.min_hours_to_end > days * 24:
            most = f"at most {days * 24}, the hours of max_days_to_end"
            raise contradiction("min_hours_to_end", most)
        return self


class Collection(Block):
    mode: Annotated[str, leaves.one_of("poll", "stream")] = "poll"
    poll_seconds: Annotated[int, leaves.whole(1, 3600, "seconds")] = 10
    markets: Annotated[int, leaves.whole(1, 5000)] = 50
    pinned: tuple[Pin, ...] = ()
    exclude: tuple[Exclusion, ...] = ("live_sports", "crypto_short", "combos", "younger_than_24h")
    max_event_markets: Annotated[int, leaves.whole(0, 5000)] = 200
    filters: Filters = Filters()
    depth_levels: Annotated[int, leaves.whole(1, 100, "levels a side")] = 10
    keep_raw_hours: Annotated[int, leaves.whole(1, 87600, "hours")] = 48
    keep_raw_days: Annotated[int, leaves.whole(1, 3650, "days")] = 7
    snapshot_seconds: Annotated[int, leaves.whole(1, 86400, "seconds")] = 300
    retention_days: Annotated[int, leaves.whole(1, 3650, "days")] = 90

    @model_validator(mode="after")
    def _kept(self) -> Self:
        if self.keep_raw_hours > self.retention_days * 24:
            most = f"at most {self.retention_days * 24}, the hours of retention_days"
            raise contradiction("keep_raw_hours", most)
        return self


class Paper(Block):
    fills: Annotated[str, leaves.one_of("pessimistic", "base", "optimistic")] = "base"
    latency_ms: Annotated[int, leaves.whole(1, 60000, "ms")] = 250
    latency_p95_ms: Annotated[int, leaves.whole(1, 600000, "ms")] = 1200
    seed: Annotated[int, leaves.whole(0, MOST_SEED)] = 1
    rebates: Flag = False
    redeem_minutes: Annotated[int, leaves.whole(0, 1440, "minutes")] = 15

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.latency_p95_ms < self.latency_ms:
            least = f"at least latency_ms, {self.latency_ms}"
            raise contradiction("latency_p95_ms", least)
        return self


class Sizing(Block):
    kelly_fraction: Annotated[int, leaves.fraction("0", "1", above=True)] = 100_000
    max_fraction_per_market: Share = None
    max_fraction_per_event: Share = None
    max_fraction_per_cluster: Share = None
    max_fraction_per_category: Share = None
    max_fraction_per_strategy: Share = None
    max_fraction_total: Share = None
    max_depth_share: Annotated[int, leaves.fraction("0", "1", above=True)] = 100_000
    cash_floor: Annotated[int, leaves.fraction("0", "0.99")] = 0
    risk_free: Annotated[int, leaves.fraction("0", "1")] = 50_000


class Api(Block):
    public_read: Flag = False
    bind: Annotated[str, leaves.bind()] = "127.0.0.1"
    port: Annotated[int, leaves.whole(1, 65535)] = 8080


class Site(Block):
    url: Annotated[str, leaves.url("http", "https", empty=True)] = ""
    hosts: tuple[Host, ...] = ()
    server: Annotated[str, leaves.text()] = ""
    tls: Annotated[str, leaves.text()] = ""
    contacts: Annotated[str, leaves.text(1000)] = ""


class Logging(Block):
    level: Annotated[str, leaves.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")] = "INFO"
    format: Annotated[str, leaves.one_of("text", "json")] = "text"


class Kinds(Block):
    trade: Flag = True
    risk: Flag = True
    error: Flag = True
    auto_disabled: Flag = True
    kill_switch: Flag = True


class Notifications(Block):
    hourly: Flag = True
    kinds: Kinds = Kinds()
    quiet_hours: Annotated[tuple[time, time] | None, leaves.span()] = None


class Backup(Block):
    target: Annotated[str, leaves.text(500)] = ""
    at: Annotated[time, leaves.clock()] = time(2, 0)


class File(Block):
    """A whole file, with the environment's own values already filled in."""

    env: Annotated[str, leaves.one_of(*ENVIRONMENTS)]
    debug: Flag
    initial_capital: Annotated[int, leaves.money(positive=True)]
    enabled_strategies: Annotated[tuple[str, ...] | str, leaves.names_or_all()]
    strategies: Annotated[
        dict[str, StrategyBlock], BeforeValidator(lambda v: {} if v is None else v)
    ] = {}
    risk_limits: RiskLimits
    exchange: Exchange
    collection: Collection = Collection()
    paper: Paper = Paper()
    sizing: Sizing = Sizing()
    api: Api = Api()
    time_zone: Annotated[str, leaves.zone()] = "UTC"
    site: Site = Site()
    logging: Logging = Logging()
    notifications: Notifications = Notifications()
    backup: Backup = Backup()
