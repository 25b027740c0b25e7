"""Price history, and what the local exchange itself refuses."""

import httpx

from markets.core.types import ONE
from tests.apps.markets.polymarket.opened import NOW


class TestHistory:
    def test_is_sorted_without_repeats_and_within_the_span(self, source, exchange):
        tokens = [exchange.world.listings[0].yes, exchange.world.listings[1].yes]
        since, until = NOW - 7 * 86_400_000, NOW

        points = list(source.history(tokens, since, until))

        assert [p.at for p in points] == sorted(p.at for p in points)
        assert len({(p.at, p.token) for p in points}) == len(points) == 2 * 2_016
        assert all(since <= p.at < until and 0 < p.price < ONE for p in points)

    def test_long_spans_are_asked_in_windows_the_exchange_takes(self, source, exchange):
        points = source.history([exchange.world.listings[0].yes], NOW - 30 * 86_400_000, NOW)

        assert len(list(points)) == 30 * 288
        assert exchange.requests["/prices-history"] == 3

    def test_an_unknown_token_costs_only_itself(self, source, exchange):
        known = exchange.world.listings[0].yes
        points = source.history(["404", known], NOW - 3_600_000, NOW)

        assert {p.token for p in points} == {known}


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
