"""Grids that books state, taken into the terms at once: the list of markets tells them late."""

import logging
from collections.abc import Mapping

from markets import models, stages
from markets.core import grids, venue
from markets.core.grids import Grid
from markets.selectors import universes
from markets.services import catalogue
from markets.services.universe import STAGE

log = logging.getLogger(__name__)

WAIT_MS = 30_000
"""A new universe costs every reader a little: changes of so long are taken together."""


def take(stated: Mapping[str, Grid], at: int) -> int:
    """Give tracked markets (by condition id) the grid stated for them; how many changed.

    A new version of the universe names the new terms. None is made soon after the last one, nor
    before the first ranking of a UTC day; when the list is being synced, the next cycle is in time.
    """
    newest = models.Universe.objects.order_by("-pk").first()
    if newest is None or not _is_time(newest.effective_at, at):
        return 0
    known = universes.load(newest.pk)
    chosen = [market for market in known.universe.markets if market.id in stated]
    changed = [grids.on(market, stated[market.id]) for market in chosen]
    changed = [new for new, old in zip(changed, chosen, strict=True) if new != old]
    if not changed:
        return 0
    position = stages.position(STAGE)
    try:
        with stages.advance(STAGE, from_=position, to=position + 1):
            _store(newest, known, changed, at)
    except stages.Overtaken:
        return 0
    log.info("Took the price grid that the books of %d markets state", len(changed))
    return len(changed)


def _is_time(effective_at: int, at: int) -> bool:
    same_day = at // venue.DAY_MS == effective_at // venue.DAY_MS
    return same_day and at - effective_at >= WAIT_MS


def _store(
    newest: models.Universe, known: universes.Tracked, changed: list[grids.Market], at: int
) -> None:
    terms_of = catalogue.store(changed, at)
    members = [
        [terms_of.get(market.id, key), volume]
        for market, (key, volume) in zip(known.universe.markets, newest.members, strict=True)
    ]
    models.Universe.objects.create(effective_at=at, members=members)
