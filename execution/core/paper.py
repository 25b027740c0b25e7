"""The paper venue: fills taker orders against a later recorded book, as the exchange would have.

Polling makes latency nearly moot: an order fills on the next tick, whatever its 250 ms. What
counts is that the book it meets was observed after it arrived, that only displayed depth we have
not taken before is taken, and that part of the touch is not believed (phantom depth).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

from execution.core.ports import Match, Take
from execution.core.types import (
    AccountName,
    Depletion,
    LevelKey,
    Order,
    OrderState,
    OrderType,
    Side,
)
from markets.core import venue
from markets.core.tick import Tick
from markets.core.types import ONE, Book, Level
from strategies.core.types import digest

MAX_LEVELS = 64
"""No order walks further than this; it bounds the rounding that a reservation must cover."""
MAX_WAITS = 3
"""Ticks an arrived order waits for a fresh coherent book before it expires."""
PHANTOM = {AccountName.PESSIMISTIC: ONE, AccountName.BASE: ONE // 2, AccountName.OPTIMISTIC: 0}
"""Share of the touch beyond its first fifth that is not believed, by account."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Order latency: lognormal with this median and 95th percentile, drawn from the seed."""

    median_ms: int
    p95_ms: int
    seed: int

    def draw(self, key: str) -> int:
        """Milliseconds for one order; a function of seed and key alone."""
        luck = int(digest(self.seed, key)[:13], 16) / 16**13
        z = NormalDist().inv_cdf(min(max(luck, 1e-9), 1 - 1e-9))
        spread = math.log(self.p95_ms / self.median_ms) / NormalDist().inv_cdf(0.95)
        return round(self.median_ms * math.exp(spread * z))


@dataclass(frozen=True, slots=True)
class PaperVenue:
    """One account's venue: its latency and the share of touch depth it does not believe."""

    latency: Latency
    phantom: int

    def arrival(self, order: Order, delay_ms: int) -> int:
        """When an order placed now reaches the book: three accounts share one draw."""
        key = digest(
            order.strategy, order.market, order.token, order.purpose, order.placed_at, order.leg
        )
        return order.placed_at + self.latency.draw(key) + delay_ms

    def usable(
        self, token: str, buy: bool, limit: int, tick: Tick,
        depleted: Mapping[LevelKey, Depletion],
    ) -> int:  # fmt: skip
        """Shares believed takable now at `limit` or better."""
        return sum(
            usable
            for _, _, usable, _ in self._levels(tick.book(token), token, buy, limit, tick, depleted)
        )

    def match(
        self, orders: Iterable[Order], tick: Tick, depleted: Mapping[LevelKey, Depletion]
    ) -> tuple[list[Match], dict[LevelKey, Depletion]]:
        """Match taker orders in the order given; each sees what the ones before it took."""
        left = dict(depleted)
        return [self._match_one(order, tick, left) for order in orders], left

    def _match_one(self, order: Order, tick: Tick, left: dict[LevelKey, Depletion]) -> Match:
        rejection = _rejection(order, tick)
        if rejection:
            return Match(replace(order, state=OrderState.REJECTED, reason=rejection), ())
        column, _ = tick.universe.token[order.token]
        if tick.observed_at[column] < order.arrives_at or not tick.coherent[column]:
            return Match(_wait(order), ())
        takes = tuple(self._walk(order, tick, left))
        got = sum(take.size for take in takes)
        if not takes or (order.type is OrderType.FOK and got < order.size):
            return Match(replace(order, state=OrderState.CANCELLED, reason="NO_FILL"), ())
        _deplete(order, takes, tick, left)
        state = OrderState.FILLED if got == order.size else OrderState.PARTLY_FILLED
        return Match(replace(order, filled=got, state=state), takes)

    def _walk(self, order: Order, tick: Tick, left: Mapping[LevelKey, Depletion]) -> Iterator[Take]:
        """Levels of the book an arrived order takes, best first, up to its limit and size."""
        book, buy = tick.book(order.token), order.side is Side.BUY
        column, _ = tick.universe.token[order.token]
        fee = tick.universe.markets[column].terms.fee
        assert fee is not None
        wanted = order.size
        for index, level, usable, taken in self._levels(
            book, order.token, buy, order.price, tick, left
        ):
            size = min(wanted, usable)
            if size <= 0:
                continue
            wanted -= size
            yield Take(
                index, level.price, size, venue.taker_fee(size, level.price, fee),
                level.size, usable, taken, book.observed_at,
            )  # fmt: skip
            if not wanted:
                return

    def _levels(
        self, book: Book, token: str, buy: bool, limit: int, tick: Tick,
        depleted: Mapping[LevelKey, Depletion],
    ) -> Iterator[tuple[int, Level, int, int]]:  # fmt: skip
        """(place, level, usable, already taken) of each level within the limit, best first."""
        side = book.asks if buy else book.bids
        for index, level in enumerate(side[:MAX_LEVELS]):
            if (level.price > limit) if buy else (level.price < limit):
                return
            gone = depleted.get(level_key(token, buy, level.price, tick))
            taken = gone.taken if gone else 0
            usable = believed(level.size, self.phantom) if index == 0 else level.size
            yield index, level, max(0, usable - taken), taken


