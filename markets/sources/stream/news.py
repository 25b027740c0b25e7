"""What the stream tells besides books: trades, outcomes, new price grids, new markets."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from threading import RLock

from markets.core.types import ONE, Market, Print, Resolution, Status
from markets.sources.stream.messages import Ended, Listed, Trade

KEEP_MS = 900_000
"""How long a print is handed out again: whoever stores it knows which ones are stored."""


class News:
    """Collects facts about known markets until they are asked for, from any thread."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._grids: dict[str, int] = {}
        self._listed: dict[str, str] = {}
        self._unclear: set[str] = set()
        self._markets: dict[str, Market] = {}
        self._prints: deque[tuple[int, Print]] = deque()
        self._known: set[Print] = set()
        self._ended: dict[str, Resolution] = {}

    def learn(self, markets: Iterable[Market]) -> None:
        """Replace the markets whose facts are wanted."""
        self._markets = {market.id: market for market in markets}

    def trade(self, said: Trade, now: int) -> bool:
        """Take a trade heard at `now` (ms UTC); False where it is known already.

        The exchange numbers no trades: two that agree in every field are taken for one.
        """
        made = Print(
            said.market, said.token, said.side, said.price, said.size, said.at, said.transaction
        )
        with self._lock:
            if made in self._known:
                return False
            self._known.add(made)
            self._prints.append((now, made))
            while self._prints[0][0] < now - KEEP_MS:
                self._known.discard(self._prints.popleft()[1])
        return True

    def prints(self, markets: Collection[str], since: int) -> tuple[Print, ...]:
        """Trades of the markets made after `since` (ms UTC), of the last quarter of an hour."""
        wanted = set(markets)
        with self._lock:
            held = [made for _, made in self._prints]
        return tuple(made for made in held if made.at > since and made.market in wanted)

    def listing(self, said: Listed) -> None:
        """Take note of a market created somewhere on the exchange."""
        with self._lock:
            self._listed[said.market] = said.event

    def take_listed(self) -> dict[str, str]:
        """New markets since the last call: condition id -> slug of their event."""
        with self._lock:
            found, self._listed = self._listed, {}
        return found

    def grid(self, market: str, tick_size: int) -> None:
        """A market's price grid was stated."""
        with self._lock:
            self._grids[market] = tick_size

    def grids(self) -> dict[str, int]:
        """Market -> tick size (micro) as last stated on a line that is still open."""
        with self._lock:
            return dict(self._grids)

    def forget_grids(self, markets: Iterable[str]) -> None:
        """Their line is gone: what it said of their price grids may have changed since."""
        with self._lock:
            for market in markets:
                self._grids.pop(market, None)

    def end(self, said: Ended) -> None:
        """Take an outcome; without a winner it is only a reason to ask."""
        market = self._markets.get(said.market)
        if market is None:
            return
        payouts = {market.yes.id: (ONE, 0), market.no.id: (0, ONE)}.get(said.winner)
        with self._lock:
            if payouts is None:
                self._unclear.add(market.id)
            else:
                fact = Resolution(market.id, Status.RESOLVED, said.at, payouts)
                self._ended[market.id] = fact

    def take_unclear(self, markets: Iterable[str]) -> set[str]:
        """Which of the markets were said to be resolved without a winner, since the last call."""
        with self._lock:
            found = self._unclear.intersection(markets)
            self._unclear -= found
        return found

    def outcomes(self, markets: Iterable[str]) -> Mapping[str, Resolution]:
        """The outcomes told so far of the given markets."""
        with self._lock:
            return {id: self._ended[id] for id in markets if id in self._ended}
