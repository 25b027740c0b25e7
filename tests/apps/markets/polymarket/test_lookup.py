"""Finding addresses: in time, remembered, and kept through an outage of the name service."""

import socket
import time
from threading import Event

import pytest

from markets.core.ports import SourceDown
from markets.sources.lookup import Lookup, NotFound, TooSlow
from markets.sources.transport import Transport
from tests.apps.markets.polymarket.opened import NOW, against, tokens_of

HOST = "exchange.test"


class Resolver:
    """A name service that answers, refuses or hangs as told, and counts its questions."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0
        self.error: OSError | None = None
        self.hanging, self.release = False, Event()

    def __call__(self, host: str, port: int, **_: object) -> list[object]:
        self.asked += 1
        if self.hanging:
            self.release.wait(30)
        if self.error:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in self.addresses]


@pytest.fixture
def resolver():
    found = Resolver("127.0.0.1")
    yield found
    found.release.set()


@pytest.fixture
def now():
    return [1_000.0]


@pytest.fixture
def lookup(resolver, now):
    return Lookup(lambda: now[0], resolver)


class TestLookup:
    def test_an_answer_serves_for_a_minute(self, lookup, resolver, now):
        for _ in range(5):
            assert lookup.addresses(HOST, 443, 1) == ("127.0.0.1",)
            now[0] += 14
        assert resolver.asked == 1
        lookup.addresses(HOST, 443, 1)
        assert resolver.asked == 2

    def test_an_address_is_not_looked_up(self, lookup, resolver):
        assert lookup.addresses("127.0.0.1", 80, 1) == ("127.0.0.1",)
        assert lookup.addresses("::1", 80, 1) == ("::1",)
        assert resolver.asked == 0

    def test_a_resolver_that_hangs_is_left_hanging_and_asked_once(self, lookup, resolver):
        resolver.hanging = True
        for _ in range(4):
            with pytest.raises(TooSlow):
                lookup.addresses(HOST, 443, 0.01)
        assert resolver.asked == 1

    def test_a_late_answer_is_used_by_the_next_question(self, lookup, resolver):
        resolver.hanging = True
        with pytest.raises(TooSlow):
            lookup.addresses(HOST, 443, 0.01)
        resolver.release.set()

        assert lookup.addresses(HOST, 443, 5) == ("127.0.0.1",)

    def test_an_outage_of_the_name_service_is_bridged_for_an_hour(self, lookup, resolver, now):
        lookup.addresses(HOST, 443, 1)
        resolver.error = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        now[0] += 3_500
        assert lookup.addresses(HOST, 443, 1) == ("127.0.0.1",)
        now[0] += 200

        with pytest.raises(NotFound, match="Temporary failure"):
            lookup.addresses(HOST, 443, 1)

    def test_a_name_that_is_none(self, now):
        with pytest.raises(NotFound):
            Lookup(lambda: now[0]).addresses("a" * 70 + ".test", 80, 5)


class TestThroughTheTransport:
    @pytest.fixture
    def named(self, exchange, clock, resolver):
        """A source that knows the local exchange by a name only the resolver knows."""
        made = []

        def open_source(**options):
            transport = Transport(lookup=Lookup(time.monotonic, resolver), **options)
            url = exchange.url.replace("127.0.0.1", HOST)
            made.append(against(url, clock, transport=transport))
            return made[-1]

        yield open_source
        for source in made:
            source.close()

    def test_names_work(self, named):
        source = named()

        assert len(source.books(tokens_of(source.markets(NOW)), NOW)) > 30

    def test_an_address_that_does_not_answer_gives_way_to_the_next(self, named, resolver):
        resolver.addresses = ("127.0.0.2", "127.0.0.1")

        assert named().markets(NOW)

    def test_a_resolver_that_hangs_ends_with_the_call(self, named, resolver):
        resolver.hanging = True
        source = named()
        source.end_within(0.3)
        start = time.monotonic()

        with pytest.raises(SourceDown, match=r"cannot be found \(the name service"):
            source.books(["1", "2"], NOW)

        assert time.monotonic() - start < 4
        assert source.transport.failures["clob.dns"] == 1

    @pytest.mark.parametrize(
        ("number", "said"),
        [
            (socket.EAI_NONAME, "Name or service not known"),
            (socket.EAI_AGAIN, "Temporary failure in name resolution"),
        ],
    )
    def test_a_name_nobody_knows(self, named, resolver, number, said):
        resolver.error = socket.gaierror(number, said)
        source = named(sleep=lambda seconds: None)

        with pytest.raises(SourceDown, match=rf"cannot be found \({said}\): check"):
            source.books(["1", "2"], NOW)
        assert source.transport.failures["clob.dns"] == 3
