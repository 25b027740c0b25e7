"""Orders that rest: their place in the queue, moved by trade prints and by what the book displays.

A resting order fills when a print went through its price, when prints at its price have used up
everything queued before it, or when the book shows the other side beyond its price. What is
displayed is never ours: our orders are not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from execution.core.depletion import level_key
from execution.core.ports import Match, Take
from execution.core.taking import offers
from execution.core.types import Depletion, LevelKey, Liquidity, Order, OrderState, Side
from markets.core import venue
from markets.core.amounts import plain
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule, Print


class Queue(StrEnum):
    """Who left when displayed size vanished without a trade: nobody before us, some, or all."""

    CONSERVATIVE = "conservative"
    BASE = "base"
    OPTIMISTIC = "optimistic"


@dataclass(slots=True)
class Flow:
    """A tick's prints by market, and how much of each, by its place, our own orders have used."""

    prints: Mapping[str, list[Print]]
    used: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, tick: Tick) -> "Flow":
        """The prints that arrived with a tick, in the order they were made."""
        found: dict[str, list[Print]] = {}
        for print_ in sorted(tick.prints, key=lambda p: (p.at, p.transaction, p.token, p.price)):
            found.setdefault(print_.market, []).append(print_)
        return cls(found)


def price_for(order: Order, print_: Print) -> int | None:
    """The print's price as the order's token sees it, None where its taker was on our side.

    Buying NO at w takes YES bids at 1 - w: prints of both tokens reach one queue.
    """
    direct = print_.token == order.token
    sold = (print_.side == "sell") == direct
    if sold is not (order.side is Side.BUY):
        return None
    return print_.price if direct else ONE - print_.price


def join(order: Order, tick: Tick, queue: Queue) -> Order:
    """The order with its place at the end of the queue, on the first book seen after it arrived.

    What the book of its decision displayed stood before it; the conservative model adds what was
    displayed since.
    """
    ahead = order.seen
    if queue is Queue.CONSERVATIVE:
        ahead = max(ahead, displayed(order.token, order.side, order.price, tick))
    return replace(order, ahead=ahead, state=OrderState.RESTING)


def rest(
    order: Order,
    tick: Tick,
    flow: Flow,
    *,
    queue: Queue,
    phantom: int,
    depleted: dict[LevelKey, Depletion],
    until: int | None,
) -> Match:
    """One tick of an order in the book; `until` is when the book was cleared under it, or None.

    A print counts on the tick on which it arrived, if it was made after the order arrived. A book
    counts only if it was read anew.
    """
    order, takes, traded = _prints(order, flow, until)
    column, _ = tick.universe.token[order.token]
    observed = int(tick.observed_at[column])
    anew = observed >= order.arrives_at and observed > order.seen_at
    if anew and tick.coherent[column] and (until is None or observed < until):
        if _is_through(order, tick):
            through = _through(order, tick, depleted, phantom, len(takes))
            order = replace(order, filled=order.filled + sum(t.size for t in through))
            takes += through
        order = _moved(order, tick, traded, queue, observed)
    fee = tick.universe.markets[column].terms.fee
    return Match(order, tuple(_with_rebate(take, fee) for take in takes))


def behind(back: int, ahead: int) -> int:
    """The chance, in micro, that size which left stood behind us: f(back)/(f(back)+f(ahead)), x^3.

    Where nothing is known, 0 of 0, it stood ahead. Source: the probability queue model of
    hftbacktest's documentation.
    """
    total = back**3 + ahead**3
    return back**3 * ONE // total if total else 0


