"""Reading a whole reply fast gives, book by book, what the strict reader gives."""

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from markets.core.types import Book
from markets.sources import wire, wire_books, wire_clob
from markets.sources.wire import Unreadable
from markets.sources.wire_books import Replies, Seen
from tests.exchange import rendered
from tests.exchange.payloads import own, shared

AT = 1_790_000_000_000
NEWS = (
    *("", "0", "1", ".5", "0.5", "0.50", "00.5", "1.5", "-0.5", "+0.5", " 0.5", "0.5 ", "1e-1"),
    *("0.1234567", "0.0000001", "0.000000", "1_0", "12345678901234", "NaN", "٠.٥", "\u0000"),
    *(None, True, False, 0, 1, 5, 0.5, [], {}, "0x" + "f" * 64, "5" * 78, "5" * 79, 'a"b', "é"),
)


def compact(found: object) -> bytes:
    """JSON as the exchange writes it: fractions that came as numbers go out as numbers."""
    return json.dumps(found, separators=(",", ":")).encode()


def signed(item: dict[str, Any]) -> dict[str, Any]:
    """The item with the hash of what it holds, so that its other faults come to light."""
    blank = item | {"hash": ""}
    return item | {"hash": wire_clob.digest(blank) if set(blank) == set(wire_clob.HASHED) else ""}


def strict(body: bytes, depth: int | None) -> list[object]:
    """What the readers say that know no short cut: a book with its market, or what is wrong."""
    return [_judged(item, depth) for item in wire.decode(body)]


def fast(replies: Replies, body: bytes, depth: int | None) -> list[object]:
    return [
        (item.market, item.at(AT)) if isinstance(item, Seen) else _judged(item, depth)
        for item in replies.decode(body)
    ]


def _judged(item: object, depth: int | None) -> object:
    try:
        return wire_clob.book(item, AT, depth=depth)
    except Unreadable as e:
        return type(e), str(e)


def reply(*books: bytes) -> bytes:
    """A reply of these books, after one that is read as JSON whatever it is."""
    return b"[" + b",".join((rendered.sheet(99, 0, 0).at(AT), *books)) + b"]"


class TestTheShortCut:
    def test_is_taken_for_what_the_exchange_sends(self):
        body = reply(rendered.sheet(7, 0, 0).at(AT), rendered.sheet(7, 1, 0).at(AT))

        found = Replies().decode(body)

        assert [type(item) for item in found] == [dict, Seen, Seen]
        assert fast(Replies(), body, None) == strict(body, None)
        assert found[1].book.tick_size == 1_000
        assert found[1].book.min_size == 5_000_000

    def test_is_taken_for_recorded_books(self):
        items = shared("clob-books-negrisk-fed-june-2026")
        items.append(shared("clob-book-crypto-5m-never-traded"))
        body = compact(items)

        assert {type(item) for item in Replies().decode(body)[1:]} == {Seen}
        for depth in (None, 10, 1):
            assert fast(Replies(depth), body, depth) == strict(body, depth)

    def test_knows_again_only_what_the_round_before_showed(self):
        replies, body = Replies(), reply(rendered.sheet(1, 0, 0).at(AT))
        replies.next_round()
        first = replies.decode(body)[1]
        replies.next_round()

        assert replies.decode(body)[1] is first
        replies.next_round()
        replies.next_round()
        assert replies.decode(body)[1] is not first

    def test_a_book_known_again_was_observed_anew(self):
        replies, body = Replies(), reply(rendered.sheet(1, 0, 0).at(AT))
        seen = [replies.decode(body)[1].at(AT + n).observed_at for n in range(3)]

        assert seen == [AT, AT + 1, AT + 2]

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda b: b[:-1],
            lambda b: b[:-2] + b"]",
            lambda b: b[: len(b) // 2],
            lambda b: b[: b.index(b'"},{') + 2] + b"]",
            lambda b: b + b"]",
            lambda b: b"[" + b,
            lambda b: b.replace(b'},{"market":"', b'},,{"market":"'),
            lambda b: b.replace(b'},{"market":"', b'}{"market":"'),
        ],
    )
    def test_what_is_not_json_is_not_read(self, spoil):
        body = compact(own("clob_books"))

        with pytest.raises(ValueError):
            wire.decode(spoil(body))
        with pytest.raises(ValueError):
            Replies().decode(spoil(body))

    def test_one_changed_digit_is_found(self):
        good = rendered.sheet(3, 0, 0).at(AT)
        at = good.index(b'"size":"') + 8
        bad = good[:at] + (b"9" if good[at : at + 1] != b"9" else b"8") + good[at + 1 :]

        assert wire_books.quick(good, None)
        assert wire_books.quick(bad, None) is None
        verdict = fast(Replies(), reply(bad), None)[1]
        assert verdict[0] is wire_clob.BadHash


