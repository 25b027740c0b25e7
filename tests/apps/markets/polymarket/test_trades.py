"""Trades as the exchange lists them: pages, repeats, bets on several markets, damage."""

import json
from pathlib import Path

import pytest

from markets.core.ports import SourceDown
from markets.core.types import Print
from markets.sources import trades, wire, wire_data
from markets.sources.wire import Unreadable
from tests.apps.markets.polymarket.opened import NOW

ROW = {
    "side": "BUY",
    "token_id": "107",
    "condition_id": "0x" + "5a" * 32,
    "size": 22.84,
    "price": 0.52,
    "timestamp": 1_789_381_477,
    "transaction_hash": "0xAB",
}


def shared(name: str) -> Path:
    for parent in Path(__file__).resolve().parents:
        found = parent / "shared" / "polymarket" / "payloads" / name
        if found.exists():
            return found
    pytest.skip("real payloads are not beside this project")


class TestOneRow:
    def test_becomes_exact_numbers_and_a_time_in_milliseconds(self):
        found = wire_data.trade(wire.decode(json.dumps(ROW).encode()))

        assert found == Print(
            "0x" + "5a" * 32, "107", "buy", 520_000, 22_840_000, 1_789_381_477_000, "0xab"
        )

    def test_an_average_price_is_taken_to_the_nearest_millionth(self):
        row = wire.decode(json.dumps(ROW | {"price": 0.51999999}).encode())

        assert wire_data.trade(row).price == 520_000

    def test_a_bet_on_several_markets_is_none_of_ours(self):
        assert (
            wire_data.trade(ROW | {"condition_id": "0x" + "03" * 31, "price": "0.5", "size": 5})
            is None
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("side", "HOLD"), ("side", None), ("price", 1), ("price", "0"), ("price", "x"),
            ("size", 0), ("size", -1), ("size", None), ("timestamp", "soon"), ("timestamp", 1.5),
            ("timestamp", None), ("token_id", 107), ("condition_id", "0x5a"), ("condition_id", 5),
        ],
    )  # fmt: skip
    def test_damage_is_named_by_its_field(self, field, value):
        row = wire.decode(json.dumps(ROW | {field: value}).encode())

        with pytest.raises(Unreadable, match=field):
            wire_data.trade(row)

    def test_real_rows_of_both_routes_are_read(self):
        new = wire.decode(shared("data-v2-trades.json").read_bytes())["data"]
        old = wire.decode(shared("data-v1-trades-trump-2024.json").read_bytes())
        facts = [wire_data.trade(row) for row in (*new, *old)]

        assert (facts[0].side, facts[0].price, facts[0].size) == ("buy", 520_000, 22_840_000)
        assert facts[0].at == 1_789_381_477_000
        assert facts[1].price == 2_000
        assert (facts[2].side, facts[2].price) == ("sell", 998_000)
        assert facts[2].market.startswith("0xdd22472e552920b8438158ea7238bfad")

    def test_equal_fills_of_different_transactions_stay_apart(self):
        rows = wire.decode(shared("data-v1-trades-crypto.json").read_bytes())
        facts = [wire_data.trade(row) for row in rows]

        assert len({(fact.price, fact.size) for fact in facts}) < len(set(facts)) == len(rows)


class TestReading:
    def test_brings_what_was_made_since_and_nothing_of_combos(self, source, exchange):
        one, other, third = exchange.world.listings[:3]
        exchange.world.trade(one, "BUY", at=NOW - 60_000)
        exchange.world.trade(other, "SELL", at=NOW - 50_000)
        exchange.world.trade(third, at=NOW - 40_000)
        exchange.world.trade(one, at=NOW - 700_000)

        found = source.prints([one.condition, other.condition], NOW - 600_000, NOW)

        assert [(fact.market, fact.side) for fact in found] == [
            (one.condition, "buy"),
            (other.condition, "sell"),
        ]
        assert {fact.token for fact in found} == {one.yes, other.yes}

    def test_follows_pages_only_as_far_as_it_must(self, source, exchange):
        exchange.trades_page = 10
        listing = exchange.world.listings[0]
        for number in range(95):
            exchange.world.trade(listing, at=NOW - number * 10_000)

        found = source.prints([listing.condition], NOW - 300_000, NOW)

        assert len(found) == 30
        assert exchange.requests["/v2/trades"] == 4

    def test_says_when_it_gives_up_on_older_ones(self, source, exchange, caplog, monkeypatch):
        monkeypatch.setattr(trades, "MOST_PAGES", 3)
        exchange.trades_page = 10
        listing = exchange.world.listings[0]
        for number in range(95):
            exchange.world.trade(listing, at=NOW - number * 1_000)

        assert len(source.prints([listing.condition], 0, NOW)) == 30
        assert "the oldest are left out" in caplog.text

    def test_asks_twenty_markets_at_once(self, source, exchange):
        source.prints([listing.condition for listing in exchange.world.listings], 0, NOW)

        assert exchange.requests["/v2/trades"] == 2

    def test_no_trades_is_an_answer(self, source, exchange):
        assert list(source.prints([exchange.world.listings[0].condition], 0, NOW)) == []

    @pytest.mark.parametrize("fault", ["strange", "html"])
    def test_a_reply_that_is_none_is_a_fault_and_no_lack_of_trades(self, source, exchange, fault):
        exchange.fault("/v2/trades", fault)

        with pytest.raises(SourceDown):
            source.prints([exchange.world.listings[0].condition], 0, NOW)
