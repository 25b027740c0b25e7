"""Terms follow what is said of outcomes: on the next tick, and no listing takes it back."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.ports import Listing
from markets.core.types import ONE, Resolution, Status
from markets.selectors import ticks, universes
from markets.services import collect, universe
from tests import misbehaving
from tests.builders import NOON, market
from tests.misbehaving import Told

SECOND = 1_000


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(digest="one", collection=misbehaving.collection())


@pytest.fixture
def source(db) -> Told:
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def cycle(source: Told, second: int, *said: Resolution) -> None:
    source.said = list(said)
    source.show(NOON + second * SECOND)
    collect.collect(source, NOON + second * SECOND)


def states() -> list[tuple[str, ...]]:
    """The status of each market's terms, tick by tick."""
    found = ticks.ticks_after(0, 99)
    return [tuple(str(m.terms.status) for m in tick.universe.markets) for tick in found]


def test_the_tick_after_the_fact_stands_under_the_new_terms(source):
    cycle(source, 0)
    cycle(source, 10, Resolution("m-1", Status.PROPOSED, NOON))
    cycle(source, 20)

    assert states() == [("open", "open"), ("open", "open"), ("proposed", "open")]
    [terms] = models.Terms.objects.filter(status="proposed")
    assert terms.effective_at == NOON + 10 * SECOND
    assert terms.accepting_orders


def test_a_market_that_is_over_takes_no_orders(source):
    cycle(source, 0, Resolution("m-1", Status.RESOLVED, NOON, (ONE, 0)))
    cycle(source, 10)

    known = universes.newest().universe
    assert (known.markets[0].terms.status, known.accepting.tolist()) == (
        Status.RESOLVED,
        [False, True],
    )


def test_a_proposal_taken_back_opens_the_terms_again(source):
    cycle(source, 0, Resolution("m-1", Status.PROPOSED, NOON))
    cycle(source, 10, Resolution("m-1", Status.OPEN, NOON + 5))
    cycle(source, 20)

    assert states()[1:] == [("proposed", "open"), ("open", "open")]


def test_a_listing_that_lags_does_not_take_it_back(source):
    universe.keep("m-1", "position")
    cycle(source, 0, Resolution("m-1", Status.DISPUTED, NOON))
    universe.sync_markets(source, NOON + 5 * SECOND)
    cycle(source, 10)

    assert sorted(states()[-1]) == ["disputed", "open"]
    assert models.Terms.objects.count() == 3


def test_a_listing_that_knows_more_is_followed(source):
    universe.keep("m-1", "position")
    cycle(source, 0, Resolution("m-1", Status.PROPOSED, NOON))
    cycle(source, 10, Resolution("m-1", Status.OPEN, NOON + 5))
    halted = replace(source.listed[0].terms, status=Status.HALTED, accepting_orders=False)
    source.listed[0] = replace(source.listed[0], terms=halted)
    universe.sync_markets(source, NOON + 15 * SECOND)
    cycle(source, 20)

    assert sorted(states()[-1]) == ["halted", "open"]


def test_a_fact_about_a_market_kept_elsewhere_moves_no_universe(source):
    cycle(source, 0)
    source.listed = [market("m-2")]
    universe.sync_markets(source, NOON + SECOND)
    universe.keep("m-1", "position")
    before = models.Universe.objects.count()
    cycle(source, 10, Resolution("m-1", Status.PROPOSED, NOON))

    assert models.Universe.objects.count() == before
    assert models.Terms.objects.filter(status="proposed").count() == 1


def test_a_sync_in_between_keeps_its_choice(source):
    """The cycle read under the old universe; the fact goes into the newest one."""
    cycle(source, 0)
    books = source.books

    def relisted(tokens, at):
        source.books = books
        source.listed = [market("m-1"), market("m-3")]
        universe.sync_markets(source, NOON + 9 * SECOND)
        return books(tokens, at)

    source.books = relisted
    cycle(source, 10, Resolution("m-1", Status.PROPOSED, NOON))
    known = universes.newest().universe

    assert [(m.id, str(m.terms.status)) for m in known.markets] == [
        ("m-1", "proposed"),
        ("m-3", "open"),
    ]


class TestCorrections:
    FIRST = Resolution("m-1", Status.RESOLVED, NOON, (ONE, 0))

    def told(self) -> list[tuple]:
        rows = models.Resolution.objects.order_by("tick_id")
        return list(rows.values_list("tick_id", "at", "yes_payout"))

    def test_another_payout_is_a_new_fact_dated_when_we_heard_of_it(self, source):
        cycle(source, 0, self.FIRST)
        cycle(source, 10, replace(self.FIRST, payouts=(0, ONE)))
        assert self.told() == [(1, NOON, ONE)]

        cycle(source, 600, replace(self.FIRST, payouts=(0, ONE)))

        assert self.told() == [(1, NOON, ONE), (3, NOON + 600 * SECOND, 0)]

    def test_it_is_asked_for_after_the_market_has_left(self, source):
        cycle(source, 0, self.FIRST)
        source.listed = [market("m-2")]
        universe.sync_markets(source, NOON + SECOND)
        collect.forget()
        cycle(source, 10, replace(self.FIRST, payouts=(ONE // 2, ONE // 2)))

        assert self.told()[-1] == (2, NOON + 10 * SECOND, ONE // 2)

    def test_a_correction_of_the_correction_is_one_more(self, source):
        payouts = [(ONE, 0), (0, ONE), (ONE, 0)]
        for number, paid in enumerate(payouts):
            cycle(source, number * 600, replace(self.FIRST, payouts=paid))
            cycle(source, number * 600 + 10, replace(self.FIRST, payouts=paid))

        assert [paid for _, _, paid in self.told()] == [ONE, 0, ONE]

    def test_after_a_day_nobody_asks_any_more(self, source):
        cycle(source, 0, self.FIRST)
        source.listed = [market("m-2")]
        universe.sync_markets(source, NOON + SECOND)
        cycle(source, 86_410)

        assert source.asked_outcomes[-1] == ("m-2",)


def test_a_market_never_spoken_of_that_is_open_is_no_news(source):
    cycle(source, 0, Resolution("m-1", Status.OPEN, NOON), Resolution("m-2", Status.OPEN, NOON))

    assert not models.Resolution.objects.exists()


def test_a_fee_stays_known_while_nobody_can_be_asked(source):
    priced = source.listed[0]
    source.listed[0] = replace(priced, terms=replace(priced.terms, fee=None))
    source.listing = Listing(unpriced=frozenset({"m-1"}))
    universe.sync_markets(source, NOON + SECOND)
    assert universes.newest().universe.column.keys() == {"m-1", "m-2"}
    assert universes.newest().universe.fee_known.tolist() == [True, True]

    source.listing = Listing()
    universe.sync_markets(source, NOON + 2 * SECOND)
    assert "m-1" not in universes.newest().universe.column
