"""Values with defaults, so that a test states only what matters."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from markets.core import book as books
from markets.core.tick import Tick, Universe
from markets.core.types import (
    ONE,
    Book,
    Event,
    FeeSchedule,
    Level,
    Market,
    Print,
    Resolution,
    Terms,
    Token,
)

NOON = 1_767_268_800_000
"""2026-01-01 12:00 UTC in ms."""
DAY = 86_400_000


def micro(text: str | int | float) -> int:
    """ "0.41" -> 410_000."""
    return int(Decimal(str(text)) * ONE)


def levels(*pairs: tuple[str, str | int]) -> tuple[Level, ...]:
    """levels(("0.41", 50), ("0.42", 40)) in the order given."""
    return tuple(Level(micro(price), micro(size)) for price, size in pairs)


def book(
    token: str = "yes-1",
    bids: Sequence[tuple[str, str | int]] = (("0.40", 1000),),
    asks: Sequence[tuple[str, str | int]] = (("0.42", 1000),),
    at: int = NOON,
    venue_at: int = 0,
) -> Book:
    return Book(token, levels(*bids), levels(*asks), at, venue_at)


def market(
    id: str = "m-1",
    *,
    event: str = "e-1",
    neg_risk: bool = False,
    tick_size: str = "0.01",
    min_size: int = 5,
    fee_rate: str | None = "0.05",
    end_at: int | None = NOON + 30 * DAY,
    volume_24h: int = 50_000,
    category: str = "politics",
) -> Market:
    fee = FeeSchedule(micro(fee_rate)) if fee_rate is not None else None
    return Market(
        id=id,
        slug=f"slug-{id}",
        question=f"Question {id}?",
        category=category,
        event=Event(event, f"slug-{event}", f"Event {event}", neg_risk),
        yes=Token(f"yes-{id.removeprefix('m-')}", "Yes"),
        no=Token(f"no-{id.removeprefix('m-')}", "No"),
        terms=Terms(end_at, micro(tick_size), micro(min_size), fee),
        created_at=NOON - 60 * DAY,
        volume_24h=micro(volume_24h),
    )


def universe(*markets: Market, version: int = 1) -> Universe:
    return Universe(version, markets or (market(),))


def tick(
    world: Universe | None = None,
    yes_books: Mapping[str, Book] | None = None,
    *,
    at: int = NOON,
    id: int = 1,
    resolutions: Sequence[Resolution] = (),
    prints: Sequence[Print] = (),
    levels_kept: int = 10,
) -> Tick:
    """A tick in which every given YES book (by token id) was just read, and no other ever."""
    world = world or universe()
    given = (
        yes_books if yes_books is not None else {m.yes.id: book(m.yes.id) for m in world.markets}
    )
    found = [given.get(m.yes.id) for m in world.markets]
    bids = [books.best_bid(b) if b else None for b in found]
    asks = [books.best_ask(b) if b else None for b in found]
    ints, flags = np.int64, np.bool_
    return Tick(
        at=at,
        universe=world,
        bid=np.array([b.price if b else 0 for b in bids], dtype=ints),
        ask=np.array([a.price if a else ONE for a in asks], dtype=ints),
        bid_size=np.array([b.size if b else 0 for b in bids], dtype=ints),
        ask_size=np.array([a.size if a else 0 for a in asks], dtype=ints),
        bid_valid=np.array([b is not None for b in bids], dtype=flags),
        ask_valid=np.array([a is not None for a in asks], dtype=flags),
        observed_at=np.array([at if b else 0 for b in found], dtype=ints),
        venue_at=np.array([b.venue_at if b else 0 for b in found], dtype=ints),
        coherent=np.array([b is not None for b in found], dtype=flags),
        depth=tuple(books.pack(b, levels_kept) if b else b"" for b in found),
        resolutions=tuple(resolutions),
        prints=tuple(prints),
        id=id,
    )


def printed(
    price: str, size: str | int, at: int, *, token: str = "yes-1", side: str = "sell"
) -> Print:
    """A trade of market m-1 whose taker sold (or bought) `token`."""
    return Print("m-" + token.split("-")[1], token, side, micro(price), micro(size), at)
