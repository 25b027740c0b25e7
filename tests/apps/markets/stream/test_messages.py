"""Every message of the socket: recorded ones to the right facts, bad ones to a named flaw."""

import json
from typing import Any

import pytest

from markets.core.types import ONE, Level
from markets.sources.stream import messages
from markets.sources.stream.messages import (
    Best,
    Delta,
    Ended,
    Flawed,
    Grid,
    Listed,
    Touch,
    Trade,
    Whole,
)
from tests.apps.markets.stream import frames as f
from tests.exchange.payloads import shared


def read(*items: Any) -> tuple[messages.Message, ...]:
    return messages.read(f.text(*items), f.NOW)


def recorded(name: str) -> tuple[messages.Message, ...]:
    return messages.read(json.dumps(shared(f"ws-market-{name}"), default=str), f.NOW)


class TestRecorded:
    """Messages the live exchange sent."""

    def test_a_full_book(self):
        [whole] = recorded("book-trump-2024")

        assert isinstance(whole, Whole)
        assert whole.at == 1_728_799_418_260
        assert whole.bids[0] == Level(511_000, 1_304_720_000)
        assert whole.asks[0].price > whole.bids[0].price
        assert list(whole.asks) == sorted(whole.asks, key=lambda level: level.price)

    def test_a_batch_of_changes(self):
        found = recorded("price-change-batch")

        assert [(d.bid_side, d.price, d.size) for d in found] == [
            (True, 600_000, 3_300_000_000),
            (True, 500_000, 3_400_000_000),
            (True, 700_000, 3_400_000_000),
        ]
        assert {d.touch for d in found} == {Touch(600_000, 700_000)}
        assert {d.at for d in found} == {1_729_084_877_448}

    def test_a_trade(self):
        [made] = recorded("last-trade-price")

        assert isinstance(made, Trade)
        assert (made.side, made.price, made.size) == ("sell", 491_000, 85_360_000)
        assert (made.at, made.transaction) == (1_724_564_136_087, "")

    def test_best_prices(self):
        [best] = recorded("best-bid-ask")

        assert isinstance(best, Best)
        assert best.touch == Touch(730_000, 770_000)

    def test_a_finer_price_grid(self):
        [grid] = recorded("tick-size-change-001-to-0001")

        assert isinstance(grid, Grid)
        assert grid.tick_size == 1_000

    def test_a_new_market(self):
        [listed] = recorded("new-market")

        assert isinstance(listed, Listed)
        assert listed.event == "nvda-above-in-january-2026"

    def test_an_outcome(self):
        [ended] = recorded("market-resolved")

        assert isinstance(ended, Ended)
        assert ended.winner.startswith("7604307375665367822637398196407557131826728924813471736928")
        assert ended.at == 1_766_790_415_550


class TestShapes:
    def test_pong_is_no_message(self):
        assert messages.read("PONG", f.NOW) == messages.read(b"PONG\n", f.NOW) == ()

    def test_an_array_keeps_its_order(self):
        found = read(f.book(), f.change(("BUY", "0.41", "1")), f.trade())

        assert [type(message) for message in found] == [Whole, Delta, Trade]

    @pytest.mark.parametrize(
        "shape",
        [
            {"asset_id": f.YES, "price": "0.4", "size": "7", "side": "BUY"},
            {"asset_id": f.YES, "changes": [{"price": ".4", "size": "7", "side": "BUY"}]},
            {
                "price_changes": [
                    {"asset_id": f.YES, "price": "0.40", "size": "7", "side": "BUY", "new": 1}
                ]
            },
        ],
    )
    def test_all_three_shapes_of_a_change_mean_the_same(self, shape):
        told = {"event_type": "price_change", "market": f.CONDITION, "timestamp": str(f.NOW)}

        assert read(told | shape) == (
            Delta(f.CONDITION, f.YES, f.NOW, True, 400_000, 7_000_000, None),
        )

    def test_size_zero_removes_and_bid_zero_ask_one_are_empty_sides(self):
        [gone] = read(f.change(("SELL", "0.42", "0"), best=("0", "1")))

        assert (gone.size, gone.touch) == (0, Touch(None, None))

    def test_a_book_may_state_its_price_grid(self):
        assert read(f.book(tick_size="0.001"))[0].tick_size == 1_000

    def test_an_outcome_without_a_winner_names_none(self):
        ended = {
            "event_type": "market_resolved",
            "market": f.CONDITION,
            "timestamp": str(f.NOW),
            "winning_asset_id": None,
        }

        assert read(ended) == (Ended(f.CONDITION, f.NOW, ""),)


def without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


BAD = {
    "book: no bids": without(f.book(), "bids"),
    "book: price twice": f.book(bids=(("0.4", "1"), ("0.40", "2"))),
    "book: price of one": f.book(asks=(("1", "1"),)),
    "book: size zero": f.book(asks=(("0.5", "0"),)),
    "book: no time": without(f.book(), "timestamp"),
    "book: from the future": f.book(at=f.NOW + 61_000),
    "price_change: side": f.change(("LONG", "0.4", "1")),
    "price_change: negative size": f.change(("BUY", "0.4", "-1")),
    "price_change: price": f.change(("BUY", "nan", "1")),
    "price_change: no rows": without(f.change(("BUY", "0.4", "1")), "price_changes")
    | {"price_changes": 5},
    "best_bid_ask: no ask": without(f.best("0.4", "0.5"), "best_ask"),
    "last_trade_price: size": f.trade(size="0"),
    "tick_size_change: grid": f.about("tick_size_change", new_tick_size="0.03"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_a_flaw_with_its_kind_and_field(name):
    found = read(BAD[name])

    assert [type(message) for message in found] == [Flawed]
    assert found[0].kind == name.split(":")[0]
    assert found[0].market == f.CONDITION
    assert found[0].why


def test_one_bad_change_of_many_is_one_flaw():
    found = read(f.change(("BUY", "0.4", "1"), ("BUY", "oops", "1"), ("SELL", "0.5", "1")))

    assert [type(message) for message in found] == [Delta, Flawed, Delta]
    assert found[1].token == f.YES


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("", "garbage"),
        ("{", "garbage"),
        ("[" * 100_000, "garbage"),
        ('"INVALID OPERATION"', "garbage"),
        ("[1, null]", "garbage"),
        ("\x00\xff", "garbage"),
        ('{"event_type": "candle"}', "unknown"),
        ('{"event_type": ["book"]}', "unknown"),
        ("{}", "unknown"),
    ],
)
def test_no_frame_raises(frame, kind):
    assert {message.kind for message in messages.read(frame, f.NOW)} == {kind}


def test_bytes_that_are_no_text_are_garbage():
    assert messages.read(b"\xff\xfe\x00", f.NOW)[0].kind == "garbage"


def test_a_price_is_exact():
    [delta] = read(f.change(("BUY", "0.123", "85.369999")))

    assert (delta.price, delta.size) == (123_000, 85_369_999)
    assert delta.price < ONE
