"""One read of the exchange becomes one Tick: absurd books refused, unread ones carried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from markets.core import book as books_core
from markets.core.book import Anomaly, Pair
from markets.core.tick import Tick, Universe, empty
from markets.core.types import ONE, Book, Level, Market, PastBar, Print, Resolution

COLUMNS = (
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "bid_valid",
    "ask_valid",
    "observed_at",
    "venue_at",
    "coherent",
)
"""The array fields of a Tick."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A market whose books were refused or flagged in one read, and why."""

    market: str
    code: Anomaly


def assemble(
    universe: Universe,
    previous: Tick,
    *,
    books: Mapping[str, Book],
    refused: Mapping[str, Anomaly],
    resolutions: Iterable[Resolution] = (),
    prints: Iterable[Print] = (),
    past: Iterable[PastBar] = (),
    depth_levels: int,
) -> tuple[Tick | None, tuple[Flaw, ...]]:
    """The tick after `previous` and what was wrong with the read; None when nothing new was seen.

    A market is observed only when both its books were read and neither is absurd nor older than
    the one held; otherwise it is carried with its old `observed_at`. A pair that does not show one
    instant, or shows one side only, is observed and marked incoherent; a NO book that is not the
    mirror is kept apart.
    """
    base = carried(universe, previous)
    held_at, held_venue = base.observed_at.tolist(), base.venue_at.tolist()
    lopsided = ((base.bid_valid != base.ask_valid) & (base.observed_at > 0)).tolist()
    seen: dict[int, Pair] = {}
    incoherent: set[int] = set()
    flaws: list[Flaw] = []
    for column, market in enumerate(universe.markets):
        pair, codes = _pair(market, books, refused)
        if pair:
            late = _late(pair, held_at[column], held_venue[column])
            if late is not None:
                pair, codes = None, late
        if pair:
            seen[column] = pair
            codes = _doubts(pair, market.terms.tick_size, lopsided[column])
            if codes or books_core.one_sided(pair.yes):
                incoherent.add(column)
        if codes:
            flaws += [Flaw(market.id, code) for code in codes]
    if max((_observed(pair) for pair in seen.values()), default=0) <= previous.at:
        return None, tuple(flaws)
    tick = replace(
        _observe(base, seen, incoherent, depth_levels),
        id=previous.id + 1,
        resolutions=tuple(sorted(resolutions, key=by_resolution)),
        prints=tuple(sorted(prints, key=by_print)),
        past=tuple(sorted(past, key=by_past)),
    )
    return tick, tuple(flaws)


def by_resolution(fact: Resolution) -> tuple[str, int, str]:
    """The order of a tick's resolutions."""
    return (fact.market, fact.at, fact.status)


def by_print(fact: Print) -> tuple[int, str, str, int, int, str]:
    """The order of a tick's prints."""
    return (fact.at, fact.token, fact.side, fact.price, fact.size, fact.transaction)


def by_past(fact: PastBar) -> tuple[str, int]:
    """The order of a tick's past bars."""
    return (fact.market, fact.at)


def carried(universe: Universe, previous: Tick) -> Tick:
    """The previous tick's columns in this universe's order: newcomers unread, leavers gone."""
    if previous.universe is universe:
        return previous
    blank, old = empty(universe), previous.universe.column
    pairs = [(old[m.id], new) for new, m in enumerate(universe.markets) if m.id in old]
    sources = np.array([source for source, _ in pairs], dtype=np.int64)
    targets = np.array([target for _, target in pairs], dtype=np.int64)
    columns = {name: getattr(blank, name).copy() for name in COLUMNS}
    for name, column in columns.items():
        column[targets] = getattr(previous, name)[sources]
    depth = list(blank.depth)
    for source, target in pairs:
        depth[target] = previous.depth[source]
    apart = {new: previous.no_depth[was] for was, new in pairs if was in previous.no_depth}
    return replace(blank, at=previous.at, depth=tuple(depth), no_depth=apart, **columns)


