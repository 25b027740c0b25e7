"""Choosing what to track: the listing is read, ranked, and kept as a new universe when it moved."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from markets import models, stages
from markets.core import ranking, venue
from markets.core.ports import Source, SourceDown
from markets.core.types import Market, Status
from markets.selectors import universes
from markets.services import catalogue, sources, standing

log = logging.getLogger(__name__)

STAGE = "sync"
LISTED = 500
"""How many untracked markets, by 24-hour volume, the catalogue keeps up to date."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The universe in force after a sync, how many markets entered it and how many left."""

    version: int = 0
    markets: int = 0
    entered: int = 0
    left: int = 0


def run(at: int) -> Synced:
    """Sync from the configured source; another worker's success is fine, so is a source down."""
    try:
        return sync_markets(sources.current(settings.PQAP), at)
    except stages.Overtaken:
        return Synced()
    except SourceDown as down:
        log.warning("The list of markets could not be read: %s", down.reason)
        return Synced()


def sync_markets(source: Source, at: int) -> Synced:
    """Bring catalogue and universe up to date with what the source lists at `at` (ms UTC).

    Markets are ranked anew on the first sync of each UTC day; in between only those no longer
    tradable are replaced. Raises SourceDown, and Overtaken when another worker was faster.
    """
    position = stages.position(STAGE)
    listed = list(source.markets(at))
    if not listed:
        raise SourceDown("The exchange lists no market at all; the tracked ones stay as they are.")
    newest = models.Universe.objects.order_by("-pk").first()
    rerank = newest is None or at // venue.DAY_MS > newest.effective_at // venue.DAY_MS
    current = set(universes.load(newest.pk).universe.column) if newest else set()
    kept = set(models.Pin.objects.values_list("condition_id", flat=True))
    known = standing.overlaid(listed + _closed(current | kept, listed))
    chosen = _choose(known, at=at, current=current, kept=kept, rerank=rerank)
    with stages.advance(STAGE, from_=position, to=position + 1):
        keys = catalogue.store(_worth_storing(known, chosen, current), at)
        members = [[keys[market.id], market.volume_24h] for market in chosen]
        if (
            newest
            and not rerank
            and [key for key, _ in members] == [key for key, _ in newest.members]
        ):
            return Synced(newest.pk, len(chosen))
        row = models.Universe.objects.create(effective_at=at, members=members)
    ids = {market.id for market in chosen}
    done = Synced(row.pk, len(chosen), len(ids - current), len(current - ids))
    log.info("Tracking %d markets: %d entered, %d left", done.markets, done.entered, done.left)
    return done


def keep(market: str, reason: str) -> None:
    """Track a market (condition id) from the next sync on, whatever its rank, until released."""
    row = models.Pin(condition_id=market, reason=reason)
    models.Pin.objects.bulk_create([row], ignore_conflicts=True)


def release(market: str, reason: str) -> None:
    """Withdraw one reason to keep a market; it goes by its rank again when none is left."""
    models.Pin.objects.filter(condition_id=market, reason=reason).delete()


def keep_exactly(markets: set[str], *, reason: str) -> None:
    """Keep just these markets (condition ids) for a reason, and release its others."""
    known = set(models.Pin.objects.filter(reason=reason).values_list("condition_id", flat=True))
    for market in sorted(markets - known):
        keep(market, reason)
    models.Pin.objects.filter(reason=reason, condition_id__in=known - markets).delete()


def _choose(
    known: Sequence[Market], *, at: int, current: set[str], kept: set[str], rerank: bool
) -> tuple[Market, ...]:
    collection = settings.PQAP.collection
    return ranking.choose(
        known,
        at=at,
        current=current,
        size=collection.markets,
        exclude=collection.exclude,
        pinned=ranking.pinned_ids(collection.pinned, known),
        kept=kept,
        rerank=rerank,
    )


def _closed(wanted: set[str], listed: Iterable[Market]) -> list[Market]:
    """Tracked and kept markets that are listed no more: known from their rows, taking no orders."""
    missing = wanted - {market.id for market in listed}
    found = universes.markets_in_force(missing) if missing else {}
    return [
        replace(
            market,
            terms=replace(
                market.terms,
                accepting_orders=False,
                status=Status.CLOSED if market.terms.status is Status.OPEN else market.terms.status,
            ),
        )
        for market in found.values()
    ]


def _worth_storing(
    known: Sequence[Market], chosen: Sequence[Market], current: set[str]
) -> list[Market]:
    """What the catalogue follows: everything tracked, before or now, and the busiest others."""
    tracked = current | {market.id for market in chosen}
    others = [market for market in known if market.id not in tracked]
    others.sort(key=lambda market: (-market.volume_24h, market.id))
    return [market for market in known if market.id in tracked] + others[:LISTED]
