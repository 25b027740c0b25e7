"""A tracked market's price grid changed between two readings of the listing: follow it at once."""

import logging
from collections.abc import Mapping

from markets import models, stages
from markets.core.venue import DAY_MS
from markets.selectors import universes
from markets.services.universe import STAGE

log = logging.getLogger(__name__)


def follow_grids(stated: Mapping[str, int], at: int) -> tuple[str, ...]:
    """Give tracked markets the tick size (micro) the exchange states now; who changed.

    The change takes effect at `at` (ms UTC) as new terms and a new universe of the same markets.
    Raises Overtaken when a sync was faster. Before the day's first ranking nothing is done: that
    one reads the terms anyway, and a universe of today would make it think it had been.
    """
    known = universes.newest()
    if known is None:
        return ()
    changed = [
        market.id
        for market in known.universe.markets
        if stated.get(market.id, market.terms.tick_size) != market.terms.tick_size
    ]
    position = stages.position(STAGE)
    newest = models.Universe.objects.get(pk=known.universe.version)
    if not changed or at // DAY_MS > newest.effective_at // DAY_MS:
        return ()
    with stages.advance(STAGE, from_=position, to=position + 1):
        keys = {market: _followed(market, stated[market], at) for market in changed}
        newest.members = _members(newest.members, keys)
        newest.pk, newest.effective_at = None, at
        newest.save(force_insert=True)
    log.info("The price grid of %d markets changed: %s", len(changed), ", ".join(changed))
    return tuple(changed)


def _followed(market: str, tick_size: int, at: int) -> tuple[int, int]:
    """The keys of the terms so far and of those that follow them."""
    row = universes.current_terms([market])[market]
    before = row.pk
    row.pk, row.tick_size = None, tick_size
    row.effective_at = max(at, row.effective_at + 1)
    row.save(force_insert=True)
    return before, row.pk


def _members(members: list[list[int]], keys: Mapping[str, tuple[int, int]]) -> list[list[int]]:
    """The same markets under the new keys of their terms."""
    newer = dict(keys.values())
    return [[newer.get(key, key), *rest] for key, *rest in members]
