"""The first page: is it alive, how much, what is open, what changed, what is wrong."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from dashboard import health
from dashboard.reads import state
from execution.core.types import AccountName
from execution.selectors import accounts, control, orders
from markets.selectors import catalogue
from notifications import selectors as told
from strategies.selectors import journal as opinions

SHOWN = 8
LATE_MESSAGE_SECONDS = 600
BASE = AccountName.BASE

LIMIT_WORDS = {
    "max_capital_per_market": "Capital in one market",
    "max_capital_per_strategy": "Capital of one strategy",
    "max_event_loss": "At stake in one event",
    "max_cluster_loss": "At stake in one cluster",
    "max_total_exposure": "At stake in all",
    "daily_loss_limit": "Loss today",
    "max_drawdown": "Drawdown",
    "max_orders_per_minute": "Orders in the last minute",
    "max_book_age": "Age of the oldest book held",
}
STOPPED_WORDS = {
    "DRAWDOWN": "its drawdown reached the limit, until a person resumes",
    "DAILY_LOSS": "its loss today reached the limit, until tomorrow",
}
STAGE_WORDS = {
    "collect": "reads the order books",
    "desk": "evaluates, trades, keeps the ledger",
    "notify": "writes and sends messages",
}


@dataclass(frozen=True, slots=True)
class LimitBar:
    """One limit as people read it; `share` is used / allowed in percent, 0 to 100."""

    name: str
    words: str
    used: int
    limit: int
    share: int
    overridden: bool
    configured: int
    unit: str


@dataclass(frozen=True, slots=True)
class Why:
    """How many (strategy, market) pairs stay silent now for one reason."""

    code: str
    meaning: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, as a sentence; `level` is error, warning or note."""

    level: str
    text: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """What the equity chart needs to ask the API well: since when (ms UTC), how often it moves."""

    since: int
    poll_seconds: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the first page that changes by itself."""

    now: int
    health: state.Health
    capital: accounts.Capital
    accounts: tuple[accounts.Capital, ...]
    holdings: tuple[accounts.Holding, ...]
    holding_count: int
    trades: tuple[orders.TradeLine, ...]
    trade_count: int
    limits: tuple[LimitBar, ...]
    halts: tuple[control.Halted, ...]
    stages: tuple[state.StageLine, ...]
    why: tuple[Why, ...]
    looks: tuple[opinions.Look, ...]
    refusals: tuple[tuple[str, int], ...]
    decisions: tuple[control.Decision, ...]
    troubles: tuple[Trouble, ...]
    collection: catalogue.Collection
    anomalies: tuple[tuple[str, int], ...]
    waiting: tuple[control.Decision, ...]

    @property
    def halted(self) -> control.Halted | None:
        """The kill switch over everything, when it is on."""
        return next((halt for halt in self.halts if halt.scope == "all"), None)

    @property
    def silent(self) -> int:
        """Silent (strategy, market) pairs on the newest tick."""
        return sum(line.count for line in self.why)


def read(now: int, report: state.Health) -> Overview:
    """The page's content as of `now` (ms UTC)."""
    held = accounts.capital()
    looks = tuple(look for _, look in sorted(opinions.looks().items()))
    limits = tuple(_bar(limit) for limit in control.limits())
    return Overview(
        now=now,
        health=report,
        capital=held[0] if held else state.unopened(),
        accounts=held,
        holdings=accounts.holdings(account=BASE, limit=50).rows,
        holding_count=accounts.holding_count(),
        trades=orders.trades(account=BASE, limit=SHOWN).rows,
        trade_count=orders.trade_count(),
        limits=tuple(sorted(limits, key=lambda bar: list(LIMIT_WORDS).index(bar.name)
                            if bar.name in LIMIT_WORDS else len(LIMIT_WORDS))),
        halts=control.halts(),
        stages=state.stages(now),
        why=_why(looks),
        looks=looks,
        refusals=orders.refusal_counts(since=now - state.HOUR_MS),
        decisions=control.decisions(limit=5),
        troubles=troubles(now, report.report, held),
        collection=catalogue.collection(at=now, every=state.poll_ms()),
        anomalies=catalogue.anomalies(since=now - state.HOUR_MS),
        waiting=control.waiting(),
    )  # fmt: skip


def version(now: int, report: state.Health) -> str:
    """A text that differs whenever the page would; cheap, so that polling costs little."""
    parts = (
        [(line.name, line.position, line.state) for line in state.stages(now)],
        control.last_decision(),
        [(reason.code, reason.status) for reason in report.report.reasons],
        settings.VERSION,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def curve(now: int) -> Curve:
    """The life of the accounts so far."""
    return Curve(control.opened_at() or now, int(settings.PQAP.collection.poll_seconds))


def _bar(limit: control.LimitUse) -> LimitBar:
    share = 100 * limit.used // limit.limit if limit.limit else (100 if limit.used else 0)
    return LimitBar(
        name=limit.name,
        words=LIMIT_WORDS.get(limit.name, limit.name.replace("_", " ").capitalize()),
        used=limit.used,
        limit=limit.limit,
        share=min(max(share, 0), 100),
        overridden=limit.override is not None,
        configured=limit.configured,
        unit=limit.unit,
    )


def _why(looks: tuple[opinions.Look, ...]) -> tuple[Why, ...]:
    counted: Counter[str] = Counter()
    for look in looks:
        counted.update(look.silent)
    total = counted.total()
    return tuple(
        Why(code, opinions.MEANING.get(code, ""), count, 100 * count // total)
        for code, count in counted.most_common()
    )


def troubles(
    now: int, report: health.Report, held: tuple[accounts.Capital, ...]
) -> tuple[Trouble, ...]:
    """Everything that is wrong now, and what the configuration was warned about."""
    found = [_trouble(reason) for reason in report.reasons if reason.code != "halted"]
    for failure in opinions.failures(since=now - state.HOUR_MS):
        times = f"{failure.count} times" if failure.count != 1 else "once"
        text = f"{failure.strategy} failed {times} in the last hour: {failure.text}"
        found.append(Trouble("error", text, failure.at))
    missed = catalogue.failures(since=now - state.HOUR_MS)
    if missed:
        text = "The exchange could not be read; the last time was"
        found.append(Trouble("warning", text, missed[1]))
    late = datetime.fromtimestamp(now / 1000 - LATE_MESSAGE_SECONDS, UTC)
    unsent = told.unsent(older_than=late)
    if unsent:
        found.append(Trouble("warning", f"{unsent} messages wait to be sent for over 10 minutes."))
    for capital in held:
        if capital.stopped:
            why = STOPPED_WORDS.get(capital.stopped, capital.stopped)
            text = f"The {capital.account} account opens nothing: {why}."
            found.append(Trouble("warning", text))
    for switch in control.switches():
        if switch.enabled and switch.state in ("invalid", "auto_disabled"):
            text = f"{switch.name} is {switch.state.replace('_', ' ')}: {switch.reason}"
            found.append(Trouble("warning", text))
    found += [Trouble("note", warning) for warning in settings.PQAP.warnings]
    return tuple(found)


def _trouble(reason: health.Reason) -> Trouble:
    level = "error" if reason.status is health.Status.ERROR else "warning"
    return Trouble(level, reason.message)
