"""History from before we were there: price histories of markets that entered, asked for once.

Statistics then need not wait a week. The bars are good for nothing else: they carry a price and
no quotes, so no order is ever filled against one.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F

from markets import models, stages
from markets.core.bars import BAR_MS
from markets.core.past import closes
from markets.core.ports import Source, SourceDown
from markets.core.window import WEEK
from markets.selectors import universes
from markets.services import pastbars, sources

log = logging.getLogger(__name__)

STAGE = "past"
"""Stands at the newest universe whose comings and goings were noted."""

SLICE_SECONDS = 10.0
"""After this much work the rest waits for the next ring: one more question may take as long."""

TOGETHER = 10
"""Markets asked for at once: a week of minute prices of each is some 3 MB."""

RETRY_MS, LONGEST_RETRY_MS = 300_000, 1_800_000
"""Pause after a question in vain, doubled each time up to the longest."""

EMPTY_TRIES = 3
"""A market may have no past; after so many empty answers that is believed."""

UNKNOWN = "the exchange told no past prices"


@dataclass(frozen=True, slots=True)
class Imported:
    """What one slice brought: markets answered, bars stored, markets still to be asked."""

    markets: int = 0
    bars: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """A market whose bars from `since` to `until` (ms UTC) are wanted; `market` is its key."""

    market: int
    token: str
    since: int
    until: int


def run(at: int) -> Imported:
    """One slice from the configured source; a source that keeps no past is not asked."""
    if settings.PQAP.exchange.source not in sources.WITH_PAST:
        return Imported()
    return import_past(sources.current(settings.PQAP), at)


def import_past(
    source: Source, at: int, *, clock: Callable[[], float] = time.monotonic
) -> Imported:
    """Ask for the past of markets that entered and store it; what is left waits for the next call.

    `at` is the present in ms UTC; `clock` tells seconds. A source that is down is asked again
    after a pause that grows.
    """
    note()
    ends, wishes = clock() + SLICE_SECONDS, _wishes(at)
    bars = 0
    asked: set[int] = set()
    for batch in _batches(wishes):
        if clock() >= ends:
            break
        try:
            bars += _fetch(source, batch, at)
        except SourceDown as down:
            log.warning("Past prices could not be read: %s", down.reason)
            _tried([w.market for w in wishes if w.market not in asked], at, down.reason)
            break
        asked |= {wish.market for wish in batch}
    if asked:
        log.info("Imported %d bars of the past of %d markets", bars, len(asked))
    return Imported(len(asked), bars, len(wishes) - len(asked))


def note() -> None:
    """Remember which markets entered or left with the universes made since the last call."""
    seen = stages.position(STAGE)
    rows = models.Universe.objects.filter(pk__gt=seen).order_by("pk")
    versions = list(rows.values_list("pk", "effective_at"))
    if not versions:
        return
    if not seen:
        versions = versions[-1:]  # What an older version of the desk tracked is tracked already.
    before = set(universes.load(seen).keys) if seen else set()
    entered: dict[int, int] = {}
    left: set[int] = set()
    for version, effective_at in versions:
        now = set(universes.load(version).keys)
        entered = {key: at for key, at in entered.items() if key in now}
        entered |= dict.fromkeys(now - before, effective_at)
        left = (left | before) - now
        before = now
    try:
        with stages.advance(STAGE, from_=seen, to=versions[-1][0]):
            _enter(entered, left)
    except stages.Overtaken:
        return


def _enter(entered: Mapping[int, int], left: set[int]) -> None:
    models.PastImport.objects.filter(pk__in=left).update(entered_at=0, done=True)
    models.PastImport.objects.bulk_create(
        [models.PastImport(market_id=key, entered_at=at) for key, at in sorted(entered.items())],
        update_conflicts=True,
        unique_fields=["market"],
        update_fields=["entered_at", "asked_at", "tries", "done", "reason"],
    )


def _wishes(at: int) -> list[Wish]:
    """What is due to be asked now; markets that lack nothing are done without a question."""
    since = at // BAR_MS * BAR_MS - WEEK * BAR_MS
    rows = models.PastImport.objects.filter(done=False, entered_at__gt=0)
    due = {
        key: entered // BAR_MS * BAR_MS
        for key, entered, asked, tries in rows.values_list("pk", "entered_at", "asked_at", "tries")
        if not tries or at - asked >= min(RETRY_MS * 2 ** (tries - 1), LONGEST_RETRY_MS)
    }
    tokens = models.Token.objects.filter(market_id__in=due, index=0)
    token_of = dict(tokens.values_list("market_id", "token_id"))
    held = _held(due, since)
    wishes, complete = [], []
    for key, until in sorted(due.items()):
        lacking = (c for c in range(since + BAR_MS, until + 1, BAR_MS) if c not in held[key])
        first = next(lacking, None)
        if first is None:
            complete.append(key)
        else:
            wishes.append(Wish(key, token_of[key], first - BAR_MS, until))
    models.PastImport.objects.filter(pk__in=complete).update(done=True)
    return wishes


def _held(markets: Mapping[int, int], since: int) -> Mapping[int, set[int]]:
    """The closes of the bars there are, of each market (local key)."""
    rows = models.Bar.objects.filter(market_id__in=markets, at__gt=since)
    found: dict[int, set[int]] = defaultdict(set)
    for key, close in rows.values_list("market_id", "at"):
        found[key].add(close)
    return found


def _batches(wishes: Sequence[Wish]) -> Iterator[Sequence[Wish]]:
    """Wishes of one span together, as many as one question takes, in order."""
    spans: dict[tuple[int, int], list[Wish]] = defaultdict(list)
    for wish in wishes:
        spans[wish.since, wish.until].append(wish)
    for found in spans.values():
        for first in range(0, len(found), TOGETHER):
            yield found[first : first + TOGETHER]


def _fetch(source: Source, batch: Sequence[Wish], at: int) -> int:
    """Ask for one batch and store what came, a short transaction a market; how many bars."""
    since, until = batch[0].since, batch[0].until
    lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for point in source.history([wish.token for wish in batch], since, until):
        lines[point.token].append((point.at, point.price))
    total, empty = 0, []
    for wish in batch:
        found = closes(lines[wish.token], since=since, until=until)
        total += pastbars.store(wish.market, found)
        if not found:
            empty.append(wish.market)
    told = [wish.market for wish in batch if wish.market not in empty]
    models.PastImport.objects.filter(pk__in=told).update(done=True, asked_at=at, reason="")
    _tried(empty, at, UNKNOWN)
    believed = models.PastImport.objects.filter(pk__in=empty, tries__gte=EMPTY_TRIES)
    believed.update(done=True)
    return total


def _tried(markets: Sequence[int], at: int, reason: str) -> None:
    rows = models.PastImport.objects.filter(pk__in=markets)
    rows.update(tries=F("tries") + 1, asked_at=at, reason=reason)