class TestDifferential:
    """Random books, changed at random, one round after the other."""

    @pytest.mark.parametrize("depth", [None, 3])
    def test_both_readers_agree(self, depth):
        seed = int(os.environ["PQAP_TEST_SEED"])
        luck, replies = random.Random(seed), Replies(depth)
        taken = mutated = 0
        for round_ in range(60):
            replies.next_round()
            items = [self._item(luck, round_) for _ in range(12)]
            body = self._damaged(luck, compact(items))
            try:
                expected = strict(body, depth)
            except ValueError:
                with pytest.raises(ValueError):
                    replies.decode(body)
                continue
            assert fast(replies, body, depth) == expected, f"seed {seed}, round {round_}"
            taken += sum(isinstance(item, Seen) for item in replies.decode(body))
            mutated += sum(isinstance(item, tuple) and item[0] is not str for item in expected)

        assert taken > 100
        assert mutated > 100

    def _item(self, luck: random.Random, round_: int) -> object:
        index, side = luck.randrange(6), luck.randrange(2)
        stamp = AT + (round_ // 4 if index % 2 else 0)
        item = json.loads(rendered.sheet(index, side, 0).at(stamp))
        if luck.random() < 0.6:
            luck.choice(CHANGES)(luck, item)
            if luck.random() < 0.8:
                item = signed(item)
        return item

    def _damaged(self, luck: random.Random, body: bytes) -> bytes:
        if luck.random() < 0.7:
            return body
        at = luck.randrange(len(body))
        return body[:at] + bytes([luck.randrange(256)]) + body[at + luck.randrange(2) :]


def _field(luck: random.Random, item: dict[str, Any]) -> None:
    item[luck.choice(list(item))] = luck.choice(NEWS)


def _without(luck: random.Random, item: dict[str, Any]) -> None:
    del item[luck.choice(list(item))]


def _beside(luck: random.Random, item: dict[str, Any]) -> None:
    item[luck.choice(["more", "Market", "bid"])] = luck.choice(NEWS)


def _level(luck: random.Random, item: dict[str, Any]) -> None:
    level = luck.choice(item["bids"] + item["asks"])
    level[luck.choice(["price", "size"])] = luck.choice(NEWS)


def _twice(luck: random.Random, item: dict[str, Any]) -> None:
    side = item[luck.choice(["bids", "asks"])]
    side.insert(luck.randrange(len(side)), dict(luck.choice(side)))


def _shuffled(luck: random.Random, item: dict[str, Any]) -> None:
    luck.shuffle(item[luck.choice(["bids", "asks"])])


def _emptied(luck: random.Random, item: dict[str, Any]) -> None:
    item[luck.choice(["bids", "asks"])] = []


def _stray(luck: random.Random, item: dict[str, Any]) -> None:
    item[luck.choice(["bids", "asks"])].append(luck.choice([*NEWS, {"price": "0.5"}]))


CHANGES: tuple[Callable[[random.Random, dict[str, Any]], None], ...] = (
    *(_field, _without, _beside, _level, _level, _level, _twice, _shuffled, _emptied, _stray),
)


def test_a_book_says_the_grid_it_is_on():
    item = own("clob_books")[0] | {"hash": ""}
    grids = [
        ("0.001", 1_000),
        (0.01, 10_000),
        ("", 0),
        (None, 0),
        ("soon", 0),
        (True, 0),
        ("-1", 0),
    ]
    for stated, expected in grids:
        body = compact([item | {"tick_size": stated, "min_order_size": stated}])
        book: Book = wire_clob.book(wire.decode(body)[0], AT)[1]

        assert (book.tick_size, book.min_size) == (expected, expected)
