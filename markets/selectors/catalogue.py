"""What the exchange lists and how well we read it, as values for pages, API and neighbours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from markets.core import gaps
from markets.core.coverage import Share
from markets.core.gaps import Freshness
from markets.core.types import ONE
from markets.models import (
    Anomaly,
    Bar,
    Cursor,
    Event,
    Gap,
    Latest,
    Market,
    Print,
    Terms,
    Tick,
    Token,
)
from markets.selectors import coverage, ticks
from markets.selectors.conditions import between
from markets.selectors.keyset import Page, Place, page

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
STAGES = ("collect", "desk", "notify")
"""The pipeline from left to right; other cursors are running totals."""


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a market, and when it is due to end (ms UTC)."""

    question: str
    slug: str
    end_at: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """The event and the category a market belongs to."""

    event: str
    title: str
    category: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a token belongs; `index` is 0 for YES, 1 for NO."""

    market: str
    outcome: str
    index: int
    event: str


@dataclass(frozen=True, slots=True)
class OutcomeQuote:
    """One outcome's touch in micro-units, None where that side is empty; `at` ms UTC."""

    token_id: str
    outcome: str
    bid: int | None
    ask: int | None
    bid_size: int | None
    ask_size: int | None
    at: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One market as the catalogue shows it; money and rates in micro-units.

    `coverage` is the share (micro) of the last day's tracked time in which its book was confirmed,
    None where it was not tracked then; `anomalies` counts the last hour. `last_change` and
    `last_confirmed` are of its book (ms UTC); `freshness` is None where it is not tracked.
    """

    id: str
    slug: str
    question: str
    category: str
    event: str
    event_id: str
    end_at: int | None
    tracked: bool
    state: str
    outcomes: tuple[OutcomeQuote, ...]
    spread: int | None
    tick_size: int | None
    min_size: int | None
    fee_rate: int | None
    neg_risk: bool
    volume_24h: int
    coverage: int | None
    anomalies: int
    last_change: int | None
    last_confirmed: int | None
    freshness: Freshness | None


@dataclass(frozen=True, slots=True)
class Collection:
    """Counters of collecting: totals since the environment began, anomalies of the last hour.

    `coverage` is the share (micro) of the last day's tracked time that was confirmed.
    """

    markets: int
    ticks: int
    snapshots: int
    anomalies: int
    last_tick_at: int | None
    coverage: int | None


@dataclass(frozen=True, slots=True)
class Anomalies:
    """How often books were refused or flagged for one reason, in how many markets, when last."""

    code: str
    count: int
    markets: int
    last_at: int


@dataclass(frozen=True, slots=True)
class StagePosition:
    """How far a stage has come (a tick id) and when it last moved (ms UTC)."""

    name: str
    position: int
    moved_at: int


def names(ids: Iterable[str]) -> Mapping[str, Name]:
    """Names of the given markets, by condition id, in one query; unknown ids are absent."""
    rows = (
        Market.objects.filter(condition_id__in=set(ids))
        .annotate(
            end_at=Subquery(_newest_terms("pk").values("end_at")[:1]),
            state=Subquery(_newest_terms("pk").values("status")[:1]),
        )
        .values_list("condition_id", "question", "slug", "end_at", "state")
    )
    return {id: Name(question, slug, end, state or "") for id, question, slug, end, state in rows}


def belongings(ids: Iterable[str]) -> Mapping[str, Belonging]:
    """Event and category of the given markets, by condition id; unknown ids are absent."""
    rows = Market.objects.filter(condition_id__in=set(ids)).values_list(
        "condition_id", "event__event_id", "event__title", "category"
    )
    return {id: Belonging(event, title, category) for id, event, title, category in rows}


def outcomes(tokens: Iterable[str]) -> Mapping[str, Outcome]:
    """Where the given tokens belong, by token id; unknown ones are absent."""
    rows = Token.objects.filter(token_id__in=set(tokens)).values_list(
        "token_id", "market__condition_id", "outcome", "index", "market__event__event_id"
    )
    return {token: Outcome(*rest) for token, *rest in rows}


def tokens(market: str) -> Mapping[str, str]:
    """The tokens of a market by the name of their outcome, in small letters."""
    rows = Token.objects.filter(market__condition_id=market).values_list("outcome", "token_id")
    return {outcome.lower(): token for outcome, token in rows}


def keys(ids: Iterable[str]) -> Mapping[int, str]:
    """Local keys of the given markets, with their condition ids; unknown ones are absent."""
    rows = Market.objects.filter(condition_id__in=set(ids))
    return dict(rows.values_list("pk", "condition_id"))


def titles(found: Iterable[int]) -> Mapping[int, tuple[str, str]]:
    """(condition id, question) of the markets with the given local keys."""
    rows = Market.objects.filter(pk__in=list(found)).values_list("pk", "condition_id", "question")
    return {key: (name, question) for key, name, question in rows}


def listings(
    *,
    at: int,
    every: int,
    ids: tuple[str, ...] = (),
    category: str = "",
    tracked: bool | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[Listing]:
    """Markets by 24-hour volume, greatest first.

    `at` is now (ms UTC), `every` the ms between two looks: what each book's state hangs on.
    """
    rows = Market.objects.select_related("event", "latest")
    if ids:
        rows = rows.filter(condition_id__in=ids)
    if category:
        rows = rows.filter(category=category)
    if tracked is not None:
        rows = rows.filter(latest__tracked=True) if tracked else rows.exclude(latest__tracked=True)
    return page(
        rows,
        lambda found: _listings(found, at, every),
        by=("volume_24h", "id"),
        place=place,
        limit=limit,
    )


def collection(*, at: int, every: int) -> Collection:
    """The counters of collecting as of `at` (ms UTC), with one look every `every` ms."""
    counted, last = ticks.counts(at), ticks.last_tick()
    seen = coverage.coverage(at - DAY_MS, at, now=at, every=every)
    return Collection(
        markets=counted.markets,
        ticks=counted.ticks,
        snapshots=counted.snapshots,
        anomalies=counted.anomalies,
        last_tick_at=last.at if last else None,
        coverage=seen.micro,
    )


def newest() -> tuple[int, int, int] | None:
    """The newest tick's id, its event time and when it was recorded (ms UTC)."""
    last = ticks.last_tick()
    return (last.id, last.at, int(last.recorded_at.timestamp() * 1000)) if last else None


