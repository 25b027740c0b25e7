"""Gaps: stretches in which a market we wanted to read was not confirmed, found tick by tick.

A market is accounted for up to its *mark*: when it was last confirmed, when it entered, or when
the last silence of the whole collector ended, whichever is latest. A mark that moves further than
the limit leaves a gap behind. Gaps of a market never overlap each other or a silence of all, so
what was tracked is the sum of what was seen and of the gaps, to the millisecond.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from markets.core.assembly import Flaw
from markets.core.bars import matching
from markets.core.book import Anomaly
from markets.core.tick import Flags, Ints, Tick, Universe

OUT = -1
"""The mark of a market that is in the universe but not read: its outcome is settled."""

LIMIT_HALVES = 5
QUIET_MS = 300_000
"""A book unchanged for longer than this is quiet, as long as it is confirmed."""


class GapReason(StrEnum):
    """Why nothing was confirmed for longer than the limit."""

    COLLECTOR_OFF = "COLLECTOR_OFF"
    NO_ANSWER = "NO_ANSWER"
    REFUSED = "REFUSED"
    UNREAD = "UNREAD"
    NOT_TRADING = "NOT_TRADING"


class Freshness(StrEnum):
    """How far what we show of a market is what the exchange shows now."""

    LIVE = "LIVE"
    QUIET = "QUIET"
    FROZEN = "FROZEN"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Gap:
    """From just after `since` until `until` (ms UTC) nothing was confirmed.

    `market` is None where the whole collector was silent; `detail` is the anomaly code of a
    refused book.
    """

    market: str | None
    since: int
    until: int
    reason: GapReason
    detail: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """Up to when each market of a universe is accounted for, as of the tick at `at`."""

    universe: Universe
    at: int
    marks: Ints
    faults: Mapping[str, Anomaly] = field(default_factory=dict)

    @property
    def read(self) -> Flags:
        """Which markets are read at all."""
        flags: Flags = self.marks != OUT
        return flags


@dataclass(frozen=True, slots=True)
class Record:
    """What one tick adds to the record: gaps that ended, markets read from or until an instant."""

    gaps: tuple[Gap, ...] = ()
    entered: tuple[tuple[str, int], ...] = ()
    left: tuple[tuple[str, int], ...] = ()


def limit(every: int) -> int:
    """How long a confirmation holds when there is one look every `every` ms: two and a half."""
    return every * LIMIT_HALVES // 2


def freshness(observed_at: int, changed_at: int, now: int, every: int) -> Freshness:
    """The state of a book last confirmed and last changed at these times (ms UTC, 0 for never)."""
    if not observed_at:
        return Freshness.NEVER
    if now - observed_at > limit(every):
        return Freshness.FROZEN
    return Freshness.QUIET if now - changed_at > QUIET_MS else Freshness.LIVE


def begin(tick: Tick, read: Flags) -> Standing:
    """The standing of a record that begins with `tick`: nothing before it is spoken of."""
    marks = np.where(tick.observed_at > 0, tick.observed_at, tick.at)
    return Standing(tick.universe, tick.at, np.where(read, marks, OUT))


def step(
    before: Standing | None,
    tick: Tick,
    flaws: Iterable[Flaw],
    *,
    read: Flags,
    began: int,
    every: int,
    failed: int = 0,
    skipped: int = 0,
) -> tuple[Standing, Record]:
    """What `tick` ends and begins after `before` (None before the first tick).

    `read` are the markets whose books were asked for, `began` is when the universe came into
    force (ms UTC), `every` the ms between two looks. Of the looks since the tick before, `failed`
    brought none and `skipped` were never made: either is a silence of all, however short.
    """
    last = before.at if before else 0
    moved = min(max(began, last), tick.at)
    since = last or moved
    longest = limit(every)
    silent = failed > 0 or skipped > 0 or tick.at - since > longest
    entered, left, gaps = _moves(before, tick.universe, read, moved)
    marks = _carried(before, tick.universe, read, moved)
    found = [gap for gap in gaps if gap.until - gap.since > longest] if not silent else []
    faults = dict(before.faults) if before else {}
    if silent:
        if before is not None:
            found += _overdue(before, before.marks, np.full_like(before.marks, last), longest)
        if tick.at > since:
            found.append(Gap(None, since, tick.at, _silence(tick.at - since, failed, every)))
        marks = np.where(marks == OUT, OUT, tick.at)
        return Standing(tick.universe, tick.at, marks), Record(tuple(found), entered, left)
    if before is not None and before.universe is not tick.universe:
        marks = _split(before, tick.universe, marks, moved, longest, found)
    fresh = (marks != OUT) & (tick.observed_at > marks)
    faults |= _refused(flaws, tick.universe, fresh)
    here = Standing(tick.universe, tick.at, marks, faults)
    found += _overdue(here, np.where(fresh, marks, OUT), tick.observed_at, longest)
    column = tick.universe.column
    unsettled = {
        market: code
        for market, code in faults.items()
        if market in column and not fresh[column[market]]
    }
    marks = np.where(fresh, tick.observed_at, marks)
    return Standing(tick.universe, tick.at, marks, unsettled), Record(tuple(found), entered, left)


def _refused(flaws: Iterable[Flaw], universe: Universe, fresh: Flags) -> dict[str, Anomaly]:
    """Why markets were not confirmed; what is merely flagged was seen, and ends its gap."""
    column = universe.column
    return {flaw.market: flaw.code for flaw in flaws if not fresh[column[flaw.market]]}


def _moves(
    before: Standing | None, universe: Universe, read: Flags, moved: int
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...], list[Gap]]:
    """Who entered, who left, and what those who left were last waiting for."""
    if before is None:
        return (
            tuple((m.id, moved) for m, on in zip(universe.markets, read, strict=True) if on),
            (),
            [],
        )
    if before.universe is universe and np.array_equal(before.read, read):
        return (), (), []
    old = _ids(before.universe, before.read)
    new = _ids(universe, read)
    entered = tuple((market, moved) for market in new if market not in old)
    left = tuple((market, moved) for market in old if market not in new)
    gaps = [_gap(before, market, moved) for market, _ in left]
    return entered, left, gaps


def _ids(universe: Universe, read: Flags) -> dict[str, None]:
    return {m.id: None for m, on in zip(universe.markets, read.tolist(), strict=True) if on}


def _carried(before: Standing | None, universe: Universe, read: Flags, moved: int) -> Ints:
    """Marks in the new universe's order: those who stay keep theirs, those who enter begin."""
    if before is not None and before.universe is universe:
        return np.where(read, np.where(before.read, before.marks, moved), OUT)
    marks = np.full(len(universe), moved, dtype=np.int64)
    if before is not None:
        was, here = matching(before.universe, universe)
        kept = before.marks[was]
        marks[here] = np.where(kept == OUT, moved, kept)
    return np.where(read, marks, OUT)


