"""Choosing from a list such as the exchange's, over HTTP: who is out and why, who is in."""

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.criteria import Filters, Reason
from markets.core.types import Market, Status
from markets.selectors import universes
from markets.services import universe
from markets.sources.polymarket import PolymarketSource
from markets.sources.transport import Transport
from tests import misbehaving
from tests.apps.markets.polymarket.opened import NOW, Time, against
from tests.builders import DAY, micro
from tests.exchange import Exchange, World

pytestmark = pytest.mark.django_db
MINUTE = 60_000
EXCLUDED = ("live_sports", "crypto_short", "combos", "younger_than_24h")
SHIPPED = Filters(min_hours_to_end=24, min_price=micro("0.05"))


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def exchange(clock: Time) -> Iterator[Exchange]:
    with Exchange(World(seed=5, markets=120, mix="realistic", now=clock.wall)) as running:
        yield running


@pytest.fixture
def source(exchange: Exchange, clock: Time) -> Iterator[PolymarketSource]:
    transport = Transport(clock=clock.seconds, sleep=clock.sleep)
    opened = against(exchange.url, clock, transport=transport)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _configured(settings) -> None:
    configure(settings)


def configure(settings, **collection: object) -> None:
    given = {"exclude": EXCLUDED, "filters": SHIPPED} | collection
    settings.PQAP = SimpleNamespace(digest="one", collection=misbehaving.collection(**given))


def listed(exchange: Exchange, *kinds: str) -> set[str]:
    return {x.condition for x in exchange.world.listings if x.kind in kinds}


def tracked() -> dict[str, Market]:
    return {market.id: market for market in universes.newest().universe.markets}


class TestExclusions:
    def test_each_kind_is_out_and_every_market_counted_once(self, source, exchange):
        universe.sync_markets(source, NOW)

        there = Counter(x.kind for x in exchange.world.listings)
        found = dict(universes.exclusions())
        told = {
            Reason.LIVE_SPORTS: there["sports"],
            Reason.CRYPTO_SHORT: there["crypto"],
            Reason.YOUNG: there["young"],
            Reason.COMBOS: there["combo"],
            Reason.CLOSED: there["closed"],
            Reason.INACTIVE: there["placeholder"],
            Reason.NEARLY_DECIDED: there["decided"],
            Reason.TOO_SOON: there["ending"],
            Reason.ENDED: there["ended"],
            Reason.ARGUED: there["argued"],
            Reason.NOT_ACCEPTING: there["paused"],
            Reason.FEE_UNKNOWN: there["feeless"],
            Reason.END_UNKNOWN: there["endless"],
        }
        assert {reason: found[reason] for reason in told} == told
        assert found[Reason.LIVE_SPORTS] == 120
        assert found[Reason.CRYPTO_SHORT] == 90
        assert sum(found.values()) + len(tracked()) == len(exchange.world.listings)
        assert universes.newest_sync().complete

    def test_the_busiest_of_the_list_are_nearly_all_out(self, source, exchange):
        """By volume alone hardly one tracked market could be worked on."""
        universe.sync_markets(source, NOW)
        busiest = sorted(exchange.world.tradable(), key=lambda x: -x.volume)[:50]

        assert len({x.condition for x in busiest} & tracked().keys()) <= 5

    def test_a_kind_no_longer_excluded_comes_in(self, source, exchange, settings):
        configure(settings, exclude=EXCLUDED[1:])

        universe.sync_markets(source, NOW)

        assert listed(exchange, "sports") & tracked().keys()


