"""The catalogue: every tradable market, and one bad market costs only itself."""

import pytest

from markets.core.ports import SourceDown
from markets.core.types import FeeSchedule, Status
from tests.apps.markets.polymarket.opened import NOW

TEN_MINUTES = 600_000


class TestMarkets:
    def test_finds_every_tradable_market_on_every_page(self, source, exchange):
        found = source.markets(NOW)

        assert {m.id for m in found} == {x.condition for x in exchange.world.tradable()}
        assert exchange.requests["/events/keyset"] > 2
        assert source.catalogue.last.complete
        assert source.catalogue.last.skipped == {"inactive": 1, "closed": 1}

    def test_highest_volume_comes_first(self, source):
        volumes = [m.volume_24h for m in source.markets(NOW)]

        assert volumes == sorted(volumes, reverse=True)

    def test_paused_market_is_listed_and_not_accepting(self, source):
        (paused,) = [m for m in source.markets(NOW) if m.slug.startswith("paused")]

        assert paused.terms.status is Status.HALTED
        assert not paused.terms.accepting_orders

    def test_neg_risk_event_is_shared_by_its_markets(self, source):
        grouped = [m for m in source.markets(NOW) if m.event.neg_risk]

        assert len(grouped) == 8
        assert len({m.event.id for m in grouped}) == 2

    def test_a_fee_gamma_does_not_state_is_asked_of_the_clob_once(self, source, exchange):
        for _ in range(2):
            (unpriced,) = [m for m in source.markets(NOW) if m.slug.startswith("unpriced")]

        assert unpriced.terms.fee == FeeSchedule(40_000)
        assert exchange.requests["/clob-markets"] == 1

    def test_a_fee_nobody_states_stays_unknown(self, source, exchange):
        exchange.fault("/clob-markets", "status", status=404)

        (unpriced,) = [m for m in source.markets(NOW) if m.slug.startswith("unpriced")]

        assert unpriced.terms.fee is None

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda m: m | {"clobTokenIds": "broken"},
            lambda m: {k: v for k, v in m.items() if k != "orderPriceMinTickSize"},
            lambda m: m | {"outcomes": None},
            lambda m: m | {"active": "yes"},
            lambda m: "not even an object",
        ],
    )
    def test_one_bad_market_costs_only_itself(self, source, exchange, spoil):
        victim = exchange.world.listings[0].condition
        exchange.world.spoiled_markets[victim] = spoil

        found = {m.id for m in source.markets(NOW)}

        assert found == {x.condition for x in exchange.world.tradable()} - {victim}
        assert len(source.catalogue.last.unreadable) == 1

    def test_a_changed_schema_is_an_outage_and_not_an_empty_catalogue(self, source, exchange):
        for listing in exchange.world.listings:
            exchange.world.spoiled_markets[listing.condition] = lambda m: m | {"clobTokenIds": 7}

        with pytest.raises(SourceDown, match="none of which can be traded; market"):
            source.markets(NOW)

    def test_a_repeated_cursor_ends_the_walk(self, source, exchange):
        exchange.repeat_cursor = True

        source.markets(NOW)

        assert not source.catalogue.last.complete
        assert exchange.requests["/events/keyset"] <= 3

    def test_a_walk_cut_short_keeps_what_the_last_one_knew(self, source, exchange, clock):
        whole = {m.id for m in source.markets(NOW)}
        closed = source.markets(NOW)[0].id
        exchange.world.spoiled_markets[closed] = lambda m: m | {"closed": True}
        source.catalogue.most_pages = 1
        clock.ms += TEN_MINUTES

        found = {m.id for m in source.markets(NOW)}

        assert not source.catalogue.last.complete
        assert found == whole - {closed}