def _split(
    before: Standing, universe: Universe, marks: Ints, moved: int, longest: int, found: list[Gap]
) -> Ints:
    """End the gaps of markets that began or ceased to trade: the reason is another from here."""
    was, here = matching(before.universe, universe)
    other = before.universe.accepting[was] != universe.accepting[here]
    due = other & (marks[here] != OUT) & before.read[was] & (moved - marks[here] > longest)
    if not due.any():
        return marks
    found += [_gap(before, before.universe.markets[i].id, moved) for i in was[due].tolist()]
    marks = marks.copy()
    marks[here[due]] = moved
    return marks


def _overdue(standing: Standing, since: Ints, until: Ints, longest: int) -> list[Gap]:
    """A gap for each market whose mark moves from `since` to `until` by more than the limit."""
    late = (since != OUT) & (until - since > longest)
    markets = standing.universe.markets
    return [
        _gap(standing, markets[column].id, int(until[column]))
        for column in np.flatnonzero(late).tolist()
    ]


def _gap(standing: Standing, market: str, until: int) -> Gap:
    column = standing.universe.column[market]
    code = standing.faults.get(market)
    reason, detail = GapReason.UNREAD, ""
    if code is not None and code is not Anomaly.MISSING:
        reason, detail = GapReason.REFUSED, code.value
    elif not standing.universe.markets[column].terms.accepting_orders:
        reason = GapReason.NOT_TRADING
    return Gap(market, int(standing.marks[column]), until, reason, detail)


def _silence(length: int, failed: int, every: int) -> GapReason:
    """Nobody answered if we asked at least half of the times, else nobody asked."""
    asked = 2 * failed * every >= length - every
    return GapReason.NO_ANSWER if failed and asked else GapReason.COLLECTOR_OFF
