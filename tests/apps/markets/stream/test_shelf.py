"""Which books may be believed: silence, thaw, old news, bad messages, and whose they are."""

import pytest

from markets.core.book import Anomaly
from markets.core.types import ONE, Book, FeedState, Level, Resolution, Status
from markets.sources.stream import messages
from markets.sources.stream.local import LocalBook
from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf
from tests.apps.markets.stream import frames as f

PACE = Pace()
OTHER = f.market("0x" + "cd" * 32, "3" * 70, "4" * 70)


@pytest.fixture
def shelf() -> Shelf:
    """Two markets on two lines; only the first market's line has brought its books."""
    shelf = Shelf(PACE)
    shelf.learn([f.market(), OTHER])
    for number, market in ((1, f.market()), (2, OTHER)):
        shelf.follow(number, [token.id for token in market.tokens], f.NOW)
        shelf.opened(number, f.NOW)
    shelf.receive(1, f.text(f.book(), f.mirrored()), f.NOW)
    return shelf


def trouble(shelf: Shelf, token: str = f.YES, now: int = f.NOW) -> Anomaly | None:
    shelf.expire(now)
    books, refused = shelf.view([token], 10)
    assert len(books) + len(refused) == 1
    return refused.get(token)


def confirm(shelf: Shelf, now: int) -> None:
    """HTTP shows what the line told at first."""
    shelf.due([f.YES, f.NO], now)
    told = {}
    for token, item in ((f.YES, f.book()), (f.NO, f.mirrored())):
        book = LocalBook(token)
        [whole] = messages.read(f.text(item), f.NOW)
        book.replace(whole, now)
        told[token] = book.shown(None)
    shelf.check(told, now)


class TestSilence:
    def test_a_line_is_believed_for_fifteen_seconds_without_data(self, shelf):
        assert trouble(shelf, now=f.NOW + 15_000) is None
        assert trouble(shelf, now=f.NOW + 15_001) is Anomaly.STALE
        assert shelf.faults["frozen"] == 2

    def test_a_pong_is_no_data(self, shelf):
        shelf.receive(1, "PONG", f.NOW + 10_000)

        assert trouble(shelf, now=f.NOW + 15_001) is Anomaly.STALE

    def test_news_of_other_markets_is_no_data(self, shelf):
        new = {"event_type": "new_market", "market": "0x" + "ee" * 32, "timestamp": str(f.NOW)}
        shelf.receive(1, f.text(new, f.trade(token="9" * 70)), f.NOW + 10_000)

        assert trouble(shelf, now=f.NOW + 15_001) is Anomaly.STALE

    def test_data_of_one_token_vouches_for_the_line_but_confirms_only_that_token(self, shelf):
        more = f.change(("BUY", "0.40", "5"), best=("0.40", "0.42"), at=f.NOW + 10_000)
        shelf.receive(1, f.text(more), f.NOW + 10_000)
        books, _ = shelf.view([f.YES, f.NO], 10)

        assert trouble(shelf, f.NO, f.NOW + 20_000) is None
        assert books[f.YES].observed_at == f.NOW + 10_000
        assert books[f.NO].observed_at == f.NOW

    def test_one_frozen_line_leaves_the_others_alone(self, shelf):
        other = f.book("3" * 70) | {"market": OTHER.id}
        shelf.receive(2, f.text(other), f.NOW + 14_000)

        assert trouble(shelf, now=f.NOW + 16_000) is Anomaly.STALE
        assert trouble(shelf, "3" * 70, f.NOW + 16_000) is None

    def test_frames_after_a_freeze_do_not_bring_trust_back(self, shelf):
        """Even where nobody looked in between: the first frame tells how long the silence was."""
        shelf.receive(1, f.text(f.book(at=f.NOW + 20_000)), f.NOW + 20_000)

        assert trouble(shelf, now=f.NOW + 20_000) is Anomaly.STALE
        assert trouble(shelf, f.NO, f.NOW + 20_000) is Anomaly.STALE

    def test_http_brings_trust_back_for_fifteen_seconds_and_a_live_line_keeps_it(self, shelf):
        assert trouble(shelf, now=f.NOW + 20_000) is Anomaly.STALE
        confirm(shelf, f.NOW + 20_000)
        assert trouble(shelf, now=f.NOW + 35_000) is None
        assert trouble(shelf, now=f.NOW + 35_001) is Anomaly.STALE

        confirm(shelf, f.NOW + 36_000)
        more = f.change(("BUY", "0.40", "5"), best=("0.40", "0.42"), at=f.NOW + 40_000)
        shelf.receive(1, f.text(more), f.NOW + 40_000)
        confirm(shelf, f.NOW + 41_000)
        assert trouble(shelf, now=f.NOW + 55_000) is None

    def test_a_new_connection_does_not_end_the_doubt(self, shelf):
        assert trouble(shelf, now=f.NOW + 20_000) is Anomaly.STALE
        shelf.closed(1, "silent")
        shelf.opened(1, f.NOW + 61_000)
        shelf.receive(1, f.text(f.book(at=f.NOW + 61_000)), f.NOW + 61_000)

        assert trouble(shelf, now=f.NOW + 61_000) is Anomaly.STALE

    def test_a_token_the_socket_never_sent_is_believed_on_the_word_of_http_only(self, shelf):
        token = "3" * 70
        shelf.check({token: Book(token, (Level(400_000, 1),), (), f.NOW)}, f.NOW)
        assert trouble(shelf, token) is None
        at = f.NOW + 15_001
        shelf.receive(2, f.text(f.book("4" * 70, at=at) | {"market": OTHER.id}), at - 1_000)

        assert trouble(shelf, token, at) is Anomaly.STALE
        assert trouble(shelf, "4" * 70, at) is None
        assert shelf.to_resubscribe(f.NOW + PACE.resubscribe_ms) == {2: [token]}
        assert shelf.to_resubscribe(f.NOW + PACE.resubscribe_ms) == {}


