"""Walking a list too long for one sitting, and reading markets by name in between."""

from itertools import pairwise

import pytest

from markets.core.ports import SourceDown
from markets.core.types import Status
from tests.apps.markets.polymarket.opened import NOW

MINUTE = 60_000


def ids(markets) -> set[str]:
    return {market.id for market in markets}


@pytest.fixture
def impatient(source, exchange, clock):
    """A source whose sittings end after one page: each takes two seconds of its clock."""
    get = source.transport.get

    def slow(*arguments, **options):
        clock.ms += 2_000
        return get(*arguments, **options)

    source.transport.get = slow
    source.catalogue.seconds = 1.0
    return source


class TestSittings:
    def test_a_walk_goes_on_where_it_stopped(self, impatient, exchange):
        whole = {x.condition for x in exchange.world.tradable()}
        seen = [ids(impatient.markets(NOW)) for _ in range(4)]

        assert all(before <= after for before, after in pairwise(seen))
        assert len(seen[0]) < len(whole)
        assert seen[-1] == whole
        assert exchange.requests["/events/keyset"] == 3

    def test_what_was_never_read_is_said_to_be_missing(self, impatient):
        complete = []
        for _ in range(4):
            impatient.markets(NOW)
            complete.append(impatient.listing.complete)

        assert complete == [False, False, True, True]

    def test_while_a_new_walk_is_under_way_the_old_list_holds(self, impatient, exchange, clock):
        for _ in range(3):
            whole = ids(impatient.markets(NOW))
        clock.ms += 10 * MINUTE
        first = ids(impatient.markets(NOW))

        assert not impatient.catalogue.last.over
        assert first == whole
        assert impatient.listing.complete

    def test_a_market_gone_from_the_list_goes_when_the_walk_is_through(
        self, impatient, exchange, clock
    ):
        for _ in range(3):
            impatient.markets(NOW)
        victim = exchange.world.listings[0]
        exchange.world.spoiled_markets[victim.condition] = lambda m: None
        clock.ms += 10 * MINUTE
        there = [victim.condition in ids(impatient.markets(NOW)) for _ in range(3)]

        assert there == [True, True, False]

    def test_a_page_that_fails_is_read_again_by_the_next_sitting(self, impatient, exchange):
        first = ids(impatient.markets(NOW))
        exchange.fault("/events/keyset", "html")
        assert ids(impatient.markets(NOW)) == first
        exchange.mend()
        for _ in range(2):
            impatient.markets(NOW)

        assert impatient.listing.complete
        assert impatient.catalogue.last.pages == 3

    def test_a_cursor_the_exchange_forgot_begins_the_walk_anew(self, impatient, exchange):
        impatient.markets(NOW)
        exchange.fault("/events/keyset", "status", status=422, times=1)
        pages = []
        for _ in range(4):
            impatient.markets(NOW)
            pages.append(impatient.catalogue.last.pages)

        assert pages == [0, 1, 2, 3]
        assert impatient.listing.complete

    def test_the_list_is_given_up_after_an_hour_of_silence(self, source, exchange, clock):
        whole = ids(source.markets(NOW))
        exchange.fault("/events/keyset", "html")
        clock.ms += 20 * MINUTE
        assert ids(source.markets(NOW)) == whole
        clock.ms += 50 * MINUTE

        with pytest.raises(SourceDown):
            source.markets(NOW)


class TestGuards:
    def test_too_many_pages_end_the_walk_and_keep_what_was_known(self, source, exchange, clock):
        source.catalogue.most_pages = 2

        found = ids(source.markets(NOW))

        assert 0 < len(found) < len(exchange.world.tradable())
        assert source.catalogue.last.over
        assert not source.listing.complete
        assert exchange.requests["/events/keyset"] == 2

    def test_a_repeated_cursor_is_no_complete_list(self, source, exchange):
        exchange.repeat_cursor = True
        source.markets(NOW)

        assert source.catalogue.last.over
        assert not source.listing.complete

    def test_one_market_whose_fee_nobody_knows_does_not_cost_the_next_its_fee(
        self, source, exchange
    ):
        first, second = sorted(exchange.world.listings[:2], key=lambda x: -x.volume)
        first.kind, first.fee_rate, second.fee_rate = "feeless", None, None

        fees = {m.id: m.terms.fee for m in source.markets(NOW)}

        assert fees[first.condition] is None
        assert fees[second.condition] is not None

    def test_an_unknown_protocol_is_refused_rather_than_guessed(self, source, exchange):
        victim = exchange.world.listings[0].condition
        exchange.world.spoiled_markets[victim] = lambda m: m | {"version": "v3"}

        assert victim not in ids(source.markets(NOW))
        assert source.listing.unreadable == 1
        assert "version" in source.catalogue.last.unreadable[0]


