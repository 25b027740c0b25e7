"""What the simulated exchange says besides books: its markets, its trades, its outcomes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from markets.core.book import best_ask, best_bid
from markets.core.types import ONE, Book, Market, Print, Resolution, Status
from markets.core.venue import floor_size
from markets.sources.synthetic.draws import uniform
from markets.sources.synthetic.motion import OPEN
from markets.sources.synthetic.world import World, payouts

PRINT_SHARE = 0.35
"""Share of the freshly put up books that show a trade."""


@dataclass(frozen=True, eq=False)
class Offer:
    """The markets on show, the world's row of each, and where each token is (market, side)."""

    markets: tuple[Market, ...]
    rows: NDArray[np.intp]
    place: Mapping[str, tuple[int, int]]


def offer(world: World) -> Offer:
    """The world's markets with their current terms; a decided one is PROPOSED until it is paid."""
    markets = tuple(
        market if each.outcome == OPEN else _proposed(market)
        for each in world.running
        for market in world.script(each).markets
    )
    place = {
        token.id: (index, side)
        for index, market in enumerate(markets)
        for side, token in enumerate(market.tokens)
    }
    return Offer(markets, np.flatnonzero(world.cast.listed), place)


def trading(world: World, shown: Offer) -> NDArray[np.intp]:
    """Which of the offered markets (by index) traded in the last step."""
    fresh = world.revision[shown.rows] == world.step
    luck = uniform(world.seed, world.cast.key[shown.rows] * 4 + 3, world.step)
    return np.flatnonzero(fresh & (luck < PRINT_SHARE))


def trade(world: World, shown: Offer, index: int, book: Book) -> Print | None:
    """The trade that took a small part of one side of this YES book, None if that side is empty."""
    market = shown.markets[index]
    luck = uniform(world.seed, world.step, world.cast.key[shown.rows[index]])[0]
    buys = luck < 0.5
    level = best_ask(book) if buys else best_bid(book)
    if level is None:
        return None
    size = min(level.size, max(floor_size(int(level.size * luck)), 5 * ONE))
    side = "buy" if buys else "sell"
    return Print(market.id, market.yes.id, side, level.price, size, world.at)


def resolutions(world: World, markets: Collection[str]) -> list[Resolution]:
    """Proposed and paid outcomes of the given markets."""
    proposed = [
        Resolution(
            market.id, Status.PROPOSED, each.decided_at, proposed=payouts(each.outcome, index)
        )
        for each in world.running
        if each.outcome != OPEN
        for index, market in enumerate(world.script(each).markets)
        if market.id in markets
    ]
    paid = [
        Resolution(market.id, Status.RESOLVED, each.at, payouts(each.outcome, index))
        for each in world.past
        for index, market in enumerate(world.script(each).markets)
        if market.id in markets
    ]
    return proposed + paid


def _proposed(market: Market) -> Market:
    return replace(market, terms=replace(market.terms, status=Status.PROPOSED))
