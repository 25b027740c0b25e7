"""The order books the simulated world shows: ten levels a side around the traded value."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from markets.core.types import ONE, Level
from markets.core.venue import SIZE_STEP
from markets.sources.synthetic.draws import uniform
from markets.sources.synthetic.scripts import Ints
from markets.sources.synthetic.world import World

LEVELS = 10
_LEVEL = np.arange(LEVELS, dtype=np.int64)
_PROFILE = np.array([1.0, 1.3, 1.5, 1.6, 1.6, 1.5, 1.4, 1.2, 1.0, 0.8])
_SMALLEST = 5 * ONE // SIZE_STEP

Side = tuple[Level, ...]


@dataclass(frozen=True, eq=False)
class Ladders:
    """Prices and sizes of YES, best first, a line for each row; a level of size 0 is none."""

    bid: Ints
    bid_size: Ints
    ask: Ints
    ask_size: Ints

    def sides(self, line: int) -> tuple[Side, Side]:
        """The bids and the asks of one line."""
        bids = zip(self.bid[line].tolist(), self.bid_size[line].tolist(), strict=True)
        asks = zip(self.ask[line].tolist(), self.ask_size[line].tolist(), strict=True)
        return _levels(bids), _levels(asks)


def ladders(world: World, rows: NDArray[np.intp]) -> Ladders:
    """The books of the given rows: a function of what the world last put up there.

    The best sizes lean to the side the value leans to, so the microprice shows it between ticks.
    """
    crew = world.cast
    tick = crew.tick_size[rows]
    value, spread = world.shown[rows] / tick, world.spread[rows].astype(np.int64)
    low = np.floor(value - (spread - 1) / 2).astype(np.int64)
    low = np.clip(low, 1, ONE // tick - 1 - spread)
    lean = np.clip((value - low) / spread, 0.08, 0.92)

    cheaper = np.minimum(world.shown[rows], ONE - world.shown[rows]) / ONE
    shares = crew.dollars[rows] / np.maximum(cheaper, 0.05)
    luck = _luck(world, rows)
    sizes = shares[:, None, None] * _PROFILE * luck
    sizes[:, 0, 0] = 2 * shares * lean * luck[:, 0, 0]
    sizes[:, 1, 0] = 2 * shares * (1 - lean) * luck[:, 0, 0]
    lots = np.maximum(np.rint(sizes * ONE / SIZE_STEP).astype(np.int64), _SMALLEST)

    bid = (low[:, None] - _LEVEL) * tick[:, None]
    ask = ((low + spread)[:, None] + _LEVEL) * tick[:, None]
    return Ladders(
        bid=bid,
        bid_size=lots[:, 0] * SIZE_STEP * (bid > 0),
        ask=ask,
        ask_size=lots[:, 1] * SIZE_STEP * (ask < ONE),
    )


def _luck(world: World, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """A factor in [0.6, 1.4) for each row, side and level, new with every new book."""
    cause = world.cast.key[rows] * 4 + 1, world.revision[rows].astype(np.int64)
    place = np.arange(2 * LEVELS).reshape(2, LEVELS)
    keys = (each[:, None, None] for each in cause)
    return 0.6 + 0.8 * uniform(world.seed, *keys, place)


def _levels(pairs: Iterable[tuple[int, int]]) -> Side:
    return tuple(Level(price, size) for price, size in pairs if size)