class TestByName:
    def test_condition_ids_find_open_and_ended_markets(self, source, exchange):
        open_, ended, void = exchange.world.listings[:3]
        exchange.world.end(ended, "resolved", (0, 1_000_000))
        exchange.world.end(void, "void")

        found = source.lookup([x.condition for x in (open_, ended, void)], NOW)

        assert {m.id: m.terms.status for m in found} == {
            open_.condition: Status.OPEN,
            ended.condition: Status.RESOLVED,
            void.condition: Status.CLOSED,
        }
        assert not any(m.terms.accepting_orders for m in found if m.id != open_.condition)

    def test_one_call_serves_fifty_and_only_the_missing_are_asked_among_the_closed(
        self, source, exchange
    ):
        known = [x.condition for x in exchange.world.listings[:10]]
        unknown = [f"0x{n:064x}" for n in range(45)]

        assert ids(source.lookup([*known, *unknown], NOW)) == set(known)
        assert exchange.requests["/markets/keyset"] == 4

    def test_a_market_read_by_itself_keeps_event_and_tags_of_the_list(self, source, exchange):
        (listed,) = [m for m in source.markets(NOW) if m.id == exchange.world.listings[0].condition]

        (found,) = source.lookup([listed.id], NOW)

        assert found == listed

    def test_a_cold_source_reads_event_and_category_from_the_market(self, source, exchange):
        mine = exchange.world.listings[0]

        (found,) = source.lookup([mine.slug], NOW)

        assert (found.id, found.category) == (mine.condition, mine.category)
        assert (found.event.id, found.event.neg_risk) == (mine.event, True)

    def test_an_events_slug_finds_all_its_markets(self, source, exchange):
        event = exchange.world.listings[0].event

        found = source.lookup([f"event-{event}"], NOW)

        assert ids(found) == {x.condition for x in exchange.world.listings if x.event == event}

    def test_a_slug_of_both_an_event_and_a_market_means_the_event(self, source, exchange):
        first, second = exchange.world.listings[:2]
        first.event_slug = second.event_slug = first.slug

        assert ids(source.lookup([first.slug], NOW)) >= {first.condition, second.condition}

    def test_a_name_that_means_nothing_is_not_asked_for_at_every_turn(
        self, source, exchange, clock
    ):
        for _ in range(3):
            assert source.lookup(["no-such-thing/?&"], NOW) == ()
        assert exchange.requests["/events/slug"] == 1
        clock.ms += 11 * MINUTE
        source.lookup(["no-such-thing/?&"], NOW)

        assert exchange.requests["/events/slug"] == 2

    def test_an_ended_market_is_not_listed_again_from_memory(self, source, exchange):
        source.markets(NOW)
        victim = exchange.world.listings[0]
        exchange.world.end(victim, "resolved", (1_000_000, 0))
        source.lookup([victim.condition], NOW)

        assert victim.condition not in ids(source.markets(NOW))

    @pytest.mark.parametrize("kind", ["html", "strange", "empty"])
    def test_a_source_that_cannot_be_asked_says_so(self, source, exchange, kind):
        exchange.fault("/markets/keyset", kind)

        with pytest.raises(SourceDown):
            source.lookup([exchange.world.listings[0].condition], NOW)

    def test_one_bad_market_costs_only_itself(self, source, exchange):
        good, bad = (x.condition for x in exchange.world.listings[:2])
        exchange.world.spoiled_markets[bad] = lambda m: m | {"clobTokenIds": "broken"}

        assert ids(source.lookup([good, bad], NOW)) == {good}
