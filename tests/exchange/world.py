"""The local exchange's world: events, markets and one book a market, moving in steps of a second.

The state after step k is a function of (seed, k), however often anybody looked in between.
"""

import hashlib
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

DAY_MS = 86_400_000
ONE = 10_000
"""Prices are whole numbers of 0.0001 here, the exchange's finest grid."""

RATES = {
    "politics": "0.04",
    "economics": "0.05",
    "culture": "0.05",
    "tech": "0.04",
    "sports": "0.05",
    "crypto": "0.07",
}
ORDINARY = ("politics", "economics", "culture", "tech")
GROUP = 4
TRADED_SHARE = 0.1
"""Share of the changes of a book that come with a trade."""
LEVELS = 12

Spoiler = Callable[[dict[str, Any]], dict[str, Any] | None]
"""Turns a payload into a bad one, or into None to leave it out."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Listing:
    """One market: what never changes, where its price walks, and how it ended."""

    index: int
    event: str
    kind: str
    condition: str
    yes: str
    no: str
    slug: str
    category: str
    fee_rate: str | None
    tick: int
    created_at: int
    end_at: int
    neg_risk: bool
    volume: int
    anchor: float
    logit: float = 0.0
    noise: float = 0.0
    quoted: float = 0.5
    """The probability its book was last drawn around: a book changes only when it says so."""
    version: int = 0
    changed_at: int = 0
    state: str = "open"
    payouts: tuple[int, int] | None = None
    ended_at: int = 0
    title: str = ""
    event_slug: str = ""
    tags: tuple[str, ...] = ()
    outcomes: tuple[str, str] = ("Yes", "No")
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def hidden(self) -> bool:
        """Whether it is listed without being a market to trade."""
        return self.kind in ("placeholder", "combo") or self.closed

    @property
    def closed(self) -> bool:
        return self.state in ("resolved", "void")


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade: price in 0.0001, size in 0.01 share, time in whole seconds."""

    listing: Listing
    side: str
    price: int
    size: int
    second: int
    transaction: str