def _prints(order: Order, flow: Flow, until: int | None) -> tuple[Order, list[Take], int]:
    """The order after the tick's prints, its takes, and what was printed at its price."""
    takes: list[Take] = []
    traded = 0
    for place, print_ in enumerate(flow.prints.get(order.market, ())):
        price = price_for(order, print_)
        if price is None or print_.at <= order.arrives_at or (until and print_.at >= until):
            continue
        beyond = price < order.price if order.side is Side.BUY else price > order.price
        if price != order.price and not beyond:
            continue
        used = flow.used.get((order.market, place), 0)
        free = print_.size - used
        waiting = 0 if beyond else min(order.ahead, free)
        traded += 0 if beyond else print_.size
        size = venue.floor_size(min(order.left, free - waiting))
        ahead = 0 if beyond else order.ahead - waiting
        order = replace(order, ahead=ahead, filled=order.filled + size)
        if size:
            flow.used[order.market, place] = used + size
            told = _beyond(print_, price) if beyond else _consumed(print_, waiting)
            takes.append(_maker(order, len(takes), size, print_.at, told))
    return order, takes, traded


def _is_through(order: Order, tick: Tick) -> bool:
    """Whether the opposite touch lies strictly beyond the order's price."""
    bid, ask = tick.touch(order.token)
    if order.side is Side.BUY:
        return ask is not None and ask < order.price
    return bid is not None and bid > order.price


def _through(
    order: Order, tick: Tick, depleted: dict[LevelKey, Depletion], phantom: int, first: int
) -> list[Take]:
    """Fills at the order's price against what the book shows strictly beyond it."""
    buy = order.side is Side.BUY
    column, _ = tick.universe.token[order.token]
    limit = order.price - 1 if buy else order.price + 1
    takes: list[Take] = []
    left = order.left
    for offer in offers(order.token, buy, limit, tick, depleted=depleted, phantom=phantom):
        size = venue.floor_size(min(left, offer.usable))
        if size <= 0:
            continue
        left -= size
        key = level_key(order.token, buy, offer.price, tick)
        depleted[key] = Depletion(offer.taken + size, offer.displayed)
        told = (
            f"book through us: {plain(offer.displayed)} displayed at {plain(offer.price)}, "
            f"{plain(offer.taken)} already taken by us, {plain(offer.usable)} believed"
        )
        takes.append(_maker(order, first + len(takes), size, int(tick.observed_at[column]), told))
    return takes


def _moved(order: Order, tick: Tick, traded: int, queue: Queue, observed: int) -> Order:
    """The order's new place in the queue after a look at what its price displays."""
    shown = displayed(order.token, order.side, order.price, tick)
    ahead = order.ahead
    gone = max(0, order.seen - shown - traded)
    if queue is Queue.OPTIMISTIC:
        ahead -= min(ahead, gone)
    elif queue is Queue.BASE:
        back = max(0, order.seen - traded - ahead)
        ahead -= min(ahead, gone * (ONE - behind(back, ahead)) // ONE)
    return replace(order, ahead=min(ahead, shown), seen=shown, seen_at=observed)


def displayed(token: str, side: Side, price: int, tick: Tick) -> int:
    """Shares shown at one price on the side an order of `side` would join."""
    book = tick.book(token)
    levels = book.bids if side is Side.BUY else book.asks
    return next((level.size for level in levels if level.price == price), 0)


def _maker(order: Order, level: int, size: int, at: int, evidence: str) -> Take:
    return Take(level, order.price, size, 0, evidence, at, liquidity=Liquidity.MAKER)


def _with_rebate(take: Take, fee: FeeSchedule | None) -> Take:
    """The maker's share of the taker's fee, estimated from the market's rebate rate."""
    if fee is None or not fee.rebate_rate:
        return take
    return replace(
        take, rebate=venue.taker_fee(take.size, take.price, fee) * fee.rebate_rate // ONE
    )


def _beyond(print_: Print, price: int) -> str:
    return f"traded through: {plain(print_.size)} printed at {plain(price)}"


def _consumed(print_: Print, waiting: int) -> str:
    return (
        f"queue consumed: {plain(print_.size)} printed at our price, "
        f"{plain(waiting)} were ahead of us"
    )
