"""A recorded stream whose deltas are lossy: what contradicts itself is seen and not believed.

The recording states no best prices beside its changes, so only a book that crosses itself shows a
loss here, and a full book or HTTP heals it.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from markets.core.types import Level
from markets.sources.stream import messages
from markets.sources.stream.local import LocalBook
from markets.sources.stream.messages import Delta, Message, Whole

MARKET = "0x" + "00" * 32
Row = tuple[int, str, int, str, str, float, float]
"""Time (ms UTC), token, message, kind of event, side, price, size."""


def recording() -> Path:
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data" / "book_events_mlb.parquet"
        if found.is_file():
            return found
    pytest.skip("the shared data collection is not beside this checkout")


def streams() -> Iterator[list[list[Message]]]:
    """Each token's messages in the order of their arrival."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(recording()).sort_by(
        [("token_id", "ascending"), ("file_order", "ascending")]
    )
    at = [int(moment.timestamp() * 1000) for moment in table["ts"].to_pylist()]
    names = ("token_id", "message_id", "event_type", "side", "price", "size")
    rows = zip(at, *(table[name].to_pylist() for name in names), strict=True)
    for _, told in groupby(rows, key=lambda row: row[1]):
        messages: dict[int, list[Row]] = {}
        for row in told:
            messages.setdefault(row[2], []).append(row)
        yield [_message(lines) for lines in messages.values()]


def _message(rows: list[Row]) -> list[Message]:
    at, token, _, kind, *_ = rows[0]
    told = [(side == "bid", round(p * 1e6), round(s * 1e6)) for *_, side, p, s in rows]
    if kind != "book":
        return [Delta(MARKET, token, at, *change) for change in told]
    bids, asks = (
        tuple(Level(price, size) for price, size in {p: s for b, p, s in told if b is side}.items())
        for side in (True, False)
    )
    return [Whole(MARKET, token, at, bids, asks)]


def test_crossed_books_of_a_lossy_recording_are_never_believed():
    seen: Counter[str] = Counter()
    worst = 0.0
    for told in streams():
        book, crossed, after = LocalBook("one"), 0, 0
        for message in told:
            _tell(book, message)
            touch = book.touch()
            seen["messages"] += 1
            if touch.bid is not None and touch.ask is not None and touch.bid >= touch.ask:
                assert book.trouble is not None
                crossed += 1
            seen["believed"] += book.trouble is None
            after += 1
        seen["tokens"] += 1
        seen["crossed"] += crossed
        seen["books"] += sum(isinstance(m[0], Whole) for m in told)
        worst = max(worst, crossed / after)
    total = seen["messages"]
    print(
        f"{total} messages of {seen['tokens']} tokens, {seen['books']} full books: "
        f"crossed after {seen['crossed'] / total:.1%} (worst token {worst:.1%}), "
        f"believed after {seen['believed'] / total:.1%}"
    )

    assert total == 64_373
    assert seen["crossed"] > 100
    assert seen["believed"] > total // 2


def _tell(book: LocalBook, message: list[messages.Message]) -> None:
    now = message[0].at
    if isinstance(message[0], Whole):
        book.replace(message[0], now)
    else:
        book.change(message, now)
