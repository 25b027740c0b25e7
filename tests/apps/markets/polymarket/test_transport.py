"""HTTP to the exchange: paced, patient, bounded, and one plain sentence when it fails."""

import bisect
import contextlib
import os
import random

import httpx
import pytest

from markets.core.ports import SourceDown
from markets.sources.transport import Rejected
from tests.apps.markets.polymarket.opened import NOW
from tests.apps.markets.polymarket.scripted import CLOB, DATA, GAMMA, failing, ok


class TestRetry:
    def test_a_transient_failure_is_tried_again(self, wired):
        transport, script, _ = wired(failing(503), httpx.ReadError("gone"), ok())

        assert transport.get(CLOB, "/time", {}, within=10) == {"fine": True}
        assert len(script.at) == 3
        assert transport.failures == {"clob.status_503": 1, "clob.broken": 1}

    def test_gives_up_after_three_tries(self, wired):
        transport, script, _ = wired(failing(500))

        with pytest.raises(SourceDown, match=r"500, 'not today'"):
            transport.get(CLOB, "/time", {}, within=60)
        assert len(script.at) == 3

    def test_pauses_are_full_jitter_and_grow(self, wired):
        transport, _, clock = wired(failing(500))
        longest = [0.0, 0.0]
        for number in range(60):
            clock.slept.clear()
            with pytest.raises(SourceDown):
                transport.get(CLOB, f"/{'x' * number}", {}, within=60)  # each its own breaker
            pauses = clock.slept[-2:]
            longest = [max(a, b) for a, b in zip(longest, pauses, strict=True)]

        assert 0.3 < longest[0] <= 0.5
        assert 0.7 < longest[1] <= 1.0

    def test_retry_after_of_a_503_is_honoured(self, wired):
        transport, script, _ = wired(failing(503, **{"retry-after": "4"}), ok())

        transport.get(CLOB, "/time", {}, within=10)

        assert script.at[1] - script.at[0] >= 4

    def test_a_wait_beyond_the_deadline_is_not_begun(self, wired):
        transport, script, clock = wired(failing(503, **{"retry-after": "30"}), ok())
        start = clock.now

        with pytest.raises(SourceDown):
            transport.get(CLOB, "/time", {}, within=5)
        assert clock.now == start
        assert len(script.at) == 1

    def test_no_call_outlives_its_deadline(self, wired):
        transport, _, clock = wired(httpx.ReadTimeout("slow"), cost=3.0)
        start = clock.now

        with pytest.raises(SourceDown):
            transport.get(CLOB, "/time", {}, within=5)
        assert clock.now - start <= 5.001

    def test_what_was_meant_is_not_asked_again(self, wired):
        transport, script, _ = wired(failing(404))

        with pytest.raises(Rejected) as rejected:
            transport.get(CLOB, "/book", {}, within=10)
        assert rejected.value.status == 404
        assert len(script.at) == 1

    @pytest.mark.parametrize("status", [301, 401, 403, 451])
    def test_a_closed_door_is_not_knocked_on_again(self, wired, status):
        transport, script, _ = wired(failing(status))

        with pytest.raises(SourceDown, match="PQAP_CLOB_URL"):
            transport.get(CLOB, "/time", {}, within=10)
        assert len(script.at) == 1


