"""Writing ticks as rows: one statement a table, on SQLite and on PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from markets import models
from markets.core.assembly import Flaw, carried
from markets.core.bars import SealedBar
from markets.core.tick import Tick, empty
from markets.selectors import universes
from markets.selectors.universes import Tracked
from markets.services import anomalies, bulk, pastbars

_QUOTE = {
    "bid": "int8",
    "ask": "int8",
    "bid_size": "int8",
    "ask_size": "int8",
    "bid_valid": "bool",
    "ask_valid": "bool",
    "observed_at": "int8",
    "coherent": "bool",
}
_WHERE = {"tick_id": "int8", "market_id": "int8"}
_SNAPSHOT = {**_WHERE, **_QUOTE, "venue_at": "int8", "depth": "bytea", "no_depth": "bytea"}
_LATEST = {**_WHERE, **_QUOTE, "tracked": "bool", "changed_at": "int8"}
_BAR = {
    "at": "int8",
    "market_id": "int8",
    "bid": "int8",
    "ask": "int8",
    "micro": "int8",
    "changes": "int4",
    "count": "int4",
    "imported": "bool",
    "learnt_tick_id": "int8",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A tick about to be stored, what came with it, and the tick before it."""

    previous: Tick | None
    tick: Tick
    flaws: tuple[Flaw, ...]
    bar: SealedBar | None


def write(
    steps: Sequence[Step], known: Tracked, *, checkpoint: bytes, recorded_at: datetime
) -> int:
    """Store the steps of one transaction in all their tables; returns the snapshots written."""
    key_of = {m.id: key for m, key in zip(known.universe.markets, known.keys, strict=True)}
    _ticks(steps, known.universe.version, checkpoint, recorded_at)
    snapshots = [row for step in steps for row in _snapshots(step, known.keys)]
    sealed = [row for step in steps if step.bar for row in _bar(step.bar, key_of)]
    _latest(steps, known.keys)
    bulk.insert("market_snapshots", _SNAPSHOT, snapshots)
    if sealed:
        # What was observed takes the place of an imported bar that no tick has brought yet.
        bulk.upsert("markets_bar", _BAR, sealed, key="at, market_id")
    _flaws(steps, key_of)
    _resolutions(steps)
    _prints(steps)
    pastbars.claim(steps[-1].tick, known.keys)
    return len(snapshots)


def _ticks(steps: Sequence[Step], version: int, checkpoint: bytes, recorded_at: datetime) -> None:
    """The checkpoint is kept with the newest tick only: nobody goes on from an older one."""
    rows = [
        models.Tick(id=step.tick.id, at=step.tick.at, universe_id=version, recorded_at=recorded_at)
        for step in steps
    ]
    rows[-1].checkpoint = checkpoint
    models.Tick.objects.bulk_create(rows)
    models.Tick.objects.filter(pk=rows[0].id - 1).update(checkpoint=b"")


def _quotes(tick: Tick) -> Iterable[tuple[int | bool, ...]]:
    """The columns of _QUOTE as one tuple a market, in plain Python numbers."""
    return zip(
        tick.bid.tolist(),
        tick.ask.tolist(),
        tick.bid_size.tolist(),
        tick.ask_size.tolist(),
        tick.bid_valid.tolist(),
        tick.ask_valid.tolist(),
        tick.observed_at.tolist(),
        tick.coherent.tolist(),
        strict=True,
    )


def _snapshots(step: Step, keys: Sequence[int]) -> Iterable[tuple]:
    """Depth only where it changed; always for a market new to the universe."""
    tick, before = step.tick, step.previous
    held: list[bytes | None] = [None] * len(keys)
    if before is not None and before.universe is tick.universe:
        held = list(before.depth)
    elif before is not None:
        column = before.universe.column
        found = (column.get(market.id) for market in tick.universe.markets)
        held = [None if index is None else before.depth[index] for index in found]
    venue = tick.venue_at.tolist()
    for index, quote in enumerate(_quotes(tick)):
        depth = tick.depth[index]
        yield (
            tick.id,
            keys[index],
            *quote,
            venue[index],
            None if held[index] == depth else depth,
            tick.no_depth.get(index),
        )