def failures(*, since: int) -> tuple[int, int] | None:
    """(cycles without a tick since the beginning, when the last was), if one came after `since`."""
    found = ticks.failures()
    at = int(found.last_at.timestamp() * 1000) if found.last_at else 0
    return (found.count, at) if at > since else None


def anomalies(*, since: int) -> tuple[tuple[str, int], ...]:
    """(code, count) of the anomalies seen after `since` (ms UTC), most frequent first."""
    rows = Anomaly.objects.filter(last_at__gt=since).values_list("code").annotate(n=Count("id"))
    return tuple(rows.order_by("-n", "code"))


def anomaly_counts(*, since: int, until: int, market: str = "") -> tuple[Anomalies, ...]:
    """Anomalies from `since` on and before `until` (ms UTC) by code, most frequent first."""
    rows = Anomaly.objects.filter(between("at", since, until))
    if market:
        rows = rows.filter(market__condition_id=market)
    counted = rows.values_list("code").annotate(
        n=Count("id"), markets=Count("market", distinct=True), newest=Max("at")
    )
    return tuple(Anomalies(*row) for row in counted.order_by("-n", "code"))


def stages() -> tuple[StagePosition, ...]:
    """Where every stage that ever ran stands, left to right."""
    rows = {row.name: row for row in Cursor.objects.filter(name__in=STAGES)}
    return tuple(
        StagePosition(name, rows[name].position, int(rows[name].moved_at.timestamp() * 1000))
        for name in STAGES
        if name in rows
    )