class TestBadNews:
    def test_a_closed_line_forgets_its_books(self, shelf):
        shelf.closed(1, "1006")

        assert trouble(shelf) is Anomaly.MISSING
        assert shelf.standing(f.NOW) == (FeedState.DEGRADED, "1 of 2 connections: 1006")

    def test_all_lines_closed_is_down(self, shelf):
        shelf.closed(1, "refused")
        shelf.closed(2, "refused")

        assert shelf.standing(f.NOW)[0] is FeedState.DOWN

    def test_old_news_makes_its_token_doubtful(self, shelf):
        now = f.NOW + 14_000
        old = f.change(("BUY", "0.40", "5"), best=("0.40", "0.42"), at=now - PACE.late_ms - 1)
        shelf.receive(1, f.text(old), now)

        assert trouble(shelf, now=now) is Anomaly.STALE
        assert trouble(shelf, f.NO, now) is None

    def test_a_bad_change_costs_its_token(self, shelf):
        shelf.receive(1, f.text(f.change(("BUY", "two", "5"))), f.NOW)

        assert trouble(shelf) is Anomaly.BAD_PAYLOAD
        assert trouble(shelf, f.NO) is None
        assert shelf.faults["bad_price_change"] == 1

    def test_a_bad_change_of_a_market_without_a_token_costs_both(self, shelf):
        broken = f.change(("BUY", "0.4", "5")) | {"price_changes": None}
        shelf.receive(1, f.text(broken), f.NOW)

        assert trouble(shelf) is trouble(shelf, f.NO) is Anomaly.BAD_PAYLOAD

    def test_garbage_could_have_been_anybodys_and_makes_the_line_doubtful(self, shelf):
        shelf.receive(1, "{{{", f.NOW)

        assert trouble(shelf) is trouble(shelf, f.NO) is Anomaly.STALE

    @pytest.mark.parametrize("item", [{"event_type": "candle"}, f.trade(size="0")])
    def test_what_is_no_book_costs_no_trust(self, shelf, item):
        shelf.receive(1, f.text(item), f.NOW)

        assert trouble(shelf) is None
        assert sum(shelf.faults.values()) == 1

    def test_another_markets_message_for_our_token_costs_trust(self, shelf):
        shelf.receive(1, f.text(f.book() | {"market": OTHER.id}), f.NOW)

        assert trouble(shelf) is Anomaly.BAD_PAYLOAD

    def test_tokens_nobody_asked_for_are_ignored(self, shelf):
        shelf.receive(1, f.text(f.book("9" * 70)), f.NOW)

        assert shelf.faults == {"stray": 1}
        assert shelf.view(["9" * 70], 1) == ({}, {"9" * 70: Anomaly.MISSING})

    def test_a_loss_on_a_line_makes_all_its_books_due(self, shelf):
        confirm(shelf, f.NOW)
        assert shelf.due([f.YES, f.NO], f.NOW + 1) == []
        shelf.receive(1, f.text(f.change(("BUY", "0.43", "5"))), f.NOW + 1)

        assert trouble(shelf) is Anomaly.CROSSED
        assert set(shelf.due([f.YES, f.NO], f.NOW + 2)) == {f.YES, f.NO}


