"""Every field we rely on: removed, renamed or retyped, it is noticed in one cycle, and by name."""

import copy
from typing import Any

import pytest

from markets.core.types import FeedState
from markets.sources import wire
from markets.sources.contracts import CONTRACTS
from markets.sources.drift import SAMPLE, Watch
from tests.apps.markets.polymarket.opened import NOW, tokens_of
from tests.exchange import drifting
from tests.exchange.payloads import OWN, own, shared

REPLIES = wire.decode((OWN / "replies.json").read_bytes())
RECORDED = {
    "gamma-event-crypto-5m": ("gamma/events/keyset", "events"),
    "gamma-events-negrisk-dem-nominee-2028": ("gamma/events/keyset", "events"),
    "gamma-event-negrisk-fed-june-2026": ("gamma/events/slug", ""),
    "gamma-market-closed-resolved-no": ("gamma/markets/slug", ""),
    "gamma-market-crypto-5m-preopen": ("gamma/markets/slug", ""),
    "gamma-market-crypto-5m-resolved-up": ("gamma/markets/slug", ""),
    "gamma-market-sports-moneyline-resolved": ("gamma/markets/slug", ""),
    "gamma-markets-list-two-open": ("gamma/markets/keyset", "markets"),
    "clob-books-negrisk-fed-june-2026": ("clob/books", ""),
    "clob-book-crypto-5m-never-traded": ("clob/books", "[]"),
    "clob-clobmarkets-fed-june-2026": ("clob/clob-markets", "[0]"),
    "clob-priceshistory-crypto-5m": ("clob/prices-history", ""),
    "data-v2-resolutions-resolved": ("data/v2/resolutions", ""),
    "data-v2-trades": ("data/v2/trades", ""),
    "data-v2-prices-history": ("data/v2/prices-history", ""),
    "ws-market-best-bid-ask": ("stream/best_bid_ask", ""),
    "ws-market-book-trump-2024": ("stream/book", ""),
    "ws-market-last-trade-price": ("stream/last_trade_price", ""),
    "ws-market-market-resolved": ("stream/market_resolved", ""),
    "ws-market-new-market": ("stream/new_market", ""),
    "ws-market-price-change-batch": ("stream/price_change", ""),
    "ws-market-tick-size-change-001-to-0001": ("stream/tick_size_change", ""),
}


def recorded(name: str) -> tuple[str, Any]:
    """The route of a recorded body and the body as that route sends it."""
    route, key = RECORDED[name]
    body = shared(name)
    shaped = {"": body, "[]": [body], "[0]": body[0] if key == "[0]" else None}
    return route, shaped.get(key, {key: body})


def missed(route: str, reply: Any, asked: dict[str, Any]) -> list[str]:
    """Changes of the fields the reply holds that were not noticed, or not forgiven."""
    found = []
    for change in drifting.changes(route):
        if not drifting.holds(change, reply, asked):
            continue
        watch = Watch({route: change.contract})
        pages = drifting.pages(change, reply, asked)
        for page in pages:
            watch.see(route, page, asked)
        if change.where in watch.faults(route):
            found.append(f"{change}: complains of a good page: {watch.reason(route)}")
        for page in pages:
            watch.see(route, change.apply(page), asked)
        if change.where not in watch.faults(route) or not watch.reason(route):
            found.append(f"{change}: not noticed")
        for page in pages:
            watch.see(route, page, asked)
        if change.where in watch.faults(route):
            found.append(f"{change}: not forgiven")
    return found


class TestEveryField:
    @pytest.mark.parametrize("route", CONTRACTS)
    def test_of_our_own_replies_is_missed_when_it_changes(self, route):
        asked, replies = REPLIES[route]["asked"], REPLIES[route]["replies"]

        assert [said for reply in replies for said in missed(route, reply, asked)] == []

    @pytest.mark.parametrize("name", RECORDED)
    def test_of_a_recorded_body_is_missed_when_it_changes(self, name):
        route, reply = recorded(name)

        assert missed(route, reply, {}) == []

    @pytest.mark.parametrize("name", RECORDED)
    def test_of_a_recorded_body_is_as_agreed(self, name):
        route, reply = recorded(name)
        watch = Watch(CONTRACTS)
        watch.see(route, reply, {})

        assert watch.reason(route) == ""

    @pytest.mark.parametrize("route", CONTRACTS)
    def test_stands_in_our_own_replies(self, route):
        asked, replies = REPLIES[route]["asked"], REPLIES[route]["replies"]
        absent = {
            change.where
            for change in drifting.changes(route)
            if not any(drifting.holds(change, reply, asked) for reply in replies)
        }

        assert absent == set()