def row_counts() -> Mapping[str, int]:
    """Rows in this app's tables that grow, by the name people know."""
    return {
        "market_snapshots": ticks.counts().snapshots,
        "ticks": Tick.objects.count(),
        "bars": Bar.objects.count(),
        "markets": Market.objects.count(),
        "events": Event.objects.count(),
        "anomalies": Anomaly.objects.count(),
        "prints": Print.objects.count(),
        "gaps": Gap.objects.count(),
    }


def _newest_terms(reference: str) -> QuerySet[Terms]:
    return Terms.objects.filter(market=OuterRef(reference)).order_by("-effective_at")


def _listings(found: list[Market], at: int, every: int) -> list[Listing]:
    keys = [row.pk for row in found]
    terms = {
        row.market_id: row
        for row in Terms.objects.filter(
            market__in=keys,
            effective_at=Subquery(_newest_terms("market_id").values("effective_at")[:1]),
        )
    }
    tokens: dict[int, list[Token]] = {}
    for token in Token.objects.filter(market__in=keys).order_by("index"):
        tokens.setdefault(token.market_id, []).append(token)
    odd = dict(
        Anomaly.objects.filter(market__in=keys, last_at__gt=at - HOUR_MS)
        .values_list("market_id")
        .annotate(Count("id"))
    )
    covered = coverage.coverage_by_market(at - DAY_MS, at, now=at, every=every, keys=keys)
    return [
        _listing(
            row,
            terms.get(row.pk),
            tokens.get(row.pk, []),
            covered=covered.get(row.pk, Share()),
            anomalies=odd.get(row.pk, 0),
            freshness=_freshness(getattr(row, "latest", None), at, every),
        )
        for row in found
    ]


def _listing(
    row: Market,
    terms: Terms | None,
    tokens: list[Token],
    *,
    covered: Share,
    anomalies: int,
    freshness: Freshness | None,
) -> Listing:
    latest = getattr(row, "latest", None)
    both = latest is not None and latest.bid_valid and latest.ask_valid
    return Listing(
        id=row.condition_id,
        slug=row.slug,
        question=row.question,
        category=row.category,
        event=row.event.title,
        event_id=row.event.event_id,
        end_at=terms.end_at if terms else None,
        tracked=latest is not None and latest.tracked,
        state=terms.status if terms else "",
        outcomes=tuple(_quote(token, latest) for token in tokens),
        spread=latest.ask - latest.bid if both else None,
        tick_size=terms.tick_size if terms else None,
        min_size=terms.min_size if terms else None,
        fee_rate=terms.fee_rate if terms else None,
        neg_risk=row.event.neg_risk,
        volume_24h=row.volume_24h,
        coverage=covered.micro,
        anomalies=anomalies,
        last_change=(latest.changed_at or None) if latest else None,
        last_confirmed=(latest.observed_at or None) if latest else None,
        freshness=freshness,
    )


def _freshness(latest: Latest | None, at: int, every: int) -> Freshness | None:
    if latest is None or not latest.tracked:
        return None
    return gaps.freshness(latest.observed_at, latest.changed_at, at, every)


def _quote(token: Token, latest: Latest | None) -> OutcomeQuote:
    """A token's touch: YES as stored, NO as its mirror."""
    if latest is None:
        return OutcomeQuote(token.token_id, token.outcome, None, None, None, None, None)
    bid = (latest.bid, latest.bid_size) if latest.bid_valid else (None, None)
    ask = (latest.ask, latest.ask_size) if latest.ask_valid else (None, None)
    if token.index == 1:
        bid, ask = _mirrored(ask), _mirrored(bid)
    at = latest.observed_at or None
    return OutcomeQuote(token.token_id, token.outcome, bid[0], ask[0], bid[1], ask[1], at)


def _mirrored(side: tuple[int | None, int | None]) -> tuple[int | None, int | None]:
    price, size = side
    return (None if price is None else ONE - price), size
