"""Taking displayed depth: what is believed of a level, and the walk through a book."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from execution.core.depletion import level_key
from execution.core.ports import Take
from execution.core.types import Depletion, LevelKey, Order, Side
from markets.core import venue
from markets.core.amounts import plain
from markets.core.tick import Tick
from markets.core.types import ONE, Level

MAX_LEVELS = 64
"""No order walks further than this; it bounds the rounding that a reservation must cover."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One displayed level as an order meets it; sizes in micro-shares."""

    place: int
    price: int
    displayed: int
    taken: int
    usable: int


def believed(displayed: int, phantom: int) -> int:
    """Depth believed at the touch: a fifth wholly, of the rest all but the phantom share."""
    first = displayed // 5
    return first + (displayed - first) * (ONE - phantom) // ONE


def offers(
    token: str,
    buy: bool,
    limit: int,
    tick: Tick,
    *,
    depleted: Mapping[LevelKey, Depletion],
    phantom: int,
) -> Iterator[Offer]:
    """Each level within the limit, best first, with what we believe is left of it."""
    book = tick.book(token)
    for place, level in enumerate((book.asks if buy else book.bids)[:MAX_LEVELS]):
        if (level.price > limit) if buy else (level.price < limit):
            return
        gone = depleted.get(level_key(token, buy, level.price, tick))
        taken = gone.taken if gone else 0
        usable = believed(level.size, phantom) if place == 0 else level.size
        yield Offer(place, level.price, level.size, taken, max(0, usable - taken))


def walk(
    order: Order, tick: Tick, *, depleted: Mapping[LevelKey, Depletion], phantom: int
) -> Iterator[Take]:
    """The levels of the book that an arrived order takes, up to its limit and size."""
    column, _ = tick.universe.token[order.token]
    fee = tick.universe.markets[column].terms.fee
    assert fee is not None
    wanted, buy = order.left, order.side is Side.BUY
    touch, observed = 0, int(tick.observed_at[column])
    for offer in offers(order.token, buy, order.price, tick, depleted=depleted, phantom=phantom):
        touch = touch or offer.price
        size = min(wanted, offer.usable)
        if size <= 0:
            continue
        wanted -= size
        charged = venue.taker_fee(size, offer.price, fee)
        yield Take(offer.place, offer.price, size, charged, _evidence(offer), observed, touch)
        if not wanted:
            return


def deplete(
    order: Order, takes: Iterable[Take], tick: Tick, left: dict[LevelKey, Depletion]
) -> None:
    """Remember what was taken from each level."""
    buy = order.side is Side.BUY
    shown = {level.price: level.size for level in _side(order, tick)}
    for take in takes:
        key = level_key(order.token, buy, take.price, tick)
        gone = left.get(key)
        left[key] = Depletion((gone.taken if gone else 0) + take.size, shown[take.price])


def average(token: str, buy: bool, size: int, tick: Tick) -> int:
    """What a share would cost (bring) on average if `size` walked the book now, micro-dollars.

    0 where the book displays nothing.
    """
    left, paid = size, 0
    for level in tick.book(token).asks if buy else tick.book(token).bids:
        taken = min(left, level.size)
        paid += taken * level.price
        left -= taken
        if not left:
            break
    return paid // (size - left) if size > left else 0


def _side(order: Order, tick: Tick) -> tuple[Level, ...]:
    book = tick.book(order.token)
    return book.asks if order.side is Side.BUY else book.bids


def _evidence(offer: Offer) -> str:
    """Why a fill is believed, in shares, for people and for later checks."""
    return (
        f"book crossed at level {offer.place + 1}: {plain(offer.displayed)} displayed, "
        f"{plain(offer.taken)} already taken by us, {plain(offer.usable)} believed"
    )
