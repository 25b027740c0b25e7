"""Choosing what to track: the listing is read, ranked, and kept as a new universe when it moved."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from markets import models, stages
from markets.core import ranking, venue
from markets.core.criteria import FOREIGN, Reason
from markets.core.ports import Listing, Source, SourceDown
from markets.core.ranking import Choice
from markets.core.types import Market
from markets.selectors import universes
from markets.services import catalogue, listing, sources, standing
from markets.services.listing import Known

log = logging.getLogger(__name__)

STAGE = "sync"
LISTED = 500
"""How many untracked markets, by 24-hour volume, the catalogue keeps up to date."""

SYNCS = 3_000
"""How many looks at the list are remembered: two days of them, at one a minute."""


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
    finally:
        sources.report(at)


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
    members = _members(newest)
    kept, pins = _kept(), _pins()
    before = universes.newest_sync()
    followed = members.keys() | kept.keys()
    known = listing.gather(source, listed, at, followed=followed, pins=pins, before=before)
    rerank = before is None or at // venue.DAY_MS > before.at // venue.DAY_MS
    known = replace(known, markets=standing.overlaid(known.markets, source, at))
    choice = ranking.choose(
        known.markets,
        at=at,
        rules=rules(settings.PQAP.collection),
        members=members,
        pinned=ranking.pinned_ids(pins, known.markets),
        kept=kept,
        rerank=rerank,
    )
    with stages.advance(STAGE, from_=position, to=position + 1):
        keys = _store(known, choice, members, at)
        _note(source.listing, known, choice, before, at)
        version = _version(choice, keys, newest if not rerank else None, at)
    done = _done(version, choice, members)
    _tell(done, choice, known)
    return done


def rules(collection: object) -> ranking.Rules:
    """The configuration's block as the rules of choosing."""
    return ranking.Rules(
        size=collection.markets,
        exclude=frozenset(collection.exclude),
        filters=collection.filters,
        max_event_markets=collection.max_event_markets,
    )


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


def _members(newest: models.Universe | None) -> Mapping[str, Reason]:
    if newest is None:
        return {}
    return {id: standing.reason for id, standing in universes.standings(newest.pk).items()}


def _kept() -> Mapping[str, str]:
    """Condition id -> what asked to keep it, such as "held"."""
    found: dict[str, str] = {}
    rows = models.Pin.objects.order_by("condition_id", "reason")
    for market, reason in rows.values_list("condition_id", "reason"):
        found[market] = f"{found[market]}, {reason}" if market in found else reason
    return found


def _pins() -> tuple[str, ...]:
    """What people asked for: in the configuration, and with `track`."""
    wished = models.Wish.objects.order_by("name").values_list("name", flat=True)
    return (*settings.PQAP.collection.pinned, *wished)


def _store(known: Known, choice: Choice, members: Collection[str], at: int) -> Mapping[str, int]:
    worth = _worth_storing(known, choice, members)
    keys = catalogue.store(worth, at, choice.standings)
    catalogue.seen((market.id for market in worth if market.id in known.listed), at)
    return keys


def _worth_storing(known: Known, choice: Choice, members: Collection[str]) -> list[Market]:
    """What the catalogue follows: everything tracked, before or now, what vanished, and the
    busiest others that are of no kind excluded for good."""
    standings = choice.standings
    needed = {*members, *known.vanished, *(market.id for market in choice.markets)}
    others = [
        market
        for market in known.markets
        if market.id not in needed and standings[market.id].reason not in FOREIGN
    ]
    others.sort(key=lambda market: (-market.volume_24h, market.id))
    return [market for market in known.markets if market.id in needed] + others[:LISTED]


def _note(
    shown: Listing, known: Known, choice: Choice, before: models.Sync | None, at: int
) -> None:
    """Write down what this look at the list found, and forget the oldest."""
    since = before.at if before else at
    counts = choice.exclusions()
    for reason, count in shown.left_out.items():
        counts[reason] = counts.get(reason, 0) + count
    row = models.Sync.objects.create(
        at=at,
        complete=shown.complete,
        listed=len(known.listed),
        unreadable=shown.unreadable,
        new=sum(m.created_at > since for m in known.markets if m.id in known.listed),
        vanished=len(known.vanished),
        tracked=len(choice.markets),
        outcomes=choice.count(Reason.OUTCOME),
        cutoff=choice.cutoff,
        exclusions=counts,
        incomplete=list(choice.incomplete),
        unknown=list(known.unknown),
    )
    models.Sync.objects.filter(pk__lte=row.pk - SYNCS).delete()


def _version(
    choice: Choice, keys: Mapping[str, int], standing: models.Universe | None, at: int
) -> int:
    """The universe of this choice: the one in force where it says the same, else a new one."""
    members = [[keys[market.id], market.volume_24h] for market in choice.markets]
    found = [choice.standings[market.id] for market in choice.markets]
    reasons = [[each.reason.value, each.rank, each.note] for each in found]
    if standing and _same(standing.members, members) and _same(standing.reasons, reasons):
        return standing.pk
    row = models.Universe.objects.create(effective_at=at, members=members, reasons=reasons)
    return row.pk


def _same(before: Sequence[Sequence[object]], now: Sequence[Sequence[object]]) -> bool:
    """Whether the same terms stand in the same order, or the same reasons; ranks may move."""
    return [row[0] for row in before] == [row[0] for row in now]


def _done(version: int, choice: Choice, members: Collection[str]) -> Synced:
    ids, before = {market.id for market in choice.markets}, set(members)
    return Synced(version, len(ids), len(ids - before), len(before - ids))


def _tell(done: Synced, choice: Choice, known: Known) -> None:
    if done.entered or done.left:
        log.info("Tracking %d markets: %d entered, %d left", done.markets, done.entered, done.left)
        told = ", ".join(f"{count} {reason}" for reason, count in choice.exclusions().items())
        log.info("Not tracked: %s", told or "none")
    if known.vanished:
        log.info("No longer listed: %d markets, asked about by name", len(known.vanished))
    if known.unknown:
        log.warning("Pins that name nothing at the exchange: %s", ", ".join(known.unknown))
    for event in choice.incomplete:
        log.info("The outcomes of %s are too many for max_event_markets; not completed", event)
