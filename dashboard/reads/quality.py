"""How good the market data are: feeds, coverage, gaps, odd books, tracked and sealed."""

from dataclasses import dataclass

from dashboard.reads import state
from markets.core.coverage import Share
from markets.core.gaps import Freshness, Gap
from markets.core.types import Feed
from markets.selectors import catalogue, continuity, coverage, days, universes
from markets.selectors.feeds import feeds

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SPANS = (("last hour", HOUR_MS), ("last day", DAY_MS), ("last 7 days", 7 * DAY_MS))
SHOWN_GAPS = 8
REASON_WORDS = {
    "COLLECTOR_OFF": "nobody looked",
    "NO_ANSWER": "the exchange gave no answer",
    "REFUSED": "its books were refused",
    "UNREAD": "its books were not in the answers",
    "NOT_TRADING": "it takes no orders",
}
FRESHNESS_WORDS = {
    Freshness.LIVE: "live: confirmed, and changed within five minutes",
    Freshness.QUIET: "quiet: confirmed, and unchanged for longer",
    Freshness.FROZEN: "frozen: not confirmed by the last looks",
    Freshness.NEVER: "never confirmed so far",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A span that ends now, in words, and how much of it was seen."""

    words: str
    share: Share


@dataclass(frozen=True, slots=True)
class GapLine:
    """A gap as a person reads it; `question` is empty where it was one of all markets."""

    gap: Gap
    question: str
    lasts: bool
    why: str


@dataclass(frozen=True, slots=True)
class Archive:
    """How many UTC days are sealed, and when the newest of them began (ms UTC)."""

    days: int
    newest: int | None


@dataclass(frozen=True, slots=True)
class Quality:
    """The section "Market data" of the system page."""

    feeds: tuple[Feed, ...]
    spans: tuple[Span, ...]
    freshness: tuple[tuple[str, int], ...]
    gaps: tuple[GapLine, ...]
    anomalies: tuple[catalogue.Anomalies, ...]
    tracked: int
    exclusions: tuple[tuple[str, int], ...]
    archive: Archive


def read(now: int) -> Quality:
    """The section as of `now` (ms UTC)."""
    every, week = state.poll_ms(), now - 7 * DAY_MS
    seen = coverage.read(week, now, now=now, every=every)
    counted = continuity.freshness_counts(now, every)
    return Quality(
        feeds=feeds(),
        spans=tuple(Span(words, seen.share(now - length, now)) for words, length in SPANS),
        freshness=tuple((FRESHNESS_WORDS[one], count) for one, count in counted.items() if count),
        gaps=lines(continuity.longest(week, now, now=now, every=every, limit=SHOWN_GAPS), now),
        anomalies=catalogue.anomaly_counts(since=now - HOUR_MS, until=now + 1),
        tracked=sum(counted.values()),
        exclusions=universes.exclusions(),
        archive=_archive(now),
    )


def lines(found: tuple[Gap, ...], now: int) -> tuple[GapLine, ...]:
    """Gaps with the names of their markets."""
    names = catalogue.names(gap.market for gap in found if gap.market is not None)
    return tuple(
        GapLine(
            gap,
            names[gap.market].question if gap.market in names else "",
            gap.until >= now,
            REASON_WORDS[gap.reason] + (f" ({gap.detail})" if gap.detail else ""),
        )
        for gap in found
    )


def _archive(now: int) -> Archive:
    sealed = days.sealed(0, now)
    return Archive(len(sealed), sealed[-1].began_at if sealed else None)
