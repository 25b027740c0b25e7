"""What order books say of their own price grid, against the terms they are read under."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from markets.core.tick import Universe
from markets.core.types import ONE, Book, Market


@dataclass(frozen=True, slots=True)
class Grid:
    """A market's price grid and smallest order, in micro-units."""

    tick_size: int
    min_size: int


def restated(universe: Universe, books: Mapping[str, Book]) -> dict[str, Grid]:
    """Markets (by condition id) whose two books agree on another grid than their terms name.

    What a book does not state stays as the terms have it.
    """
    found: dict[str, Grid] = {}
    for market in universe.markets:
        yes, no, terms = books.get(market.yes.id), books.get(market.no.id), market.terms
        if yes is None or no is None:
            continue
        if (yes.tick_size, yes.min_size) != (no.tick_size, no.min_size):
            continue
        grid = Grid(yes.tick_size or terms.tick_size, yes.min_size or terms.min_size)
        if (grid.tick_size, grid.min_size) != (terms.tick_size, terms.min_size) and _sane(grid):
            found[market.id] = grid
    return found


def on(market: Market, grid: Grid) -> Market:
    """The market under its terms with this grid."""
    terms = replace(market.terms, tick_size=grid.tick_size, min_size=grid.min_size)
    return replace(market, terms=terms)


def _sane(grid: Grid) -> bool:
    """A grid divides a dollar, and leaves room for two prices at least."""
    return 0 < grid.tick_size <= ONE // 3 and ONE % grid.tick_size == 0 and grid.min_size > 0
