"""One token's book: what it takes from the socket, what it admits, and what HTTP makes of it."""

import pytest

from markets.core.book import Anomaly
from markets.core.types import Book, Level
from markets.sources.stream import messages
from markets.sources.stream.local import LocalBook, Verdict
from tests.apps.markets.stream import frames as f

LAG = 5_000


def told(book: LocalBook, *items: object, now: int = f.NOW) -> None:
    for item in items:
        found = messages.read(f.text(item), now)
        if isinstance(found[0], messages.Whole):
            book.replace(found[0], now)
        elif isinstance(found[0], messages.Best):
            book.best(found[0], now)
        else:
            book.change(found, now)


def held() -> LocalBook:
    """0.40 by 100 against 0.42 by 70, told at NOW."""
    book = LocalBook(f.YES)
    told(book, f.book())
    return book


def http(bids: dict[int, int], asks: dict[int, int], at: int, seen: int) -> Book:
    """A read in cents and shares."""
    sides = [
        tuple(Level(price * 10_000, size * 1_000_000) for price, size in side.items())
        for side in (bids, asks)
    ]
    return Book(f.YES, sides[0], sides[1], seen, at)


SAME = ({40: 100, 39: 50}, {42: 70, 43: 9})


def cents(book: LocalBook) -> tuple[dict[int, int], dict[int, int]]:
    shown = book.shown(None)
    sides = [{x.price // 10_000: x.size // 1_000_000 for x in s} for s in (shown.bids, shown.asks)]
    return sides[0], sides[1]


class TestFromTheSocket:
    def test_a_book_never_held_is_missing(self):
        assert LocalBook(f.YES).trouble is Anomaly.MISSING

    def test_a_full_book_is_believed_from_when_it_was_heard(self):
        book = held()

        assert book.trouble is None
        assert cents(book) == SAME
        assert (book.observed_at, book.venue_at) == (f.NOW, f.NOW)

    def test_changes_set_totals_and_remove(self):
        book = held()
        rows = (("BUY", "0.41", "5"), ("BUY", "0.40", "0"), ("SELL", "0.43", "1"))
        told(book, f.change(*rows, best=("0.41", "0.42"), at=f.NOW + 9), now=f.NOW + 20)

        assert cents(book) == ({41: 5, 39: 50}, {42: 70, 43: 1})
        assert (book.observed_at, book.venue_at) == (f.NOW + 20, f.NOW + 9)

    def test_the_cut_to_depth_keeps_the_best(self):
        assert held().shown(1).bids == (Level(400_000, 100_000_000),)

    def test_best_prices_that_do_not_fit_end_trust(self):
        book = held()
        told(book, f.change(("BUY", "0.38", "5"), best=("0.41", "0.42"), at=f.NOW + 9))

        assert book.trouble is Anomaly.MISMATCH
        assert book.observed_at == f.NOW

    def test_a_crossed_book_ends_trust(self):
        book = held()
        told(book, f.change(("BUY", "0.42", "5"), at=f.NOW + 9))

        assert book.trouble is Anomaly.CROSSED

    def test_a_full_book_heals_a_wrong_one(self):
        book = held()
        told(book, f.change(("BUY", "0.42", "5"), at=f.NOW + 9), f.book(at=f.NOW + 10))

        assert book.trouble is None
        assert cents(book) == SAME

    def test_no_frame_heals_a_doubtful_one(self):
        book = held()
        book.doubt()
        told(book, f.book(at=f.NOW + 10), f.change(("BUY", "0.40", "1"), at=f.NOW + 11))

        assert book.trouble is Anomaly.STALE

    def test_changes_may_come_twice(self):
        book, more = held(), f.change(("BUY", "0.41", "5"), best=("0.41", "0.42"), at=f.NOW + 9)
        told(book, more, more)

        assert book.trouble is None
        assert cents(book) == ({41: 5, 40: 100, 39: 50}, SAME[1])

    def test_an_older_word_on_a_price_does_not_undo_a_newer(self):
        book = held()
        newer = f.change(("BUY", "0.41", "0"), ("BUY", "0.38", "3"), at=f.NOW + 9)
        older = f.change(("BUY", "0.41", "5"), ("BUY", "0.37", "4"), at=f.NOW + 5)
        told(book, newer, older)

        assert book.trouble is None
        assert cents(book)[0] == {40: 100, 39: 50, 38: 3, 37: 4}

    def test_a_change_older_than_the_full_book_is_part_of_it(self):
        book = held()
        told(book, f.change(("BUY", "0.41", "5"), at=f.NOW - 1))

        assert cents(book) == SAME

    def test_an_older_full_book_changes_nothing(self):
        book = held()
        told(book, f.book(bids=(("0.1", "1"),), at=f.NOW - 1))

        assert cents(book) == SAME

    def test_best_prices_may_come_before_their_change(self):
        book = held()
        told(book, f.best("0.41", "0.42", at=f.NOW + 9))
        assert book.trouble is None
        assert not book.overdue(f.NOW + LAG, LAG)
        told(book, f.change(("BUY", "0.41", "5"), best=("0.41", "0.42"), at=f.NOW + 9))

        assert not book.overdue(f.NOW + 3 * LAG, LAG)

    def test_best_prices_whose_change_never_comes_are_overdue(self):
        book = held()
        told(book, f.best("0.41", "0.42", at=f.NOW + 9))

        assert book.overdue(f.NOW + LAG + 1, LAG)

    def test_best_prices_that_fit_confirm(self):
        book = held()
        told(book, f.best("0.40", "0.42", at=f.NOW + 9), now=f.NOW + 30)

        assert book.observed_at == f.NOW + 30

    def test_a_dropped_book_is_missing(self):
        book = held()
        book.drop()

        assert book.trouble is Anomaly.MISSING
        assert not book.streamed


class TestAgainstHttp:
    """NOW + 20 s: the read is asked for; it arrives 100 ms later."""

    ASKED, SEEN = f.NOW + 20_000, f.NOW + 20_100

    def check(self, book: LocalBook, read: Book) -> Verdict:
        return book.check(read, asked_at=self.ASKED, lag=LAG)

    def test_the_same_book_is_confirmed_as_of_its_arrival(self):
        book = held()

        assert self.check(book, http(*SAME, f.NOW, self.SEEN)) is Verdict.CONFIRMED
        assert book.observed_at == self.SEEN

    def test_the_first_read_fills_a_missing_book(self):
        book = LocalBook(f.YES)

        assert self.check(book, http(*SAME, f.NOW, self.SEEN)) is Verdict.RESET
        assert book.trouble is None
        assert not book.streamed

    def test_changes_heard_before_the_first_read_are_laid_over_it(self):
        book = LocalBook(f.YES)
        told(book, f.change(("BUY", "0.41", "5"), best=("0.41", "0.42"), at=f.NOW + 19_999))
        self.check(book, http(*SAME, f.NOW, self.SEEN))

        assert cents(book)[0] == {41: 5, 40: 100, 39: 50}

    def test_a_change_under_way_is_taken_over_without_blame(self):
        book = held()
        read = http({41: 5, 40: 100}, SAME[1], self.ASKED - 50, self.SEEN)

        assert self.check(book, read) is Verdict.AHEAD
        assert cents(book)[0] == {41: 5, 40: 100}

    def test_a_change_that_should_have_come_is_a_mismatch_and_the_read_is_taken(self):
        book = held()
        read = http({41: 5, 40: 100}, SAME[1], f.NOW + 9_000, self.SEEN)

        assert self.check(book, read) is Verdict.MISMATCH
        assert cents(book)[0] == {41: 5, 40: 100}
        assert book.trouble is None
        assert book.observed_at == self.SEEN

    def test_one_instant_two_books_is_a_mismatch(self):
        book = held()

        assert self.check(book, http({40: 100}, SAME[1], f.NOW, self.SEEN)) is Verdict.MISMATCH
        assert cents(book)[0] == {40: 100}

    def test_a_read_made_just_before_our_news_agrees_with_it_laid_over(self):
        book = held()
        news = f.change(("BUY", "0.40", "1"), best=("0.40", "0.42"), at=self.ASKED + 20)
        told(book, news, now=self.ASKED + 50)

        assert self.check(book, http(*SAME, f.NOW, self.SEEN)) is Verdict.CONFIRMED
        assert cents(book)[0] == {40: 1, 39: 50}

    def test_an_older_read_that_lacks_a_removal_shows_our_loss(self):
        book = held()
        news = f.change(("BUY", "0.40", "1"), best=("0.40", "0.42"), at=self.ASKED + 20)
        told(book, news, now=self.ASKED + 50)
        read = http({40: 100}, SAME[1], f.NOW + 5, self.SEEN)

        assert self.check(book, read) is Verdict.MISMATCH
        assert cents(book)[0] == {40: 1}

    def test_http_behind_us_once_is_its_cache_and_twice_a_mismatch(self):
        book = held()
        told(book, f.book(bids=(("0.41", "1"),), at=f.NOW + 1_000), now=f.NOW + 1_000)
        read = http(*SAME, f.NOW, self.SEEN)

        assert self.check(book, read) is Verdict.BEHIND
        assert book.observed_at == f.NOW + 1_000
        assert self.check(book, read) is Verdict.MISMATCH
        assert book.trouble is Anomaly.MISMATCH

    def test_only_http_ends_doubt(self):
        book = held()
        book.doubt()

        assert self.check(book, http(*SAME, f.NOW, self.SEEN)) is Verdict.CONFIRMED
        assert book.trouble is None

    def test_a_doubtful_book_that_differs_is_reset_without_blame(self):
        book = held()
        book.doubt()

        assert self.check(book, http({30: 1}, {60: 1}, f.NOW + 9, self.SEEN)) is Verdict.RESET
        assert cents(book) == ({30: 1}, {60: 1})

    @pytest.mark.parametrize("why", [Anomaly.CROSSED, Anomaly.MISMATCH, Anomaly.BAD_PAYLOAD])
    def test_http_heals_every_fault(self, why):
        book = held()
        book.spoil(why)

        assert self.check(book, http(*SAME, f.NOW, self.SEEN)) is Verdict.RESET
        assert book.trouble is None

    def test_a_crossed_read_is_not_believed(self):
        book = LocalBook(f.YES)
        self.check(book, http({50: 1}, {45: 1}, f.NOW, self.SEEN))

        assert book.trouble is Anomaly.CROSSED
