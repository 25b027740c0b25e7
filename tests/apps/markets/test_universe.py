"""Syncing the markets: catalogue rows, terms from one instant on, and when a universe is new."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from markets import models, stages
from markets.core.ports import SourceDown
from markets.core.types import Event, Market, Status
from markets.selectors import universes
from markets.services import keep, release, sources, universe
from tests import misbehaving
from tests.builders import DAY, NOON, market, micro
from tests.misbehaving import Told

pytestmark = pytest.mark.django_db
MINUTE = 60_000


@pytest.fixture(autouse=True)
def _configured(settings):
    configure(settings)


def configure(settings, **collection: object) -> None:
    found = misbehaving.collection(**{"markets": 2} | collection)
    settings.PQAP = SimpleNamespace(digest="one", collection=found)


@pytest.fixture
def source():
    return Told([market(f"m-{n}", volume_24h=100 - n) for n in range(1, 6)])


def tracked() -> list[str]:
    return [each.id for each in universes.newest().universe.markets]


def with_terms(each: Market, **changes: object) -> Market:
    return replace(each, terms=replace(each.terms, **changes))


class TestCatalogue:
    def test_markets_come_back_as_they_were_listed(self, source):
        event = Event("e-9", "ev", "An event", neg_risk=True, augmented=True)
        rich = replace(
            market("m-1", volume_24h=900, tick_size="0.001", fee_rate="0.02"),
            event=event,
            tags=("politics", "usa"),
            game_start_at=NOON + 5,
            category="world",
        )
        rich = with_terms(rich, taker_delay_ms=300, min_size=micro(7))
        source.listed[0] = rich
        universe.sync_markets(source, NOON)

        found = universes.newest().universe

        assert found.markets == (rich, source.listed[1])
        universes.forget()
        assert universes.newest().universe.markets == found.markets

    def test_untracked_markets_are_kept_up_to_date_too(self, source):
        universe.sync_markets(source, NOON)
        source.listed[4] = replace(source.listed[4], question="Renamed?", volume_24h=micro(7))
        universe.sync_markets(source, NOON + MINUTE)

        row = models.Market.objects.get(condition_id="m-5")
        assert (row.question, row.volume_24h) == ("Renamed?", micro(7))
        assert models.Token.objects.filter(market=row).count() == 2

    def test_an_event_that_changed_is_updated_in_place(self, source):
        universe.sync_markets(source, NOON)
        changed = replace(source.listed[0].event, title="Another title", augmented=True)
        source.listed = [replace(each, event=changed) for each in source.listed]
        universe.sync_markets(source, NOON + MINUTE)

        row = models.Event.objects.get()
        assert (row.title, row.augmented) == ("Another title", True)

    def test_markets_no_longer_listed_stay(self, source):
        universe.sync_markets(source, NOON)
        source.listed = source.listed[3:]
        universe.sync_markets(source, NOON + MINUTE)

        assert models.Market.objects.count() == 5

    def test_a_second_sync_of_the_same_list_writes_nothing_new(self, source):
        first = universe.sync_markets(source, NOON)
        counts = [kind.objects.count() for kind in (models.Terms, models.Universe, models.Token)]

        again = universe.sync_markets(source, NOON + MINUTE)

        assert again == universe.Synced(first.version, 2)
        assert counts == [5, 1, 10]
        assert [models.Terms.objects.count(), models.Universe.objects.count()] == [5, 1]

    def test_only_the_busiest_of_a_long_list_are_stored(self, source, monkeypatch):
        monkeypatch.setattr(universe, "LISTED", 1)
        universe.sync_markets(source, NOON)

        held = models.Market.objects.values_list("condition_id", flat=True)
        assert set(held) == {"m-1", "m-2", "m-3"}


class TestTerms:
    def test_changed_terms_are_a_new_row_from_that_instant(self, source):
        universe.sync_markets(source, NOON)
        source.listed[0] = with_terms(source.listed[0], end_at=NOON + 5 * DAY)
        universe.sync_markets(source, NOON + MINUTE)

        rows = models.Terms.objects.filter(market__condition_id="m-1").order_by("effective_at")
        assert [(row.effective_at, row.end_at) for row in rows] == [
            (NOON, NOON + 30 * DAY),
            (NOON + MINUTE, NOON + 5 * DAY),
        ]

    def test_changed_terms_make_a_new_universe_and_leave_the_old_one_alone(self, source):
        before = universes.load(universe.sync_markets(source, NOON).version)
        source.listed[0] = with_terms(source.listed[0], fee=None)
        source.listed[1] = with_terms(source.listed[1], min_size=micro(9))
        universe.sync_markets(source, NOON + MINUTE)
        universes.forget()

        old = universes.load(before.universe.version).universe
        assert old.markets == before.universe.markets
        assert universes.newest().universe.version > old.version
        assert tracked() == ["m-2", "m-3"]
        assert universes.newest().universe.min_size.tolist() == [micro(9), micro(5)]

    def test_two_changes_at_one_instant_both_stand(self, source):
        for size in (6, 7, 8):
            source.listed[0] = with_terms(source.listed[0], min_size=micro(size))
            universe.sync_markets(source, NOON)

        assert universes.newest().universe.min_size.tolist()[0] == micro(8)
        assert models.Terms.objects.filter(market__condition_id="m-1").count() == 3


class TestMembership:
    def test_follows_the_configuration(self, source, settings):
        configure(settings, markets=1, pinned=("slug-m-4",))
        universe.sync_markets(source, NOON)

        assert tracked() == ["m-1", "m-4"]

    def test_is_ranked_anew_once_a_day(self, source):
        universe.sync_markets(source, NOON)
        source.listed = [replace(each, volume_24h=micro(n)) for n, each in enumerate(source.listed)]

        universe.sync_markets(source, NOON + 11 * 60 * MINUTE)
        assert tracked() == ["m-1", "m-2"]

        universe.sync_markets(source, NOON + 12 * 60 * MINUTE)
        assert tracked() == ["m-2", "m-5"]
        assert universes.newest().universe.volume_24h.tolist() == [micro(1), micro(4)]

    def test_a_closed_market_is_replaced_at_once(self, source):
        universe.sync_markets(source, NOON)
        source.listed[0] = with_terms(source.listed[0], accepting_orders=False)

        done = universe.sync_markets(source, NOON + MINUTE)

        assert tracked() == ["m-2", "m-3"]
        assert (done.entered, done.left) == (1, 1)

    def test_an_empty_list_changes_nothing(self, source):
        universe.sync_markets(source, NOON)
        source.listed = []

        with pytest.raises(SourceDown):
            universe.sync_markets(source, NOON + MINUTE)
        assert tracked() == ["m-1", "m-2"]


class TestKeeping:
    def test_a_kept_market_stays_until_its_last_reason_is_released(self, source):
        universe.sync_markets(source, NOON)
        keep("m-5", "position")
        keep("m-5", "position")
        keep("m-5", "order")
        universe.sync_markets(source, NOON + MINUTE)
        assert tracked() == ["m-1", "m-2", "m-5"]

        release("m-5", "position")
        universe.sync_markets(source, NOON + 2 * MINUTE)
        assert tracked() == ["m-1", "m-2", "m-5"]

        release("m-5", "order")
        universe.sync_markets(source, NOON + DAY)
        assert "m-5" not in tracked()

    def test_a_kept_market_that_is_listed_no_more_takes_no_orders(self, source):
        universe.sync_markets(source, NOON)
        keep("m-1", "position")
        source.listed = source.listed[1:]
        universe.sync_markets(source, NOON + MINUTE)

        first = universes.newest().universe.markets[0]
        assert first.id == "m-1"
        assert (first.terms.status, first.terms.accepting_orders) == (Status.HALTED, False)
        assert tracked() == ["m-1", "m-2", "m-3"]

    def test_a_market_that_closed_is_marked_closed_in_the_catalogue(self, source):
        universe.sync_markets(source, NOON)
        first, *source.listed = source.listed
        source.unlisted = [with_terms(first, status=Status.CLOSED, accepting_orders=False)]
        universe.sync_markets(source, NOON + MINUTE)

        assert universes.markets_in_force(["m-1"])["m-1"].terms.status is Status.CLOSED

    def test_an_unknown_market_may_be_kept_and_waits_for_the_exchange(self, source):
        keep("m-77", "person")
        universe.sync_markets(source, NOON)
        assert tracked() == ["m-1", "m-2"]

        source.listed.append(market("m-77"))
        universe.sync_markets(source, NOON + MINUTE)
        assert tracked() == ["m-1", "m-2", "m-77"]


class TestRun:
    def test_a_source_that_is_down_is_one_warning(self, source, monkeypatch, caplog):
        monkeypatch.setattr(sources, "open_source", lambda *_: source)
        source.down = True

        assert universe.run(NOON) == universe.Synced()
        assert "The list of markets could not be read: The test exchange" in caplog.text

    def test_being_overtaken_is_no_failure(self, source, monkeypatch):
        monkeypatch.setattr(sources, "open_source", lambda *_: source)
        listed = source.markets

        def overtaken(at):
            source.markets = listed
            universe.sync_markets(source, at)
            return listed(at)

        source.markets = overtaken
        assert universe.run(NOON) == universe.Synced()
        assert models.Universe.objects.count() == 1
        assert stages.position("sync") == 1


def test_the_same_universe_on_every_database(database, settings):
    configure(settings)
    told = Told([market(f"m-{n}", volume_24h=100 - n) for n in range(1, 6)])
    universe.sync_markets(told, NOON)
    told.listed[0] = with_terms(told.listed[0], min_size=micro(9))
    universe.sync_markets(told, NOON + MINUTE)
    universe.sync_markets(told, NOON + DAY)
    universes.forget()

    assert universes.newest().universe.markets == tuple(told.listed[:2])
    assert models.Universe.objects.count() == 3
