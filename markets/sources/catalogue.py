"""Walking Polymarket's catalogue: every open event, every market in it that can be traded."""

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from markets.core.ports import SourceDown
from markets.core.types import FeeSchedule, Market
from markets.sources import wire, wire_clob, wire_gamma
from markets.sources.transport import Host, Transport
from markets.sources.wire import Unreadable

logger = logging.getLogger(__name__)

PAGE = 100
MOST_PAGES = 400
PAGE_SECONDS = 8.0
WALK_SECONDS = 10.0
FEES_SECONDS = 4.0
MOST_FEES = 40
FEE_AGAIN_SECONDS = 3600.0


@dataclass(slots=True)
class Walk:
    """What one walk has seen so far: `fresh` may trade, `gone` is listed but may not."""

    fresh: dict[str, wire_gamma.Listed] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    listed: int = 0
    pages: int = 0
    complete: bool = False


class Catalogue:
    """Reads the catalogue, highest 24-hour volume first.

    A walk cut short, by time or by a failing page, is completed from the last one, so a bad
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
        self.transport, self.gamma, self.clob = transport, gamma, clob
        self.seconds, self.most_pages = seconds, most_pages
        self.last = Walk()
        self._kept: dict[str, Market] = {}
        self._fees: dict[str, tuple[float, FeeSchedule | None]] = {}

    def read(self) -> tuple[Market, ...]:
        """Every tradable market with its terms; SourceDown when nothing could be read."""
        self.last = walk = Walk()
        self._walk(walk)
        _say(walk)
        if not walk.fresh:
            raise SourceDown(_nothing(walk, self.gamma))
        found = {id: listed.market for id, listed in walk.fresh.items()}
        found |= self._fees_of(walk)
        if not walk.complete:
            missed = self._kept.keys() - found.keys() - walk.gone
            found |= {id: self._kept[id] for id in missed}
        self._kept = found
        return tuple(found.values())

    def _walk(self, walk: Walk) -> None:
        until = self.transport.clock() + self.seconds
        cursor, seen = "", set()
        while walk.pages < self.most_pages and self.transport.clock() < until:
            try:
                cursor = self._page(walk, cursor)
            except SourceDown as down:
                if not walk.fresh:
                    raise
                logger.warning("Catalogue cut short: %s", down.reason)
                return
            if not cursor:
                walk.complete = True
                return
            if cursor in seen:
                logger.warning("Catalogue cut short: the exchange repeated a cursor")
                return
            seen.add(cursor)

    def _page(self, walk: Walk, cursor: str) -> str:
        """Read one page into the walk; the cursor of the next one, or ""."""
        params: dict[str, str | int] = {
            "closed": "false",
            "limit": PAGE,
            "order": "volume24hr",
            "ascending": "false",
        }
        if cursor:
            params["after_cursor"] = cursor
        body = self.transport.get(self.gamma, "/events/keyset", params, within=PAGE_SECONDS)
        try:
            events = wire.items(body, "events")
        except Unreadable as e:
            raise SourceDown(f"{self.gamma.url} changed its catalogue: {e}") from e
        walk.pages += 1
        for item in events:
            _take_event(walk, item)
        return wire.text(body, "next_cursor")

    def _fees_of(self, walk: Walk) -> dict[str, Market]:
        """Markets whose schedule Gamma does not state, with what the CLOB says of it."""
        unknown = [listed.market for listed in walk.fresh.values() if listed.fee_unknown]
        self._ask_fees(sorted(unknown, key=lambda market: -market.volume_24h))
        known = ((market, self._fees.get(market.id, (0.0, None))[1]) for market in unknown)
        return {
            market.id: replace(market, terms=replace(market.terms, fee=fee))
            for market, fee in known
            if fee is not None
        }

    def _ask_fees(self, markets: list[Market]) -> None:
        clock = self.transport.clock
        now = clock()
        until = now + FEES_SECONDS
        due = [m.id for m in markets if self._fees.get(m.id, (0.0, None))[0] <= now]
        for id in due[:MOST_FEES]:
            left = until - clock()
            if left <= 0:
                return
            try:
                fee = self._fee(id, left)
            except SourceDown as down:
                logger.warning("Fee schedules not read: %s", down.reason)
                return
            self._fees[id] = (now + FEE_AGAIN_SECONDS, fee)

    def _fee(self, market: str, within: float) -> FeeSchedule | None:
        try:
            body = self.transport.get(self.clob, f"/clob-markets/{market}", {}, within=within)
            return wire_clob.fee(body, market)
        except Unreadable:
            return None


def _take_event(walk: Walk, item: Any) -> None:
    markets = item.get("markets") if isinstance(item, dict) else None
    listed = markets if isinstance(markets, list) else []
    walk.listed += len(listed)
    try:
        event, tags = wire_gamma.event(item)
    except Unreadable as e:
        walk.unreadable.append(f"event {wire.text(item, 'slug')[:80]}: {e}")
        return
    for entry in listed:
        try:
            idle = wire_gamma.idle(entry)
            if idle:
                walk.skipped[idle] += 1
                walk.gone.add(wire.text(entry, "conditionId"))
                continue
            found = wire_gamma.market(entry, event, tags)
            walk.fresh.setdefault(found.market.id, found)
        except Unreadable as e:
            walk.unreadable.append(f"market {wire.text(entry, 'slug')[:80]}: {e}")


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
