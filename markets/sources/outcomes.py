"""How Polymarket's markets end: Data v2 first, the catalogue where that is silent."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from markets.core.ports import SourceDown
from markets.core.types import Resolution, Status
from markets.sources import wire, wire_data, wire_gamma
from markets.sources.transport import Host, Transport
from markets.sources.wire import Unreadable

logger = logging.getLogger(__name__)

DATA_IDS = 20
GAMMA_IDS = 50
"""Conditions in one call; Gamma takes 100, but its addresses should stay short."""

SECONDS = 3.0
DATA_SHARE = 0.6
"""The part of that time after which the catalogue gets its turn."""

AGAIN_SECONDS = 30.0
CONFIRM_SECONDS = 10.0
SETTLED_SECONDS = 600.0
"""How often a settled outcome is asked for again: it may be corrected."""

RANK = (
    Status.OPEN,
    Status.HALTED,
    Status.PROPOSED,
    Status.DISPUTED,
    Status.CLOSED,
    Status.RESOLVED,
)
"""How much a state says, least first."""


class Outcomes:
    """Asks of each market at most every 30 s and remembers the answer in between.

    The catalogue alone settles nothing at its first word: only a second read with the same
    payouts makes a market RESOLVED, until then it is CLOSED. It lags behind Data v2: what that
    said holds while it does not answer, and a settled outcome is taken back by nobody else.
    """

    def __init__(
        self, transport: Transport, data: Host, gamma: Host, *, seconds: float = SECONDS
    ) -> None:
        self.transport, self.data, self.gamma = transport, data, gamma
        self.seconds = seconds
        self._known: dict[str, Resolution] = {}
        self._due: dict[str, float] = {}
        self._heard: dict[str, tuple[int, int]] = {}
        self._from_data: set[str] = set()

    def read(self, markets: Sequence[str], at: int) -> tuple[Resolution, ...]:
        """What is known of the markets' outcomes, OPEN where a host said just that.

        Never raises: books must not wait for a host that only tells outcomes. What a host
        failed to say is logged, counted by the transport and asked again.
        """
        start = self.transport.clock()
        asked = [market for market in dict.fromkeys(markets) if self._is_due(market)]
        silent = self._ask_data(asked, at, start + self.seconds * DATA_SHARE)
        if silent:
            self._ask_gamma(silent, at, start + self.seconds)
        return tuple(self._known[market] for market in markets if market in self._known)

    def ask_soon(self, markets: Iterable[str]) -> None:
        """There is a reason to ask of these markets with the next read."""
        for market in markets:
            self._due.pop(market, None)

    def _is_due(self, market: str) -> bool:
        return self._due.get(market, float("-inf")) <= self.transport.clock()

    def _ask_data(self, markets: Sequence[str], at: int, until: float) -> list[str]:
        """The markets of which Data v2 said nothing usable."""
        silent: list[str] = []
        down = False
        for ids in _slices(markets, DATA_IDS):
            try:
                answered = {} if down else self._data_rows(ids, at, until)
            except SourceDown as failed:
                logger.warning("Outcomes: %s; asking the catalogue instead", failed.reason)
                down, answered = True, {}
            silent += [market for market in ids if market not in answered]
            if not down:
                self._from_data.difference_update(set(ids) - answered.keys())
            for market, found in answered.items():
                self._from_data.add(market)
                self._note(market, found)
        return silent

    def _data_rows(self, ids: Sequence[str], at: int, until: float) -> dict[str, Resolution]:
        params = {"condition": ",".join(ids)}
        within = until - self.transport.clock()
        body = self.transport.get(self.data, "/v2/resolutions", params, within=within)
        if isinstance(body, dict) and body.get("data", 0) is None:
            return {}
        return _rows(self._list(body, "data", self.data), ids, at, wire_data.resolution)

    def _ask_gamma(self, markets: Sequence[str], at: int, until: float) -> None:
        """Closed markets first: one in neither list is one that Gamma does not know."""
        try:
            for ids in _slices(markets, GAMMA_IDS):
                missing = list(ids)
                for closed in ("true", "false"):
                    found = self._gamma_rows(missing, closed, at, until) if missing else {}
                    missing = [market for market in missing if market not in found]
        except SourceDown as failed:
            logger.warning("Outcomes of %d markets not read: %s", len(markets), failed.reason)

    def _gamma_rows(
        self, ids: Sequence[str], closed: str, at: int, until: float
    ) -> dict[str, Resolution]:
        params = {"condition_ids": ids, "closed": closed, "limit": len(ids)}
        within = until - self.transport.clock()
        body = self.transport.get(self.gamma, "/markets/keyset", params, within=within)
        rows = self._list(body, "markets", self.gamma)
        found = _rows(rows, ids, at, wire_gamma.resolution)
        for market, said in found.items():
            self._note(market, self._believed(said))
        return found

    def _list(self, body: Any, key: str, host: Host) -> list[Any]:
        try:
            return wire.items(body, key)
        except Unreadable as e:
            raise SourceDown(f"{host.url} changed its outcomes: {e}") from e

    def _believed(self, found: Resolution) -> Resolution:
        """The catalogue's word, final only when it repeats itself; what was known where that is
        more than it says, or when it contradicts a settled outcome for the first time."""
        known = self._known.get(found.market)
        confirmed = self._confirmed(found)
        if known is None or (known.market not in self._from_data and not known.payouts):
            return confirmed
        return known if RANK.index(confirmed.status) < RANK.index(known.status) else confirmed

    def _confirmed(self, found: Resolution) -> Resolution:
        before = self._heard.pop(found.market, None)
        if found.payouts is None or found.payouts == before:
            return found
        self._heard[found.market] = found.payouts
        return Resolution(found.market, Status.CLOSED, found.at)

    def _note(self, market: str, found: Resolution) -> None:
        known = self._known.get(market)
        self._known[market] = found
        wait = SETTLED_SECONDS if found.payouts else AGAIN_SECONDS
        if market in self._heard and (known is None or known.payouts != self._heard[market]):
            wait = CONFIRM_SECONDS
        self._due[market] = self.transport.clock() + wait


Parse = Callable[[object, int], Resolution]


def _rows(rows: Iterable[Any], ids: Sequence[str], at: int, parse: Parse) -> dict[str, Resolution]:
    """The readable rows of the markets asked for, by the id we asked with."""
    asked = {id.lower(): id for id in ids}
    found: dict[str, Resolution] = {}
    for row in rows:
        try:
            read = parse(row, at)
        except Unreadable as e:
            logger.warning("Outcome not read: %s", e)
            continue
        market = asked.get(read.market.lower())
        if market:
            found[market] = replace(read, market=market)
    return found


def _slices(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))
