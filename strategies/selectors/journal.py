"""What the strategies believed and why they stayed silent, as values for pages and API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from markets.selectors import catalogue
from markets.selectors.conditions import between, given
from markets.selectors.keyset import Page, Place, page
from strategies.core.types import Bet, Quote, Silence
from strategies.models import Evaluation, Signal, SilenceRun


@dataclass(frozen=True, slots=True)
class SignalLine:
    """A stored signal: prices in micro-dollars, size in micro-shares, `at` ms UTC.

    A quote's `side` is "both", `price` its YES bid and `ask` its YES ask at zero inventory.
    """

    id: str
    at: int
    kind: str
    strategy: str
    market: str
    question: str
    token_id: str
    outcome: str
    side: str
    fair: int
    price: int
    ask: int | None
    edge: int
    size: int
    plan: Mapping[str, Any]
    disposition: str
    reason: str
    why: str
    open: bool


@dataclass(frozen=True, slots=True)
class SilenceLine:
    """A stretch of silence; `to_at` is None while it lasts."""

    id: int
    strategy: str
    market: str
    question: str
    reason: str
    detail: str
    from_at: int
    to_at: int | None

    @property
    def meaning(self) -> str:
        """The reason in words."""
        return MEANING.get(self.reason, "")


@dataclass(frozen=True, slots=True)
class Look:
    """One strategy's newest evaluation: markets seen, signalled, and silent by reason."""

    strategy: str
    at: int
    tick: int
    seen: int
    signalled: int
    silent: Mapping[str, int]
    error: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A strategy that raised: how often in the time asked for, when last (ms UTC), and the text."""

    strategy: str
    count: int
    at: int
    text: str


def signals(
    *,
    strategy: str = "",
    market: str = "",
    disposition: str = "",
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[SignalLine]:
    """Signals, newest first, between two instants (ms UTC, `until` excluded)."""
    rows = Signal.objects.filter(
        given(strategy=strategy, market=market, disposition=disposition),
        between("at", since, until),
    )
    return page(rows, signal_lines, by=("at", "id"), place=place, limit=limit)


def silences(
    *,
    strategy: str = "",
    market: str = "",
    reason: str = "",
    lasting: bool | None = None,
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[SilenceLine]:
    """Runs of silence, the latest begun first; `lasting` keeps only those still on or ended."""
    rows = SilenceRun.objects.filter(
        given(strategy=strategy, market=market, reason=reason),
        between("from_at", since, until),
    )
    if lasting is not None:
        rows = rows.filter(to_tick__isnull=lasting)
    return page(rows, silence_lines, by=("from_at", "id"), place=place, limit=limit)


def signal_counts() -> Mapping[str, int]:
    """Signals stored so far, by strategy."""
    return dict(Signal.objects.values_list("strategy").annotate(Count("id")))


def looks() -> Mapping[str, Look]:
    """The newest evaluation of each strategy, by name."""
    newest = Evaluation.objects.aggregate(tick=Max("tick_id"))["tick"]
    return {row.strategy: _look(row) for row in Evaluation.objects.filter(tick_id=newest)}


def failures(*, since: int) -> tuple[Failure, ...]:
    """Strategies that raised after `since` (ms UTC), the latest first."""
    rows = (
        Evaluation.objects.filter(at__gt=since)
        .exclude(error="")
        .values("strategy")
        .annotate(count=Count("id"), newest=Max("id"))
    )
    counts = {row["newest"]: row["count"] for row in rows}
    last = Evaluation.objects.filter(pk__in=counts).order_by("-at")
    return tuple(Failure(row.strategy, counts[row.pk], row.at, row.error) for row in last)


def errors(*, after_tick: int, up_to_tick: int) -> list[tuple[str, int, str]]:
    """(strategy, at, text) of each different failure in (after_tick, up_to_tick], oldest first."""
    rows = Evaluation.objects.filter(tick_id__gt=after_tick, tick_id__lte=up_to_tick)
    found = rows.exclude(error="").order_by("tick_id").values_list("strategy", "at", "error")
    first: dict[tuple[str, str], int] = {}
    for strategy, at, text in found:
        first.setdefault((strategy, text), at)
    return [(strategy, at, text) for (strategy, text), at in first.items()]


def row_counts() -> Mapping[str, int]:
    """Rows in this app's tables, by the name people know."""
    return {
        "signals": Signal.objects.count(),
        "silences": SilenceRun.objects.count(),
        "evaluations": Evaluation.objects.count(),
    }


MEANING: Mapping[str, str] = {
    Silence.STALE: "the book was not confirmed recently enough",
    Silence.INCOHERENT: "the YES and NO books do not show one instant",
    Silence.SPREAD: "the spread is too wide to pay",
    Silence.DEPTH: "too few shares rest near the touch",
    Silence.BAND: "the price is too close to 0 or 1",
    Silence.EXPIRY: "the market ends too soon or its end is unknown",
    Silence.ACTIVITY: "the price hardly moves",
    Silence.JUMP: "the price has just jumped",
    Silence.WARMUP: "not enough history yet",
    Silence.FEE: "the fee is unknown or eats the edge",
    Silence.RULES: "the market's rules do not suit the strategy",
    Silence.VENUE: "the exchange takes no orders here",
    Silence.REGIME: "the market does not behave as the strategy needs",
    Silence.NO_SIGNAL: "nothing to do at this price",
    Silence.EDGE: "there is an edge, but it does not cover the costs",
    Silence.NO_MODEL: "there is no trained model",
    Silence.ERROR: "the strategy failed",
}
"""Every reason for silence, said so that it completes "no trade because ..."."""


def _look(row: Evaluation) -> Look:
    return Look(row.strategy, row.at, row.tick_id, row.seen, row.signalled, row.silent, row.error)


def signal_lines(found: list[Signal]) -> list[SignalLine]:
    """Rows of signals as values, their markets named in one query."""
    names = catalogue.names(row.market for row in found)
    return [
        SignalLine(
            id=row.id,
            at=row.at,
            kind=row.kind,
            strategy=row.strategy,
            market=row.market,
            question=names[row.market].question if row.market in names else "",
            token_id=row.token,
            outcome=row.outcome,
            side="buy" if row.kind == Bet.kind else "both",
            fair=row.fair,
            price=row.limit,
            ask=row.ask if row.kind == Quote.kind else None,
            edge=row.edge,
            size=row.size,
            plan=row.plan,
            disposition=row.disposition,
            reason=row.reason,
            why=row.why,
            open=row.closed_tick_id is None,
        )
        for row in found
    ]


def silence_lines(found: list[SilenceRun]) -> list[SilenceLine]:
    """Rows of silences as values, their markets named in one query."""
    names = catalogue.names(row.market for row in found)
    return [
        SilenceLine(
            id=row.pk,
            strategy=row.strategy,
            market=row.market,
            question=names[row.market].question if row.market in names else "",
            reason=row.reason,
            detail=row.detail,
            from_at=row.from_at,
            to_at=row.to_at,
        )
        for row in found
    ]
