"""A small exchange for tests: it hands out what it was told, and random worlds to tell it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

from markets.core import book as books
from markets.core.bars import BAR_MS
from markets.core.book import Anomaly
from markets.core.criteria import Filters
from markets.core.ports import Listing, SourceDown
from markets.core.ranking import matching
from markets.core.types import ONE, Book, Level, Market, PricePoint, Print, Resolution, Status
from tests import builders

KINDS = (
    *("good", "good", "good", "unread", "same", "deep", "empty side", "refused"),
    *("yes only", "crossed", "ghost", "torn", "gap", "backwards"),
)
"""What a random world may do to a market in one step."""


class Told:
    """A Source that answers with whatever was last put into it."""

    name = "told"

    def __init__(self, listed: Sequence[Market] = ()) -> None:
        self.listed = list(listed)
        self.told: dict[str, Book] = {}
        self.refused: Mapping[str, Anomaly] = {}
        self.missing: dict[str, Anomaly] = {}
        self.said: list[Resolution] = []
        self.unlisted: list[Market] = []
        self.listing = Listing()
        self.traded: list[Print] = []
        self.down = False
        self.asked: list[tuple[str, int]] = []
        self.looked_up: list[tuple[str, ...]] = []
        self.lookup_down = False
        self.line: Callable[[str, int], int | None] = lambda token, at: None
        self.asked_past: list[tuple[tuple[str, ...], int, int]] = []
        self.asked_outcomes: list[tuple[str, ...]] = []

    def show(self, at: int) -> None:
        """Both books of every listed market, 0.40 to 0.42, all read at `at`."""
        for market in self.listed:
            yes = builders.book(market.yes.id, at=at)
            self.tell(yes, books.mirror(yes, market.no.id))

    def tell(self, *given: Book) -> None:
        self.told |= {book.token: book for book in given}

    def markets(self, at: int) -> Sequence[Market]:
        self._answer("markets", at)
        return tuple(self.listed)

    def lookup(self, names: Sequence[str], at: int) -> Sequence[Market]:
        self.looked_up.append(tuple(names))
        if self.lookup_down:
            raise SourceDown("The test exchange cannot be asked.")
        return matching((*self.listed, *self.unlisted), names)

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        self._answer("books", at)
        self.refused = {token: code for token, code in self.missing.items() if token in tokens}
        return {token: self.told[token] for token in tokens if token in self.told}

    def prints(self, markets: Sequence[str], since: int, at: int) -> list[Print]:
        return [fact for fact in self.traded if fact.market in markets and since < fact.at <= at]

    def resolutions(self, markets: Sequence[str], at: int) -> list[Resolution]:
        self.asked_outcomes.append(tuple(markets))
        return [fact for fact in self.said if fact.market in markets]

    def history(self, tokens: Sequence[str], since: int, until: int) -> list[PricePoint]:
        """A point in the middle of each bar, as `line` says of token and instant."""
        self.asked_past.append((tuple(tokens), since, until))
        if self.down:
            raise SourceDown("The test exchange is switched off.")
        ats = range(since + BAR_MS // 2, until, BAR_MS)
        asked = ((token, at, self.line(token, at)) for at in ats for token in tokens)
        return [PricePoint(token, at, price) for token, at, price in asked if price]

    def checkpoint(self) -> bytes:
        return f"after {len(self.asked)} questions".encode()

    def _answer(self, question: str, at: int) -> None:
        self.asked.append((question, at))
        if self.down:
            raise SourceDown("The test exchange is switched off.")


def collection(**changes: object) -> SimpleNamespace:
    """The part of a configuration that collecting reads."""
    given = {
        "markets": 50,
        "pinned": (),
        "exclude": (),
        "max_event_markets": 200,
        "filters": Filters(),
        "depth_levels": 3,
        "poll_seconds": 10,
    }
    return SimpleNamespace(**given | changes)


class RandomWorld:
    """An exchange that misbehaves in every way the seed thinks of, one step at a time."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)
        self.bustle = random.Random(f"{seed}-trades")
        self.at = builders.NOON
        self.names = [f"m-{number}" for number in range(9)]
        self.source = Told([builders.market(name) for name in self.names[:6]])

    def step(self) -> int:
        """Change what the exchange shows; returns the next scheduled time."""
        self.at += self.luck.choice([1, 900, 10_000, 120_000, 400_000])
        self.source.told = {}
        self.source.missing = {}
        for market in self.source.listed:
            self._show(market)
        if self.luck.random() < 0.15:
            self._resolve()
        if self.bustle.random() < 0.4:
            self._trade()
        return self.at

    def relist(self) -> None:
        """Let markets come, go, come back and change their terms."""
        names = self.luck.sample(self.names, self.luck.randint(2, 7))
        grid = self.luck.choice(["0.01", "0.001"])
        self.source.listed = [builders.market(name) for name in names]
        if self.luck.random() < 0.5:
            self.source.listed[0] = builders.market(names[0], tick_size=grid)

    def _show(self, market: Market) -> None:
        kind = self.luck.choice(KINDS)
        yes = self._book(market, empty_side=kind == "empty side")
        no = books.mirror(yes, market.no.id)
        if kind == "unread":
            return
        if kind == "same":
            yes = builders.book(market.yes.id, at=self.at, venue_at=1)
            no = books.mirror(yes, market.no.id)
        elif kind == "refused":
            self.source.missing[market.no.id] = Anomaly.MISSING
        elif kind == "crossed":
            yes = replace(yes, asks=yes.bids)
        elif kind == "ghost":
            yes = builders.book(market.yes.id, [("0.01", 9)], [("0.99", 9)], at=self.at)
        elif kind == "torn":
            no = replace(no, venue_at=yes.venue_at + 900)
        elif kind == "gap":
            no = self._book(market, token=market.no.id)
        elif kind == "deep":
            no = replace(no, bids=(*no.bids[:-1], Level(no.bids[-1].price, 77_000_000)))
        elif kind == "backwards":
            yes, no = replace(yes, venue_at=5), replace(no, venue_at=5)
        self.source.tell(yes)
        if kind not in ("yes only", "refused"):
            self.source.tell(no)

    def _book(self, market: Market, *, token: str = "", empty_side: bool = False) -> Book:
        middle = self.luck.randint(10, 90)
        step = 10_000
        bids = tuple(
            Level((middle - 1 - deep) * step, self.luck.randint(1, 10 ** self.luck.randint(1, 12)))
            for deep in range(self.luck.randint(1, 5))
        )
        asks = tuple(
            Level((middle + 1 + deep) * step, self.luck.randint(1, 10**9))
            for deep in range(self.luck.randint(1, 5))
        )
        if empty_side:
            bids, asks = self.luck.choice([(bids, ()), ((), asks)])
        seen = self.at - self.luck.randint(0, 500)
        return Book(token or market.yes.id, bids, asks, seen, self.at - self.luck.randint(0, 9_000))

    def _trade(self) -> None:
        """One trade, told a little late, and now and then the same one once more."""
        market = self.bustle.choice(self.source.listed)
        token, side = self.bustle.choice(market.tokens), self.bustle.choice(("buy", "sell"))
        size, at = self.bustle.randint(1, 10**8), self.at - self.bustle.randint(0, 300_000)
        price = self.bustle.randint(1, 99) * 10_000
        self.source.traded.append(Print(market.id, token.id, side, price, size, at, f"0x{size}"))
        if self.bustle.random() < 0.3:
            self.source.traded.append(self.bustle.choice(self.source.traded))

    def _resolve(self) -> None:
        market = self.luck.choice(self.source.listed)
        status, payouts = self.luck.choice(
            [
                (Status.PROPOSED, None),
                (Status.DISPUTED, None),
                (Status.RESOLVED, (ONE // 2, ONE // 2)),
            ]
        )
        self.source.said.append(Resolution(market.id, status, self.at, payouts))
