"""Whatever goes wrong with one route: the cycle ends in time, and nothing else is touched."""

import time
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.ports import SourceDown
from markets.services import collect, sources, universe
from markets.sources.lookup import Lookup
from markets.sources.transport import Transport
from tests import misbehaving
from tests.exchange import Exchange, World
from tests.exchange.mishaps import MISHAPS, OUTAGES, outage

NOON = 1_790_000_000_000
MINUTE = 60_000
HURRIED, CALM = 0.4, 8.0
"""Seconds a cycle has: little where the mishap lasts for ever, enough on any machine elsewhere."""

LASTING = ("timeout", "silent before acting", "TLS never begins", "slow DNS")
PATIENCE = 4.0
"""Seconds over its deadline after which a cycle certainly did not keep it, on any machine."""

ROUTES = {
    "/events/keyset": "gamma",
    "/clob-markets": "clob",
    "/books": "clob",
    "/v2/resolutions": "data",
    "/markets/keyset": "gamma",
    "/prices-history": "clob",
    "/v2/trades": "data",
}
HOSTS = {"gamma": "/events/keyset", "clob": "/books", "data": "/v2/resolutions"}
BOTH = [(name, route) for name in MISHAPS for route in ROUTES]
ROTATED = [(name, list(ROUTES)[k % len(ROUTES)]) for k, name in enumerate(MISHAPS)]
EVERY_HOST = [(name, host) for name in OUTAGES for host in HOSTS]
ONE_HOST = [(name, list(HOSTS)[k % len(HOSTS)]) for k, name in enumerate(OUTAGES)]


class Desk:
    """A desk on a local exchange, with the services that talk to it and little patience."""

    def __init__(self, settings, exchange):
        self.settings, self.exchange = settings, exchange
        self.collection = misbehaving.collection()
        self.within = CALM
        self.at = NOON
        self.point("gamma", "clob", "data", at=exchange.url)

    def point(self, *hosts, at, resolve=None):
        """Move hosts to another address and start afresh, as a new process would."""
        before = getattr(self.settings, "PQAP", None)
        known = vars(before.exchange) if hasattr(before, "collection") and self.at > NOON else {}
        urls = {**known, **{f"{host}_url": at for host in hosts}, "source": "polymarket"}
        self.settings.PQAP = SimpleNamespace(
            digest=f"{self.at}", collection=self.collection, exchange=SimpleNamespace(**urls)
        )
        self.at += MINUTE
        sources.forget()
        self.transport = Transport(
            sleep=lambda seconds: None,
            largest_reply=2_000_000,
            lookup=Lookup(time.monotonic, resolve),
        )
        key = tuple(urls[f"{host}_url"] for host in ("gamma", "clob", "data"))
        sources._transport = (key, self.transport)

    def ask(self, route):
        """Let the service that reads a route run once; what it raised, if anything."""
        self.at += MINUTE
        self.collection.poll_seconds = self.within / collect.CYCLE_SHARE
        source = sources.current(self.settings.PQAP, within=self.within)
        try:
            if route in ("/events/keyset", "/clob-markets"):
                universe.sync_markets(source, self.at)
            elif route == "/prices-history":
                token = models.Token.objects.first().token_id
                list(source.history([token], self.at - 10 * MINUTE, self.at))
            else:
                return collect.run(self.at)
        except SourceDown as down:
            return down
        finally:
            sources.report(self.at)
        return None


@pytest.fixture
def desk(db, settings, monkeypatch):
    monkeypatch.setattr(sources, "_transport", None)
    with Exchange(World(seed=4, markets=6)) as exchange:
        opened = Desk(settings, exchange)
        assert opened.ask("/events/keyset") is None
        opened.point("gamma", "clob", "data", at=exchange.url)
        yield opened
        sources.forget()


def check(desk, route, counted, seconds):
    """What holds after any mishap of a route: in time, counted, and alone."""
    host = ROUTES[route]
    failures = desk.transport.failures

    assert seconds < desk.within + PATIENCE
    if counted:
        assert failures[f"{host}.{counted}"] >= 1, failures
    blamed = {name.split(".")[0] for name in failures if not name.endswith((".paused", ".paced"))}
    # Past prices are asked for at a second door with what is left: that may be too little.
    assert blamed <= {host} | ({"data"} if route == "/prices-history" else set())
    stored = {feed.name: feed for feed in models.Feed.objects.all()}
    if counted:
        assert stored[host].failures.get(counted, 0) >= 1


def survives(desk, name, route):
    """One mishap on one route, from the first strike to the recovery."""
    mishap = MISHAPS[name]
    tracked = models.Universe.objects.count()
    desk.exchange.fault(route, mishap.kind, **mishap.how)
    before = desk.exchange.requests[route]
    desk.within = HURRIED if mishap.counted in LASTING else CALM
    start = time.monotonic()

    done = desk.ask(route)

    seconds = time.monotonic() - start
    assert desk.exchange.requests[route] > before, "the mishap was not met"
    check(desk, route, mishap.counted, seconds)
    if route != "/clob-markets":  # a market whose fee is not known may not be traded
        assert models.Universe.objects.count() == tracked
    if route in ("/v2/resolutions", "/markets/keyset", "/v2/trades"):
        assert done.ticks == 1
    elif route == "/books":
        assert (done.ticks, done.failures) == (0, 1)
    if "429" in name:
        asked = desk.exchange.requests.total()
        desk.ask("/books")
        assert desk.exchange.requests.total() == asked
    desk.exchange.mend()
    desk.within = CALM
    models.Feed.objects.update(paused_until=0)
    desk.point("gamma", "clob", "data", at=desk.exchange.url)
    if route in ("/events/keyset", "/clob-markets"):
        assert desk.ask(route) is None
    assert desk.ask("/books").ticks == 1


class TestAnswers:
    @pytest.mark.parametrize(("name", "route"), ROTATED)
    def test_each_mishap_on_one_route(self, desk, name, route):
        survives(desk, name, route)

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "route"), [x for x in BOTH if x not in ROTATED])
    def test_each_mishap_on_every_other_route(self, desk, name, route):
        survives(desk, name, route)


class TestAddresses:
    @pytest.mark.parametrize(("name", "host"), ONE_HOST)
    def test_each_outage_of_one_host(self, desk, name, host):
        outlives(desk, name, host)

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "host"), [x for x in EVERY_HOST if x not in ONE_HOST])
    def test_each_outage_of_every_other_host(self, desk, name, host):
        outlives(desk, name, host)


def outlives(desk, name, host):
    """One outage of one host."""
    with outage(name, desk.exchange.url) as out:
        desk.point(host, at=out.url, resolve=out.resolve)
        desk.within = HURRIED if name in LASTING else CALM
        start = time.monotonic()

        done = desk.ask(HOSTS[host])

        check(desk, HOSTS[host], out.counted, time.monotonic() - start)
    if host == "data":
        assert done.ticks == 1
    elif host == "clob":
        assert (done.ticks, done.failures) == (0, 1)
    else:
        assert "check the network or PQAP_GAMMA_URL" in done.reason


def test_there_are_enough_of_them():
    assert len(MISHAPS) + len(OUTAGES) >= 50
