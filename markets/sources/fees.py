"""Fee schedules that the catalogue does not state, asked of the CLOB and remembered a while."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from markets.core.ports import SourceDown
from markets.core.types import FeeSchedule, Market
from markets.sources import wire_clob
from markets.sources.transport import Host, Rejected, Transport
from markets.sources.wire import Unreadable
from markets.sources.wire_gamma import Listed

logger = logging.getLogger(__name__)

FEES_SECONDS = 3.0
MOST_FEES = 40
FEE_AGAIN_SECONDS = 3600.0


class Fees:
    """The schedule of a market: Gamma's where it states one, else the CLOB's, else unknown."""

    def __init__(self, transport: Transport, clob: Host) -> None:
        self.transport, self.clob = transport, clob
        self._known: dict[str, tuple[float, FeeSchedule | None]] = {}

    def ask(self, listed: Iterable[Listed]) -> None:
        """Ask for what is not known, the busiest markets first, some of them at a time."""
        clock = self.transport.clock
        now = clock()
        until = now + FEES_SECONDS
        markets = [each.market for each in listed if each.fee_unknown]
        markets.sort(key=lambda market: -market.volume_24h)
        due = [m.id for m in markets if self._known.get(m.id, (0.0, None))[0] <= now]
        for id in due[:MOST_FEES]:
            left = until - clock()
            if left <= 0:
                return
            try:
                fee = self._fee(id, left)
            except SourceDown as down:
                logger.warning("Fee schedules not read: %s", down.reason)
                return
            self._known[id] = (now + FEE_AGAIN_SECONDS, fee)

    def unasked(self, listed: Iterable[Listed]) -> frozenset[str]:
        """Markets (condition ids) whose schedule the CLOB could not be asked for yet."""
        return frozenset(
            each.market.id
            for each in listed
            if each.fee_unknown and each.market.id not in self._known
        )

    def of(self, listed: Listed) -> Market:
        """The market with its schedule as far as it is known."""
        market = listed.market
        fee = self._known.get(market.id, (0.0, None))[1] if listed.fee_unknown else None
        return replace(market, terms=replace(market.terms, fee=fee)) if fee else market

    def _fee(self, market: str, within: float) -> FeeSchedule | None:
        try:
            body = self.transport.get(self.clob, f"/clob-markets/{market}", {}, within=within)
            return wire_clob.fee(body, market)
        except (Rejected, Unreadable):
            return None  # Its own misfortune: the next market may well have one.
