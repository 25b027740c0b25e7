"""What the market stream costs: frames taken, and books handed out."""

import random
from collections.abc import Callable
from itertools import cycle

from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf
from tests.apps.markets.stream import frames as f

FRAMES = 1_000
TOKENS = 400


def _shelf(markets: int) -> tuple[Shelf, list[str]]:
    shelf = Shelf(Pace())
    known = [f.market(f"0x{n:064x}", f"1{n:069d}", f"2{n:069d}") for n in range(markets)]
    shelf.learn(known)
    tokens = [token.id for market in known for token in market.tokens]
    shelf.follow(1, tokens, f.NOW)
    shelf.opened(1, f.NOW)
    for market in known:
        books = (f.book(market.yes.id), f.mirrored() | {"asset_id": market.no.id})
        shelf.receive(1, f.text(*(book | {"market": market.id} for book in books)), f.NOW)
    return shelf, tokens


def frames() -> Callable[[], object]:
    """A change of both tokens, with its best prices, as most frames are."""
    draw = random.Random(1)
    shelf, tokens = _shelf(TOKENS // 2)
    told, at = [], f.NOW
    for _ in range(FRAMES):
        at += 1
        number, size = draw.randrange(TOKENS // 2), str(draw.randint(1, 9_999))
        yes, no = tokens[2 * number : 2 * number + 2]
        one = f.change(("BUY", "0.39", size), best=("0.40", "0.42"), token=yes, at=at)
        two = f.change(("SELL", "0.61", size), best=("0.58", "0.60"), token=no, at=at)
        rows = one["price_changes"] + two["price_changes"]
        told.append(f.text(one | {"market": f"0x{number:064x}", "price_changes": rows}))
    turns = cycle(range(2**40))

    def take() -> None:
        now = at + next(turns)
        for frame in told:
            shelf.receive(1, frame, now)

    return take


def view() -> Callable[[], object]:
    """The books of a tick, a tenth of them changed since the last one."""
    shelf, tokens = _shelf(TOKENS // 2)
    turns = cycle(range(1, 2**40))

    def look() -> None:
        now = f.NOW + next(turns)
        for number in range(0, TOKENS // 2, 10):
            size = str(now % 997 + 1)
            change = f.change(("BUY", "0.39", size), token=tokens[2 * number], at=now)
            shelf.receive(1, f.text(change | {"market": f"0x{number:064x}"}), now)
        shelf.expire(now)
        shelf.due(tokens, now)
        shelf.view(tokens, 10)

    return look
