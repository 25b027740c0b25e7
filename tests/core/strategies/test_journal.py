"""What is written down of a tick's opinions: bets, quotes and silences when they change."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import quoting
from markets.core.types import ONE
from strategies.core.journal import Journal
from strategies.core.quotes import quoted
from strategies.core.types import Opinion, Plan, Quote, quote_id
from tests.builders import NOON, book, market, micro, tick, universe

WORLD = universe(market(), market("m-2"))


def logit(chance: float) -> float:
    return log(chance / (1 - chance))


def quote(fair: float = 0.41, half: float = 0.05, at: int = NOON, **changes) -> Quote:
    plan = Plan(max_hold_ms=10**9)
    made = Quote("maker", "1", at, "m-1", logit(fair), half, 0.002, micro(20), micro(60), plan)
    return replace(made, **changes)


def now(number: int = 0):
    at = NOON + number * 10_000
    books = {"yes-1": book(bids=(("0.38", 100),), asks=(("0.44", 100),), at=at)}
    return tick(WORLD, books, at=at, id=number + 1)


def opinion(*signals) -> Opinion:
    none = np.zeros(2, dtype=np.int8)
    return Opinion("maker", "1", signals, none, np.zeros(2, dtype=np.int64), none)


class TestQuotes:
    def test_one_is_opened_once_while_its_prices_stay_on_the_grid(self):
        journal = Journal()

        first = journal.write(now(), [opinion(quote())])
        second = journal.write(now(1), [opinion(quote(0.4101, at=NOON + 10_000))])

        [opened] = first.quoted
        assert (opened.bid, opened.ask, opened.fair) == (micro("0.39"), micro("0.43"), 410_000)
        assert (second.quoted, second.closed) == ((), ())

    def test_one_that_moves_closes_what_stood_and_opens_anew(self):
        journal = Journal()
        first = journal.write(now(), [opinion(quote())])

        moved = journal.write(now(1), [opinion(quote(0.45, at=NOON + 10_000))])

        assert moved.closed == (first.quoted[0].id,)
        assert [one.id for one in moved.quoted] == [quote_id(quote(at=NOON + 10_000))]

    def test_one_withdrawn_is_closed(self):
        journal = Journal()
        first = journal.write(now(), [opinion(quote())])

        gone = journal.write(now(1), [opinion()])

        assert gone.closed == (first.quoted[0].id,)
        assert journal.quotes == {}

    def test_one_stated_again_after_it_was_withdrawn_is_another_signal(self):
        journal, same = Journal(), quote()
        first = journal.write(now(), [opinion(same)])
        journal.write(now(1), [opinion()])

        again = journal.write(now(2), [opinion(same)])

        assert again.quoted[0].id != first.quoted[0].id
        assert again.quoted[0].quote.at == now(2).at

    def test_the_desk_gets_the_newest_one_under_the_id_of_the_first(self):
        journal = Journal()
        journal.write(now(), [opinion(quote())])
        newest = quote(0.4101, at=NOON + 10_000)

        page = journal.write(now(1), [opinion(newest)])

        assert page.standing == (replace(newest, at=NOON),)
        assert quote_id(page.standing[0]) == quote_id(quote())

    @pytest.mark.parametrize("grid", ["0.1", "0.01", "0.001", "0.0025"])
    @given(st.floats(0.001, 0.999), st.floats(0.001, 2))
    def test_prices_are_the_desks_where_nothing_is_held_and_no_touch_in_the_way(
        self, grid, fair, half
    ):
        shown = market(tick_size=grid)
        mine = quoted(quote(fair, half), shown.terms.tick_size)
        desks = quoting.prices(quote(fair, half), 0, shown, (None, None))

        assert desks.bid in (mine.bid, None)
        assert desks.ask in (mine.ask, None)
        assert 0 < mine.bid < ONE
        assert 0 < mine.ask < ONE
        assert mine.fair == desks.fair
