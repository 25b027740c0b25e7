"""One walk of Polymarket's catalogue, page by page, in as many sittings as it takes."""

import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from markets.core.criteria import Reason
from markets.core.ports import SourceDown
from markets.core.types import Status
from markets.sources import wire, wire_gamma
from markets.sources.transport import Host, Rejected, Transport
from markets.sources.wire import Unreadable

logger = logging.getLogger(__name__)

PAGE = 100
MOST_PAGES = 400
LEAST_SECONDS = 2.0
"""A page begun at the end of a sitting has this long all the same."""

LONGEST_SECONDS = 1_800.0
"""A walk older than this begins anew: what its first pages said is too old."""

OVER = (Status.CLOSED, Status.RESOLVED)
COMBO = re.compile(r"0x[0-9a-fA-F]{62}", re.ASCII)
"""Combinations of other markets have shorter condition ids, and no book."""


@dataclass(slots=True)
class Walk:
    """What one walk has seen so far: `fresh` may trade, `gone` is listed but may not.

    `over` says that no page follows, `complete` that the last one was reached.
    """

    began: float = 0.0
    fresh: dict[str, wire_gamma.Listed] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    listed: int = 0
    pages: int = 0
    cursor: str = ""
    cursors: set[str] = field(default_factory=set)
    over: bool = False
    complete: bool = False

    def go_on(
        self,
        transport: Transport,
        gamma: Host,
        *,
        until: float,
        within: float,
        most_pages: int = MOST_PAGES,
    ) -> None:
        """Read pages until `until` (the transport's clock), each `within` seconds at most.

        SourceDown comes from a page that failed; the next call reads it again. A cursor that
        comes twice and more than `most_pages` pages end the walk, incomplete.
        """
        while not self.over and transport.clock() < until:
            if self.pages >= most_pages:
                self._cut(f"it has more than {most_pages} pages")
                return
            left = max(until - transport.clock(), LEAST_SECONDS)
            self.cursor = self._page(transport, gamma, min(within, left))
            if not self.cursor:
                self.over = self.complete = True
            elif self.cursor in self.cursors:
                self._cut("the exchange repeated a cursor")
            self.cursors.add(self.cursor)

    def _cut(self, why: str) -> None:
        logger.warning("Catalogue cut short: %s", why)
        self.over = True

    def _page(self, transport: Transport, gamma: Host, within: float) -> str:
        """Read one page; the cursor of the next one, or ""."""
        params: dict[str, str | int] = {
            "closed": "false",
            "limit": PAGE,
            "order": "volume24hr",
            "ascending": "false",
        }
        if self.cursor:
            params["after_cursor"] = self.cursor
        try:
            body = transport.get(gamma, "/events/keyset", params, within=within)
        except Rejected:
            self.cursor, self.pages = "", 0  # It forgot the cursor: from the first page again.
            self.cursors.clear()
            raise
        try:
            events = wire.items(body, "events")
        except Unreadable as e:
            raise SourceDown(f"{gamma.url} changed its catalogue: {e}") from e
        self.pages += 1
        for item in events:
            self._take(item)
        return wire.text(body, "next_cursor")

    def _take(self, item: Any) -> None:
        markets = item.get("markets") if isinstance(item, dict) else None
        listed = markets if isinstance(markets, list) else []
        self.listed += len(listed)
        try:
            event, tags = wire_gamma.event(item)
        except Unreadable as e:
            self.unreadable.append(f"event {wire.text(item, 'slug')[:80]}: {e}")
            return
        for entry in listed:
            try:
                idle = _idle(entry)
                if idle:
                    self.skipped[idle] += 1
                    self.gone.add(wire.text(entry, "conditionId"))
                    continue
                found = wire_gamma.market(entry, event, tags)
                self.fresh.setdefault(found.market.id, found)
            except Unreadable as e:
                self.unreadable.append(f"market {wire.text(entry, 'slug')[:80]}: {e}")


def _idle(entry: object) -> str:
    if COMBO.fullmatch(wire.text(entry, "conditionId")):
        return Reason.COMBOS
    return wire_gamma.idle(entry)