class TestTooManyRequests:
    def test_all_hosts_pause(self, wired):
        transport, script, clock = wired(failing(429), ok())

        with pytest.raises(SourceDown, match="429"):
            transport.get(CLOB, "/books", {}, within=60)
        with pytest.raises(SourceDown, match="slow down"):
            transport.get(GAMMA, "/events/keyset", {}, within=60)
        assert len(script.at) == 1
        clock.now += 7
        assert transport.get(GAMMA, "/events/keyset", {}, within=60)

    def test_each_further_one_lengthens_the_pause(self, wired):
        transport, _, clock = wired(failing(429))
        pauses = []
        for _ in range(8):
            with pytest.raises(SourceDown):
                transport.get(CLOB, "/books", {}, within=60)
            pauses.append(transport.cool_down.left())
            clock.now += pauses[-1]

        assert pauses == sorted(pauses) or min(pauses[-2:]) >= 300
        assert pauses[1] > pauses[0] * 1.5
        assert 300 <= pauses[-1] <= 375

    def test_success_in_between_does_not_forget(self, wired):
        transport, _, clock = wired(failing(429), ok(), failing(429), ok())
        with pytest.raises(SourceDown):
            transport.get(CLOB, "/books", {}, within=9)
        first = transport.cool_down.left()
        clock.now += first
        transport.get(CLOB, "/books", {}, within=9)
        with pytest.raises(SourceDown):
            transport.get(CLOB, "/books", {}, within=9)

        assert transport.cool_down.left() > first * 1.5

    @pytest.mark.parametrize(("stated", "least"), [("1", 5), ("0", 5), ("junk", 5), ("60", 60)])
    def test_retry_after_can_only_lengthen(self, wired, stated, least):
        transport, _, _ = wired(failing(429, **{"retry-after": stated}))

        with pytest.raises(SourceDown):
            transport.get(CLOB, "/books", {}, within=60)
        assert transport.cool_down.left() >= least


class TestPace:
    @pytest.mark.parametrize(
        ("host", "path", "documented"),
        [
            (GAMMA, "/events/keyset", 500),
            (GAMMA, "/events/slug/an-event", 500),
            (GAMMA, "/markets/keyset", 300),
            (GAMMA, "/markets/slug/a-market", 300),
            (CLOB, "/books", 500),
            (CLOB, "/prices-history", 1_000),
            (CLOB, "/batch-prices-history", 1_000),
            (CLOB, "/clob-markets/0x1", 9_000),
            (DATA, "/v2/resolutions", 200),
            (DATA, "/v2/trades", 200),
        ],
    )
    def test_three_processes_stay_under_half_the_documented_limit(
        self, wired, host, path, documented
    ):
        transport, script, clock = wired(ok())
        start = clock.now
        while clock.now - start < 40:
            transport.get(host, path, {}, within=60)

        assert 0.9 < 3 * _busiest(script.at) / (documented / 2) <= 1

    def test_routes_of_one_row_share_it_and_the_host_has_a_limit_too(self, wired):
        transport, script, clock = wired(ok())
        routes = ("/events/keyset", "/events/slug/x", "/markets/keyset", "/markets/slug/x", "/tags")
        start, draw = clock.now, random.Random(int(os.environ["PQAP_TEST_SEED"]))
        at: dict[str, list[float]] = {route: [] for route in routes}
        while clock.now - start < 40:
            route = draw.choice(routes)
            transport.get(GAMMA, route, {}, within=60)
            at[route].append(script.at[-1])

        assert 3 * _busiest(sorted(at[routes[0]] + at[routes[1]])) <= 250
        assert 3 * _busiest(sorted(at[routes[2]] + at[routes[3]])) <= 150
        assert 3 * _busiest(script.at) <= 2_000

    def test_tries_again_count_like_any_other(self, wired):
        draw = random.Random(int(os.environ["PQAP_TEST_SEED"]))
        answers = [draw.choice((ok(), ok(), failing(500), failing(503))) for _ in range(900)]
        transport, script, clock = wired(*answers)
        start = clock.now
        while clock.now - start < 60:
            with contextlib.suppress(SourceDown):
                transport.get(DATA, "/v2/trades", {}, within=60)
            clock.now += 0.001

        assert 3 * _busiest(script.at) <= 100

    def test_a_share_is_a_part_of_half_the_limit(self, wired):
        transport, script, _ = wired(ok(), share=1.0)
        for _ in range(600):
            transport.get(CLOB, "/books", {}, within=60)

        assert 240 <= _busiest(script.at) <= 250

    def test_what_cannot_be_sent_in_time_is_refused(self, wired):
        transport, _, _ = wired(ok())
        for _ in range(16):
            transport.get(GAMMA, "/markets/keyset", {}, within=1)

        with pytest.raises(SourceDown, match="queued"):
            transport.get(GAMMA, "/markets/keyset", {}, within=0.01)
        assert transport.failures == {"gamma.paced": 1}


