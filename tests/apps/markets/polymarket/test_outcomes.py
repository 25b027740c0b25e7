"""Outcomes: settled on evidence only, remembered, and never in the way of the books."""

import pytest

from markets.core.types import ONE, Status
from tests.apps.markets.polymarket.opened import NOW


def said(source, conditions):
    """What the source says of markets that do not just trade."""
    found = source.resolutions(conditions, NOW)
    return [fact for fact in found if fact.status is not Status.OPEN]


class TestResolutions:
    def test_open_markets_are_said_to_be_open(self, source):
        ids = [market.id for market in source.markets(NOW)]

        found = list(source.resolutions(ids, NOW))

        assert {fact.market for fact in found} == set(ids)
        assert {(fact.status, fact.payouts) for fact in found} == {(Status.OPEN, None)}

    @pytest.mark.parametrize("payouts", [(ONE, 0), (0, ONE), (ONE // 2, ONE // 2)])
    def test_data_v2_settles_at_once(self, source, exchange, payouts):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", payouts)

        (found,) = said(source, [x.condition for x in exchange.world.listings[:9]])

        assert found.market == listing.condition
        assert (found.status, found.payouts, found.at) == (Status.RESOLVED, payouts, NOW)

    def test_a_proposal_can_flip_and_is_never_final(self, source, exchange, clock):
        listing, seen = exchange.world.listings[1], []
        for state in ("proposed", "disputed", "open", "proposed"):
            exchange.world.end(listing, state)
            clock.ms += 31_000
            seen += [(r.status, r.payouts) for r in source.resolutions([listing.condition], NOW)]

        states = [Status.PROPOSED, Status.DISPUTED, Status.OPEN, Status.PROPOSED]
        assert seen == [(state, None) for state in states]

    def test_a_catalogue_that_lags_takes_nothing_back(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "disputed")
        source.resolutions([listing.condition], NOW)
        exchange.world.end(listing, "open")
        exchange.fault("/v2/resolutions", "status", status=403)
        clock.ms += 31_000

        (found,) = source.resolutions([listing.condition], NOW)

        assert found.status is Status.DISPUTED

    def test_twenty_markets_are_asked_about_in_one_call(self, source, exchange):
        ids = [x.condition for x in exchange.world.listings]
        source.resolutions(ids, NOW)

        assert len(ids) == 22
        assert exchange.requests["/v2/resolutions"] == 2

    def test_answers_are_remembered_between_reads(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "proposed")
        first = source.resolutions([listing.condition], NOW)
        clock.ms += 10_000

        assert source.resolutions([listing.condition], NOW) == first
        assert exchange.requests["/v2/resolutions"] == 1

    def test_what_is_settled_is_asked_again_now_and_then_and_may_be_corrected(
        self, source, exchange, clock
    ):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", (ONE, 0))
        first = source.resolutions([listing.condition], NOW)
        clock.ms += 590_000
        assert source.resolutions([listing.condition], NOW) == first
        assert exchange.requests["/v2/resolutions"] == 1
        exchange.world.end(listing, "resolved", (0, ONE))
        clock.ms += 11_000

        (found,) = source.resolutions([listing.condition], NOW)

        assert (found.status, found.payouts) == (Status.RESOLVED, (0, ONE))

    def test_the_catalogue_cannot_unsettle_what_is_settled(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", (ONE, 0))
        first = source.resolutions([listing.condition], NOW)
        exchange.fault("/v2/resolutions", "status", status=403)
        for state, payouts in (("open", None), ("void", None), ("resolved", (0, ONE))):
            exchange.world.end(listing, state, payouts)
            clock.ms += 601_000
            assert source.resolutions([listing.condition], NOW) == first

        clock.ms += 11_000
        (found,) = source.resolutions([listing.condition], NOW)
        assert found.payouts == (0, ONE)

    def test_the_catalogue_settles_only_when_it_says_so_twice(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", (ONE, 0))
        exchange.fault("/v2/resolutions", "status", status=500)

        (first,) = source.resolutions([listing.condition], NOW)
        clock.ms += 11_000
        (second,) = source.resolutions([listing.condition], NOW)

        assert (first.status, first.payouts) == (Status.CLOSED, None)
        assert (second.status, second.payouts) == (Status.RESOLVED, (ONE, 0))

    def test_a_catalogue_that_changes_its_mind_settles_nothing(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.fault("/v2/resolutions", "strange")
        for payouts in ((ONE, 0), (0, ONE), (ONE, 0)):
            exchange.world.end(listing, "resolved", payouts)
            (found,) = source.resolutions([listing.condition], NOW)
            assert found.payouts is None
            clock.ms += 11_000

    def test_frozen_prices_are_not_a_resolution(self, source, exchange, clock):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "void")
        for _ in range(3):
            (found,) = source.resolutions([listing.condition], NOW)
            assert (found.status, found.payouts) == (Status.CLOSED, None)
            clock.ms += 31_000

    def test_a_silent_catalogue_does_not_hide_what_data_v2_said(self, source, exchange):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", (ONE, 0))
        exchange.fault("/markets/keyset", "status", status=403)

        found = said(source, [x.condition for x in exchange.world.listings[:3]])

        assert [r.payouts for r in found] == [(ONE, 0)]

    def test_neither_host_answering_costs_no_books_and_forgets_nothing(
        self, source, exchange, clock, caplog
    ):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "proposed")
        before = source.resolutions([listing.condition], NOW)
        exchange.fault("/v2/resolutions", "status", status=403)
        exchange.fault("/markets/keyset", "status", status=403)
        clock.ms += 31_000

        assert source.resolutions([listing.condition], NOW) == before
        assert source.transport.failures == {"data.status_403": 1, "gamma.status_403": 1}
        assert "PQAP_DATA_URL" in caplog.text
        exchange.mend()
        exchange.world.end(listing, "resolved", (ONE, 0))
        (found,) = source.resolutions([listing.condition], NOW)
        assert found.payouts == (ONE, 0)
