"""What was not confirmed: gaps that ended, gaps that last, and answers that stand still."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, Max, Min, Q, QuerySet

from markets import models
from markets.core import gaps
from markets.core.book import Anomaly
from markets.core.gaps import Freshness, Gap, GapReason
from markets.core.tick import Ints
from markets.selectors import universes
from markets.selectors.ticks import FAILURES

RECORDED = "collect.failures.recorded"
"""Name of the cursor that counts the cycles in vain which gaps tell of already."""

STILL_MS = 600_000
"""When no tracked book changed for so long, the exchange's answers are suspected to stand still."""

STILL_MARKETS = 5
"""With fewer markets than this a long calm is no sign of anything."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """What is not confirmed as of `now`: marks of the markets read now, and an open silence.

    `keys` and `marks` go together; `until` is up to when a market's own gap may last.
    """

    now: int
    keys: tuple[int, ...]
    marks: Ints
    until: int
    silent_since: int | None
    limit: int

    @property
    def late(self) -> Ints:
        """Places in `keys` of the markets with an open gap of their own."""
        found: Ints = np.flatnonzero(self.until - self.marks > self.limit)
        return found


@dataclass(frozen=True, slots=True)
class Watching:
    """How many books are tracked, how many of those that trade the last looks did not confirm, and
    since when (ms UTC) not one has changed, where that is suspicious."""

    tracked: int
    unconfirmed: int
    still_since: int | None


def failed_since_the_newest_tick() -> int:
    """Cycles in vain that no gap tells of yet, whichever worker made them."""
    rows = models.Cursor.objects.filter(name__in=(FAILURES, RECORDED))
    told = dict(rows.values_list("name", "position"))
    return max(told.get(FAILURES, 0) - told.get(RECORDED, 0), 0)


def silent_until() -> int:
    """When the newest silence of all ended, ms UTC, 0 when there was none."""
    ends = models.Gap.objects.filter(market=None).aggregate(Max("until"))
    return ends["until__max"] or 0


def written_until(keys: Collection[int]) -> dict[int, int]:
    """When the newest gap of each given market (by key) ended; absent without one."""
    rows = models.Gap.objects.filter(market_id__in=list(keys)).values_list("market_id")
    return dict(rows.annotate(Max("until")).order_by())


def lasting(now: int, every: int) -> Lasting:
    """What is not confirmed at `now` (ms UTC) when there is one look every `every` ms."""
    limit, since = gaps.limit(every), _silent_since(now, gaps.limit(every))
    rows = models.Stint.objects.filter(until=None)
    found = list(rows.values_list("market_id", "since", "market__latest__observed_at"))
    floor, until = silent_until(), now if since is None else since
    marks = np.array([max(begun, at or 0, floor) for _, begun, at in found], dtype=np.int64)
    keys = tuple(key for key, _, _ in found)
    late = np.flatnonzero(until - marks > limit).tolist()
    written = written_until([keys[place] for place in late])
    for place in late:
        marks[place] = max(int(marks[place]), written.get(keys[place], 0))
    return Lasting(now, keys, marks, until, since, limit)


def open_gaps(found: Lasting) -> list[tuple[int | None, Gap]]:
    """The gaps that last, with the key of their market; a silence of all first."""
    late = found.late.tolist()
    said, resting = faults(found), not_trading()
    names = _names(found.keys[place] for place in late)
    shown: list[tuple[int | None, Gap]] = []
    if found.silent_since is not None:
        failed = failed_since_the_newest_tick()
        reason = GapReason.NO_ANSWER if failed else GapReason.COLLECTOR_OFF
        shown.append((None, Gap(None, found.silent_since, found.now, reason)))
    for place in late:
        key, since = found.keys[place], int(found.marks[place])
        reason, code = GapReason.UNREAD, said.get(key, "")
        if code:
            reason = GapReason.REFUSED
        elif key in resting:
            reason = GapReason.NOT_TRADING
        shown.append((key, Gap(names[key], since, found.until, reason, code)))
    return shown


def gap_list(
    market: str, since: int, until: int, *, now: int, every: int, limit: int
) -> tuple[Gap, ...] | None:
    """A market's gaps that touch [since, until), newest first, silences of all among them.

    Gaps that last end at `now`. None when the market is unknown.
    """
    key = models.Market.objects.filter(condition_id=market).values_list("pk", flat=True).first()
    if key is None:
        return None
    read = [(start, end or now) for _, start, end in stints(since, until, [key])]
    rows = overlapping(since, until).filter(Q(market_id=key) | Q(market=None))
    found = [_gap(row, market) for row in rows.order_by("-until", "-id")[:limit]]
    found += [gap for of, gap in open_gaps(lasting(now, every)) if of in (None, key)]
    kept = [
        gap
        for gap in found
        if gap.since < until
        and gap.until > since
        and any(gap.since < end and gap.until > start for start, end in read)
    ]
    return tuple(sorted(kept, key=lambda gap: (-gap.until, -gap.since))[:limit])


def longest(since: int, until: int, *, now: int, every: int, limit: int) -> tuple[Gap, ...]:
    """The longest gaps that touch [since, until), silences of all and those that last included."""
    rows = overlapping(since, until).exclude(reason=GapReason.NOT_TRADING)
    ordered = rows.select_related("market").order_by(F("since") - F("until"))[:limit]
    found = [_gap(row, row.market.condition_id if row.market else None) for row in ordered]
    found += [gap for _, gap in open_gaps(lasting(now, every)) if gap.until > since]
    found = [gap for gap in found if gap.reason is not GapReason.NOT_TRADING]
    return tuple(sorted(found, key=lambda gap: gap.since - gap.until)[:limit])


def watching(now: int, every: int) -> Watching:
    """How the tracked books stand at `now` (ms UTC), in two queries while all is well."""
    known = universes.newest()
    rows = models.Latest.objects.filter(tracked=True)
    ends = rows.aggregate(Count("pk"), Min("observed_at"), Max("observed_at"), Max("changed_at"))
    tracked, seen = ends["pk__count"], ends["observed_at__max"] or 0
    if known is None or not seen:
        return Watching(tracked, 0, None)
    oldest, unconfirmed = seen - gaps.limit(every), 0
    if ends["observed_at__min"] < oldest:
        late = rows.filter(observed_at__lt=oldest).values_list("market_id", flat=True)
        unconfirmed = len(set(late) - _resting(known))
    changed, active = ends["changed_at__max"], int(known.universe.accepting.sum())
    calm = changed and seen - changed > STILL_MS and now - seen <= gaps.limit(every)
    return Watching(tracked, unconfirmed, changed if calm and active >= STILL_MARKETS else None)


def freshness_counts(now: int, every: int) -> dict[Freshness, int]:
    """How many tracked books are in each state, every state named."""
    rows = models.Latest.objects.filter(tracked=True).values_list("observed_at", "changed_at")
    counted = Counter(gaps.freshness(*row, now, every) for row in rows)
    return {state: counted[state] for state in Freshness}


def _silent_since(now: int, limit: int) -> int | None:
    """When the collector's open silence began: at the newest tick, or when markets were chosen."""
    newest = models.Tick.objects.order_by("-pk").values_list("at", flat=True).first()
    if newest is None:
        newest = (
            models.Universe.objects.order_by("pk").values_list("effective_at", flat=True).first()
        )
    if newest is None:
        return None
    silent = failed_since_the_newest_tick() > 0 or now - newest > limit
    return min(newest, now) if silent else None


