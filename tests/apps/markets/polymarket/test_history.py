"""Price history, and what the local exchange itself refuses."""

import httpx
import pytest

from markets.core.ports import SourceDown
from markets.core.types import ONE
from markets.sources import histories, wire_clob, wire_data
from markets.sources.wire import Unreadable
from tests.apps.markets.polymarket.opened import NOW
from tests.exchange import payloads

WEEK = 7 * 86_400_000


def tokens_of(exchange, count):
    return [listing.yes for listing in exchange.world.listings[:count]]


class TestHistory:
    def test_is_sorted_without_repeats_and_within_the_span(self, source, exchange):
        since, until = NOW - WEEK, NOW

        points = list(source.history(tokens_of(exchange, 2), since, until))

        assert [p.at for p in points] == sorted(p.at for p in points)
        assert len({(p.at, p.token) for p in points}) == len(points) == 2 * 7 * 1_440
        assert all(since <= p.at < until and 0 < p.price < ONE for p in points)

    def test_several_tokens_are_asked_together(self, source, exchange):
        list(source.history(tokens_of(exchange, 10), NOW - WEEK, NOW))

        assert exchange.requests["/batch-prices-history"] == 1
        assert exchange.requests["/prices-history"] == 0

    def test_long_spans_are_asked_in_windows_the_exchange_takes(self, source, exchange):
        points = source.history(tokens_of(exchange, 1), NOW - 30 * 86_400_000, NOW)

        assert len(list(points)) == 30 * 1_440
        assert exchange.requests["/prices-history"] == 3

    def test_an_unknown_token_costs_only_itself(self, source, exchange):
        (known,) = tokens_of(exchange, 1)
        points = source.history(["404", known], NOW - 3_600_000, NOW)

        assert {p.token for p in points} == {known}
        assert exchange.requests["/prices-history"] == 1

    def test_without_the_batch_route_each_is_asked_alone(self, source, exchange):
        tokens = tokens_of(exchange, 3)
        together = list(source.history(tokens, NOW - 3_600_000, NOW))
        exchange.fault("/batch-prices-history", "status", status=404)

        alone = list(source.history(tokens, NOW - 3_600_000, NOW))

        assert alone == together
        assert exchange.requests["/prices-history"] == 3

    def test_data_answers_where_the_clob_cannot(self, source, exchange):
        tokens = tokens_of(exchange, 2)
        for route in ("/batch-prices-history", "/prices-history"):
            exchange.fault(route, "status", status=503)

        points = list(source.history(tokens, NOW - 3_600_000, NOW))

        assert len(points) == 2 * 12
        assert {p.token for p in points} == set(tokens)
        assert exchange.requests["/v2/prices-history"] == 2

    def test_pages_of_data_are_followed_to_their_end(self, source, exchange, monkeypatch):
        monkeypatch.setattr(histories, "V2_PAGE", 5)
        exchange.fault("/prices-history", "status", status=503)

        points = list(source.history(tokens_of(exchange, 1), NOW - 3_600_000, NOW))

        assert len(points) == 12
        assert exchange.requests["/v2/prices-history"] == 3

    def test_when_nobody_answers_the_source_is_down_at_once(self, source, exchange):
        for route in ("/batch-prices-history", "/prices-history", "/v2/prices-history"):
            exchange.fault(route, "status", status=503)

        with pytest.raises(SourceDown):
            source.history(tokens_of(exchange, 10), NOW - 3_600_000, NOW)
        assert exchange.requests["/v2/prices-history"] <= 3

    def test_points_of_another_shape_are_a_failure_and_not_an_empty_history(self):
        with pytest.raises(Unreadable, match="none of 1 points"):
            wire_clob.history({"history": [{"time": 1, "price": 0.5}]}, "1")
        with pytest.raises(Unreadable, match="none of 1 points"):
            wire_data.history({"data": [{"t": 1, "p": 0.5}]}, "1")
        with pytest.raises(Unreadable, match="not an object"):
            wire_clob.histories({"history": []}, ["1"])
        assert wire_clob.history({"history": []}, "1") == ()
        assert wire_data.history({"data": None}, "1") == ((), "")

    def test_the_recorded_page_of_data_is_read(self):
        points, cursor = wire_data.history(payloads.shared("data-v2-prices-history"), "1")

        assert [(p.at, p.price) for p in points] == [
            (1_789_295_100_000, 340_000),
            (1_789_295_160_000, 340_000),
        ]
        assert cursor


def test_nothing_needs_remembering(source):
    assert source.checkpoint() == b""


def test_the_local_exchange_refuses_what_the_real_one_refuses(exchange):
    def get(path: str) -> int:
        return httpx.get(exchange.url + path, trust_env=False).status_code

    def post(entries: object) -> int:
        return httpx.post(exchange.url + "/books", json=entries, trust_env=False).status_code

    assert post([{"token_id": "1"}] * 501) == 400
    assert post([{"token_id": "1"}] * 500) == 200
    assert post({"token_id": "1"}) == 400
    assert get("/book?token_id=1") == 404
    assert get("/events/keyset?offset=5") == 422
    assert get("/v2/resolutions?condition=" + ",".join(["0x1"] * 21)) == 400
    assert get("/prices-history?market=1") == 404
    assert get("/nowhere") == 404
    assert get("/time") == 200
