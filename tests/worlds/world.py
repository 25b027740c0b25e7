"""A world of many events as five-minute ticks: books around a middle, prints, outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from markets.core.bars import BAR_MS
from markets.core.features import LEVEL
from markets.core.tick import Flags, Tick, Universe
from markets.core.types import (
    ONE,
    Event,
    FeeSchedule,
    Market,
    Print,
    Resolution,
    Status,
    Terms,
    Token,
)
from markets.core.window import DAY, Floats
from tests import builders
from tests.worlds import truth
from tests.worlds.plants import FAIR, Plant
from tests.worlds.truth import Life, Shape

START = builders.NOON - builders.NOON % (DAY * BAR_MS)
GRID = 10_000
TICK = GRID / ONE
DEEP = 3
"""Levels a side."""
EDGE = DEEP * GRID
"""A market closer to 0 or 1 than its levels need is shown without a book: it is decided."""
CATEGORIES = ("politics", "economy", "culture")
FEE = FeeSchedule(50_000)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A market's row by bar: worth, touches in ticks, and whether takers come in the bar."""

    worth: Floats
    bid: NDArray[np.int16]
    ask: NDArray[np.int16]
    bought: Flags
    sold: Flags


class World:
    """`shape` events under one `plant`, all drawn from `seed`; `ticks()` tells them in order."""

    def __init__(self, shape: Shape, *, seed: int, plant: Plant = FAIR) -> None:
        self.shape, self.seed, self.plant = shape, seed, plant
        self._rng = np.random.default_rng(seed)
        self.lives = truth.lives(shape, self._rng)
        self.event_of: dict[str, str] = {}
        self.markets: dict[int, tuple[Market, ...]] = {
            life.number: tuple(self._describe(life)) for life in self.lives
        }
        self.shown: dict[str, tuple[int, Shown]] = {}
        for life in self.lives:
            self._draw(life)

    def worth(self, market: str, bar: int) -> float:
        """What a YES share is really worth at a bar, dollars; its payout from the end on."""
        first, row = self.shown[market]
        return float(row.worth[min(bar - first, len(row.worth) - 1)])

    def value(self, token: str, market: str, size: int, bar: int) -> int:
        """What shares of one of a market's tokens are really worth at a bar, micro-dollars."""
        yes = self.worth(market, bar)
        return round(size * (yes if token.startswith("yes") else 1 - yes))

    def ticks(self) -> Iterator[Tick]:
        """One tick a bar; outcomes are told at the bar in which they come about."""
        rng = np.random.default_rng(self.seed + 1)
        world, rows, ended = Universe(0, ()), [], []
        for bar in range(self.shape.bars):
            if bar % DAY == 0:
                alive = [life for life in self.lives if life.first <= bar < life.end]
                world = Universe(
                    bar // DAY + 1, tuple(m for v in alive for m in self.markets[v.number])
                )
                rows = [self.shown[market.id] for market in world.markets]
                ended = sorted(alive, key=lambda life: life.end)
                block = _block(rows, bar, min(bar + DAY, self.shape.bars))
            resolutions = []
            while ended and ended[0].end <= bar:
                resolutions += self._outcomes(ended.pop(0), START + bar * BAR_MS)
            yield self._tick(world, block, bar % DAY, START + bar * BAR_MS, resolutions, rng)

    def _describe(self, life: Life) -> Iterator[Market]:
        event = Event(f"e-{life.number}", f"event-{life.number}", f"Event {life.number}",
                      neg_risk=life.outcomes > 1)  # fmt: skip
        for place in range(life.outcomes):
            name = f"{life.number}-{place}"
            self.event_of[f"m-{name}"] = event.id
            yield Market(
                id=f"m-{name}", slug=f"market-{name}", question=f"Will {name} come true?",
                category=CATEGORIES[life.number % len(CATEGORIES)], event=event,
                yes=Token(f"yes-{name}", "Yes"), no=Token(f"no-{name}", "No"),
                terms=Terms(START + life.end * BAR_MS, GRID, 5 * ONE, FEE),
                created_at=START + life.first * BAR_MS - 30 * DAY * BAR_MS,
                volume_24h=int(self._rng.integers(20_000, 200_000)) * ONE,
            )  # fmt: skip

    def _draw(self, life: Life) -> None:
        rng = self._rng
        worth, spread = truth.paths(life, self.shape.bars, rng)
        middle = self.plant.bend(worth, START + life.first * BAR_MS, rng)
        for place, market in enumerate(self.markets[life.number]):
            width = TICK * rng.integers(1, 3) / 2
            jitter = rng.uniform(-0.1, 0.1, size=middle.shape[1]) * TICK
            low, high = middle[place] + jitter - width, middle[place] + jitter + width
            bid = np.floor(low / TICK + 1e-9).astype(np.int16)
            ask = np.ceil(high / TICK - 1e-9).astype(np.int16)
            bought, sold = self._takers(middle[place], spread[place], bid, ask, rng)
            self.shown[market.id] = life.first, Shown(worth[place], bid, ask, bought, sold)

    def _takers(
        self,
        middle: Floats,
        spread: Floats,
        bid: NDArray[np.int16],
        ask: NDArray[np.int16],
        rng: np.random.Generator,
    ) -> tuple[Flags, Flags]:
        """Whether a bar's takers buy, and whether they sell, at the touches of the bar before.

        An informed buyer comes when the middle is about to rise by so much that its mean, given
        that, is the ask: a maker neither gains nor loses (Glosten and Milgrom 1985).
        """
        step, scale = np.diff(middle), np.maximum(spread[:-1], 1e-12)
        up = truth.threshold((ask[:-1] * TICK - middle[:-1]) / scale)
        down = truth.threshold((middle[:-1] - bid[:-1] * TICK) / scale)
        never = np.zeros(1, dtype=np.bool_)
        bought = np.concatenate((never, step > up * scale))
        sold = np.concatenate((never, step < -down * scale))
        if self.plant.noise:
            bought |= rng.random(len(bought)) < self.plant.noise
            sold |= rng.random(len(sold)) < self.plant.noise
        return bought, sold

    def _outcomes(self, life: Life, at: int) -> list[Resolution]:
        found = []
        for market in self.markets[life.number]:
            yes = ONE if self.shown[market.id][1].worth[-1] > 0.5 else 0
            found.append(Resolution(market.id, Status.RESOLVED, at, (yes, ONE - yes)))
        return found

    def _tick(
        self,
        world: Universe,
        block: "Block",
        column: int,
        at: int,
        resolutions: list[Resolution],
        rng: np.random.Generator,
    ) -> Tick:
        bid, ask = block.bid[column], block.ask[column]
        shown = (bid >= EDGE) & (ask <= ONE - EDGE)
        sizes = rng.integers(5_000, 7_000, size=(len(world), 2 * DEEP)) * ONE
        blobs = _packed(bid, ask, sizes, shown)
        now = np.where(shown, at, 0)
        return Tick(
            at=at, universe=world,
            bid=np.where(shown, bid, 0), ask=np.where(shown, ask, ONE),
            bid_size=np.where(shown, sizes[:, 0], 0), ask_size=np.where(shown, sizes[:, DEEP], 0),
            bid_valid=shown, ask_valid=shown, observed_at=now, venue_at=now, coherent=shown,
            depth=blobs, resolutions=tuple(resolutions),
            prints=tuple(_prints(world, block, column, at)), id=at // BAR_MS,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A day of touches (micro-dollars) and takers, a row a bar; `before` is a bar ago."""

    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    bid_before: NDArray[np.int64]
    ask_before: NDArray[np.int64]
    bought: Flags
    sold: Flags


def _block(rows: list[tuple[int, Shown]], start: int, stop: int) -> Block:
    """The rows of a day; a market that ends within it is shown at 0 bid, 1 ask from then on."""
    bars = np.arange(start, stop)

    def column(name: str, blank: int, back: int = 0) -> NDArray[np.int64]:
        found = np.full((len(bars), len(rows)), blank, dtype=np.int64)
        for place, (first, row) in enumerate(rows):
            series = getattr(row, name)
            at = bars - first - back
            inside = (at >= 0) & (at < len(series) - 1)
            found[inside, place] = series[at[inside]]
        return found

    return Block(
        column("bid", 0) * GRID, column("ask", ONE // GRID) * GRID,
        column("bid", 0, 1) * GRID, column("ask", ONE // GRID, 1) * GRID,
        column("bought", 0).astype(np.bool_), column("sold", 0).astype(np.bool_),
    )  # fmt: skip


_ROW = np.dtype([("bids", "u1"), ("asks", "u1"), ("levels", LEVEL, (2 * DEEP,))])
_STEPS = np.concatenate((-np.arange(DEEP), np.arange(DEEP))) * GRID


def _packed(
    bid: NDArray[np.int64], ask: NDArray[np.int64], sizes: NDArray[np.int64], shown: Flags
) -> tuple[bytes, ...]:
    """Books of DEEP levels a side, a cent apart, as `markets.core.book.pack` writes them."""
    rows = np.zeros(len(bid), dtype=_ROW)
    rows["bids"] = rows["asks"] = DEEP
    best = np.concatenate((np.repeat(bid[:, None], DEEP, 1), np.repeat(ask[:, None], DEEP, 1)), 1)
    rows["levels"]["price"] = best + _STEPS
    rows["levels"]["size"] = sizes
    whole, each = rows.tobytes(), _ROW.itemsize
    return tuple(
        whole[n * each : (n + 1) * each] if seen else b"" for n, seen in enumerate(shown.tolist())
    )


def _prints(world: Universe, block: Block, column: int, at: int) -> Iterator[Print]:
    """Takers meet the touch of the bar before, and take more than rests there."""
    size = 20_000 * ONE
    for flags, side, touch in (
        (block.bought, "buy", block.ask_before),
        (block.sold, "sell", block.bid_before),
    ):
        for place in np.flatnonzero(flags[column]).tolist():
            price = int(touch[column, place])
            if EDGE <= price <= ONE - EDGE:
                market = world.markets[place]
                yield Print(market.id, market.yes.id, side, price, size, at - 1)
