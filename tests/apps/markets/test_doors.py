"""What a process has seen of the exchange reaches the rows, and a pause reaches every process."""

from types import SimpleNamespace

import pytest
from django.db import DatabaseError

from markets.core.types import FeedState
from markets.selectors.feeds import feeds, paused_until
from markets.services import collect, doors, sources, universe
from markets.services import feeds as noting
from markets.sources.doors import Door
from tests import misbehaving
from tests.apps.markets.polymarket.opened import Time
from tests.exchange import Exchange, World

NOON = 1_790_000_000_000
SECOND = 1_000


def door(state=FeedState.OK, *, requests=1, paused=0, **failures):
    return Door("clob", state, "why", paused, requests, failures)


@pytest.mark.django_db
class TestNote:
    def test_totals_are_added_not_repeated(self):
        doors.note([door(requests=3, timeout=1)], NOON)
        doors.note([door(requests=5, timeout=1, broken=2)], NOON + 30 * SECOND)

        [feed] = feeds()
        assert (feed.requests, dict(feed.failures)) == (5, {"timeout": 1, "broken": 2})

    def test_twice_a_minute_unless_there_is_news(self):
        doors.note([door(requests=1)], NOON)
        doors.note([door(requests=2)], NOON + 29 * SECOND)
        assert feeds()[0].requests == 1
        doors.note([door(FeedState.DOWN, requests=3)], NOON + 29 * SECOND)
        assert (feeds()[0].requests, feeds()[0].state) == (3, FeedState.DOWN)
        doors.note(
            [door(FeedState.DOWN, requests=3, paused=NOON + 60 * SECOND)], NOON + 30 * SECOND
        )
        assert paused_until() == NOON + 60 * SECOND

    def test_silence_is_no_news(self):
        doors.note([door(requests=1)], NOON)
        doors.note([door(requests=1)], NOON + 3_600 * SECOND)

        assert feeds()[0].seen_at == NOON

    def test_two_processes_add_up(self):
        doors.note([door(requests=3)], NOON)
        doors.forget()
        doors.note([door(requests=4)], NOON + SECOND)

        assert feeds()[0].requests == 7

    def test_counts_that_began_anew_are_added_whole(self):
        doors.note([door(requests=9, timeout=4)], NOON)
        doors.note([door(requests=2, timeout=1)], NOON + 60 * SECOND)

        assert (feeds()[0].requests, dict(feeds()[0].failures)) == (11, {"timeout": 5})

    def test_a_database_that_fails_costs_the_report_only(self, monkeypatch, caplog):
        def broken(*_, **__):
            raise DatabaseError("locked")

        monkeypatch.setattr(noting, "note", broken)
        doors.note([door(requests=2)], NOON)
        monkeypatch.undo()
        assert "could not be noted: locked" in caplog.text
        doors.note([door(requests=3)], NOON + SECOND)

        assert feeds()[0].requests == 3


def test_the_same_on_every_database(database):
    doors.note([door(requests=3, timeout=1)], NOON)
    doors.forget()
    doors.note([door(FeedState.DOWN, requests=4, paused=NOON + SECOND, timeout=1)], NOON + 1)

    [feed] = feeds()
    assert (feed.state, feed.requests, feed.failures) == (FeedState.DOWN, 7, (("timeout", 2),))
    assert paused_until() == NOON + SECOND


@pytest.fixture
def desk(db, settings):
    """A desk on a local exchange: collect and sync through the configured source."""
    clock = Time()
    with Exchange(World(seed=4, markets=8, now=clock.wall)) as exchange:
        settings.PQAP = SimpleNamespace(
            digest="live",
            collection=misbehaving.collection(),
            exchange=SimpleNamespace(
                source="polymarket",
                gamma_url=exchange.url,
                clob_url=exchange.url,
                data_url=exchange.url,
            ),
        )
        yield exchange
        sources.forget()


def named():
    return {feed.name: feed for feed in feeds()}


class TestThroughTheServices:
    def test_sync_and_collect_say_how_the_hosts_stand(self, desk):
        universe.run(NOON)
        collect.run(NOON + SECOND)

        found = named()
        assert {"gamma", "gamma/events/keyset", "clob", "clob/books", "data"} <= found.keys()
        assert {feed.state for feed in found.values()} == {FeedState.OK}
        assert found["clob/books"].requests == desk.requests["/books"] == 1

    def test_failures_are_counted_by_kind(self, desk):
        universe.run(NOON)
        desk.fault("/books", "status", status=403)
        collect.run(NOON + SECOND)

        found = named()
        assert found["clob"].state is FeedState.DEGRADED  # it still tells fees
        assert found["clob/books"].state is FeedState.DOWN
        assert dict(found["clob"].failures) == {"status_403": 1}
        assert found["gamma"].state is FeedState.OK

    def test_a_429_holds_a_source_that_is_opened_again(self, desk):
        universe.run(NOON)
        desk.fault("/books", "status", status=429)
        collect.run(NOON + SECOND)
        sources.forget()
        collect.run(NOON + 2 * SECOND)

        assert desk.requests["/books"] == 1
        assert dict(named()["clob"].failures)["status_429"] == 1

    def test_a_429_holds_every_other_process(self, desk, monkeypatch):
        universe.run(NOON)
        desk.fault("/books", "status", status=429)
        collect.run(NOON + SECOND)
        desk.mend()
        _another_process(monkeypatch)
        before = desk.requests.total()

        assert universe.run(NOON + 2 * SECOND) == universe.Synced()
        assert collect.run(NOON + 3 * SECOND).ticks == 0
        assert desk.requests.total() == before
        assert paused_until() > 0

    def test_what_was_learnt_of_a_host_outlives_its_source(self, desk):
        universe.run(NOON)
        desk.fault("/books", "status", status=403)
        for number in range(1, 9):
            collect.run(NOON + number * SECOND)
            sources.forget()

        assert desk.requests["/books"] == 5
        collect.run(NOON + 60 * SECOND)
        assert dict(named()["clob"].failures) == {"status_403": 5, "shut": 4}

    def test_a_cycle_has_eight_tenths_of_a_poll(self, desk, settings, caplog):
        collection = settings.PQAP.collection
        assert collect.cycle_seconds(collection) == 8
        collection.poll_seconds = 300
        assert collect.cycle_seconds(collection) == 20
        universe.run(NOON)
        collection.poll_seconds = 0.3
        desk.fault("/books", "silent")
        collect.run(NOON + SECOND)

        assert dict(named()["clob"].failures) == {"timeout": 1}
        assert "did not answer within 0.2" in caplog.text


def _another_process(monkeypatch):
    """Forget what a second process never knew."""
    sources.forget()
    doors.forget()
    monkeypatch.setattr(sources, "_transport", None)
