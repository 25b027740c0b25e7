"""Long series of ticks, quickly: prices in, ticks out, and what storage keeps of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from markets.core import book as books
from markets.core.bars import BAR_MS, SealedBar
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, Book, Level, Market, PastBar
from tests import builders as b

Ints = NDArray[np.int64]
START = b.NOON - b.NOON % BAR_MS
WEEK_MS = 2_016 * BAR_MS


def make_tick(
    world: Universe,
    bid: Ints,
    ask: Ints,
    *,
    at: int,
    id: int = 1,
    bid_size: Ints | int = 2_000 * ONE,
    ask_size: Ints | int = 2_000 * ONE,
    observed_at: Ints | None = None,
    coherent: NDArray[np.bool_] | None = None,
) -> Tick:
    """One level a side; a market whose bid is 0 or whose ask is ONE lacks that side."""
    n = len(world)
    has_bid, has_ask = bid > 0, ask < ONE
    bids = np.where(has_bid, np.broadcast_to(bid_size, n), 0).astype(np.int64)
    asks = np.where(has_ask, np.broadcast_to(ask_size, n), 0).astype(np.int64)
    rows = zip(bid.tolist(), ask.tolist(), bids.tolist(), asks.tolist(), strict=True)
    return Tick(
        at=at,
        universe=world,
        bid=bid.astype(np.int64),
        ask=ask.astype(np.int64),
        bid_size=bids,
        ask_size=asks,
        bid_valid=has_bid,
        ask_valid=has_ask,
        observed_at=np.full(n, at, dtype=np.int64) if observed_at is None else observed_at,
        venue_at=np.zeros(n, dtype=np.int64),
        coherent=np.ones(n, dtype=np.bool_) if coherent is None else coherent,
        depth=tuple(books.pack(_one_level(*row), 10) for row in rows),
        id=id,
    )


def _one_level(bid: int, ask: int, bid_size: int, ask_size: int) -> Book:
    bids = (Level(bid, bid_size),) if bid_size else ()
    asks = (Level(ask, ask_size),) if ask_size else ()
    return Book("yes", bids, asks, 0)


def around(
    x: NDArray[np.float64], *, tick_size: int = 10_000, spread: int = 1
) -> tuple[Ints, Ints, Ints, Ints]:
    """Touches whose microprice follows the logit x: bid, ask, bid size, ask size."""
    value = ONE / (1 + np.exp(-x))
    bid = np.floor(value / tick_size - (spread - 1) / 2).astype(np.int64) * tick_size
    bid = np.clip(bid, tick_size, ONE - (spread + 1) * tick_size)
    ask = bid + spread * tick_size
    lean = np.clip((value - bid) / (ask - bid), 0.1, 0.9)
    size = np.rint(8_000 * lean).astype(np.int64) * ONE
    return bid, ask, size, 8_000 * ONE - size


def ticks_along(
    x: NDArray[np.float64],
    *,
    world: Universe | None = None,
    every: int = BAR_MS,
    start: int = START,
    spread: int = 1,
) -> Iterator[Tick]:
    """A tick for each line of x (ticks by markets), every book fresh and coherent."""
    world = world or b.universe(*(b.market(f"m-{i}") for i in range(x.shape[1])))
    for step, line in enumerate(x):
        bid, ask, bids, asks = around(line, spread=spread)
        at = start + step * every
        yield make_tick(world, bid, ask, at=at, id=step + 1, bid_size=bids, ask_size=asks)


def mirrored(ticks: Iterable[Tick]) -> Iterator[Tick]:
    """The same ticks with YES and NO of every market swapped."""
    seen: dict[int, Universe] = {}
    for tick in ticks:
        world = seen.setdefault(id(tick.universe), swapped(tick.universe))
        yield replace(
            make_tick(
                world,
                ONE - tick.ask,
                ONE - tick.bid,
                at=tick.at,
                id=tick.id,
                bid_size=tick.ask_size,
                ask_size=tick.bid_size,
                observed_at=tick.observed_at,
                coherent=tick.coherent,
            ),
            resolutions=tick.resolutions,
        )


def swapped(world: Universe) -> Universe:
    """The same markets with YES and NO of each swapped."""
    return Universe(world.version, tuple(replace(m, yes=m.no, no=m.yes) for m in world.markets))


def reordered(tick: Tick, order: Sequence[int]) -> Tick:
    """The same tick with its markets in another order of columns."""
    world = Universe(tick.universe.version, tuple(tick.universe.markets[n] for n in order))
    names = ("bid", "ask", "bid_size", "ask_size", "bid_valid", "ask_valid", "observed_at")
    columns = {name: getattr(tick, name)[order] for name in (*names, "venue_at", "coherent")}
    place = {old: new for new, old in enumerate(order)}
    return replace(
        tick,
        universe=world,
        depth=tuple(tick.depth[n] for n in order),
        no_depth={place[column]: blob for column, blob in tick.no_depth.items()},
        **columns,
    )


def reordered_bar(bar: SealedBar, order: Sequence[int]) -> SealedBar:
    """The same bar with its markets in another order of columns."""
    world = Universe(bar.universe.version, tuple(bar.universe.markets[n] for n in order))
    names = ("bid", "ask", "micro", "changes", "count", "valid")
    return replace(bar, universe=world, **{name: getattr(bar, name)[order] for name in names})


def ornstein(
    rng: np.random.Generator, *, ticks: int, markets: int, half_life: float, size: float
) -> NDArray[np.float64]:
    """Logits that revert to 0: half-life in ticks, stationary standard deviation `size`."""
    kept = 0.5 ** (1 / half_life)
    x = np.zeros((ticks, markets))
    x[0] = rng.normal(0, size, markets)
    pushed = rng.normal(0, size * np.sqrt(1 - kept**2), (ticks, markets))
    for step in range(1, ticks):
        x[step] = kept * x[step - 1] + pushed[step]
    return x


@dataclass(frozen=True)
class Unsteady:
    """A run of ticks in which everything that can happen to a panel happens."""

    ticks: tuple[Tick, ...]


def unsteady(seed: int, length: int = 2_500, everyone: int = 9) -> Unsteady:
    """Markets enter and leave, books are carried, torn, one-sided; polls stall for minutes to days.

    Spacings are mostly five minutes, at times ten seconds, so that the window overflows.
    """
    rng = np.random.default_rng(seed)
    pool = [b.market(f"m-{i}", tick_size="0.01") for i in range(everyone)]
    x = rng.normal(0, 1, everyone)
    seen = dict.fromkeys((m.id for m in pool), 0)
    last: dict[str, tuple[int, ...]] = {}
    world = _some(rng, pool, 1)
    at, pace, ticks = START + int(rng.integers(BAR_MS)), BAR_MS, []
    for step in range(length):
        if rng.random() < 0.01:
            world = _some(rng, pool, world.version + 1)
        if rng.random() < 0.02:
            pace = int(rng.choice([10_000, 60_000, BAR_MS, BAR_MS, BAR_MS]))
        x = 0.98 * x + rng.normal(0, 0.1, everyone)
        quotes = np.stack(around(x))
        read = rng.random(everyone) > 0.1
        for i, market in enumerate(pool):
            if market.id not in last or read[i]:
                last[market.id] = tuple(quotes[:, i].tolist())
                seen[market.id] = at - int(rng.integers(3_000))
        ticks.append(_seen_by(rng, world, last, seen, at=at, id=step + 1))
        at += pace + int(rng.integers(1_000))
        if rng.random() < 0.004:
            at += int(rng.choice([1, 7, 40, 400])) * BAR_MS
    return Unsteady(tuple(ticks))


def _some(rng: np.random.Generator, pool: Sequence[Market], version: int) -> Universe:
    count = int(rng.integers(1, len(pool) + 1))
    chosen = rng.permutation(len(pool))[:count]
    return Universe(version, tuple(pool[i] for i in chosen))


def _seen_by(
    rng: np.random.Generator,
    world: Universe,
    last: dict[str, tuple[int, ...]],
    seen: dict[str, int],
    *,
    at: int,
    id: int,
) -> Tick:
    bid, ask, bids, asks = np.array([last[m.id] for m in world.markets]).T
    luck = rng.random((2, len(world)))
    return make_tick(
        world,
        np.where(luck[0] < 0.03, 0, bid),
        ask,
        at=at,
        id=id,
        bid_size=bids,
        ask_size=asks,
        observed_at=np.array([seen[m.id] for m in world.markets]),
        coherent=luck[1] > 0.05,
    )


def with_past(seed: int, ticks: Sequence[Tick], share: float = 0.02) -> tuple[Tick, ...]:
    """The same ticks, some of which bring past bars: old and new ones, twice, and from the future.

    Runs of up to nine days that end anywhere from long ago to beyond the open bar, with holes, of
    markets tracked now, once, or never.
    """
    rng = np.random.default_rng(seed)
    names = sorted({m.id for tick in ticks for m in tick.universe.markets} | {"m-never"})
    found = []
    for tick in ticks:
        bars: list[PastBar] = []
        if rng.random() < share:
            for market in sorted(rng.choice(names, size=int(rng.integers(1, 4)), replace=False)):
                bars += _run(rng, str(market), tick.at // BAR_MS)
        found.append(replace(tick, past=tuple(bars)))
    return tuple(found)


def _run(rng: np.random.Generator, market: str, opened: int) -> Iterator[PastBar]:
    """A walk of prices on a grid coarse enough to stand still at times."""
    last = opened + int(rng.choice([3, 1, 0, -1, -2, -50, -700, -1_500]))
    length = int(rng.choice([1, 5, 300, 1_200, 2_592]))
    moved = rng.integers(-1, 2, length) * 10_000
    prices = np.clip(500_000 + np.cumsum(moved), 0, ONE)
    kept = rng.random(length) > 0.1
    for place in np.flatnonzero(kept).tolist():
        number = last - length + 1 + place
        yield PastBar(market, (number + 1) * BAR_MS, int(prices[place]))


def learnt(ticks: Iterable[Tick]) -> list[PastBar]:
    """What rows give back of the past bars these ticks brought: real prices, closed, each once."""
    found: dict[tuple[str, int], PastBar] = {}
    for tick in ticks:
        for bar in tick.past:
            if bar.at <= tick.at // BAR_MS * BAR_MS and 0 < bar.price < ONE:
                found.setdefault((bar.market, bar.at), bar)
    return [found[key] for key in sorted(found)]


def stored(bars: Iterable[SealedBar], until: int) -> list[SealedBar]:
    """What rows give back: valid markets only, bars of seven days, none without a market."""
    kept = []
    for bar in bars:
        where = np.flatnonzero(bar.valid)
        if len(where) and until - WEEK_MS < bar.at <= until:
            world = Universe(0, tuple(bar.universe.markets[i] for i in where))
            names = ("bid", "ask", "micro", "changes", "count", "valid")
            columns = {name: getattr(bar, name)[where] for name in names}
            kept.append(SealedBar(at=bar.at, universe=world, **columns))
    return kept
