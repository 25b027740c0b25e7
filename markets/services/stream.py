"""Collecting from the stream: the same ticks as polling makes, from books kept up to date."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings

from markets import stages
from markets.core.grids import Grid
from markets.core.ports import SourceDown
from markets.core.types import FeedState
from markets.selectors import universes
from markets.selectors.universes import Tracked
from markets.services import collect, doors, feeds, regrid, sources, universe
from markets.services.collect import Collected
from markets.sources.stream import StreamSource

log = logging.getLogger(__name__)

FEED = "stream"
NOTE_MS = 30_000
HINT_MS = 120_000
"""New markets appear by the hundred an hour: a sync because of them at most so often."""


class Streaming:
    """Keeps one source warm from cycle to cycle; `sync_soon` is called when a new market may
    belong to the tracked ones."""

    def __init__(self, source: StreamSource, sync_soon: Callable[[], None]) -> None:
        self.source, self.sync_soon = source, sync_soon
        self._noted: FeedState | None = None
        self._noted_at = self._hinted_at = 0
        self._told: Counter[str] = Counter()
        self._frames = 0

    def cycle(self, at: int) -> Collected:
        """One tick scheduled at `at` (ms UTC); another collector's success is fine."""
        sources.heed(self.source)
        try:
            known = self._tracked(at)
            if known is not None:
                self.source.follow(known.universe.markets)
                self._listen(known, at)
            return collect.collect(self.source, at)
        except stages.Overtaken:
            log.info("Another worker collected this tick.")
            return Collected()
        finally:
            self.note(at)

    def note(self, at: int) -> None:
        """Store how the stream and HTTP beside it stand, at changes and every half a minute."""
        doors.note(self.source.doors(), at)
        state, reason = self.source.standing()
        if state is self._noted and at - self._noted_at < NOTE_MS:
            return
        faults, frames = Counter(self.source.shelf.faults), self.source.shelf.events["frames"]
        news = {kind: n for kind, n in (faults - self._told).items() if n}
        feeds.note(FEED, state, at=at, reason=reason, requests=frames - self._frames, failures=news)
        if state is not self._noted:
            log.log(
                logging.INFO if state is FeedState.OK else logging.WARNING,
                "%s",
                _told(state, reason),
            )
        self._noted, self._noted_at = state, at
        self._told, self._frames = faults, frames

    def close(self) -> None:
        """Hang up; whoever reads the feed sees that nobody listens any more."""
        self.source.close()

    def _tracked(self, at: int) -> Tracked | None:
        """The universe in force, on the price grids the stream states."""
        if universes.newest() is None:
            self._list(at)
        else:
            self._regrid(at)
        return universes.newest()

    def _regrid(self, at: int) -> None:
        """The stream says at once what books over HTTP say with the next read."""
        known = universes.newest()
        assert known is not None
        least = dict(zip(known.universe.column, known.universe.min_size.tolist(), strict=True))
        stated = self.source.shelf.news.grids().items()
        regrid.take(
            {id: Grid(tick, least[id]) for id, tick in stated if id in least}, at, wait_ms=0
        )

    def _list(self, at: int) -> None:
        """The exchange was silent at the start: do not wait for the next sync."""
        try:
            universe.sync_markets(self.source, at)
        except SourceDown as down:
            log.warning("The list of markets could not be read: %s", down.reason)

    def _listen(self, known: Tracked, at: int) -> None:
        """New markets are worth a sync where they could be tracked."""
        listed = self.source.shelf.news.take_listed()
        if not listed or at - self._hinted_at < HINT_MS:
            return
        young = "younger_than_24h" not in settings.PQAP.collection.exclude
        events = {market.event.slug for market in known.universe.markets}
        if young or events.intersection(listed.values()):
            self._hinted_at = at
            self.sync_soon()


def open_streaming(configuration: Any, sync_soon: Callable[[], None]) -> Streaming:
    """The stream a configuration names. HTTP reads whole books: deltas need every level."""
    from markets.sources.polymarket import PolymarketSource

    urls = configuration.exchange
    addresses = (urls.gamma_url, urls.clob_url, urls.data_url)
    rest = PolymarketSource(
        gamma_url=urls.gamma_url,
        clob_url=urls.clob_url,
        data_url=urls.data_url,
        transport=sources.transport_to(*addresses),
    )
    depth = configuration.collection.depth_levels
    return Streaming(StreamSource(rest, urls.ws_url, depth=depth), sync_soon)


def _told(state: FeedState, reason: str) -> str:
    return f"The stream is {state}" + (f": {reason}" if reason else "")