class TestJudging:
    @pytest.fixture
    def watch(self):
        return Watch(CONTRACTS)

    @pytest.fixture
    def books(self):
        return [copy.deepcopy(book) for book in own("clob_books") * 40]

    def test_one_odd_item_is_its_own_affair(self, watch, books):
        del books[3]["asset_id"]
        books[5]["bids"] = "none"
        watch.see("clob/books", books, {})

        assert watch.reason("clob/books") == ""

    def test_most_items_are_everybody_s(self, watch, books):
        for book in books[: len(books) * 2 // 3]:
            del book["asset_id"]
        watch.see("clob/books", books, {})

        assert "asset_id is missing in" in watch.reason("clob/books")

    @pytest.mark.parametrize("reply", [{}, {"error": "x"}, None, "no", 7, True])
    def test_another_kind_of_reply(self, watch, reply):
        watch.see("clob/books", reply, {})

        assert "instead of a list" in watch.reason("clob/books")

    @pytest.mark.parametrize("reply", [[None] * 5, [1, 2], ["a"], [[], []]])
    def test_items_that_are_none(self, watch, reply):
        watch.see("clob/books", reply, {})

        assert watch.reason("clob/books")

    def test_an_empty_reply_proves_nothing(self, watch, books):
        watch.see("clob/books", [], {})
        assert watch.reason("clob/books") == ""
        for book in books:
            book["bids"] = "gone"
        watch.see("clob/books", books, {})
        watch.see("clob/books", [], {})

        assert watch.reason("clob/books")

    def test_several_fields_are_counted(self, watch, books):
        for book in books:
            del book["hash"], book["market"]
        watch.see("clob/books", books, {})

        assert watch.reason("clob/books").endswith("and 1 more fields")

    def test_a_first_page_that_is_full_leads_on(self, watch):
        page = {"events": [REPLIES["gamma/events/keyset"]["replies"][0]["events"][0]] * 100}
        watch.see("gamma/events/keyset", page, {"limit": 100, "after_cursor": "x"})
        assert watch.reason("gamma/events/keyset") == ""
        watch.see("gamma/events/keyset", page, {"limit": 100})

        assert "next_cursor is missing" in watch.reason("gamma/events/keyset")

    def test_looks_at_a_bounded_sample_of_the_whole_page(self, watch, books, monkeypatch):
        seen = []
        field = CONTRACTS["clob/books"].parts[0].fields[1]
        kind = type(field.kind)("digits", lambda value: seen.append(value) or True)
        object.__setattr__(field, "kind", kind)
        try:
            watch.see("clob/books", books * 7, {})
        finally:
            object.__setattr__(field, "kind", CONTRACTS["stream/book"].parts[0].fields[2].kind)

        assert 20 <= len(seen) <= SAMPLE


class TestThroughTheTransport:
    def test_a_renamed_field_is_told_in_the_same_read_and_forgiven_in_the_next(
        self, source, exchange
    ):
        tokens = tokens_of(source.markets(NOW))

        def renamed(book):
            book["assetId"] = book.pop("asset_id")
            return book

        exchange.world.spoiled_books = dict.fromkeys(tokens, renamed)
        source.books(tokens, NOW)
        [books] = [door for door in source.doors() if door.name == "clob/books"]
        assert books.state is FeedState.DEGRADED
        assert books.reason.startswith("clob/books changed: asset_id is missing in")

        exchange.world.spoiled_books = {}
        source.books(tokens, NOW)
        [books] = [door for door in source.doors() if door.name == "clob/books"]
        assert (books.state, books.reason) == (FeedState.OK, "")

    def test_the_local_exchange_keeps_the_contracts(self, source, exchange):
        markets = source.markets(NOW)
        source.books(tokens_of(markets), NOW)
        source.resolutions([market.id for market in markets], NOW)
        source.history([markets[0].yes.id], NOW - 3_600_000, NOW)

        assert {door.name: door.reason for door in source.doors() if door.reason} == {}