class TestDue:
    def test_a_quiet_book_is_due_before_strategies_call_it_stale(self, shelf):
        confirm(shelf, f.NOW)

        assert shelf.due([f.YES], f.NOW + PACE.quiet_ms - 1) == []
        assert shelf.due([f.YES], f.NOW + PACE.quiet_ms) == [f.YES]

    def test_the_two_books_of_a_market_are_due_together(self, shelf):
        """One read ahead of the other would show two instants."""
        confirm(shelf, f.NOW)
        at = f.NOW + PACE.quiet_ms
        more = f.change(("BUY", "0.40", "5"), best=("0.40", "0.42"), at=at)
        shelf.receive(1, f.text(more), at)

        assert shelf.due([f.YES, f.NO], at) == [f.YES, f.NO]

    def test_every_book_is_due_twice_a_minute(self, shelf):
        assert shelf.due([f.YES], f.NOW) == [f.YES]
        confirm(shelf, f.NOW)
        at = f.NOW + PACE.check_ms
        for now in (f.NOW + 10_000, f.NOW + 20_000, at - 1):
            more = f.change(("BUY", "0.40", "5"), best=("0.40", "0.42"), at=now)
            shelf.receive(1, f.text(more), now)

        assert shelf.due([f.YES], at - 1) == []
        assert shelf.due([f.YES], at) == [f.YES]

    def test_unfollowed_tokens_are_always_due(self, shelf):
        assert shelf.due(["9" * 70], f.NOW + 1) == ["9" * 70]


class TestNews:
    def test_a_trade_is_told_once_however_often_it_comes(self, shelf):
        shelf.receive(1, f.text(f.trade(), f.trade()), f.NOW)
        shelf.receive(1, f.text(f.trade(), f.trade(at=f.NOW + 1)), f.NOW + 5)

        found = shelf.news.prints([f.CONDITION], f.NOW - 1)
        assert [(made.at, made.side, made.size) for made in found] == [
            (f.NOW, "buy", 10_000_000),
            (f.NOW + 1, "buy", 10_000_000),
        ]
        assert shelf.news.prints([f.CONDITION], f.NOW) == found[1:]
        assert shelf.news.prints([OTHER.id], 0) == ()

    def test_trades_are_let_go_of_after_a_quarter_of_an_hour(self, shelf):
        shelf.receive(1, f.text(f.trade()), f.NOW)
        shelf.receive(1, f.text(f.trade(at=f.NOW + 900_001)), f.NOW + 900_001)

        assert len(shelf.news.prints([f.CONDITION], 0)) == 1

    def test_a_new_price_grid_drops_both_books_until_one_comes(self, shelf):
        grid = f.about("tick_size_change", new_tick_size="0.001", old_tick_size="0.01")
        shelf.receive(1, f.text(grid), f.NOW)

        assert trouble(shelf) is trouble(shelf, f.NO) is Anomaly.MISSING
        assert shelf.news.grids() == {f.CONDITION: 1_000}
        shelf.receive(1, f.text(f.book(at=f.NOW + 1)), f.NOW + 100)
        assert trouble(shelf) is None

    def test_a_grid_is_forgotten_with_its_line(self, shelf):
        shelf.receive(1, f.text(f.book(tick_size="0.001")), f.NOW)
        assert shelf.news.grids() == {f.CONDITION: 1_000}
        shelf.closed(1, "1006")

        assert shelf.news.grids() == {}

    @pytest.mark.parametrize(("winner", "payouts"), [(f.YES, (ONE, 0)), (f.NO, (0, ONE))])
    def test_an_outcome_with_its_winner_is_a_resolution(self, shelf, winner, payouts):
        shelf.receive(1, f.text(self.ended(winner)), f.NOW + 5)

        assert shelf.news.outcomes([f.CONDITION]) == {
            f.CONDITION: Resolution(f.CONDITION, Status.RESOLVED, f.NOW, payouts)
        }

    @pytest.mark.parametrize("winner", ["", None, "9" * 70])
    def test_an_outcome_without_a_known_winner_is_a_reason_to_ask(self, shelf, winner):
        shelf.receive(1, f.text(self.ended(winner)), f.NOW + 5)

        assert shelf.news.outcomes([f.CONDITION]) == {}
        assert shelf.news.take_unclear([f.CONDITION, OTHER.id]) == {f.CONDITION}
        assert shelf.news.take_unclear([f.CONDITION]) == set()

    def ended(self, winner: str | None) -> dict[str, object]:
        told = {"event_type": "market_resolved", "market": f.CONDITION, "timestamp": str(f.NOW)}
        return told | {"winning_asset_id": winner}

    def test_new_markets_are_told_once(self, shelf):
        new = {"event_type": "new_market", "market": "0x" + "ee" * 32, "timestamp": str(f.NOW)}
        shelf.receive(1, f.text(new | {"event_message": {"slug": "event-1"}}), f.NOW)

        assert shelf.news.take_listed() == {"0x" + "ee" * 32: "event-1"}
        assert shelf.news.take_listed() == {}
