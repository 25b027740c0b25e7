"""Order books: both tokens in one call, bad ones refused by name, the others untouched."""

import pytest

from markets.core import book as books
from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.types import ONE
from markets.sources.transport import Transport
from tests.apps.markets.polymarket.opened import NOW, against, tokens_of
from tests.exchange import Exchange, World


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
            (lambda b: b | {"hash": "0" * 40}, Anomaly.HASH),
            (lambda b: b | {"bids": [{"price": "NaN", "size": "1"}]}, Anomaly.HASH),
            (
                lambda b: b | {"bids": [{"price": "NaN", "size": "1"}], "hash": ""},
                Anomaly.BAD_PAYLOAD,
            ),
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

    def test_a_book_of_another_market_is_refused_by_a_reader_that_never_listed(
        self, source, exchange, clock
    ):
        markets = source.markets(NOW)
        reader = against(exchange.url, clock)
        reader.learn(markets[:4])
        token = markets[1].yes.id
        other = {"market": markets[2].id, "hash": ""}
        exchange.world.spoiled_books[token] = lambda b: b | other

        found = reader.books(tokens_of(markets[:4]), NOW)

        assert reader.refused == {token: Anomaly.BAD_PAYLOAD}
        assert len(found) == 7
        reader.close()

    def test_a_book_that_changed_on_the_way_is_refused(self, source, exchange):
        tokens = tokens_of(source.markets(NOW))

        def swap(book):
            return book | {"bids": [*book["bids"], {"price": "0.01", "size": "9"}]}

        exchange.world.spoiled_books[tokens[0]] = swap

        source.books(tokens, NOW)

        assert source.refused[tokens[0]] is Anomaly.HASH

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


class TestTime:
    """A cycle has so much of it; what is not read today is read first tomorrow."""

    def test_a_batch_that_hangs_leaves_time_for_the_others(self, exchange, clock):
        transport = Transport(clock=clock.seconds, sleep=clock.sleep)
        source = against(exchange.url, clock, batch=8, transport=transport)
        tokens = tokens_of(source.markets(NOW))
        allowed = []
        post = transport.post

        def watched(host, path, body, *, within, **how):
            allowed.append(within)
            if len(allowed) == 1:
                clock.sleep(within)
                raise SourceDown("It hangs.")
            return post(host, path, body, within=within, **how)

        transport.post = watched
        found = source.books(tokens, NOW)

        assert set(found) == set(tokens[8:])
        assert allowed[0] <= source.orderbooks.seconds / 2
        assert sum(allowed[:1]) < source.orderbooks.seconds
        source.close()

    def test_a_single_batch_has_all_of_it(self, source, exchange):
        tokens = tokens_of(source.markets(NOW))
        allowed = []
        post = source.transport.post

        def watched(*given, within, **how):
            allowed.append(within)
            return post(*given, within=within, **how)

        source.transport.post = watched
        source.books(tokens, NOW)

        assert allowed == [source.orderbooks.seconds]

    def test_when_time_runs_out_the_rest_comes_first_next_time(self, exchange, clock):
        transport = Transport(clock=clock.seconds, sleep=clock.sleep)
        source = against(exchange.url, clock, batch=8, transport=transport)
        tokens = tokens_of(source.markets(NOW))
        post = transport.post

        def slow(*given, **how):
            clock.sleep(3)
            return post(*given, **how)

        transport.post = slow
        read = [set(source.books(tokens, NOW)) for _ in range(3)]

        assert all(0 < len(found) < len(tokens) for found in read)
        assert set.union(*read) == set(tokens)
        source.close()
