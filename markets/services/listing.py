"""What a sync works on: the exchange's list, and whatever else must be known of by name."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from markets import models
from markets.core import ranking, venue
from markets.core.ports import Source, SourceDown
from markets.core.types import Market, Status
from markets.selectors import universes

log = logging.getLogger(__name__)

MISSED_MS = 2 * venue.DAY_MS
MINUTE_MS = 60_000
MOST_ASKED = 250
"""So many followed markets are read by name a sync: five to ten calls, a second or two."""

MOST_MISSED = 100
"""Vanished markets are asked about so many a sync, and for so long."""


@dataclass(frozen=True, slots=True)
class Known:
    """The markets a sync chooses from.

    `listed` were in the exchange's list, `vanished` were followed until the sync before and are
    listed no more, `unknown` are the pins that name nothing.
    """

    markets: tuple[Market, ...]
    listed: frozenset[str]
    vanished: frozenset[str]
    unknown: tuple[str, ...]


def gather(
    source: Source,
    listed: Sequence[Market],
    at: int,
    *,
    followed: AbstractSet[str],
    pins: Iterable[str],
    before: models.Sync | None,
) -> Known:
    """The list of `at`, with fresh terms of the followed markets (condition ids) and of the pins.

    Followed markets that the exchange lists no more are asked about by their ids: closed ones say
    so, and of those it does not know nothing more is claimed than that they take no orders.
    """
    found = {market.id: market for market in listed}
    pins = tuple(pins)
    missed = _missed(source, found, at, before)
    rows = universes.markets_in_force({*followed, *missed})
    absent = followed - found.keys()
    asked = {*_turn(absent, at), *_turn(followed - absent, at), *missed}
    told = _asked(source, asked | _unresolved(pins, listed), at)
    for market in told or ():
        found[market.id] = _remembered(market, found.get(market.id) or rows.get(market.id))
    for id in (followed | missed) - found.keys() & rows.keys():
        found[id] = rows[id] if told is None or id not in asked else _halted(rows[id])
    known = tuple(found.values())
    return Known(
        markets=known,
        listed=frozenset(market.id for market in listed),
        vanished=missed,
        unknown=tuple(sorted(_unresolved(pins, known))),
    )


def _turn(names: Collection[str], at: int) -> list[str]:
    """As many of the names as one sync can ask about; in the minutes that follow, the others."""
    turns = -(-len(names) // MOST_ASKED) or 1
    return sorted(names)[at // MINUTE_MS % turns :: turns]


def _asked(source: Source, names: Collection[str], at: int) -> Sequence[Market] | None:
    """What the source says of the names; None when it could not be asked."""
    if not names:
        return ()
    try:
        return source.lookup(sorted(names), at)
    except SourceDown as down:
        log.warning("The followed markets could not be read anew: %s", down.reason)
        return None


def _missed(
    source: Source, listed: Mapping[str, Market], at: int, before: models.Sync | None
) -> frozenset[str]:
    """Markets that were listed not long ago, are no more, and have not been said to be over."""
    if before is None or not source.listing.complete:
        return frozenset()
    rows = models.Market.objects.filter(last_seen_at_ms__gt=at - MISSED_MS, last_seen_at_ms__lt=at)
    names = set(rows.values_list("condition_id", flat=True)) - listed.keys()
    newest = universes.current_terms(names)
    gone = sorted(name for name, row in newest.items() if row.status == Status.OPEN)
    return frozenset(gone[:MOST_MISSED])


def _unresolved(pins: Iterable[str], markets: Iterable[Market]) -> set[str]:
    """The names among the pins that no market has."""
    names = {ranking.name(pin) for pin in pins} - {""}
    for market in markets if names else ():
        names -= {market.id, market.slug, market.event.slug}
    return names


def _remembered(market: Market, known: Market | None) -> Market:
    """A market read by itself, with the event and tags that only the whole list tells."""
    if known is None or market.tags:
        return market
    return replace(market, tags=known.tags, category=known.category, event=known.event)


def _halted(market: Market) -> Market:
    """A market the exchange does not know any more: it takes no orders, whatever became of it."""
    halted = market.terms.status is Status.OPEN
    status = Status.HALTED if halted else market.terms.status
    return replace(market, terms=replace(market.terms, accepting_orders=False, status=status))
