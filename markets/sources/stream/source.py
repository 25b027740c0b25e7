"""The exchange as its stream shows it, with HTTP to confirm, to heal, and to stand in."""

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.types import Book, FeedState, Market, PricePoint, Print, Resolution
from markets.sources.polymarket import PolymarketSource, wall_ms
from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf
from markets.sources.stream.sockets import MOST_TOKENS, Sockets

log = logging.getLogger(__name__)

Looked = tuple[dict[str, Book], dict[str, Anomaly], dict[str, Anomaly]]
"""Books by token, and the refused and the flagged ones with their reasons."""


UNVOUCHED = frozenset({Anomaly.MISSING, Anomaly.STALE})
"""The shelf does not know; any other reason says that its book is wrong."""


class StreamSource:
    """A Source whose books come from the market WebSocket and are checked over HTTP.

    A book is handed out only while it is believed; `observed_at` is when a frame about that very
    token, or HTTP, last confirmed it. Whatever is doubtful, quiet or due is read over `rest` in
    the same call. `flagged` names books of the last call that were wrong until that read.
    `rest` must keep whole books: the cut to `depth` levels is made here.
    """

    name = "stream"

    def __init__(
        self,
        rest: PolymarketSource,
        ws_url: str,
        *,
        depth: int | None = None,
        pace: Pace | None = None,
        now: Callable[[], int] = wall_ms,
        most_tokens: int = MOST_TOKENS,
        rng: random.Random | None = None,
    ) -> None:
        self.rest, self.depth, self.now = rest, depth, now
        self.pace = pace or Pace()
        self.shelf = Shelf(self.pace)
        self.sockets = Sockets(
            ws_url, self.shelf, pace=self.pace, now=now, most=most_tokens, rng=rng
        )
        self.refused: Mapping[str, Anomaly] = {}
        self.flagged: Mapping[str, Anomaly] = {}
        self._followed: Sequence[Market] = ()
        self._said: dict[str, Resolution] = {}
        self._asked_outcomes_at = 0
        self._answered_at = -1
        self._answers: dict[tuple[str, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        """Whatever else a live source can be told or asked concerns HTTP."""
        return getattr(self.rest, name)

    def follow(self, markets: Sequence[Market]) -> None:
        """Stream both tokens of exactly these markets from now on."""
        if markets is self._followed:
            return
        self._followed = markets
        self.rest.orderbooks.learn(markets)
        self.shelf.learn(markets)
        live = (market for market in markets if market.terms.accepting_orders)
        self.sockets.follow([tuple(token.id for token in market.tokens) for market in live])

    def markets(self, at: int) -> Sequence[Market]:
        """Every market that is open and active: the listing is read over HTTP."""
        return self.rest.markets(at)

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        """The believed books; SourceDown when none is and HTTP is down, too."""
        looked = self._once(at, ("books", *tokens), lambda: self._look(tokens, at))
        found, self.refused, self.flagged = looked
        return found

    def prints(self, markets: Sequence[str], since: int, at: int) -> Iterable[Print]:
        """Trades of the markets heard in the last quarter of an hour and made after `since`."""
        asked = ("prints", str(since), *markets)
        return self._once(at, asked, lambda: self.shelf.news.prints(markets, since))

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """What is known of outcomes: HTTP, once a minute or when the stream gives a reason."""
        return self._once(at, ("outcomes", *markets), lambda: self._outcomes(markets, at))

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Past prices, over HTTP."""
        return self.rest.history(tokens, since, until)

    def checkpoint(self) -> bytes:
        """Empty: the exchange keeps its own state."""
        return b""

    def standing(self) -> tuple[FeedState, str]:
        """How the stream itself stands, and why not better."""
        if not self.sockets.alive():
            return FeedState.DOWN, "the stream's thread has ended"
        return self.shelf.standing(self.now())

    def close(self) -> None:
        """Hang up and give the connections back."""
        self.sockets.close()
        self.rest.close()

    def _once(self, at: int, asked: tuple[str, ...], answer: Callable[[], Any]) -> Any:
        """One `at`, one answer, however much has been heard in between."""
        if at != self._answered_at:
            self._answered_at, self._answers = at, {}
        if asked not in self._answers:
            self._answers[asked] = answer()
        return self._answers[asked]

    def _look(self, tokens: Sequence[str], at: int) -> Looked:
        asked_at = self.now()
        self.shelf.expire(asked_at)
        due = self.shelf.due(tokens, asked_at)
        ill = self.shelf.ill(due)
        read: Mapping[str, Book] = {}
        said: dict[str, Anomaly] = {}
        down: SourceDown | None = None
        if due:
            try:
                read = self.rest.books(due, at)
                said = dict(self.rest.refused)
            except SourceDown as failed:
                down = failed
        wrong = self.shelf.check(read, asked_at) if read else set()
        ill |= dict.fromkeys(wrong, Anomaly.MISMATCH)
        self.sockets.renew(self.shelf.to_resubscribe(self.now()))
        self.shelf.expire(self.now())
        found, refused = self._seen(tokens, read)
        if down and not found:
            raise down
        if down:
            log.warning("Books kept from the stream alone: %s", down.reason)
        told = {token: said.get(token, why) for token, why in refused.items()}
        return found, told, {token: why for token, why in ill.items() if token in found}

    def _outcomes(self, markets: Sequence[str], at: int) -> list[Resolution]:
        unclear = self.shelf.news.take_unclear(markets)
        if unclear:
            self.rest.outcomes.ask_soon(unclear)
        due = not 0 <= self.now() - self._asked_outcomes_at < self.pace.outcome_ms
        if due or unclear:
            self._asked_outcomes_at = self.now()
            told = self.rest.resolutions(markets, at)
            self._said = {fact.market: fact for fact in told}
        streamed = self.shelf.news.outcomes(markets)
        return [
            fact
            for market in dict.fromkeys(markets)
            if (fact := _final(self._said.get(market), streamed.get(market)))
        ]

    def _seen(
        self, tokens: Sequence[str], read: Mapping[str, Book]
    ) -> tuple[dict[str, Book], dict[str, Anomaly]]:
        """Books from the shelf; as HTTP has just shown them where the shelf has none to vouch for:
        it does not carry the token, or its line was lost or late since the comparison."""
        found, refused = self.shelf.view(tokens, self.depth)
        for token in [t for t, why in refused.items() if t in read and why in UNVOUCHED]:
            book = read[token]
            bids, asks = book.bids[: self.depth], book.asks[: self.depth]
            found[token] = replace(book, bids=bids, asks=asks, tick_size=0, min_size=0)
            del refused[token]
        return found, refused


def _final(told: Resolution | None, streamed: Resolution | None) -> Resolution | None:
    """HTTP's word where it is final, else the stream's, else whatever HTTP said."""
    return told if told and (told.payouts or not streamed) else streamed