@dataclass(slots=True)
class World:
    """A plain world has `markets` ordinary markets and one of each kind a reader must leave out.

    A realistic one (`mix="realistic"`) has what the real exchange has, in its proportions: games,
    short crypto markets and nearly decided ones with most of the volume, and `markets` long ones.
    """

    seed: int = 1
    markets: int = 60
    mix: str = "plain"
    now: Callable[[], int] = wall_ms
    step_ms: int = 1000
    listings: list[Listing] = field(default_factory=list)
    spoiled_books: dict[str, Spoiler] = field(default_factory=dict)
    spoiled_markets: dict[str, Spoiler] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    steps: int = 0
    started_at: int = 0
    lock: RLock = field(default_factory=RLock)
    _walk: random.Random = field(default_factory=random.Random)
    _by_name: dict[str, Listing] = field(default_factory=dict)
    _indexed: int = -1
    _bustle: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._walk = random.Random(f"{self.seed}-walk")
        self._bustle = random.Random(f"{self.seed}-trades")
        self.started_at = self.now()
        draw = random.Random(f"{self.seed}-listings")
        if self.mix == "realistic":
            from tests.exchange import mix

            self.listings = mix.listings(self.seed, self.markets, self.started_at)
        else:
            kinds = ["ordinary"] * self.markets + list(EXTRA)
            self.listings = [self._list(index, kind, draw) for index, kind in enumerate(kinds)]
        for listing in self.listings:
            listing.quoted = self.price(listing)

    def move(self) -> None:
        """Bring every market to the present step."""
        with self.lock:
            target = max((self.now() - self.started_at) // self.step_ms, self.steps)
            for step in range(self.steps + 1, target + 1):
                for listing in self.listings:
                    self._step(listing, step)
            self.steps = target

    def tradable(self) -> list[Listing]:
        """The markets a reader of the catalogue should find."""
        return [x for x in self.listings if not x.hidden]

    def by_token(self, token: str) -> Listing | None:
        return self._index().get(token)

    def by_condition(self, condition: str) -> Listing | None:
        return self._index().get(condition)

    def by_slug(self, slug: str) -> Listing | None:
        return self._index().get(f"slug {slug}")

    def _index(self) -> dict[str, Listing]:
        """Every listing by its ids and its slug; made anew when listings came or went."""
        if self._indexed != len(self.listings):
            self._by_name = {
                name: x
                for x in self.listings
                for name in (x.condition, x.yes, x.no, f"slug {x.slug}")
            }
            self._indexed = len(self.listings)
        return self._by_name

    def end(self, listing: Listing, state: str, payouts: tuple[int, int] | None = None) -> None:
        """Bring a market to "proposed", "disputed", "resolved" (with micro payouts) or "void"."""
        with self.lock:
            listing.state, listing.payouts = state, payouts
            listing.ended_at = self.now()

    def trade(self, listing: Listing, side: str = "BUY", at: int = 0, size: int = 500) -> Trade:
        """Take `size` from one side of the YES book at `at` (ms, now unless given)."""
        bids, asks = self.levels(listing)
        price = asks[0][0] if side == "BUY" else bids[0][0]
        number = len(self.trades)
        reference = "0x" + hashlib.sha256(f"{self.seed}-trade-{number}".encode()).hexdigest()
        made = Trade(listing, side, price, size, (at or self.now()) // 1000, reference)
        with self.lock:
            self.trades.append(made)
        return made

    def price(self, listing: Listing) -> float:
        """The probability the book is centred on; within a neg-risk event they sum to one."""
        if not listing.neg_risk:
            return 1 / (1 + math.exp(-listing.logit - listing.noise))
        rivals = [x for x in self.listings if x.event == listing.event]
        weights = [math.exp(x.logit) for x in rivals]
        return math.exp(listing.logit) / sum(weights)

    def levels(self, listing: Listing) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """YES bids and asks, best first, as (price, size): price in 0.0001, size in 0.01 share."""
        draw = random.Random(f"{self.seed}-{listing.index}-{listing.version}")
        bid, ask = self._touch(listing, draw)
        grid = ONE // listing.tick
        below, above = range(bid, max(bid - LEVELS, 0), -1), range(ask, min(ask + LEVELS, grid))
        bids = [(at * listing.tick, self._size(draw)) for at in below]
        asks = [(at * listing.tick, self._size(draw)) for at in above]
        return bids, asks

    def touch(self, listing: Listing) -> tuple[int, int]:
        """The best YES bid and ask of `levels`, in 0.0001."""
        draw = random.Random(f"{self.seed}-{listing.index}-{listing.version}")
        bid, ask = self._touch(listing, draw)
        return bid * listing.tick, ask * listing.tick

    def _touch(self, listing: Listing, draw: random.Random) -> tuple[int, int]:
        grid = ONE // listing.tick
        spread = draw.choice((1, 1, 1, 2, 3))
        bid = min(max(int(listing.quoted * grid - spread / 2 + 0.5), 1), grid - spread - 1)
        return bid, bid + spread

    def _size(self, draw: random.Random) -> int:
        return draw.randrange(500, 400_000)

    def _step(self, listing: Listing, step: int) -> None:
        """The anchor diffuses slowly, noise around it comes and goes within minutes."""
        listing.logit += self._walk.gauss(0, 0.002) + 0.0005 * (listing.anchor - listing.logit)
        listing.noise = 0.985 * listing.noise + self._walk.gauss(0, 0.02)
        if self._walk.random() < 0.4:
            listing.version = step
            listing.quoted = self.price(listing)
            listing.changed_at = self.started_at + step * self.step_ms
            if listing.kind == "ordinary" and self._bustle.random() < TRADED_SHARE:
                side = self._bustle.choice(("BUY", "SELL"))
                self.trade(listing, side, listing.changed_at, self._bustle.randrange(500, 20_000))

    def _list(self, index: int, kind: str, draw: random.Random) -> Listing:
        grouped = (
            kind == "ordinary"
            and index % 12 < GROUP
            and index - index % 12 + GROUP <= (self.markets)
        )
        event = f"9{index - index % 12:05d}" if grouped else f"1{index:05d}"
        ordinary = ORDINARY[(index // 12 if grouped else index) % len(ORDINARY)]
        category = EXTRA.get(kind, ordinary)
        anchor = draw.uniform(-1.5, 1.5)
        short = kind == "crypto"
        return Listing(
            index=index,
            event=event,
            kind=kind,
            condition="0x" + hashlib.sha256(f"{self.seed}-{index}".encode()).hexdigest(),
            yes=str(draw.randrange(10**76, 10**77)),
            no=str(draw.randrange(10**76, 10**77)),
            slug=f"{kind}-market-{index}",
            category=category,
            fee_rate=None if kind == "unpriced" else RATES[category],
            tick=draw.choice((100, 10)),
            created_at=self.started_at - (DAY_MS // 4 if short else 60 * DAY_MS),
            end_at=self.started_at + (DAY_MS // 4 if short else draw.randrange(20, 300) * DAY_MS),
            neg_risk=grouped,
            volume=draw.randrange(2_000, 900_000),
            anchor=anchor,
            logit=anchor,
            changed_at=self.started_at,
            state="resolved" if kind == "closed" else "open",
            payouts=(0, 1_000_000) if kind == "closed" else None,
            ended_at=self.started_at - DAY_MS if kind == "closed" else 0,
        )


EXTRA = {
    "sports": "sports",
    "crypto": "crypto",
    "unpriced": "tech",
    "paused": "politics",
    "placeholder": "politics",
    "closed": "politics",
}
"""Kinds besides the ordinary: a live game, a short crypto market, one whose fee Gamma does not
state, one that takes no orders, a placeholder without prices and a closed one, both of them
inside an open event."""
