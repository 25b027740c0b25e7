"""Grids that books or the stream state, taken into the terms at once: the list tells them late."""

import logging
from collections.abc import Mapping

from markets import stages
from markets.core import grids
from markets.core.grids import Grid
from markets.selectors import universes
from markets.services import terms
from markets.services.universe import STAGE

log = logging.getLogger(__name__)

WAIT_MS = 30_000
"""A new universe costs every reader a little: changes of so long are taken together."""


def take(stated: Mapping[str, Grid], at: int, *, wait_ms: int = WAIT_MS) -> tuple[str, ...]:
    """Give tracked markets (by condition id) the grid stated for them; those that changed.

    Nothing is done within `wait_ms` of the last change; when the list is being synced, the next
    cycle is in time.
    """
    known = universes.newest()
    if known is None or at - universes.effective_at(known.universe.version) < wait_ms:
        return ()
    wanted = {
        market.id: grids.on(market, stated[market.id]).terms
        for market in known.universe.markets
        if market.id in stated
    }
    wanted = {
        name: new
        for name, new in wanted.items()
        if new != known.universe.markets[known.universe.column[name]].terms
    }
    if not wanted:
        return ()
    position = stages.position(STAGE)
    try:
        with stages.advance(STAGE, from_=position, to=position + 1):
            changed = terms.renew(wanted, at)
    except stages.Overtaken:
        return ()
    log.info("Took the price grid that the books of %d markets state", len(changed))
    return changed
