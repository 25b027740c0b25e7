"""Every way a stream can fail, over real sockets: what is handed out is true, or is refused."""

import pytest

from markets.core.book import Anomaly
from markets.core.types import FeedState
from tests.apps.markets.stream.conftest import Stage, opened, until
from tests.exchange.sockets import Trouble


def of_line(stage: Stage, number: int) -> set[str]:
    return set(stage.source.shelf.lines[number].tokens)


BREAKER_SECONDS = 61
"""After so long whatever failed is asked again."""


def http_down(stage: Stage) -> None:
    """Refused for good: no retry sleeps, so the world stands still while books are read."""
    stage.exchange.fault("/books", "status", status=403)


def paused(stage: Stage) -> set[str]:
    """Tokens that are not streamed: their market takes no orders."""
    return {t for m in stage.markets if not m.terms.accepting_orders for t in (m.yes.id, m.no.id)}


class TestHealthy:
    def test_books_are_the_exchanges_and_most_need_no_request(self, stage):
        stage.begin()
        stage.live(5)
        asked = sum(map(len, stage.exchange.sizes))
        found = stage.books()

        assert set(found) == set(stage.tokens)
        assert all(stage.shows(book) for book in found.values())
        stage.live(2)
        asked = sum(map(len, stage.exchange.sizes))
        stage.books()
        assert sum(map(len, stage.exchange.sizes)) - asked < len(stage.tokens) // 2
        assert stage.source.standing() == (FeedState.OK, "")

    def test_stream_and_poll_show_the_same_books_at_the_same_instants(self, stage):
        stage.begin()
        for _ in range(5):
            stage.live(7)
            streamed = stage.books()
            polled = stage.source.rest.books(stage.tokens, stage.clock.ms)
            cut = {t: (b.bids[:10], b.asks[:10], b.venue_at) for t, b in polled.items()}

            assert {t: (b.bids, b.asks, b.venue_at) for t, b in streamed.items()} == cut

    def test_quiet_books_are_confirmed_before_strategies_call_them_stale(self, stage):
        stage.begin()
        for listing in stage.world.listings:
            listing.state = "quiet"
        stage.live(3)

        def fresh() -> None:
            ages = [stage.clock.ms - book.observed_at for book in stage.books().values()]
            assert max(ages) < 11_000

        stage.live(30, fresh)

    def test_lines_hold_whole_markets_and_no_more_than_they_may(self, stage):
        stage.begin()

        assert {len(line.tokens) for line in stage.lines()} <= {2, 4, 6, 8}
        for market in stage.markets:
            shares = {n for n in stage.source.shelf.lines if market.yes.id in of_line(stage, n)}
            assert shares == {
                n for n in stage.source.shelf.lines if market.no.id in of_line(stage, n)
            }

    def test_the_tokens_follow_the_universe_without_a_new_connection(self, stage):
        stage.begin()
        before = stage.socket.connects
        gone, stage.markets = stage.markets[0], stage.markets[1:]
        stage.source.follow(stage.markets)
        until(lambda: all(gone.yes.id not in line.tokens for line in stage.lines()))
        stage.markets = (gone, *stage.markets)
        stage.source.follow(stage.markets)
        until(lambda: stage.source.shelf.view([gone.yes.id, gone.no.id], 1)[0].keys())
        stage.live(2)

        assert stage.socket.connects == before
        assert all(stage.shows(book) for book in stage.books().values())

    def test_a_line_lost_after_the_comparison_costs_no_book_just_read(self, stage, monkeypatch):
        stage.begin()
        stage.live(61)
        lost = of_line(stage, 1)
        monkeypatch.setattr(
            stage.source.sockets, "renew", lambda _: stage.source.shelf.closed(1, "lost")
        )
        found = stage.books()

        assert lost <= found.keys()
        assert all(stage.shows(found[token]) for token in lost)


class TestFreeze:
    def test_a_frozen_line_is_not_believed_after_fifteen_seconds_and_others_are(self, stage):
        stage.begin()
        stage.books()
        frozen = of_line(stage, 1)
        stage.socket.troubles[1] = Trouble(freeze=True)
        stage.live(16)
        http_down(stage)
        found = stage.books()

        assert not frozen & found.keys()
        assert {stage.source.refused[token] for token in frozen} == {Anomaly.STALE}
        assert set(stage.tokens) - frozen - paused(stage) <= found.keys()
        assert stage.source.shelf.faults["frozen"] == 1
        assert stage.source.standing()[0] is FeedState.DEGRADED

    def test_data_alone_does_not_bring_trust_back_and_http_does(self, stage):
        stage.begin()
        stage.books()
        frozen = of_line(stage, 1)
        stage.socket.troubles[1] = Trouble(freeze=True)
        stage.live(16)
        http_down(stage)
        stage.socket.troubles.clear()
        stage.live(10)
        assert not frozen & stage.books().keys()

        stage.exchange.mend()
        stage.live(BREAKER_SECONDS)
        found = stage.books()
        assert frozen <= found.keys()
        assert all(stage.shows(book) for book in found.values())

    def test_a_line_silent_for_a_minute_is_opened_anew(self, stage):
        stage.begin()
        before = stage.socket.connects
        stage.socket.troubles[1] = Trouble(freeze=True)
        stage.live(62)
        until(lambda: stage.socket.connects > before)

        assert stage.source.shelf.faults["silent"] == 1
        until(lambda: all(line.open for line in stage.lines()))

    def test_a_line_that_answers_no_ping_is_opened_anew(self, stage):
        stage.begin()
        before = stage.socket.connects
        stage.socket.troubles[1] = Trouble(freeze=True, deaf=True)
        stage.live(34)
        until(lambda: stage.socket.connects > before)

        assert stage.source.shelf.faults["silent"] == 1