class TestTracked:
    def test_fifty_are_ranked_in_and_every_one_can_be_worked_on(self, source):
        universe.sync_markets(source, NOW)

        standings = universes.standings()
        ranked = [m for m in tracked().values() if standings[m.id].reason is Reason.RANK]
        prices = {row.condition_id: row.price for row in models.Market.objects.all()}
        assert len(ranked) == 50
        for market in ranked:
            assert market.terms.status is Status.OPEN
            assert market.terms.accepting_orders
            assert market.terms.fee is not None
            assert market.terms.end_at > NOW + DAY
            assert market.created_at < NOW - DAY
            assert micro("0.05") <= prices[market.id] <= micro("0.95")

    def test_why_is_told_in_words_and_ranks_are_those_of_the_volumes(self, source):
        universe.sync_markets(source, NOW)

        told = universes.membership()
        assert told.keys() == tracked().keys()
        assert "volume rank 1" in told.values()
        assert any(text.startswith("outcome of Who will win race") for text in told.values())
        ranks = {s.rank: tracked()[id] for id, s in universes.standings().items() if s.rank}
        volumes = [ranks[rank].volume_24h for rank in sorted(ranks)]
        assert volumes == sorted(volumes, reverse=True)
        assert set(range(1, 51)) <= ranks.keys()

    def test_neg_risk_events_are_tracked_whole_their_other_too_and_no_placeholder(
        self, source, exchange
    ):
        universe.sync_markets(source, NOW)

        standings = universes.standings()
        events = {
            market.event.id
            for id, market in tracked().items()
            if market.event.neg_risk and standings[id].reason is Reason.RANK
        }
        outcomes = {
            x.condition for x in exchange.world.tradable() if x.neg_risk and x.event in events
        }
        assert len(events) >= 8
        assert outcomes <= tracked().keys()
        sync = universes.newest_sync()
        assert sync.outcomes == len(tracked()) - 50
        assert sync.outcomes > 10
        other = [x for x in exchange.world.listings if x.extra.get("negRiskOther")]
        assert {x.condition for x in other} <= tracked().keys()
        assert all(tracked()[x.condition].event.augmented for x in other)
        assert not listed(exchange, "placeholder") & tracked().keys()

    def test_protocol_two_is_followed_by_its_own_token_ids(self, source, exchange, settings):
        configure(settings, pinned=("will-new-protocol-0-work",))
        universe.sync_markets(source, NOW)

        (mine,) = [x for x in exchange.world.listings if x.slug == "will-new-protocol-0-work"]
        market = tracked()[mine.condition]
        assert market.version == "v2"
        assert [token.id for token in market.tokens] == [mine.yes, mine.no]
        assert source.books([mine.yes, mine.no], NOW).keys() == {mine.yes, mine.no}


class TestFromMinuteToMinute:
    def test_between_walks_only_the_tracked_are_read(self, source, exchange, clock):
        universe.sync_markets(source, NOW)
        walked = exchange.requests["/events/keyset"]
        asked = exchange.requests["/markets/keyset"]
        clock.ms += MINUTE
        universe.sync_markets(source, NOW + MINUTE)

        assert exchange.requests["/events/keyset"] == walked
        assert 0 < exchange.requests["/markets/keyset"] - asked <= 4

    def test_nothing_flaps(self, source, clock):
        first = universe.sync_markets(source, NOW)
        for minute in range(1, 13):
            clock.ms += MINUTE
            done = universe.sync_markets(source, NOW + minute * MINUTE)
            assert (done.entered, done.left) == (0, 0)
        assert done.version == first.version

    def test_a_tracked_market_that_ends_is_out_within_a_minute_and_stays_out(
        self, source, exchange, clock
    ):
        universe.sync_markets(source, NOW)
        ranked = [id for id, s in universes.standings().items() if s.rank == 1]
        exchange.world.end(exchange.world.by_condition(ranked[0]), "resolved", (1_000_000, 0))
        for minute in range(1, 4):
            clock.ms += MINUTE
            universe.sync_markets(source, NOW + minute * MINUTE)
            assert ranked[0] not in tracked()

        terms = universes.markets_in_force(ranked)[ranked[0]].terms
        assert (terms.status, terms.accepting_orders) == (Status.RESOLVED, False)

    def test_a_rate_changed_mid_life_is_a_new_row_of_terms(self, source, exchange, clock):
        universe.sync_markets(source, NOW)
        before = universes.newest().universe
        stated = [x for x in map(exchange.world.by_condition, tracked()) if x.fee_rate]
        listing, id = stated[0], stated[0].condition
        old, listing.fee_rate = listing.fee_rate, "0.0123"
        clock.ms += MINUTE
        universe.sync_markets(source, NOW + MINUTE)

        universes.forget()
        assert tracked()[id].terms.fee.rate == micro("0.0123")
        then = universes.load(before.version).universe
        assert then.markets[then.column[id]].terms.fee.rate == micro(old)
        rows = models.Terms.objects.filter(market__condition_id=id).order_by("effective_at")
        assert [row.effective_at for row in rows] == [NOW, NOW + MINUTE]
