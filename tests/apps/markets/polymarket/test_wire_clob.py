"""Books and price history at the door."""

import pytest

from markets.core.types import Level
from markets.sources import wire_clob
from markets.sources.wire import Unreadable
from tests.exchange.payloads import own

AT = 1_790_000_000_000


class TestBook:
    def test_is_best_first_whatever_the_order_sent(self):
        no, yes = [wire_clob.book(item, AT)[1] for item in own("clob_books")]

        assert no.bids == (Level(690_000, 120_500_000), Level(685_000, 40_000_000))
        assert no.asks[0] == Level(700_000, 33_250_000)
        assert yes.bids[0] == Level(300_000, 33_250_000)
        assert yes.venue_at == 1_767_268_799_500
        assert yes.observed_at == AT

    def test_reads_the_same_from_arrays_in_any_order(self):
        item = own("clob_books")[0] | {"hash": ""}
        turned = item | {"bids": item["bids"][::-1], "asks": item["asks"][::-1]}

        assert wire_clob.book(turned, AT) == wire_clob.book(item, AT)

    def test_keeps_only_the_stated_depth(self):
        book = wire_clob.book(own("clob_books")[0], AT, depth=1)[1]

        assert [len(book.bids), len(book.asks)] == [1, 1]
        assert book.asks[0].price == 700_000

    def test_is_refused_when_its_hash_does_not_match(self):
        item = own("clob_books")[0]
        item["bids"][0]["size"] = "41"

        with pytest.raises(Unreadable, match="hash"):
            wire_clob.book(item, AT)

    def test_is_not_judged_by_a_hash_of_other_fields(self):
        older, newer = own("clob_books")
        del older["tick_size"]
        newer["future_field"] = "1"
        older["bids"][0]["size"] = newer["bids"][0]["size"] = "41"

        assert wire_clob.book(older, AT)[1].bids[1].size == 41_000_000
        assert wire_clob.book(newer, AT)

    @pytest.mark.parametrize(
        "level",
        [
            {"price": "1", "size": "5"},
            {"price": "0", "size": "5"},
            {"price": "1.2", "size": "5"},
            {"price": "-0.2", "size": "5"},
            {"price": "NaN", "size": "5"},
            {"price": "0.2", "size": "0"},
            {"price": "0.2", "size": "-1"},
            {"price": "0.2", "size": "1e400"},
            {"price": True, "size": "5"},
            {"price": None, "size": "5"},
            {"price": ["0.2"], "size": "5"},
            {"price": "0.69", "size": "5"},
            {"price": "0.2"},
            "0.2",
        ],
    )
    def test_is_refused_with_one_absurd_level(self, level):
        item = own("clob_books")[0] | {"hash": ""}
        item["bids"].append(level)

        with pytest.raises(Unreadable):
            wire_clob.book(item, AT)

    @pytest.mark.parametrize(
        "changes",
        [{"timestamp": "soon"}, {"asset_id": 7}, {"asset_id": "x"}, {"bids": None}, {"asks": {}}],
    )
    def test_is_refused_with_a_field_that_lies(self, changes):
        with pytest.raises(Unreadable):
            wire_clob.book(own("clob_books")[0] | {"hash": ""} | changes, AT)

    def test_one_dated_far_ahead_would_lock_its_market_out_and_is_refused(self):
        item = own("clob_books")[0] | {"hash": ""}
        ahead = item | {"timestamp": str(AT + wire_clob.AHEAD_MS + 1)}

        assert wire_clob.book(item | {"timestamp": str(AT + wire_clob.AHEAD_MS)}, AT)
        with pytest.raises(Unreadable, match="in the future"):
            wire_clob.book(ahead, AT)

    def test_history_is_sorted_and_says_each_time_once(self):
        points = wire_clob.history(own("clob_prices_history"), "7")

        assert [p.at // 1000 for p in points] == [1767268300, 1767268600, 1767268900]
        assert [p.price for p in points] == [300_000, 305_000, 310_000]