def _pair(
    market: Market, books: Mapping[str, Book], refused: Mapping[str, Anomaly]
) -> tuple[Pair | None, tuple[Anomaly, ...]]:
    """Both books when both may be used, else why not; an untraded market may lack its books."""
    yes, no = books.get(market.yes.id), books.get(market.no.id)
    found: list[Anomaly | None] = []
    if refused:
        found = [refused.get(token.id) for token in market.tokens]
        if not market.terms.accepting_orders:
            found = [code for code in found if code is not Anomaly.MISSING]
    if yes and no and not any(found):
        tick_size = market.terms.tick_size
        found = [books_core.absurdity(yes, tick_size), books_core.absurdity(no, tick_size)]
        if not any(found):
            return Pair(yes, no), ()
    return None, tuple(dict.fromkeys(code for code in found if code))


def _observed(pair: Pair) -> int:
    """When both books of the pair had been confirmed, ms UTC: the older of the two reads."""
    return min(pair.yes.observed_at, pair.no.observed_at)


def _late(pair: Pair, held_at: int, held_venue: int) -> tuple[Anomaly, ...] | None:
    """Why the pair does not replace the one held since `held_at`, as codes; None: it does.

    The very read that is held already is no news, and nothing is wrong with it.
    """
    observed = _observed(pair)
    if observed <= held_at:
        return (Anomaly.STALE,) if observed < held_at else ()
    return (Anomaly.BACKWARDS,) if 0 < pair.yes.venue_at < held_venue else None


def _doubts(pair: Pair, tick_size: int, lopsided: bool) -> tuple[Anomaly, ...]:
    """Why a fresh pair is not to be traded on; one-sided is said when it becomes so."""
    torn = books_core.incoherence(pair, tick_size)
    fresh = books_core.one_sided(pair.yes) and not lopsided
    found = (torn, Anomaly.ONE_SIDED if fresh else None)
    return tuple(code for code in found if code)


def _observe(base: Tick, seen: Mapping[int, Pair], incoherent: set[int], levels: int) -> Tick:
    """The carried tick with the pairs just read in their columns."""
    at = np.fromiter(seen, dtype=np.int64, count=len(seen))
    values = {
        name: np.array(column, dtype=getattr(base, name).dtype)
        for name, column in zip(COLUMNS, _values(seen, incoherent), strict=True)
    }
    columns = {name: getattr(base, name).copy() for name in COLUMNS}
    for name, column in columns.items():
        column[at] = values[name]
    depth, apart = list(base.depth), dict(base.no_depth)
    for index, pair in seen.items():
        depth[index] = books_core.pack(pair.yes, levels)
        apart.pop(index, None)
        if not mirrored(pair.yes, pair.no, levels):
            apart[index] = books_core.pack(pair.no, levels)
    latest = int(columns["observed_at"].max())
    return replace(base, at=latest, depth=tuple(depth), no_depth=apart, **columns)


def _values(seen: Mapping[int, Pair], incoherent: set[int]) -> Iterable[tuple[int | bool, ...]]:
    """The observed markets' values, one tuple for each of COLUMNS."""
    nothing_bid, nothing_asked = Level(0, 0), Level(ONE, 0)
    rows = []
    for column, pair in seen.items():
        best_bid, best_ask = books_core.best_bid(pair.yes), books_core.best_ask(pair.yes)
        bid, ask = best_bid or nothing_bid, best_ask or nothing_asked
        valid = (best_bid is not None, best_ask is not None)
        when = (_observed(pair), pair.yes.venue_at, column not in incoherent)
        rows.append((bid.price, ask.price, bid.size, ask.size, *valid, *when))
    return zip(*rows, strict=True)


def mirrored(yes: Book, no: Book, levels: int) -> bool:
    """Whether NO, as deep as it is stored, is exactly the mirror of YES."""
    return _reflects(yes.bids[:levels], no.asks[:levels]) and _reflects(
        yes.asks[:levels], no.bids[:levels]
    )


def _reflects(side: tuple[Level, ...], other: tuple[Level, ...]) -> bool:
    if len(side) != len(other):
        return False
    for a, b in zip(side, other, strict=True):
        if a.size != b.size or a.price + b.price != ONE:
            return False
    return True
