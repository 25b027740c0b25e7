"""HTTP to the exchange: paced, patient, bounded, and one plain sentence when it fails."""

import random
from collections.abc import Callable, Iterator

import httpx
import pytest

from markets.core.ports import SourceDown
from markets.sources import transport as http
from markets.sources.transport import Rejected, Transport
from tests.apps.markets.polymarket.opened import NOW

GAMMA = http.gamma("http://gamma.test/")
CLOB = http.clob("http://clob.test")


class Clock:
    """Seconds that pass only by sleeping, or by `cost` a request."""

    def __init__(self) -> None:
        self.now, self.slept = 1_000.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


Answer = httpx.Response | Exception


class Scripted:
    """A client that gives the scripted answers in order, the last one for ever."""

    def __init__(self, *answers: Answer, clock: Clock, cost: float = 0.0) -> None:
        self.answers, self.clock, self.cost = list(answers), clock, cost
        self.at: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.at.append(self.clock.now)
        self.clock.now += min(self.cost, request.extensions["timeout"]["read"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok(body: bytes = b'{"fine": true}') -> httpx.Response:
    return httpx.Response(200, content=body)


def failing(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, content=b'{"error": "not today"}')


Wired = tuple[Transport, Scripted, Clock]


@pytest.fixture
def wired() -> Iterator[Callable[..., Wired]]:
    made = []

    def build(*answers: Answer, cost: float = 0.0, **options: int) -> Wired:
        clock = Clock()
        script = Scripted(*answers, clock=clock, cost=cost)
        client = httpx.Client(transport=httpx.MockTransport(script))
        made.append(client)
        rng = random.Random(5)
        return (
            Transport(client, clock=clock, sleep=clock.sleep, rng=rng, **options),
            script,
            clock,
        )

    yield build
    for client in made:
        client.close()


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
        for _ in range(60):
            clock.slept.clear()
            with pytest.raises(SourceDown):
                transport.get(CLOB, "/time", {}, within=60)
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
        ("host", "documented"),
        [(GAMMA, 300), (CLOB, 500), (http.data("http://data.test"), 200)],
    )
    def test_never_over_half_the_documented_limit_in_any_ten_seconds(self, wired, host, documented):
        transport, script, _ = wired(ok())
        for _ in range(600):
            transport.get(host, "/x", {}, within=60)

        busiest = max(
            sum(1 for at in script.at if start <= at < start + 10) for start in script.at[::20]
        )
        assert documented / 2 * 0.9 < busiest <= documented / 2

    def test_what_cannot_be_sent_in_time_is_refused(self, wired):
        transport, _, _ = wired(ok())
        for _ in range(10):
            transport.get(GAMMA, "/x", {}, within=1)

        with pytest.raises(SourceDown, match="queued"):
            transport.get(GAMMA, "/x", {}, within=0.01)


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

    assert transport.requests == {"clob/clob-markets": 5}


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