def _busiest(at: list[float]) -> int:
    """The most requests in any ten seconds."""
    return max(bisect.bisect_left(at, start + 10) - index for index, start in enumerate(at))


class TestEnd:
    def test_all_calls_together_end_by_then(self, wired):
        transport, _, clock = wired(httpx.ReadTimeout("slow"), cost=3.0)
        transport.end_within(4)
        start = clock.now
        for path in ("/books", "/time", "/prices-history"):
            with pytest.raises(SourceDown):
                transport.get(CLOB, path, {}, within=5)

        assert clock.now - start <= 4.001
        transport.end_within(None)
        with pytest.raises(SourceDown, match="did not answer"):
            transport.get(DATA, "/v2/trades", {}, within=5)

    def test_what_is_asked_after_the_end_costs_nothing(self, wired):
        transport, script, clock = wired(ok())
        transport.end_within(2)
        clock.now += 3
        start = clock.now

        with pytest.raises(SourceDown, match="was not asked: the time for this cycle"):
            transport.get(CLOB, "/books", {}, within=5)
        assert (script.at, clock.now) == ([], start)


class TestBody:
    def test_a_web_page_is_not_data(self, wired):
        transport, script, _ = wired(ok(b"<html>Just a moment</html>"))

        with pytest.raises(SourceDown, match="a web page that is not JSON"):
            transport.get(CLOB, "/time", {}, within=10)
        assert len(script.at) == 3

    def test_a_huge_answer_is_cut_off(self, wired):
        transport, script, _ = wired(ok(b"[" + b"1," * 5_000), largest_reply=4_000)

        with pytest.raises(SourceDown, match="over"):
            transport.get(CLOB, "/time", {}, within=10)
        assert len(script.at) == 1


class TestSentence:
    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (
                httpx.ConnectTimeout("x"),
                "http://clob.test did not answer within 3 s: check the network or PQAP_CLOB_URL",
            ),
            (
                httpx.ConnectError("[Errno -2] Name or service not known"),
                "http://clob.test cannot be reached (Name or service not known): "
                "check the network or PQAP_CLOB_URL",
            ),
            (
                httpx.ReadTimeout("x"),
                "http://clob.test did not answer within 10 s: check the network or PQAP_CLOB_URL",
            ),
        ],
    )
    def test_says_what_happened_and_what_to_do(self, wired, error, sentence):
        transport, _, _ = wired(error)

        with pytest.raises(SourceDown) as down:
            transport.get(CLOB, "/time", {}, within=60)
        assert down.value.reason == sentence

    def test_an_address_that_is_none(self, wired):
        transport, _, _ = wired(httpx.UnsupportedProtocol("x"))

        with pytest.raises(SourceDown, match="is not an address: check PQAP_GAMMA_URL"):
            transport.get(GAMMA, "/time", {}, within=60)


def test_counters_do_not_grow_with_the_markets(wired):
    transport, _, _ = wired(ok())
    for index in range(5):
        transport.get(CLOB, f"/clob-markets/0x{index}", {}, within=60)
        transport.get(GAMMA, f"/markets/slug/market-{index}", {}, within=60)
        transport.get(GAMMA, f"/markets/{index}", {}, within=60)

    assert transport.requests == {
        "clob/clob-markets": 5,
        "gamma/markets/slug": 5,
        "gamma/markets": 5,
    }


def test_calls_end_within_a_time_they_share(source, exchange, clock):
    source.end_within(2.0)
    assert source.markets(NOW)
    clock.ms += 2_100
    before = exchange.requests.total()
    with pytest.raises(SourceDown):
        source.books(["1", "2"], NOW)
    assert exchange.requests.total() == before

    source.end_within(None)
    assert source.markets(NOW)
