"""What a sync knows beyond the list: vanished markets, pins by name, new ones, what is left out."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.criteria import Filters, Reason
from markets.core.ports import Listing
from markets.core.types import Event, Market, Status
from markets.selectors import universes
from markets.services import keep, listing, universe
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


def status(id: str) -> Status:
    return universes.markets_in_force([id])[id].terms.status


def ended(each: Market, status: Status) -> Market:
    return replace(each, terms=replace(each.terms, status=status, accepting_orders=False))


class TestVanished:
    """m-5 is followed but not tracked: nobody would ask about it otherwise."""

    @pytest.mark.parametrize("became", [Status.CLOSED, Status.RESOLVED])
    def test_one_that_ended_says_so(self, source, became):
        universe.sync_markets(source, NOON)
        source.unlisted = [ended(source.listed.pop(), became)]
        universe.sync_markets(source, NOON + MINUTE)

        assert status("m-5") is became
        assert universes.newest_sync().vanished == 1

    def test_one_nobody_knows_any_more_takes_no_orders(self, source):
        universe.sync_markets(source, NOON)
        source.listed.pop()
        universe.sync_markets(source, NOON + MINUTE)

        assert status("m-5") is Status.HALTED
        universe.sync_markets(source, NOON + 2 * MINUTE)
        assert universes.newest_sync().vanished == 0

    def test_one_that_is_open_all_the_same_stays_open(self, source):
        universe.sync_markets(source, NOON)
        source.unlisted = [source.listed.pop(0)]
        universe.sync_markets(source, NOON + MINUTE)

        assert status("m-1") is Status.OPEN
        assert tracked() == ["m-1", "m-2"]

    def test_nothing_is_claimed_while_the_source_cannot_be_asked(self, source):
        universe.sync_markets(source, NOON)
        source.unlisted = [source.listed.pop(0)]
        source.lookup_down = True
        universe.sync_markets(source, NOON + MINUTE)

        assert status("m-1") is Status.OPEN
        assert tracked() == ["m-1", "m-2"]

    def test_a_list_not_read_to_its_end_makes_nothing_vanish(self, source):
        universe.sync_markets(source, NOON)
        source.listed.pop()
        source.listing = Listing(complete=False)
        universe.sync_markets(source, NOON + MINUTE)

        assert status("m-5") is Status.OPEN
        assert universes.newest_sync().vanished == 0

    def test_when_it_was_seen_first_and_last_is_kept(self, source):
        universe.sync_markets(source, NOON)
        source.listed.pop()
        universe.sync_markets(source, NOON + MINUTE)

        times = {
            row.condition_id: (row.first_seen_at_ms, row.last_seen_at_ms)
            for row in models.Market.objects.all()
        }
        assert times["m-5"] == (NOON, NOON)
        assert times["m-4"] == (NOON, NOON + MINUTE)


class TestSyncs:
    def test_new_markets_are_counted(self, source):
        universe.sync_markets(source, NOON)
        source.listed.append(replace(market("m-9"), created_at=NOON + 5))
        universe.sync_markets(source, NOON + MINUTE)

        sync = universes.newest_sync()
        assert (sync.listed, sync.new, sync.tracked) == (6, 1, 2)

    def test_what_the_source_left_out_is_counted_with_the_rest(self, source):
        source.listing = Listing(left_out={"closed": 7, "inactive": 2}, unreadable=3)
        universe.sync_markets(source, NOON)

        assert universes.exclusions() == (("closed", 7), ("outranked", 3), ("inactive", 2))
        assert universes.newest_sync().unreadable == 3

    def test_the_oldest_are_forgotten(self, source, monkeypatch):
        monkeypatch.setattr(universe, "SYNCS", 2)
        for minute in range(4):
            universe.sync_markets(source, NOON + minute * MINUTE)

        ats = models.Sync.objects.order_by("at").values_list("at", flat=True)
        assert list(ats) == [NOON + 2 * MINUTE, NOON + 3 * MINUTE]

    def test_excluded_kinds_are_not_followed_and_young_ones_are(self, source, settings):
        configure(settings, exclude=("live_sports", "younger_than_24h"))
        source.listed[3] = replace(source.listed[3], tags=("sports",))
        source.listed[4] = replace(source.listed[4], created_at=NOON - 5)
        universe.sync_markets(source, NOON)

        held = set(models.Market.objects.values_list("condition_id", flat=True))
        assert held == {"m-1", "m-2", "m-3", "m-5"}
        assert universes.standing("m-5").reason is Reason.YOUNG
        assert universes.standing("m-4") is None

    def test_before_the_first_there_is_nothing_to_tell(self):
        assert universes.exclusions() == ()
        assert dict(universes.membership()) == {}
        assert universes.standing("m-1") is None


class TestMembership:
    def test_says_why_each_is_in(self, source, settings):
        configure(settings, pinned=("slug-m-4",))
        keep("m-5", "held")
        keep("m-5", "open order")
        universe.sync_markets(source, NOON)

        assert dict(universes.membership()) == {
            "m-1": "volume rank 1",
            "m-2": "volume rank 2",
            "m-4": "pinned: slug-m-4",
            "m-5": "kept: held, open order",
        }

    def test_a_reason_that_changed_is_a_new_universe_and_the_old_one_keeps_its_own(
        self, source, settings
    ):
        first = universe.sync_markets(source, NOON)
        configure(settings, markets=1, pinned=("m-2",))
        second = universe.sync_markets(source, NOON + MINUTE)

        assert second.version > first.version
        assert universes.standings(first.version)["m-2"].told == "volume rank 2"
        assert universes.standings()["m-2"].told == "pinned: m-2"

    def test_ranks_that_only_moved_are_told_and_are_no_new_universe(self, source):
        first = universe.sync_markets(source, NOON)
        source.listed[1] = replace(source.listed[1], volume_24h=micro(900))

        assert universe.sync_markets(source, NOON + MINUTE).version == first.version
        assert universes.membership()["m-2"] == "volume rank 1"
        assert universes.standings()["m-2"].rank == 2

    def test_events_are_completed(self, source):
        event = Event("e-9", "race", "The race", neg_risk=True)
        source.listed = [
            *source.listed[:1],
            *(replace(each, event=event) for each in source.listed[1:4]),
            *source.listed[4:],
        ]
        universe.sync_markets(source, NOON)

        assert tracked() == ["m-1", "m-2", "m-3", "m-4"]
        assert universes.membership()["m-4"] == "outcome of The race"
        assert universes.newest_sync().outcomes == 2

    def test_filters_apply(self, source, settings):
        configure(settings, filters=Filters(categories=("tech",)))
        source.listed[4] = replace(source.listed[4], category="tech")
        universe.sync_markets(source, NOON)

        assert tracked() == ["m-5"]
        assert universes.exclusions() == (("category", 4),)

    def test_a_market_read_by_itself_keeps_what_only_the_list_tells(self, source):
        source.listed[0] = replace(source.listed[0], tags=("politics", "usa"))
        universe.sync_markets(source, NOON)
        source.unlisted = [replace(source.listed.pop(0), tags=(), category="other")]
        universe.sync_markets(source, NOON + MINUTE)

        held = universes.markets_in_force(["m-1"])["m-1"]
        assert (held.tags, held.category) == (("politics", "usa"), "politics")


class TestPins:
    def test_a_market_the_list_lacks_is_looked_up_by_name(self, source, settings):
        source.unlisted = [market("m-77")]
        configure(settings, pinned=("https://polymarket.com/event/slug-e-1/slug-m-77",))
        universe.sync_markets(source, NOON)

        assert tracked() == ["m-1", "m-2", "m-77"]

    def test_a_name_that_means_nothing_is_noted(self, source, settings, caplog):
        configure(settings, pinned=("gone-market", "m-1"))
        universe.sync_markets(source, NOON)

        assert universes.newest_sync().unknown == ["gone-market"]
        assert "Pins that name nothing at the exchange: gone-market" in caplog.text

    def test_a_pinned_market_leaves_when_it_has_ended(self, source, settings):
        configure(settings, pinned=("m-5",))
        universe.sync_markets(source, NOON)
        source.unlisted = [ended(source.listed.pop(), Status.RESOLVED)]
        universe.sync_markets(source, NOON + MINUTE)

        assert tracked() == ["m-1", "m-2"]

    def test_a_day_of_syncs_asks_only_for_what_it_follows(self, source):
        for hour in range(25):
            universe.sync_markets(source, NOON + hour * DAY // 24)

        assert set(source.looked_up) == {("m-1", "m-2")}


class TestManyMarkets:
    def test_more_than_a_sync_can_ask_about_take_turns(self, source, settings, monkeypatch):
        monkeypatch.setattr(listing, "MOST_ASKED", 2)
        configure(settings, markets=5)
        for minute in range(4):
            universe.sync_markets(source, NOON + minute * MINUTE)

        assert {len(names) for names in source.looked_up} == {1, 2}
        assert set().union(*source.looked_up) == set(tracked())

    def test_nothing_is_claimed_of_those_whose_turn_it_is_not(self, source, settings, monkeypatch):
        monkeypatch.setattr(listing, "MOST_ASKED", 1)
        configure(settings, markets=5)
        universe.sync_markets(source, NOON)
        source.listing = Listing(complete=False)
        source.unlisted, source.listed = source.listed[3:], source.listed[:3]
        universe.sync_markets(source, NOON + MINUTE)

        assert tracked() == ["m-1", "m-2", "m-3", "m-4", "m-5"]
        assert {status(id) for id in tracked()} == {Status.OPEN}


def test_the_same_choice_on_every_database(database, settings):
    configure(settings, pinned=("slug-m-4",))
    told = Told([market(f"m-{n}", volume_24h=100 - n) for n in range(1, 6)])
    universe.sync_markets(told, NOON)
    told.unlisted = [ended(told.listed.pop(), Status.CLOSED)]
    universe.sync_markets(told, NOON + MINUTE)

    assert status("m-5") is Status.CLOSED
    assert universes.exclusions() == (("closed", 1), ("outranked", 1))
    assert dict(universes.membership())["m-4"] == "pinned: slug-m-4"
