"""The record of what was confirmed and what was not: gaps and stints, written with each tick."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.utils import timezone

from markets import models, stages
from markets.core import gaps
from markets.core.assembly import Flaw
from markets.core.book import Anomaly
from markets.core.gaps import Record, Standing
from markets.core.tick import Flags, Tick
from markets.selectors import ticks, universes
from markets.selectors.continuity import RECORDED, silent_until, written_until
from markets.selectors.universes import Tracked


@dataclass(slots=True)
class Watch:
    """What a worker keeps between cycles: the standing after the newest tick, and looks in vain.

    `failed` and `skipped` count looks since that tick, `asked_at` is when the last one was due.
    `opening` are markets whose stints began with it and are not written yet.
    """

    standing: Standing | None = None
    failed: int = 0
    skipped: int = 0
    asked_at: int | None = None
    opening: tuple[tuple[str, int], ...] = ()

    def due(self, at: int, every: int) -> None:
        """A look begins that was due at `at` (ms UTC), one `every` ms."""
        if self.asked_at is not None:
            self.skipped += max((at - self.asked_at + every // 2) // every - 1, 0)
        self.asked_at = at

    def follow(self, tick: Tick, flaws: Iterable[Flaw], read: Flags, every: int) -> Record:
        """Take the next tick, made of a read of the markets flagged in `read`."""
        before = self.standing
        known = before is not None and before.universe is tick.universe
        self.standing, record = gaps.step(
            before,
            tick,
            flaws,
            read=read,
            began=0 if known else universes.effective_at(tick.universe.version),
            every=every,
            failed=self.failed,
            skipped=self.skipped,
        )
        opening, self.opening = self.opening, ()
        self.failed = self.skipped = 0
        return replace(record, entered=opening + record.entered) if opening else record


def resume(tick: Tick | None) -> Watch:
    """The watch as it stood after the newest tick, from rows.

    A database that was filled before gaps were recorded gets a record that begins with that tick.
    """
    if tick is None:
        return Watch()
    keys = universes.load(tick.universe.version).keys
    rows = models.Stint.objects.filter(until=None, market_id__in=keys)
    stints = dict(rows.values_list("market_id", "since"))
    if not stints and not models.Stint.objects.exists():
        standing = gaps.begin(tick, np.ones(len(keys), dtype=np.bool_))
        return Watch(standing, opening=tuple((m.id, tick.at) for m in tick.universe.markets))
    begun = np.array([stints.get(key, gaps.OUT) for key in keys], dtype=np.int64)
    marks = np.maximum(np.maximum(begun, tick.observed_at), silent_until())
    marks = _beyond_gaps(np.where(begun == gaps.OUT, gaps.OUT, marks), keys, tick)
    return Watch(Standing(tick.universe, tick.at, marks, _faults(marks, keys, tick)))


def write(found: Sequence[tuple[int, Record]], known: Tracked, *, untold: int) -> None:
    """Store what ticks (by id) add to the record, in the transaction that stores the ticks.

    `untold` are the cycles in vain after the last of them.
    """
    keys = {m.id: key for m, key in zip(known.universe.markets, known.keys, strict=True)}
    keys |= universes.market_keys(_named(record for _, record in found) - keys.keys())
    for _, record in found:
        models.Stint.objects.bulk_create(
            models.Stint(market_id=keys[market], since=at) for market, at in record.entered
        )
        _close(record.left, keys)
    models.Gap.objects.bulk_create(
        models.Gap(
            market_id=None if gap.market is None else keys[gap.market],
            tick_id=tick_id,
            since=gap.since,
            until=gap.until,
            reason=gap.reason,
            detail=gap.detail,
        )
        for tick_id, record in found
        for gap in record.gaps
    )
    failures = stages.position(ticks.FAILURES) - untold
    if failures != stages.position(RECORDED):
        told = {"position": failures, "moved_at": timezone.now()}
        models.Cursor.objects.update_or_create(name=RECORDED, defaults=told)


def _beyond_gaps(marks: np.ndarray, keys: Sequence[int], tick: Tick) -> np.ndarray:
    """Marks of markets not confirmed by the newest tick moved past gaps that are written."""
    waiting = [keys[i] for i in np.flatnonzero((marks != gaps.OUT) & (marks < tick.at)).tolist()]
    ended = written_until(waiting)
    written = np.array([ended.get(key, gaps.OUT) for key in keys], dtype=np.int64)
    return np.where(marks == gaps.OUT, gaps.OUT, np.maximum(marks, written))


def _faults(marks: np.ndarray, keys: Sequence[int], tick: Tick) -> dict[str, Anomaly]:
    """The newest fault of each market that waits for a confirmation since its mark."""
    waiting = {keys[i]: i for i in np.flatnonzero((marks != gaps.OUT) & (marks < tick.at)).tolist()}
    if not waiting:
        return {}
    since = min(int(marks[i]) for i in waiting.values())
    rows = models.Anomaly.objects.filter(market_id__in=list(waiting), at__gt=since).order_by("id")
    markets = tick.universe.markets
    return {
        markets[waiting[key]].id: Anomaly(code)
        for key, at, code in rows.values_list("market_id", "at", "code")
        if at > marks[waiting[key]]
    }


def _named(records: Iterable[Record]) -> set[str]:
    found: set[str] = set()
    for record in records:
        found |= {gap.market for gap in record.gaps if gap.market is not None}
        found |= {market for market, _ in (*record.entered, *record.left)}
    return found


def _close(left: Sequence[tuple[str, int]], keys: Mapping[str, int]) -> None:
    """End the stints of markets that left; they all leave at the same instant."""
    if not left:
        return
    leaving = [keys[market] for market, _ in left]
    models.Stint.objects.filter(market_id__in=leaving, until=None).update(until=left[0][1])
