"""Bodies the live hosts sent parse to the right facts; skipped where they are not present."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from markets.core import book as books
from markets.core import venue
from markets.core.ports import SourceDown
from markets.core.types import ONE, Event, FeeSchedule, Status
from markets.sources import wire_clob, wire_data, wire_gamma
from markets.sources.transport import Rejected
from tests.apps.markets.polymarket.scripted import CLOB
from tests.exchange.mutations import to_bytes
from tests.exchange.payloads import shared

EVENT = Event("1", "an-event", "An event?")
DAY = 86_400_000
AT = 1_790_000_000_000


class TestRecorded:
    """Bodies the live hosts sent."""

    def test_fed_books_are_mirrors_with_matching_hashes(self):
        pairs: dict[str, list[Any]] = {}
        for item in shared("clob-books-negrisk-fed-june-2026"):
            assert wire_clob.digest(item) == item["hash"]
            market, book = wire_clob.book(item, AT)
            pairs.setdefault(market, []).append(book)

        assert len(pairs) == 5
        for yes, no in pairs.values():
            spread = yes.asks[0].price - yes.bids[0].price
            assert yes.asks[0].price + no.asks[0].price == ONE + spread
            assert books.mirror(yes, no.token).bids == no.bids
            assert books.mirror(yes, no.token).asks == no.asks

    def test_fed_event(self):
        item = shared("gamma-event-negrisk-fed-june-2026")
        event, tags = wire_gamma.event(item)
        markets = [wire_gamma.market(m, event, tags).market for m in item["markets"]]

        assert event.neg_risk
        assert not event.augmented
        assert {m.terms.fee for m in markets} == {FeeSchedule(50_000, 1, 250_000)}
        assert {m.terms.tick_size for m in markets} == {1_000}
        assert {m.category for m in markets} == {"economics"}
        assert {m.terms.status for m in markets} == {Status.OPEN}
        tokens = {item["asset_id"] for item in shared("clob-books-negrisk-fed-june-2026")}
        assert {t.id for m in markets for t in m.tokens} == tokens

    def test_clob_terms_agree_with_gamma(self):
        rows = shared("clob-clobmarkets-fed-june-2026")

        assert {wire_clob.fee(row, row["c"]) for row in rows} == {FeeSchedule(50_000)}

    def test_five_minute_crypto_is_open_at_even_odds_and_not_resolved(self):
        (item,) = shared("gamma-event-crypto-5m")
        event, tags = wire_gamma.event(item)
        market = wire_gamma.market(item["markets"][0], event, tags).market

        assert [t.outcome for t in market.tokens] == ["Up", "Down"]
        assert market.terms.fee == FeeSchedule(70_000, 1, 200_000)
        assert market.volume_24h == 0
        assert market.game_start_at is None
        resolution = wire_gamma.resolution(shared("gamma-market-crypto-5m-preopen"), AT)
        assert resolution.status is Status.OPEN

    def test_the_recorded_kinds_are_known(self):
        event, tags = wire_gamma.event(shared("gamma-event-crypto-5m")[0])
        item = shared("gamma-event-crypto-5m")[0]["markets"][0]
        short = wire_gamma.market(item, event, tags).market
        nameless = replace(short, slug="renamed", created_at=short.created_at - 3 * DAY)
        game = shared("gamma-market-sports-moneyline-resolved")
        played = wire_gamma.market(game, *wire_gamma.own_event(game)).market
        week, event_tags = wire_gamma.event(shared("gamma-publicsearch-bitcoin-above")["events"][0])
        strike = shared("gamma-publicsearch-bitcoin-above")["events"][0]["markets"][0]
        long = wire_gamma.market(strike, week, event_tags).market
        at = short.created_at + 2 * DAY

        assert venue.kinds(short, at) == {venue.CRYPTO_SHORT}
        assert venue.kinds(nameless, at) == {venue.CRYPTO_SHORT}
        assert venue.kinds(played, at) == {venue.LIVE_SPORTS}
        assert venue.kinds(long, at) == set()

    def test_figures_for_choosing(self):
        item = shared("gamma-event-negrisk-fed-june-2026")
        item = item[0] if isinstance(item, list) else item
        event, tags = wire_gamma.event(item)
        found = [wire_gamma.market(m, event, tags).market for m in item["markets"]]

        assert found[0].liquidity == 365_215_794_680
        assert [m.spread for m in found] == [1_000] * 5
        assert found[0].price == 5_500
        assert all(min(m.price, ONE - m.price) < 50_000 for m in found)

    def test_augmented_event_without_fees(self):
        (item,) = shared("gamma-events-negrisk-dem-nominee-2028")
        event, tags = wire_gamma.event(item)
        found = [wire_gamma.market(m, event, tags) for m in item["markets"]]

        assert event.augmented
        assert {x.market.terms.fee for x in found} == {FeeSchedule(0)}

    @pytest.mark.parametrize(
        ("name", "payouts"),
        [
            ("gamma-market-closed-resolved-no", (0, ONE)),
            ("gamma-market-crypto-5m-resolved-up", (ONE, 0)),
            ("gamma-market-sports-moneyline-resolved", (ONE, 0)),
        ],
    )
    def test_resolved_markets(self, name, payouts):
        found = wire_gamma.resolution(shared(name), AT)

        assert (found.status, found.payouts) == (Status.RESOLVED, payouts)
        assert found.at < AT

    def test_sports_terms(self):
        item = shared("gamma-market-sports-moneyline-resolved")
        found = wire_gamma.market(item, EVENT, ()).market

        assert found.terms.taker_delay_ms == 3_000
        assert found.game_start_at == 1_775_401_800_000
        assert found.category == "sports"
        assert "sports" in found.tags
        assert found.terms.status is Status.RESOLVED

    def test_listed_markets_stand_alone(self):
        for item in shared("gamma-markets-list-two-open"):
            found = wire_gamma.market(item, EVENT, ()).market

            assert found.terms.fee == FeeSchedule(50_000, 1, 250_000)

    def test_old_and_never_traded_books(self):
        old = wire_clob.book(shared("clob-book-2024-old-shape"), AT)[1]
        fresh = wire_clob.book(shared("clob-book-crypto-5m-never-traded"), AT)[1]

        assert (old.bids[0].price, old.asks[0].price) == (100_000, 140_000)
        assert (fresh.bids[0].price, fresh.asks[0].price) == (490_000, 510_000)

    def test_history_and_resolution(self):
        points = wire_clob.history(shared("clob-priceshistory-crypto-5m"), "1")
        (row,) = shared("data-v2-resolutions-resolved")["data"]
        found = wire_data.resolution(row, AT)

        assert [(p.at, p.price) for p in points] == [
            (1_782_201_484_000, 500_000),
            (1_782_201_544_000, 500_000),
        ]
        assert (found.status, found.payouts) == (Status.RESOLVED, (ONE, 0))
        assert found.at == 1_788_988_759_000

    def test_fed_market_to_the_last_term(self):
        item = shared("gamma-event-negrisk-fed-june-2026")
        event, tags = wire_gamma.event(item)
        found = wire_gamma.market(item["markets"][0], event, tags).market

        assert found.id == "0xdde06286a7b9464d344f410ab0b3d2ebc6469904e72c27fd982f65fdbf78768d"
        assert [t.outcome for t in found.tokens] == ["Yes", "No"]
        assert found.yes.id.startswith("651932346666282")
        assert found.volume_24h == 248_946_436_694
        assert found.terms.end_at == 1_781_654_400_000
        assert (found.terms.min_size, found.terms.taker_delay_ms) == (5_000_000, 0)
        assert found.terms.accepting_orders
        assert found.created_at == 1_765_385_873_046

    def test_searched_events_hold_readable_markets(self):
        for item in shared("gamma-publicsearch-bitcoin-above")["events"]:
            event, tags = wire_gamma.event(item)
            for row in item["markets"]:
                found = wire_gamma.market(row, event, tags).market

                assert found.id == row["conditionId"]
                assert found.category == "crypto"

    def test_trades_as_the_contract_has_them(self):
        rows = shared("data-v2-trades")["data"]

        assert [(row["side"], row["price"], row["size"]) for row in rows] == [
            ("BUY", Decimal("0.52"), Decimal("22.84")),
            ("BUY", Decimal("0.002"), Decimal("5.0")),
        ]
        assert {row["timestamp"] for row in rows} == {1_789_381_477}


class TestErrors:
    """Bodies of refusals: what a person reads in the log."""

    @pytest.mark.parametrize(
        ("name", "status", "error", "said"),
        [
            (
                "clob-error-book-404",
                404,
                Rejected,
                "refused the request (404, 'No orderbook exists",
            ),
            ("clob-error-tick-400", 400, Rejected, "refused the request (400, 'order 0xabc..."),
            ("gamma-error-404-slug", 404, Rejected, "refused the request (404, 'slug not found')"),
            ("gamma-error-422-id", 422, Rejected, "refused the request (422, 'id is invalid')"),
            ("clob-error-cancel-only-503", 503, SourceDown, "(503, 'Trading is currently cancel-"),
            ("geoblock-blocked", 403, SourceDown, "refused us (403): check PQAP_CLOB_URL and whe"),
        ],
    )
    def test_say_what_the_exchange_said(self, wired, name, status, error, said):
        body = to_bytes(shared(name))
        transport, _, _ = wired(httpx.Response(status, content=body))

        with pytest.raises(error) as raised:
            transport.get(CLOB, "/book", {}, within=10)
        assert said in raised.value.reason
        assert isinstance(raised.value, Rejected) is (error is Rejected)
