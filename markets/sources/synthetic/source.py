"""The simulated exchange behind the Source port."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from markets.core import book as books
from markets.core import ranking
from markets.core.book import Anomaly
from markets.core.ports import Listing, SourceDown
from markets.core.types import Book, Market, PricePoint, Print, Resolution
from markets.sources.synthetic import checkpoint as checkpoints
from markets.sources.synthetic import faults, reports
from markets.sources.synthetic.shelf import Shelf
from markets.sources.synthetic.world import Running, World, advance, begin

EVENTS = 20


class SyntheticSource:
    """Only `books` moves the world; the other reads describe it as the last `books` left it.

    Hence a `markets` call between two ticks changes nothing that happens later. A world that was
    never asked for books is on its first day.
    """

    name = "synthetic"

    def __init__(self, seed: int, checkpoint: bytes = b"", events: int = EVENTS) -> None:
        self.refused: Mapping[str, Anomaly] = {}
        self.listing = Listing()
        self._seed = seed
        self._events = events
        self._world = _restored(seed, events, checkpoint) if checkpoint else None
        self._offered: tuple[tuple[Running, ...], reports.Offer] | None = None
        self._shelf = Shelf()

    def markets(self, at: int) -> Sequence[Market]:
        """Every market on show, with its current terms."""
        return self._offer(self._world or begin(self._seed, self._events, at)).markets

    def lookup(self, names: Sequence[str], at: int) -> Sequence[Market]:
        """Those of `markets` that have one of the names: there are no others."""
        return ranking.matching(self.markets(at), names)

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        """The books of the given tokens at `at`; moves the world there if it is behind."""
        world = self._world = self._moved(at)
        shown = self._offer(world)
        wanted = sorted({shown.place[token][0] for token in tokens if token in shown.place})
        pairs = self._read(world, shown, wanted)
        found: dict[str, Book] = {}
        refused: dict[str, Anomaly] = {}
        for token in tokens:
            index, side = shown.place.get(token, (-1, 0))
            book = pairs[index][side] if index >= 0 else None
            fault = _fault(book, shown, index)
            if book and not fault:
                found[token] = book
            else:
                refused[token] = fault or Anomaly.MISSING
        self.refused = refused
        return found

    def prints(self, markets: Sequence[str], since: int, at: int) -> Iterable[Print]:
        """Trades of the last step, if it was after `since`; older ones are not kept."""
        world = self._world
        if world is None or not since < world.at <= at:
            return []
        shown, asked = self._offer(world), set(markets)
        traded = [i for i in reports.trading(world, shown) if shown.markets[i].id in asked]
        pairs = self._shelf.pairs(world, shown, traded)
        found = (reports.trade(world, shown, i, pairs[i].yes) for i in traded)
        return [each for each in found if each]

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """Proposed and final outcomes of the given markets; paid ones are known for a month."""
        return reports.resolutions(self._world, set(markets)) if self._world else []

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Nothing: the world keeps its present only and invents no past."""
        return []

    def checkpoint(self) -> bytes:
        """The world as the last `books` left it; empty before the first."""
        return checkpoints.pack(self._world) if self._world else b""

    def _moved(self, at: int) -> World:
        world = self._world
        if world is None:
            return begin(self._seed, self._events, at)
        if at < world.at:
            raise SourceDown(
                f"The simulated exchange is already at {world.at} ms and cannot go back to {at} "
                "ms; check this computer's clock."
            )
        return world if at == world.at else advance(world, at)

    def _offer(self, world: World) -> reports.Offer:
        if self._offered is None or self._offered[0] != world.running:
            self._offered = (world.running, reports.offer(world))
            self._shelf.forget()
        return self._offered[1]

    def _read(
        self, world: World, shown: reports.Offer, wanted: Sequence[int]
    ) -> dict[int, tuple[Book | None, Book | None]]:
        """Both books of the wanted markets as this read shows them, planted faults included."""
        keys = world.cast.key[shown.rows[np.array(wanted, dtype=np.int64)]]
        bad = faults.bad_reads(world.seed, world.at, keys)
        read = {}
        for (index, pair), key in zip(
            self._shelf.pairs(world, shown, wanted).items(), keys.tolist(), strict=True
        ):
            tick_size = shown.markets[index].terms.tick_size
            spoiled = faults.spoil(pair, bad[key], tick_size) if key in bad else None
            read[index] = spoiled or (pair.yes, pair.no)
        return read


def _fault(book: Book | None, shown: reports.Offer, index: int) -> Anomaly | None:
    if book is None:
        return Anomaly.MISSING
    return books.absurdity(book, shown.markets[index].terms.tick_size)


def _restored(seed: int, events: int, checkpoint: bytes) -> World:
    world = checkpoints.unpack(checkpoint)
    if (world.seed, world.regular) != (seed, events):
        raise checkpoints.ForeignCheckpoint(
            f"The checkpoint is of seed {world.seed} with {world.regular} events, not of seed "
            f"{seed} with {events}."
        )
    return world
