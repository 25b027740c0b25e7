"""A recorded stream whose deltas are lossy: what contradicts itself is seen and not believed.

The recording states no best prices beside its changes, so only a book that crosses itself shows a
loss here, and a full book or HTTP heals it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from markets.core.types import Level
from markets.sources.stream import messages
from markets.sources.stream.local import LocalBook
from markets.sources.stream.messages import Delta, Message, Whole

MARKET = "0x" + "00" * 32


def recording() -> Path:
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data" / "book_events_mlb.parquet"
        if found.is_file():
            return found
    pytest.skip("the shared data collection is not beside this checkout")


def streams() -> Iterator[tuple[str, list[list[Message]]]]:
    """Each token's messages in the order of their arrival."""
    import pyarrow.parquet as parquet

    rows = parquet.read_table(recording()).to_pylist()
    tokens: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for row in sorted(rows, key=lambda row: (row["token_id"], row["file_order"])):
        tokens.setdefault(row["token_id"], {}).setdefault(row["message_id"], []).append(row)
    for token, told in tokens.items():
        yield token, [_message(token, lines) for lines in told.values()]


def _message(token: str, rows: list[dict[str, Any]]) -> list[Message]:
    at = int(rows[0]["ts"].timestamp() * 1000)
    if rows[0]["event_type"] == "book":
        sides: dict[str, dict[int, Level]] = {"bid": {}, "ask": {}}
        for row in rows:
            level = Level(round(row["price"] * 1e6), round(row["size"] * 1e6))
            sides[row["side"]][level.price] = level
        bids, asks = (tuple(side.values()) for side in sides.values())
        return [Whole(MARKET, token, at, bids, asks)]
    return [
        Delta(
            MARKET,
            token,
            at,
            row["side"] == "bid",
            round(row["price"] * 1e6),
            round(row["size"] * 1e6),
        )
        for row in rows
    ]


def test_crossed_books_of_a_lossy_recording_are_never_believed():
    seen: Counter[str] = Counter()
    worst = 0.0
    for token, told in streams():
        book, crossed, after = LocalBook(token), 0, 0
        for message in told:
            _tell(book, message)
            touch = book.touch()
            seen["messages"] += 1
            if touch.bid is not None and touch.ask is not None and touch.bid >= touch.ask:
                assert book.trouble is not None
                crossed += 1
            seen["believed"] += book.trouble is None
            after += 1
        seen["crossed"] += crossed
        seen["books"] += sum(isinstance(m[0], Whole) for m in told)
        worst = max(worst, crossed / after)
    total = seen["messages"]
    print(
        f"{total} messages of {len(list(streams()))} tokens, {seen['books']} full books: "
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