LOSSY = {
    "gap": Trouble(lose=0.3),
    "duplicates": Trouble(duplicate=0.5),
    "disorder": Trouble(reorder=0.3),
    "garbage": Trouble(garbage=0.1),
    "everything": Trouble(lose=0.1, duplicate=0.1, reorder=0.1, garbage=0.05),
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_is_handed_out_had_the_true_best_prices_and_losses_heal(stage, name):
    """A book confirmed in this very second must show this second's best prices."""
    stage.begin()
    stage.books()
    stage.socket.trouble = LOSSY[name]
    checked = 0

    def look() -> None:
        nonlocal checked
        for book in stage.books().values():
            assert book.bids[0].price < book.asks[0].price
            if book.observed_at == stage.clock.ms:
                assert stage.touches(book)
                checked += 1

    stage.live(25, look)
    stage.socket.trouble = Trouble()
    stage.live(31)
    found = stage.books()

    assert checked > 100
    assert set(found) == set(stage.tokens)
    assert all(stage.shows(book) for book in found.values())
    prints = stage.source.prints([market.id for market in stage.markets], 0, 0)
    assert len(prints) == len(stage.socket.trades)


class TestConnections:
    @pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4000])
    def test_a_closed_connection_comes_back_with_its_books(self, stage, code):
        stage.begin()
        before = stage.socket.connects
        stage.socket.kick(code, "bye", number=1)
        until(lambda: stage.socket.connects > before)
        until(lambda: all(line.open for line in stage.lines()))
        stage.live(2)

        assert set(stage.books()) == set(stage.tokens)
        assert all(stage.shows(book) for book in stage.books().values())

    def test_a_huge_frame_ends_one_connection_only(self, stage):
        stage.begin()
        before = stage.socket.connects
        stage.socket.say("x" * (17 * 2**20), number=1)
        until(lambda: stage.socket.connects > before)
        stage.live(1)

        assert stage.source.shelf.faults["closed"] == 1
        assert set(stage.books()) == set(stage.tokens)

    def test_a_storm_of_closures_is_met_with_growing_pauses_and_ticks_go_on(self, stage):
        stage.begin()
        lines, before = len(stage.lines()), stage.socket.connects
        stage.socket.trouble = Trouble(storm=0.01)
        stage.live(40)
        assert set(stage.books()) == set(stage.tokens)
        assert lines < stage.socket.connects - before < 40 * lines

        stage.socket.trouble = Trouble()
        until(lambda: all(line.open for line in stage.lines()))
        stage.live(2)
        assert all(stage.shows(book) for book in stage.books().values())

    def test_no_socket_at_all_is_polling_and_says_so(self, stage):
        stage.socket.trouble = Trouble(refuse=429)
        stage.source.follow(stage.markets)
        until(lambda: stage.source.shelf.faults["refused"] > 2)

        assert set(stage.books()) == set(stage.tokens)
        state, why = stage.source.standing()
        assert state is FeedState.DOWN
        assert "429" in why
        stage.live(5)
        assert all(stage.clock.ms == book.observed_at for book in stage.books().values())

        stage.socket.trouble = Trouble()
        until(lambda: stage.source.standing()[0] is FeedState.OK)

    def test_http_down_leaves_the_believed_books(self, stage):
        stage.begin()
        stage.books()
        http_down(stage)
        stage.live(3)
        found = stage.books()

        assert set(stage.tokens) - paused(stage) == set(found)
        assert all(stage.shows(book) for book in found.values())

    def test_late_messages_are_not_taken_for_the_present(self, stage):
        stage.begin()
        stage.books()
        late = of_line(stage, 1)
        stage.socket.troubles[1] = Trouble(slow=12_000)
        stage.live(14)
        until(lambda: stage.source.shelf.faults["late"] > 0)
        http_down(stage)
        found = stage.books()

        assert {stage.source.refused[token] for token in late - found.keys()} == {Anomaly.STALE}
        assert all(stage.clock.ms != book.observed_at for t, book in found.items() if t in late)


class TestSubscriptions:
    def test_a_lost_subscription_is_made_again_and_http_stands_in(self, stage):
        lost = stage.markets[0]
        stage.socket.trouble = Trouble(mute={lost.yes.id, lost.no.id})
        stage.source.follow(stage.markets)
        until(lambda: len(stage.lines()) > 2 and all(line.open for line in stage.lines()))

        def look() -> None:
            for token in (lost.yes.id, lost.no.id):
                book = stage.books()[token]
                if book.observed_at == stage.clock.ms:
                    assert stage.shows(book)

        stage.live(16, look)
        stage.socket.trouble = Trouble()
        stage.live(31, look)
        held = stage.source.shelf._books[lost.yes.id]
        until(lambda: held.streamed)

    def test_more_tokens_than_the_exchange_bears_bring_nothing_and_http_stands_in(self):
        with opened(markets=252, most_tokens=600) as stage:
            stage.source.follow(stage.markets)
            until(lambda: stage.lines() and all(line.open for line in stage.lines()))
            assert len(stage.source.shelf.lines[1].tokens) > 500
            assert len(stage.books()) == len(stage.tokens)
            assert stage.socket.sent["book"] == 0