def believed(displayed: int, phantom: int) -> int:
    """Depth believed at the touch: a fifth wholly, of the rest all but the phantom share."""
    first = displayed // 5
    return first + (displayed - first) * (ONE - phantom) // ONE


def level_key(token: str, buy: bool, price: int, tick: Tick) -> LevelKey:
    """One key for a level and its mirror: taking NO asks at p is taking YES bids at 1 - p."""
    column, side = tick.universe.token[token]
    yes = tick.universe.markets[column].yes.id
    return (yes, buy, price) if side == 0 else (yes, not buy, ONE - price)


def refresh(depleted: Mapping[LevelKey, Depletion], tick: Tick) -> Mapping[LevelKey, Depletion]:
    """Forget what we took where the level grew or went: what we took stays taken until then."""
    if not depleted:
        return depleted
    kept = {}
    for key, gone in depleted.items():
        displayed = _displayed(key, tick)
        if displayed is None:
            kept[key] = gone
        elif 0 < displayed <= gone.displayed:
            kept[key] = Depletion(min(gone.taken, displayed), displayed)
    return kept


def _displayed(key: LevelKey, tick: Tick) -> int | None:
    """Shares now shown at a level, 0 when it is gone, None when the books cannot be trusted."""
    yes, is_ask, price = key
    if yes not in tick.universe.token:
        return 0
    column, _ = tick.universe.token[yes]
    if not tick.coherent[column]:
        return None
    book = tick.book(yes)
    side = book.asks if is_ask else book.bids
    return next((level.size for level in side if level.price == price), 0)


def _deplete(
    order: Order, takes: Iterable[Take], tick: Tick, left: dict[LevelKey, Depletion]
) -> None:
    for take in takes:
        key = level_key(order.token, order.side is Side.BUY, take.price, tick)
        left[key] = Depletion(take.depleted + take.size, take.displayed)


def _wait(order: Order) -> Order:
    """An order that met no fresh coherent book: it waits a little, then expires."""
    if order.waits + 1 >= MAX_WAITS:
        return replace(order, state=OrderState.EXPIRED, reason="STALE")
    return replace(order, waits=order.waits + 1)


def _rejection(order: Order, tick: Tick) -> str:
    """Why the exchange would turn the order away at the door, or ''."""
    if order.token not in tick.universe.token:
        return "NOT_ACCEPTING"
    column, _ = tick.universe.token[order.token]
    terms = tick.universe.markets[column].terms
    if terms.fee is None:
        return "FEE_UNKNOWN"
    if not terms.accepting_orders:
        return "NOT_ACCEPTING"
    if not venue.on_grid(order.price, terms.tick_size):
        return "OFF_GRID"
    return ""