def _latest(steps: Sequence[Step], keys: Sequence[int]) -> None:
    """One row a market with its newest quote; markets that left are no longer tracked."""
    tick, before = steps[-1].tick, steps[0].previous
    rows = [
        (tick.id, key, *quote, True, changed)
        for key, quote, changed in zip(keys, _quotes(tick), _changed(before, tick), strict=True)
    ]
    bulk.upsert("markets_latest", _LATEST, rows, key="market_id", unless_zero=["changed_at"])
    if before is None or before.universe is not tick.universe:
        models.Latest.objects.filter(tracked=True).exclude(tick_id=tick.id).update(tracked=False)


def _changed(before: Tick | None, tick: Tick) -> list[int]:
    """When each book changed since `before`, ms UTC, 0 where it did not.

    The exchange's own time where it says so, else when we saw the change.
    """
    base = carried(tick.universe, before or empty(tick.universe))
    later = (tick.venue_at > base.venue_at) & (tick.venue_at <= tick.observed_at)
    pairs = zip(base.depth, tick.depth, strict=True)
    other = np.array([was != now for was, now in pairs], dtype=np.bool_)
    for column in base.no_depth.keys() | tick.no_depth.keys():
        other[column] |= base.no_depth.get(column) != tick.no_depth.get(column)
    at = np.where(later, tick.venue_at, np.where(other, tick.observed_at, 0))
    return np.where(tick.observed_at > base.observed_at, at, 0).tolist()


def _bar(bar: SealedBar, key_of: dict[str, int]) -> Iterable[tuple[int | bool | None, ...]]:
    markets = bar.universe.markets
    keys = _keys_of(bar, key_of)
    for index in bar.valid.nonzero()[0].tolist():
        yield (
            bar.at,
            keys[markets[index].id],
            int(bar.bid[index]),
            int(bar.ask[index]),
            int(bar.micro[index]),
            int(bar.changes[index]),
            int(bar.count[index]),
            False,
            None,
        )


def _keys_of(bar: SealedBar, key_of: dict[str, int]) -> dict[str, int]:
    """Local keys of a bar's markets, also of those that left with the tick that closed it."""
    gone = [market.id for market in bar.universe.markets if market.id not in key_of]
    if not gone:
        return key_of
    return key_of | universes.market_keys(gone)


def _flaws(steps: Sequence[Step], key_of: dict[str, int]) -> None:
    seen = [(step.tick.id, step.tick.at, step.flaws) for step in steps if step.flaws]
    anomalies.note(seen, key_of)


def _prints(steps: Sequence[Step]) -> None:
    """Trades learnt with each tick; the side of the market their token is, not its name."""
    made = [(step.tick.id, fact) for step in steps for fact in step.tick.prints]
    if not made:
        return
    tokens = models.Token.objects.filter(token_id__in={fact.token for _, fact in made})
    side_of = {name: side for name, *side in tokens.values_list("token_id", "market_id", "index")}
    rows = [
        models.Print(
            tick_id=tick_id,
            market_id=side_of[fact.token][0],
            outcome=side_of[fact.token][1],
            side=fact.side,
            price=fact.price,
            size=fact.size,
            at=fact.at,
            transaction=fact.transaction,
        )
        for tick_id, fact in made
    ]
    models.Print.objects.bulk_create(rows, ignore_conflicts=True)


def _resolutions(steps: Sequence[Step]) -> None:
    said = [(step.tick.id, fact) for step in steps for fact in step.tick.resolutions]
    if not said:
        return
    keys = universes.market_keys({fact.market for _, fact in said})
    models.Resolution.objects.bulk_create(
        models.Resolution(
            market_id=keys[fact.market],
            tick_id=tick_id,
            status=fact.status,
            at=fact.at,
            yes_payout=fact.payouts[0] if fact.payouts else None,
            no_payout=fact.payouts[1] if fact.payouts else None,
            yes_proposed=fact.proposed[0] if fact.proposed else None,
            no_proposed=fact.proposed[1] if fact.proposed else None,
        )
        for tick_id, fact in said
    )
