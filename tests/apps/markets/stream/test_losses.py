"""Deltas lost, doubled and out of order, beside the truth: what is believed was true."""

import os
import random
from dataclasses import dataclass, field

import pytest

from markets.core.types import Book, Level
from markets.sources.stream import messages
from markets.sources.stream.messages import Touch
from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf
from tests.apps.markets.stream import frames as f

SEED = int(os.environ.get("PQAP_TEST_SEED", "1"))
PACE = Pace()
STEP_MS = 400


@dataclass
class Truth:
    """The exchange's own book of one token, changed at random; it never crosses."""

    draw: random.Random
    at: int = f.NOW
    bids: dict[int, int] = field(default_factory=lambda: {40: 10, 39: 20, 38: 30})
    asks: dict[int, int] = field(default_factory=lambda: {43: 10, 44: 20, 45: 30})
    past: dict[int, Touch] = field(default_factory=dict)

    def touch(self) -> Touch:
        bid, ask = max(self.bids, default=None), min(self.asks, default=None)
        return Touch(bid and bid * 10_000, ask and ask * 10_000)

    def step(self, now: int) -> dict[str, object]:
        """One message of one to four changes, as the exchange would send it."""
        self.at = now
        rows = [self._change() for _ in range(self.draw.randint(1, 4))]
        touch = self.touch()
        stated = (str((touch.bid or 0) / 1e6), str((touch.ask or 1_000_000) / 1e6))
        return f.change(*rows, best=stated, at=now)

    def _change(self) -> tuple[str, str, str]:
        buys = self.draw.random() < 0.5
        side, other = (self.bids, self.asks) if buys else (self.asks, self.bids)
        low, high = (30, min(other, default=60) - 1) if buys else (max(other, default=30) + 1, 60)
        price = self.draw.randint(low, high) if low <= high else (low if buys else high)
        size = self.draw.choice([0, 0, self.draw.randint(1, 99)])
        if low > high:
            size = 0
        side.pop(price, None)
        if size:
            side[price] = size
        return ("BUY" if buys else "SELL", f"0.{price:02d}", str(size))

    def book(self, seen: int) -> Book:
        bids = [Level(p * 10_000, s * 1_000_000) for p, s in sorted(self.bids.items())[::-1]]
        asks = [Level(p * 10_000, s * 1_000_000) for p, s in sorted(self.asks.items())]
        return Book(f.YES, tuple(bids), tuple(asks), seen, self.at)


@pytest.mark.parametrize("run", range(15))
def test_a_believed_book_showed_the_true_best_prices_when_it_was_confirmed(run):
    draw = random.Random(f"{SEED}-{run}")
    truth, shelf, now = Truth(draw), Shelf(PACE), f.NOW
    shelf.learn([f.market()])
    shelf.follow(1, [f.YES], now)
    shelf.opened(1, now)
    shelf.check({f.YES: truth.book(now)}, now)
    first = truth.book(now)
    opening = messages.Whole(f.CONDITION, f.YES, now, first.bids, first.asks)
    shelf._take(1, (opening,), now)
    touches = {now: truth.touch()}
    waiting: list[str] = []
    believed = 0
    for _ in range(400):
        now += STEP_MS
        if draw.random() < 0.7:
            waiting.append(f.text(truth.step(now)))
        touches[now] = truth.touch()
        arrived = _mishap(waiting, draw)
        for frame in arrived:
            shelf.receive(1, frame, now)
        shelf.expire(now)
        if draw.random() < 0.1 and shelf.due([f.YES], now):
            shelf.check({f.YES: truth.book(now)}, now)
            exact = shelf.view([f.YES], None)[0].get(f.YES)
            assert exact is None or (exact.bids, exact.asks) == _sides(truth), f"seed {SEED} {run}"
        for book in shelf.view([f.YES], None)[0].values():
            believed += 1
            shown = Touch(
                book.bids[0].price if book.bids else None, book.asks[0].price if book.asks else None
            )
            assert shown == touches[_instant(book, touches)], f"seed {SEED} run {run}"
    assert believed > 50, f"seed {SEED} run {run}"


def _mishap(waiting: list[str], draw: random.Random) -> list[str]:
    """What arrives now of the frames under way: some are lost, doubled, or wait behind others."""
    if draw.random() < 0.1:
        return []
    arrived, waiting[:] = list(waiting), []
    if draw.random() < 0.1:
        draw.shuffle(arrived)
    if arrived and draw.random() < 0.1:
        arrived.pop(draw.randrange(len(arrived)))
    if arrived and draw.random() < 0.1:
        arrived.append(draw.choice(arrived))
    return arrived


def _sides(truth: Truth) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    book = truth.book(0)
    return book.bids, book.asks


def _instant(book: Book, touches: dict[int, Touch]) -> int:
    """The instant a book speaks of: its last change, which a later confirmation did not move."""
    return max(at for at in touches if at <= book.venue_at)