def stints(
    since: int, until: int, keys: Collection[int] | None = None
) -> list[tuple[int, int, int | None]]:
    """(market key, since, until or None) of every stint that touches [since, until)."""
    rows = models.Stint.objects.filter(Q(until=None) | Q(until__gt=since), since__lt=until)
    if keys is not None:
        rows = rows.filter(market_id__in=list(keys))
    return list(rows.order_by().values_list("market_id", "since", "until"))


def overlapping(since: int, until: int) -> QuerySet[models.Gap]:
    """Gaps that ended and touch [since, until)."""
    return models.Gap.objects.filter(until__gt=since, since__lt=until)


def not_trading() -> set[int]:
    """Keys of the tracked markets in which the exchange takes no orders."""
    known = universes.newest()
    return _resting(known) if known else set()


def _resting(known: universes.Tracked) -> set[int]:
    return {known.keys[place] for place in np.flatnonzero(~known.universe.accepting).tolist()}


def faults(found: Lasting) -> dict[int, str]:
    """The newest anomaly of each market with an open gap since it began, by market key."""
    late = {found.keys[place]: int(found.marks[place]) for place in found.late.tolist()}
    if not late:
        return {}
    rows = models.Anomaly.objects.filter(market_id__in=list(late), at__gt=min(late.values()))
    said = rows.exclude(code=Anomaly.MISSING).order_by("id").values_list("market_id", "at", "code")
    return {key: code for key, at, code in said if at > late[key]}


def _gap(row: models.Gap, market: str | None) -> Gap:
    of = None if row.market_id is None else market
    return Gap(of, row.since, row.until, GapReason(row.reason), row.detail)


def _names(keys: Iterable[int]) -> dict[int, str]:
    rows = models.Market.objects.filter(pk__in=list(keys))
    return dict(rows.values_list("pk", "condition_id"))
