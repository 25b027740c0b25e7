"""Trades from Data v2: minutes late and often repeated, so they fill in and never lead."""

import logging
from collections.abc import Sequence
from typing import Any

from markets.core.ports import SourceDown
from markets.core.types import Print
from markets.sources import wire, wire_data
from markets.sources.transport import Host, Transport
from markets.sources.wire import Unreadable

logger = logging.getLogger(__name__)

IDS = 20
"""Conditions in one call."""

PAGE = 500
MOST_PAGES = 12
SECONDS = 3.0


class Trades:
    """Reads pages, newest first, until one reaches back far enough.

    The exchange's cache may answer with a list that is five minutes old: whoever asks must let
    the spans of two questions overlap and tell repeats by their fields.
    """

    def __init__(self, transport: Transport, data: Host, *, seconds: float = SECONDS) -> None:
        self.transport, self.data, self.seconds = transport, data, seconds

    def read(self, markets: Sequence[str], since: int) -> tuple[Print, ...]:
        """Trades of the given markets made after `since` (ms UTC), oldest first.

        SourceDown when any part could not be read: what is missing could not be told from what
        never happened.
        """
        until = self.transport.clock() + self.seconds
        found: dict[Print, None] = {}
        for start in range(0, len(markets), IDS):
            found |= dict.fromkeys(self._slice(markets[start : start + IDS], since, until))
        return tuple(sorted(found, key=lambda fact: fact.at))

    def _slice(self, ids: Sequence[str], since: int, until: float) -> list[Print]:
        asked = {id.lower(): id for id in ids}
        found: list[Print] = []
        faults: list[str] = []
        cursor, seen = "", {""}
        for _ in range(MOST_PAGES):
            body = self._page(ids, cursor, until)
            oldest = self._take(body, asked, found, faults)
            cursor = _next(body)
            if (oldest is not None and oldest <= since) or cursor in seen:
                break
            seen.add(cursor)
        else:
            logger.warning("More trades than %d pages: the oldest are left out", MOST_PAGES)
        if faults:
            logger.warning("Refused %d trades, the first: %s", len(faults), faults[0])
        return [fact for fact in found if fact.at > since]

    def _page(self, ids: Sequence[str], cursor: str, until: float) -> Any:
        params: dict[str, str | int] = {"condition": ",".join(ids), "limit": PAGE}
        if cursor:
            params["cursor"] = cursor
        within = until - self.transport.clock()
        return self.transport.get(self.data, "/v2/trades", params, within=within)

    def _take(
        self, body: Any, asked: dict[str, str], found: list[Print], faults: list[str]
    ) -> int | None:
        """Take one page's trades of the markets asked for; the time of its oldest one, if any.

        A reply without a list where one must be is a change of the exchange, no lack of trades.
        """
        if isinstance(body, dict) and body.get("data", 0) is None:
            return None
        try:
            rows = wire.items(body, "data")
        except Unreadable as e:
            raise SourceDown(f"{self.data.url} changed its trades: {e}") from e
        oldest = None
        for row in rows:
            try:
                fact = wire_data.trade(row)
            except Unreadable as e:
                faults.append(str(e))
                continue
            if fact is None:
                continue
            oldest = fact.at if oldest is None else min(oldest, fact.at)
            market = asked.get(fact.market.lower())
            if market:
                named = (market, fact.token, fact.side, fact.price, fact.size, fact.at)
                found.append(Print(*named, fact.transaction))
        return oldest


def _next(body: Any) -> str:
    """The cursor of the page after this one, "" after the last."""
    paging = body.get("pagination") if isinstance(body, dict) else None
    return wire.text(paging, "next_cursor")
