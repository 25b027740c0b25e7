"""What fails again and again is left alone for a while, alone, and never in silence."""

import httpx
import pytest

from markets.core.ports import SourceDown
from markets.core.types import FeedState
from markets.sources.breaker import Breaker
from markets.sources.limits import CoolDown
from markets.sources.transport import Rejected
from tests.apps.markets.polymarket.scripted import CLOB, DATA, GAMMA, failing, ok

NOON = 1_790_000_000_000


def fails(transport, host=CLOB, path="/books"):
    with pytest.raises(SourceDown) as down:
        transport.get(host, path, {}, within=60)
    return down.value.reason


class TestOpen:
    def test_the_first_failures_are_told_as_they_are(self, wired):
        transport, script, _ = wired(failing(500))

        assert fails(transport).endswith(
            "has trouble of its own (500, 'not today'): trying again soon"
        )
        assert len(script.at) == 3
        assert fails(transport).endswith("trying again soon")
        assert len(script.at) == 5

    def test_then_calls_fail_at_once_with_the_reason(self, wired):
        transport, script, clock = wired(failing(500))
        fails(transport), fails(transport)
        start = clock.now

        reason = fails(transport)

        assert (clock.now, len(script.at)) == (start, 5)
        assert "500, 'not today'" in reason
        assert reason.endswith("(after 5 failures in a row, the last; asking again in 10 s)")
        assert transport.failures == {"clob.status_500": 5, "clob.shut": 1}

    def test_one_probe_decides(self, wired):
        transport, script, clock = wired(*[failing(500)] * 6, ok())
        fails(transport), fails(transport)
        clock.now += 10.1
        fails(transport)
        assert len(script.at) == 6
        clock.now += 10.1
        fails(transport)
        assert len(script.at) == 6
        clock.now += 10.1

        assert transport.get(CLOB, "/books", {}, within=60)
        assert transport.get(CLOB, "/books", {}, within=60)

    def test_a_probe_that_fails_doubles_the_wait_up_to_a_minute(self):
        now = [0.0]
        breaker = Breaker(lambda: now[0])
        waits = []
        for _ in range(3_000):
            breaker.failed("no")
            waits.append(breaker.left())
            now[0] += breaker.left()

        assert waits[:8] == [0, 0, 0, 0, 10, 20, 40, 60]
        assert set(waits[7:]) == {60}

    def test_what_was_meant_is_an_answer(self, wired):
        transport, script, _ = wired(failing(404))
        for _ in range(20):
            with pytest.raises(Rejected):
                transport.get(CLOB, "/book", {}, within=60)

        assert len(script.at) == 20


class TestAlone:
    def test_a_route_that_answers_badly_costs_no_other(self, wired):
        transport, _, _ = wired(*[failing(500)] * 5, ok())
        fails(transport), fails(transport)

        assert transport.get(CLOB, "/prices-history", {}, within=60)
        assert transport.get(DATA, "/v2/resolutions", {}, within=60)
        assert "500" in fails(transport)

    def test_a_host_that_cannot_be_reached_is_not_tried_by_other_routes(self, wired):
        unreachable = httpx.ConnectError("[Errno 111] Connection refused")
        transport, script, _ = wired(*[unreachable] * 5, ok())
        fails(transport), fails(transport)

        assert "Connection refused" in fails(transport, path="/prices-history")
        assert len(script.at) == 5
        assert transport.get(GAMMA, "/events/keyset", {}, within=60)


class TestDoors:
    def test_a_host_and_its_routes_say_how_they_stand(self, wired):
        transport, _, _ = wired(ok(b"[]"), *[failing(503)] * 3)
        transport.get(CLOB, "/books", {}, within=60)
        fails(transport, path="/prices-history")

        clob, books, history = transport.doors(NOON)
        assert (clob.name, clob.state, clob.requests) == ("clob", FeedState.DEGRADED, 4)
        assert clob.failures == {"status_503": 3}
        assert (books.name, books.state, books.requests) == ("clob/books", FeedState.OK, 1)
        assert (history.name, history.state) == ("clob/prices-history", FeedState.DOWN)
        assert "503" in history.reason
        assert clob.reason == history.reason

    def test_a_route_nobody_asks_any_more_tells_nothing_of_its_host(self, wired):
        transport, _, clock = wired(failing(403), ok(b"[]"))
        fails(transport, path="/clob-markets/0x1")
        for _ in range(2):
            transport.get(CLOB, "/books", {}, within=60)
            states = {door.name: door.state for door in transport.doors(NOON)}
            assert states["clob/clob-markets"] is FeedState.DOWN
            clock.now += 1_201

        assert states["clob"] is FeedState.OK

    def test_a_pause_has_an_end(self, wired):
        transport, _, _ = wired(failing(429))
        fails(transport)

        assert all(door.state is FeedState.DOWN for door in transport.doors(NOON))
        assert 5_000 <= transport.doors(NOON)[0].paused_until - NOON <= 6_250


class TestPauseOfOthers:
    def test_is_kept_and_makes_the_next_one_longer(self, wired):
        transport, script, clock = wired(failing(429))
        transport.cool_down.learn(40.0)

        assert "asked us to slow down" in fails(transport)
        assert (script.at, transport.failures) == ([], {"clob.paused": 1})
        clock.now += 40
        fails(transport)
        assert transport.cool_down.left() >= 80

    @pytest.mark.parametrize("left", [-3.0, 0.0, 1_201.0, 30 * 86_400.0])
    def test_one_that_is_over_or_cannot_be_is_not(self, wired, left):
        transport, _, _ = wired(ok())
        transport.cool_down.learn(left)

        assert transport.get(CLOB, "/books", {}, within=60)

    def test_ones_own_pause_read_back_changes_nothing(self, wired):
        transport, _, _ = wired(failing(429))
        fails(transport)
        before = transport.cool_down.left()
        transport.cool_down.learn(before + 0.01)

        assert (transport.cool_down.left(), transport.cool_down.strikes) == (before, 1)

    def test_days_of_refusals_stay_five_minutes_apart(self, wired):
        now = [0.0]
        transport, _, _ = wired(ok())
        pause = CoolDown(lambda: now[0], transport.rng)
        for _ in range(3_000):
            now[0] += pause.strike(0.0)

        assert 300 <= pause.strike(0.0) <= 375
