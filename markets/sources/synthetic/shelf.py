"""The books on show as values, rebuilt only where the world put up a new one."""

from collections.abc import Sequence

import numpy as np

from markets.core.book import Pair, mirror
from markets.core.types import Book
from markets.sources.synthetic.ladders import Side, ladders
from markets.sources.synthetic.reports import Offer
from markets.sources.synthetic.world import World

Sides = tuple[Side, Side, Side, Side]


class Shelf:
    """Remembers each market's levels by the revision they belong to: a cache, never state."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Sides]] = {}

    def pairs(self, world: World, shown: Offer, wanted: Sequence[int]) -> dict[int, Pair]:
        """Both books of the wanted markets (by index), YES and its exact mirror."""
        rows = shown.rows[np.array(wanted, dtype=np.int64)]
        revisions, touched = world.revision[rows].tolist(), world.touched_at[rows].tolist()
        tokens = [shown.markets[index].yes.id for index in wanted]
        stale = [
            place
            for place, token in enumerate(tokens)
            if self._kept.get(token, (-1,))[0] != revisions[place]
        ]
        if stale:
            built = ladders(world, rows[stale])
            for line, place in enumerate(stale):
                self._kept[tokens[place]] = (revisions[place], _both(*built.sides(line)))
        return {
            index: self._pair(shown, index, world.at, touched[place])
            for place, index in enumerate(wanted)
        }

    def forget(self) -> None:
        """Drop everything, when the events on show have changed."""
        self._kept.clear()

    def _pair(self, shown: Offer, index: int, at: int, touched_at: int) -> Pair:
        yes, no = shown.markets[index].tokens
        yes_bids, yes_asks, no_bids, no_asks = self._kept[yes.id][1]
        return Pair(
            Book(yes.id, yes_bids, yes_asks, at, touched_at),
            Book(no.id, no_bids, no_asks, at, touched_at),
        )


def _both(bids: Side, asks: Side) -> Sides:
    reflected = mirror(Book("", bids, asks, 0), "")
    return bids, asks, reflected.bids, reflected.asks
