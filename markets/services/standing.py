"""What we know better than the list of markets, which is minutes behind the books and outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markets import models
from markets.core import types
from markets.core.ports import Source
from markets.core.tick import Tick
from markets.core.types import Status
from markets.selectors import universes
from markets.services import terms

SYNC = "sync"
"""The cursor of the sync of the markets: holding its row keeps a sync from coming in between."""

OVER = frozenset({Status.RESOLVED, Status.CLOSED})
SPOKEN = frozenset({Status.PROPOSED, Status.DISPUTED}) | OVER
"""States that a listing may lag behind with."""

STATES_GRIDS = frozenset({"polymarket", "stream"})
"""Sources whose books name their own price grid: of a book just read they know better."""

CONFIRMED_MS = 120_000
"""A grid that a book was accepted on so lately is the one in force."""


def follow(ticks: Sequence[Tick]) -> None:
    """Put what stored ticks said of outcomes into the terms in force, from the next tick on.

    Runs in the transaction that stores the ticks.
    """
    said = {fact.market: fact for tick in ticks for fact in tick.resolutions}
    if not said:
        return
    models.Cursor.objects.select_for_update().filter(name=SYNC).first()
    known = universes.markets_in_force(said)
    wanted = {name: _spoken(market.terms, said[name].status) for name, market in known.items()}
    terms.renew(wanted, ticks[-1].at)


def overlaid(markets: Sequence[types.Market], source: Source, at: int) -> tuple[types.Market, ...]:
    """Listed markets under the terms we know better than the list of `source` at `at` (ms UTC).

    An outcome that is proposed stays so though the list says "open"; a fee that was known stays
    known while nobody can be asked; and the grid is the one that books just read stated.
    """
    said = _newest()
    confirmed = _confirmed(at) if source.name in STATES_GRIDS else frozenset()
    unpriced = source.listing.unpriced
    held = universes.current_terms(unpriced | confirmed)
    found = []
    for market in markets:
        better, row = market.terms, held.get(market.id)
        if market.id in said and said[market.id] in SPOKEN:
            better = _spoken(better, said[market.id])
        if row is not None:
            fee, grid = market.id in unpriced, market.id in confirmed
            better = _remembered(better, row, fee=fee, grid=grid)
        found.append(market if better == market.terms else replace(market, terms=better))
    return tuple(found)


def _spoken(listed: types.Terms, status: Status) -> types.Terms:
    accepting = listed.accepting_orders and status not in OVER
    return replace(listed, status=status, accepting_orders=accepting)


def _remembered(listed: types.Terms, row: models.Terms, *, fee: bool, grid: bool) -> types.Terms:
    held = universes.terms_to_core(row)
    found = replace(listed, fee=held.fee) if fee else listed
    if grid:
        found = replace(found, tick_size=held.tick_size, min_size=held.min_size)
    return found


def _newest() -> Mapping[str, Status]:
    """What was last said of each market ever spoken of."""
    rows = models.Resolution.objects.order_by("tick_id", "at", "id")
    return {
        name: Status(status) for name, status in rows.values_list("market__condition_id", "status")
    }


def _confirmed(at: int) -> frozenset[str]:
    """Tracked markets (condition ids) whose books were accepted lately."""
    rows = models.Latest.objects.filter(tracked=True, observed_at__gte=at - CONFIRMED_MS)
    return frozenset(rows.values_list("market__condition_id", flat=True))
