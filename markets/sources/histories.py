"""Past prices of tokens: the batch route, and one by one what it does not answer."""

from collections.abc import Iterator, Mapping, Sequence

from markets.core.ports import SourceDown
from markets.core.types import PricePoint
from markets.sources import wire_clob, wire_data
from markets.sources.transport import Host, Rejected, Transport
from markets.sources.wire import Unreadable

MINUTES = 1
"""Spacing asked for. Five-minute points fall anywhere in a bar, so that two may share one and leave
the next empty; of minute points the last in a bar is its close to within a minute."""

WINDOW_MS = 14 * 86_400_000
"""The exchange answers at most 15 days at this fidelity."""

TOGETHER = 20
"""Tokens the batch route takes."""

SECONDS = 12.0
"""For one group of tokens over one window, whatever has to be asked."""

V2_BUCKET_SECONDS, V2_PAGE, V2_PAGES = 300, 10_000, 5


class Histories:
    """Asks the CLOB, and Data where the CLOB fails.

    A token that the exchange does not know costs only itself. One that neither host answers
    means the exchange is down: SourceDown, unless other tokens were answered before.
    """

    def __init__(self, transport: Transport, clob: Host, data: Host) -> None:
        self.transport, self.clob, self.data = transport, clob, data

    def read(self, tokens: Sequence[str], since: int, until: int) -> list[PricePoint]:
        """Points from `since` to `until` (ms UTC), oldest first, one a token and instant."""
        points: list[PricePoint] = []
        answered = False
        try:
            for start in range(since, until, WINDOW_MS):
                end = min(start + WINDOW_MS, until)
                for group in _groups(tokens):
                    for found in self._group(group, start, end):
                        answered = True
                        points += (point for point in found if start <= point.at < end)
        except SourceDown:
            if not answered:
                raise
        return sorted(points, key=lambda point: (point.at, point.token))

    def _group(self, tokens: Sequence[str], start: int, end: int) -> Iterator[Sequence[PricePoint]]:
        until = self.transport.clock() + SECONDS
        found = self._together(tokens, start, end, until) if len(tokens) > 1 else {}
        for token in tokens:
            yield found[token] if token in found else self._alone(token, start, end, until)

    def _together(
        self, tokens: Sequence[str], start: int, end: int, until: float
    ) -> Mapping[str, Sequence[PricePoint]]:
        """What the batch route answers, nothing where it fails: each token is then asked alone."""
        body = {
            "markets": list(tokens),
            "start_ts": start // 1000,
            "end_ts": end // 1000,
            "fidelity": MINUTES,
        }
        within = (until - self.transport.clock()) / 2
        try:
            reply = self.transport.post(self.clob, "/batch-prices-history", body, within=within)
            return wire_clob.histories(reply, tokens)
        except (SourceDown, Unreadable):
            return {}

    def _alone(self, token: str, start: int, end: int, until: float) -> Sequence[PricePoint]:
        params: dict[str, str | int] = {
            "market": token,
            "startTs": start // 1000,
            "endTs": end // 1000,
            "fidelity": MINUTES,
        }
        within = (until - self.transport.clock()) / 2
        try:
            body = self.transport.get(self.clob, "/prices-history", params, within=within)
            return wire_clob.history(body, token)
        except Rejected:
            return ()
        except (SourceDown, Unreadable):
            return self._from_data(token, start, end, until)

    def _from_data(self, token: str, start: int, end: int, until: float) -> Sequence[PricePoint]:
        points: dict[int, PricePoint] = {}
        params: dict[str, str | int] = {
            "token_id": token,
            "start": start // 1000,
            "end": end // 1000,
            "bucket_seconds": V2_BUCKET_SECONDS,
            "limit": V2_PAGE,
        }
        for _ in range(V2_PAGES):
            within = until - self.transport.clock()
            try:
                body = self.transport.get(self.data, "/v2/prices-history", params, within=within)
                found, cursor = wire_data.history(body, token)
            except Rejected:
                break
            except Unreadable as e:
                raise SourceDown(f"{self.data.url} changed its price history: {e}") from e
            points |= {point.at: point for point in found}
            if not cursor or cursor == params.get("cursor"):
                break
            params["cursor"] = cursor
        return tuple(points.values())


def _groups(tokens: Sequence[str]) -> list[Sequence[str]]:
    return [tokens[first : first + TOGETHER] for first in range(0, len(tokens), TOGETHER)]
