"""Polymarket's catalogue: every open event, every market in it that can be traded.

A whole walk takes a hundred pages and more, so one is made every ten minutes, in several sittings
if need be; between two of them markets of interest are read by name.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from markets.core.ports import Listing, SourceDown
from markets.core.types import Market
from markets.sources import walk as walks
from markets.sources.fees import Fees
from markets.sources.lookups import Lookups
from markets.sources.transport import Host, Transport
from markets.sources.walk import MOST_PAGES, Walk
from markets.sources.wire_gamma import Listed

logger = logging.getLogger(__name__)

PAGE_SECONDS = 8.0
WALK_SECONDS = 8.0
"""How long one page and one sitting may take. A sync must end within a task's 25 seconds: a sitting
and the start of a page, fees, look-ups by name and their fees are 8 + 2 + 3 + 5 + 3."""

WALK_EVERY_SECONDS = 570.0
"""A little under ten minutes, so that every tenth of the syncs, one a minute, begins a walk."""

STALE_SECONDS = 3_600.0
"""How long the list of an earlier walk is shown while the exchange does not answer."""


class Catalogue:
    """Reads the catalogue, highest 24-hour volume first.

    While a walk is under way, what it has not reached is known from the one before, so a bad
    minute of the exchange does not throw markets out. `last` is the newest walk, for health.
    """

    def __init__(
        self,
        transport: Transport,
        gamma: Host,
        clob: Host,
        *,
        seconds: float = WALK_SECONDS,
        most_pages: int = MOST_PAGES,
    ) -> None:
        self.transport, self.gamma = transport, gamma
        self.seconds, self.most_pages = seconds, most_pages
        self.last = Walk(began=-WALK_EVERY_SECONDS, over=True)
        self.fees, self.lookups = Fees(transport, clob), Lookups(transport, gamma)
        self._kept: dict[str, Listed] = {}
        self._finished: Walk | None = None
        self._whole = False
        self._read_at = 0.0

    def read(self) -> tuple[Market, ...]:
        """Every tradable market with its terms; SourceDown when nothing is known of them."""
        now = self.transport.clock()
        if self._due(now):
            self.last = Walk(began=now)
        if not self.last.over:
            self._go_on(now)
        known = self._known()
        if not known:
            raise SourceDown(_nothing(self.last, self.gamma))
        self.fees.ask(known.values())
        return tuple(map(self.fees.of, known.values()))

    def lookup(self, names: Sequence[str]) -> tuple[Market, ...]:
        """The markets of the given condition ids and slugs, ended ones too; see `Lookups`."""
        found = [self._complete(listed) for listed in self.lookups.read(names)]
        for listed in found:
            self._learn(listed)
        self.fees.ask(found)
        return tuple(map(self.fees.of, found))

    @property
    def listing(self) -> Listing:
        """How much of the list is known, by the last walk that came to an end."""
        shown = self._finished or self.last
        unpriced = self.fees.unasked(self._known().values())
        return Listing(self._whole, dict(shown.skipped), len(shown.unreadable), unpriced)

    def _due(self, now: float) -> bool:
        if self.last.over:
            return now - self.last.began >= WALK_EVERY_SECONDS
        return now - self.last.began >= walks.LONGEST_SECONDS

    def _go_on(self, now: float) -> None:
        """One sitting of the walk; SourceDown where neither it nor an earlier one is of use."""
        walk = self.last
        try:
            walk.go_on(
                self.transport,
                self.gamma,
                until=now + self.seconds,
                within=PAGE_SECONDS,
                most_pages=self.most_pages,
            )
        except SourceDown as down:
            known = walk.fresh or (self._kept and now - self._read_at < STALE_SECONDS)
            if not known:
                raise
            logger.warning("Catalogue cut short: %s", down.reason)
        else:
            self._read_at = now
        if walk.over and walk.fresh:
            self._end(walk)

    def _end(self, walk: Walk) -> None:
        """A walk that came to its end replaces what was known; one cut short only adds to it."""
        _say(walk)
        self._kept = dict(walk.fresh) if walk.complete else self._known()
        self._whole = walk.complete or self._whole
        self._finished = walk

    def _known(self) -> dict[str, Listed]:
        """What the walk under way has seen, and the rest as the one before had it."""
        walk = self.last
        if walk is self._finished:
            return self._kept
        rest = {id: listed for id, listed in self._kept.items() if id not in walk.gone}
        return walk.fresh | {id: rest[id] for id in rest.keys() - walk.fresh.keys()}

    def _complete(self, listed: Listed) -> Listed:
        """A market read by itself, with the event and tags that only the walk tells."""
        known = self._kept.get(listed.market.id) or self.last.fresh.get(listed.market.id)
        if known is None:
            return listed
        market = known.market
        told = replace(
            listed.market, event=market.event, tags=market.tags, category=market.category
        )
        return replace(listed, market=told)

    def _learn(self, listed: Listed) -> None:
        """Let the list say what was just read: an ended market must not be listed again."""
        id, terms = listed.market.id, listed.market.terms
        for known in (self._kept, self.last.fresh):
            if id in known and terms.status in walks.OVER:
                del known[id]
            elif id in known:
                known[id] = listed


def _say(walk: Walk) -> None:
    idle = sum(walk.skipped.values())
    logger.info("Catalogue: %d markets, %d idle, %d pages", len(walk.fresh), idle, walk.pages)
    if walk.unreadable:
        count, first = len(walk.unreadable), walk.unreadable[0]
        logger.warning("Catalogue: %d items cannot be read, the first: %s", count, first)


def _nothing(walk: Walk, gamma: Host) -> str:
    fault = f"; {walk.unreadable[0]}" if walk.unreadable else ""
    return (
        f"{gamma.url} listed {walk.listed} markets, none of which can be traded{fault}: "
        f"check {gamma.setting}"
    )
