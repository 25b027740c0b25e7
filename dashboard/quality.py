"""The API of how good the market data are: gaps, coverage, odd books, feeds."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard import errors, quality_lines, query, serializers
from dashboard.api import DAY_MS, FAULTS, FROM, MARKET, TO, Face, Listing, listing
from dashboard.reads import clock, quality, state
from markets.core.coverage import Share
from markets.selectors import catalogue, continuity, coverage
from markets.selectors.feeds import feeds
from markets.selectors.keyset import Page

HOUR_MS, WEEK_MS = 3_600_000, 7 * DAY_MS
LIMIT = query.number("limit", "Rows, at most 1000.", low=1, high=1000, default=100)
MICRO_A_MS = 1_000


class Gaps(Face):
    """Stretches in which one market's book was not confirmed, newest first, lasting ones too."""

    parameters = (FROM, TO, LIMIT)

    @extend_schema(
        parameters=[parameter.documented() for parameter in parameters],
        responses={
            200: serializers.listed(quality_lines.GapLine),
            404: serializers.Fault,
            **FAULTS,
        },
    )
    def get(self, request: Request, id: str) -> Response:
        asked = query.read(request.query_params, self.parameters)
        now = clock.now()
        since, until = _span(asked, now, WEEK_MS)
        limit, every = asked["limit"], state.poll_ms()
        found = continuity.gap_list(id, since, until, now=now, every=every, limit=limit)
        if found is None:
            raise exceptions.NotFound("There is no market with this id.")
        shown = [_gap(line) for line in quality.lines(found, now)]
        lines = quality_lines.GapLine(shown, many=True).data
        return Response({"next": None, "previous": None, "results": lines})


class Coverage(Face):
    """The covered share of tracked time in any span, in all and by market, the worst first."""

    parameters = (MARKET, FROM, TO, LIMIT)

    @extend_schema(
        parameters=[parameter.documented() for parameter in parameters],
        responses={200: quality_lines.Coverage, **FAULTS},
    )
    def get(self, request: Request) -> Response:
        asked = query.read(request.query_params, self.parameters)
        now = clock.now()
        since, until = _span(asked, now, DAY_MS)
        keys = catalogue.keys([asked["market"]]) if asked["market"] else None
        found = coverage.coverage_by_market(
            since, until, now=now, every=state.poll_ms(), keys=keys and list(keys)
        )
        if asked["market"] and not keys:
            found = {}
        worst = sorted(found.items(), key=lambda pair: (_worth(pair[1]), pair[0]))
        shown = dict(worst[: asked["limit"]])
        names = catalogue.titles(shown)
        answer = {
            "from_at": since,
            "to_at": until,
            "markets": len(found),
            "results": [
                {"market": names[key][0], "question": names[key][1], **_figures(share)}
                for key, share in shown.items()
            ],
            **_figures(sum(found.values(), Share())),
        }
        return Response(quality_lines.Coverage(answer).data)


@listing
class Anomalies(Listing):
    """Odd books by code, most frequent first: of the last hour unless a span is given."""

    line = quality_lines.AnomalyLine
    key = None
    parameters = (MARKET, FROM, TO)

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        now = clock.now()
        until = asked["until"] if asked["until"] is not None else now + 1
        since = asked["since"] if asked["since"] is not None else until - HOUR_MS
        return Page(catalogue.anomaly_counts(since=since, until=until, market=asked["market"]))


@listing
class Feeds(Listing):
    """The doors to the exchange: how each stands, and what was asked of it in vain."""

    line = quality_lines.FeedLine
    key = None

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return Page(
            tuple(
                {
                    "name": feed.name,
                    "state": feed.state,
                    "reason": feed.reason,
                    "since": feed.since,
                    "seen_at": feed.seen_at,
                    "paused_until": feed.paused_until or None,
                    "requests": feed.requests,
                    "failures": dict(feed.failures),
                }
                for feed in feeds()
            )
        )


def _span(asked: dict[str, Any], now: int, length: int) -> tuple[int, int]:
    """The span asked for; its end is now and its length as given, unless stated."""
    until = asked["to"] if asked["to"] is not None else now
    since = asked["from"] if asked["from"] is not None else until - length
    if since > until:
        raise errors.Bad("invalid", "from", "from: a time before `to` is allowed.")
    return since, until


def _gap(line: quality.GapLine) -> dict[str, Any]:
    gap = line.gap
    return {
        "market": gap.market,
        "from_at": gap.since,
        "to_at": None if line.lasts else gap.until,
        "seconds": (gap.until - gap.since) * MICRO_A_MS,
        "reason": gap.reason,
        "meaning": quality.REASON_WORDS[gap.reason],
        "detail": gap.detail,
    }


def _figures(share: Share) -> dict[str, Any]:
    return {
        "coverage": share.micro,
        "tracked_seconds": share.tracked * MICRO_A_MS,
        "covered_seconds": share.seen * MICRO_A_MS,
    }


def _worth(share: Share) -> int:
    """Where a share stands in the list: the worst first, those of no time last."""
    return 2_000_000 if share.micro is None else share.micro
