"""Markets read by name: condition ids in batches, slugs of markets and of events one by one."""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from markets.core.ports import SourceDown
from markets.sources import wire, wire_gamma
from markets.sources.transport import Host, Rejected, Transport
from markets.sources.wire import Unreadable
from markets.sources.wire_gamma import Listed

logger = logging.getLogger(__name__)

BATCH = 50
"""Condition ids a call: the exchange takes about 100, but an address has its limits."""

LOOKUP_SECONDS = 5.0
AGAIN_SECONDS = 600.0
"""A slug that names nothing is not asked for again so soon."""

CONDITION = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)


class Lookups:
    """Asks Gamma for named markets; a name it does not know costs one question in ten minutes."""

    def __init__(self, transport: Transport, gamma: Host) -> None:
        self.transport, self.gamma = transport, gamma
        self._unknown: dict[str, float] = {}

    def read(self, names: Iterable[str]) -> list[Listed]:
        """The markets of the names, ended ones too; SourceDown unless all could be asked for."""
        until = self.transport.clock() + LOOKUP_SECONDS
        wanted = list(dict.fromkeys(names))
        ids = [name for name in wanted if CONDITION.fullmatch(name)]
        found: dict[str, Listed] = {}
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            for closed in ("false", "true"):
                missing = [id for id in batch if id not in found]
                rows = self._by_id(missing, closed, until) if missing else []
                found |= {each.market.id: each for each in _markets(rows)}
        for slug in wanted:
            if not CONDITION.fullmatch(slug) and self._unknown.get(slug, 0.0) <= until:
                found |= {each.market.id: each for each in self._by_slug(slug, until)}
        return list(found.values())

    def _by_id(self, ids: Sequence[str], closed: str, until: float) -> list[Any]:
        params: dict[str, str | int | Sequence[str]] = {
            "condition_ids": ids,
            "closed": closed,
            "limit": len(ids),
            "include_tag": "true",
        }
        body = self._get("/markets/keyset", params, until)
        try:
            return wire.items(body, "markets")
        except Unreadable as e:
            raise SourceDown(f"{self.gamma.url} changed its list of markets: {e}") from e

    def _by_slug(self, slug: str, until: float) -> list[Listed]:
        """What a slug names; one that is both an event's and a market's means the event."""
        name = quote(slug, safe="")
        found: list[Listed] = []
        try:
            body = self._get(f"/markets/slug/{name}", {"include_tag": "true"}, until)
            found = _markets([body])
        except Rejected:
            pass
        if found and found[0].market.event.slug != slug:
            return found
        try:
            return _of_event(self._get(f"/events/slug/{name}", {}, until)) or found
        except Rejected:
            if not found:
                self._unknown[slug] = until + AGAIN_SECONDS
            return found

    def _get(self, path: str, params: Any, until: float) -> Any:
        left = until - self.transport.clock()
        if left <= 0:
            raise SourceDown(f"{self.gamma.url} did not answer within {LOOKUP_SECONDS:g} s")
        return self.transport.get(self.gamma, path, params, within=left)


def _markets(rows: Iterable[Any]) -> list[Listed]:
    """Markets that carry their own event; one that cannot be read costs only itself."""
    found = []
    for row in rows:
        try:
            found.append(wire_gamma.market(row, *wire_gamma.own_event(row)))
        except Unreadable as e:
            logger.warning("Market %s cannot be read: %s", wire.text(row, "slug")[:80], e)
    return found


def _of_event(body: Any) -> list[Listed]:
    """The launched markets of an event read by itself, ended ones too."""
    found = []
    try:
        event, tags = wire_gamma.event(body)
        for row in wire.items(body, "markets"):
            try:
                if wire_gamma.idle(row) != "inactive":
                    found.append(wire_gamma.market(row, event, tags))
            except Unreadable as e:
                logger.warning("Market %s cannot be read: %s", wire.text(row, "slug")[:80], e)
    except Unreadable as e:
        logger.warning("Event %s cannot be read: %s", wire.text(body, "slug")[:80], e)
    return found
