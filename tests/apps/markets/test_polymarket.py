"""The Polymarket source against a local exchange: every fault costs at most what it touches."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from markets.core import book as books
from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.types import ONE, FeeSchedule, Market, Status
from markets.sources.polymarket import PolymarketSource
from markets.sources.transport import Transport
from tests.exchange import Exchange, World

NOW = 1_790_000_000_000


class Time:
    """Both clocks of the source, moved by hand: a world that stands still unless told."""

    def __init__(self) -> None:
        self.ms = NOW

    def wall(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def exchange(clock: Time) -> Iterator[Exchange]:
    with Exchange(World(seed=4, markets=16, now=clock.wall), page=5) as running:
        yield running


@pytest.fixture
def source(exchange: Exchange, clock: Time) -> Iterator[PolymarketSource]:
    transport = Transport(clock=clock.seconds, sleep=clock.sleep)
    opened = against(exchange.url, clock, transport=transport)
    yield opened
    opened.close()


def against(url: str, clock: Time, **options: object) -> PolymarketSource:
    return PolymarketSource(gamma_url=url, clob_url=url, data_url=url, now=clock.wall, **options)


def tokens_of(markets: list[Market]) -> list[str]:
    return [token.id for market in markets for token in market.tokens]


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

    def test_a_walk_cut_short_keeps_what_the_last_one_knew(self, source, exchange):
        whole = {m.id for m in source.markets(NOW)}
        closed = source.markets(NOW)[0].id
        exchange.world.spoiled_markets[closed] = lambda m: m | {"closed": True}
        source.catalogue.most_pages = 1

        found = {m.id for m in source.markets(NOW)}

        assert not source.catalogue.last.complete
        assert found == whole - {closed}


class TestBooks:
    def test_fifty_markets_are_one_request(self, clock):
        with Exchange(World(seed=2, markets=50, now=clock.wall)) as exchange:
            source = against(exchange.url, clock)
            markets = source.markets(NOW)[:50]

            found = source.books(tokens_of(markets), NOW)

            assert len(found) == 100 - 2 * sum(m.slug.startswith("placeholder") for m in markets)
            assert exchange.requests["/books"] == 1
            source.close()

    def test_show_one_instant_of_both_tokens(self, source, clock):
        markets = source.markets(NOW)

        found = source.books(tokens_of(markets), NOW)

        assert not source.refused
        for market in markets:
            yes, no = found[market.yes.id], found[market.no.id]
            assert yes.observed_at == no.observed_at == clock.ms
            assert books.absurdity(yes, market.terms.tick_size) is None
            assert books.incoherence(books.Pair(yes, no), market.terms.tick_size) is None
            assert yes.asks[0].price + no.asks[0].price == (
                ONE + yes.asks[0].price - yes.bids[0].price
            )

    def test_move_with_the_world(self, source, clock):
        tokens = tokens_of(source.markets(NOW))
        before = source.books(tokens, NOW)
        clock.ms += 60_000

        after = source.books(tokens, NOW)

        assert {b.observed_at for b in after.values()} == {clock.ms}
        assert any(after[t].bids != before[t].bids for t in tokens)
        assert all(after[t].venue_at >= before[t].venue_at for t in tokens)

    @pytest.mark.parametrize("known", [True, False])
    def test_the_two_tokens_of_a_market_share_a_call(self, exchange, clock, known):
        source = against(exchange.url, clock, batch=7)
        markets = source.markets(NOW)
        tokens = tokens_of(markets)
        if known:
            tokens = [m.yes.id for m in markets] + [m.no.id for m in markets]
        else:
            source.orderbooks.learn([])

        found = source.books(tokens, NOW)

        assert len(found) == len(tokens)
        assert all(len(call) <= 7 for call in exchange.sizes)
        for market in markets:
            calls = {
                index
                for index, call in enumerate(exchange.sizes)
                for token in market.tokens
                if token.id in call
            }
            assert len(calls) == 1
        source.close()

    def test_no_call_holds_more_than_the_exchange_takes(self, source, exchange):
        strangers = [str(number) for number in range(1, 1_203)]

        source.books([*strangers, exchange.world.listings[0].yes], NOW)

        assert [len(call) for call in exchange.sizes] == [500, 500, 203]

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (lambda b: None, Anomaly.MISSING),
            (lambda b: b | {"hash": "0" * 40}, Anomaly.BAD_PAYLOAD),
            (lambda b: b | {"bids": [{"price": "NaN", "size": "1"}]}, Anomaly.BAD_PAYLOAD),
            (lambda b: b | {"asks": None}, Anomaly.BAD_PAYLOAD),
            (lambda b: b | {"market": "0x" + "f" * 64, "hash": ""}, Anomaly.BAD_PAYLOAD),
            (lambda b: b | {"asset_id": None}, Anomaly.MISSING),
            (lambda b: 17, Anomaly.MISSING),
        ],
    )
    def test_one_bad_book_costs_only_itself(self, source, exchange, spoil, reason):
        tokens = tokens_of(source.markets(NOW))
        exchange.world.spoiled_books[tokens[3]] = spoil

        found = source.books(tokens, NOW)

        assert set(found) == set(tokens) - {tokens[3]}
        assert source.refused == {tokens[3]: reason}

    def test_a_book_that_changed_on_the_way_is_refused(self, source, exchange):
        tokens = tokens_of(source.markets(NOW))

        def swap(book):
            return book | {"bids": [*book["bids"], {"price": "0.01", "size": "9"}]}

        exchange.world.spoiled_books[tokens[0]] = swap

        source.books(tokens, NOW)

        assert source.refused[tokens[0]] is Anomaly.BAD_PAYLOAD

    def test_refusals_are_those_of_the_last_call(self, source, exchange):
        tokens = tokens_of(source.markets(NOW))
        exchange.world.spoiled_books[tokens[0]] = lambda b: None
        source.books(tokens, NOW)
        exchange.world.spoiled_books.clear()

        source.books(tokens, NOW)

        assert source.refused == {}

    def test_a_token_that_spoils_its_batch_costs_only_its_market(self, source, exchange, clock):
        tokens = tokens_of(source.markets(NOW))
        exchange.strict_books = True

        found = source.books(["404", "405", *tokens], NOW)

        assert set(found) == set(tokens)
        assert source.refused == {"404": Anomaly.MISSING, "405": Anomaly.MISSING}
        before = exchange.requests["/books"]
        assert set(source.books(["404", "405", *tokens], NOW)) == set(tokens)
        assert exchange.requests["/books"] == before + 1
        clock.ms += 181_000
        source.books(["404", "405", *tokens], NOW)
        assert exchange.requests["/books"] > before + 2

    def test_a_failed_batch_does_not_cost_the_others(self, exchange, clock):
        transport = Transport(clock=clock.seconds, sleep=clock.sleep)
        source = against(exchange.url, clock, batch=20, transport=transport)
        tokens = tokens_of(source.markets(NOW))
        exchange.fault("/books", "redirect", times=1)

        found = source.books(tokens, NOW)

        assert set(found) == set(tokens[20:])
        assert set(source.refused) == set(tokens[:20])
        source.close()

    def test_depth_is_kept_as_stated(self, exchange, clock):
        source = against(exchange.url, clock, depth=3)
        tokens = tokens_of(source.markets(NOW))

        found = source.books(tokens, NOW)

        assert {len(b.bids) for b in found.values()} <= {1, 2, 3}
        source.close()


FAULTS = ["status", "html", "truncated", "reset", "cut", "silent", "trickle", "bomb", "redirect"]
FAULTS += ["deep", "empty", "strange"]
CALLS: dict[str, Callable[[PolymarketSource], object]] = {
    "/events/keyset": lambda source: source.markets(NOW),
    "/books": lambda source: source.books(["1", "2"], NOW),
    "/prices-history": lambda source: source.history(["1"], NOW - 3_600_000, NOW),
}
PATIENCE = 0.4


class TestFaults:
    @pytest.mark.parametrize("route", CALLS)
    @pytest.mark.parametrize("kind", FAULTS)
    def test_end_in_one_sentence_within_the_deadline(
        self, exchange, clock, monkeypatch, route, kind
    ):
        monkeypatch.setattr("markets.sources.catalogue.PAGE_SECONDS", PATIENCE)
        monkeypatch.setattr("markets.sources.polymarket.HISTORY_SECONDS", PATIENCE)
        impatient = Transport(sleep=lambda seconds: None, largest_reply=2_000_000)
        source = against(exchange.url, clock, transport=impatient)
        source.orderbooks.seconds = PATIENCE
        exchange.fault(route, kind)
        start = time.monotonic()

        with pytest.raises(SourceDown) as down:
            CALLS[route](source)

        assert time.monotonic() - start < PATIENCE + 1.5
        assert down.value.reason.startswith(exchange.url)
        assert "\n" not in down.value.reason
        exchange.mend()
        monkeypatch.undo()
        assert source.markets(NOW)
        source.close()

    def test_nobody_listening_is_said_plainly(self, clock):
        with Exchange(World(markets=1)) as exchange:
            url = exchange.url
        source = against(url, clock, transport=Transport(sleep=lambda seconds: None))

        with pytest.raises(SourceDown) as down:
            source.books(["1", "2"], NOW)

        assert down.value.reason == (
            f"{url} cannot be reached (Connection refused): check the network or PQAP_CLOB_URL"
        )
        source.close()

    def test_a_slow_answer_within_the_deadline_is_an_answer(self, exchange, clock):
        source = against(exchange.url, clock)
        tokens = tokens_of(source.markets(NOW))
        exchange.fault("/books", "slow", seconds=0.2)

        assert len(source.books(tokens, NOW)) == len(tokens)
        source.close()

    def test_after_a_429_nothing_is_asked_for_a_while(self, source, exchange, clock):
        tokens = tokens_of(source.markets(NOW))
        exchange.fault("/books", "status", status=429, headers={"retry-after": "1"}, times=1)

        for _ in range(3):
            with pytest.raises(SourceDown):
                source.books(tokens, NOW)
        assert exchange.requests["/books"] == 1
        clock.ms += 10_000
        assert len(source.books(tokens, NOW)) == len(tokens)


class TestResolutions:
    def test_open_markets_are_not_spoken_of(self, source):
        assert list(source.resolutions([m.id for m in source.markets(NOW)], NOW)) == []

    @pytest.mark.parametrize("payouts", [(ONE, 0), (0, ONE), (ONE // 2, ONE // 2)])
    def test_data_v2_settles_at_once(self, source, exchange, payouts):
        listing = exchange.world.listings[1]
        exchange.world.end(listing, "resolved", payouts)

        (found,) = source.resolutions([x.condition for x in exchange.world.listings[:9]], NOW)

        assert found.market == listing.condition
        assert (found.status, found.payouts, found.at) == (Status.RESOLVED, payouts, NOW)

    def test_a_proposal_can_flip_and_is_never_final(self, source, exchange, clock):
        listing, seen = exchange.world.listings[1], []
        for state in ("proposed", "disputed", "open"):
            exchange.world.end(listing, state)
            clock.ms += 31_000
            seen += [(r.status, r.payouts) for r in source.resolutions([listing.condition], NOW)]

        assert seen == [(Status.PROPOSED, None), (Status.DISPUTED, None)]

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

        found = source.resolutions([x.condition for x in exchange.world.listings[:3]], NOW)

        assert [r.payouts for r in found] == [(ONE, 0)]

    def test_down_only_when_neither_answers(self, source, exchange):
        exchange.fault("/v2/resolutions", "status", status=403)
        exchange.fault("/markets/keyset", "status", status=403)

        with pytest.raises(SourceDown, match="PQAP_DATA_URL"):
            source.resolutions([exchange.world.listings[1].condition], NOW)


class TestHistory:
    def test_is_sorted_without_repeats_and_within_the_span(self, source, exchange):
        tokens = [exchange.world.listings[0].yes, exchange.world.listings[1].yes]
        since, until = NOW - 7 * 86_400_000, NOW

        points = list(source.history(tokens, since, until))

        assert [p.at for p in points] == sorted(p.at for p in points)
        assert len({(p.at, p.token) for p in points}) == len(points) == 2 * 2_016
        assert all(since <= p.at < until and 0 < p.price < ONE for p in points)

    def test_long_spans_are_asked_in_windows_the_exchange_takes(self, source, exchange):
        points = source.history([exchange.world.listings[0].yes], NOW - 30 * 86_400_000, NOW)

        assert len(list(points)) == 30 * 288
        assert exchange.requests["/prices-history"] == 3

    def test_an_unknown_token_costs_only_itself(self, source, exchange):
        known = exchange.world.listings[0].yes
        points = source.history(["404", known], NOW - 3_600_000, NOW)

        assert {p.token for p in points} == {known}


def test_prints_come_with_the_stream_and_nothing_needs_remembering(source):
    assert list(source.prints(["0x1"], 0, NOW)) == []
    assert source.checkpoint() == b""


def test_the_local_exchange_refuses_what_the_real_one_refuses(exchange):
    def get(path: str) -> int:
        return httpx.get(exchange.url + path, trust_env=False).status_code

    def post(entries: object) -> int:
        return httpx.post(exchange.url + "/books", json=entries, trust_env=False).status_code

    assert post([{"token_id": "1"}] * 501) == 400
    assert post([{"token_id": "1"}] * 500) == 200
    assert post({"token_id": "1"}) == 400
    assert get("/book?token_id=1") == 404
    assert get("/events/keyset?offset=5") == 422
    assert get("/v2/resolutions?condition=" + ",".join(["0x1"] * 21)) == 400
    assert get("/prices-history?market=1") == 404
    assert get("/nowhere") == 404
    assert get("/time") == 200
