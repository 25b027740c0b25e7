"""A grid that books state becomes the market's terms within half a minute."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from markets import models
from markets.core.book import mirror
from markets.core.grids import Grid, restated
from markets.selectors import ticks, universes
from markets.services import collect, regrid, universe
from tests import builders, misbehaving
from tests.builders import DAY, NOON, book, market, micro
from tests.misbehaving import Told

FINE = [("0.405", 7)], [("0.419", 3)]
SECOND = 1_000


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(
        digest="one", collection=misbehaving.collection(), exchange=SimpleNamespace(source="replay")
    )


@pytest.fixture
def source(db):
    """Two markets tracked since noon, both on a grid of a cent."""
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def cycle(source: Told, at: int, tick_size: str = "0.001", min_size: int = 5) -> collect.Collected:
    """The first market's books are on a finer grid, and say so."""
    source.show(at)
    stated = {"tick_size": micro(tick_size), "min_size": micro(min_size)}
    yes = replace(book("yes-1", *FINE, at=at), **stated)
    source.tell(yes, replace(mirror(yes, "no-1"), **stated))
    return collect.collect(source, at)


def codes() -> list[str]:
    return list(models.Anomaly.objects.order_by("pk").values_list("code", flat=True))


def grid_of(name: str) -> int:
    known = universes.newest().universe
    return known.markets[known.column[name]].terms.tick_size


class TestCollecting:
    def test_refuses_the_book_once_and_takes_its_grid(self, source):
        first = cycle(source, NOON + 40 * SECOND)
        second = cycle(source, NOON + 50 * SECOND)

        assert (first.anomalies, second.anomalies) == (1, 0)
        assert codes() == ["OFF_GRID"]
        before, after = ticks.ticks_after(0, 9)
        assert before.observed_at.tolist() == [0, NOON + 40 * SECOND]
        assert after.observed_at.tolist() == [NOON + 50 * SECOND] * 2
        assert after.universe.tick_size.tolist() == [micro("0.001"), micro("0.01")]
        assert after.touch("yes-1") == (micro("0.405"), micro("0.419"))

    def test_the_old_terms_stay_and_the_new_ones_follow(self, source):
        cycle(source, NOON + 40 * SECOND)

        rows = models.Terms.objects.filter(market__condition_id="m-1").order_by("effective_at")
        assert list(rows.values_list("tick_size", "effective_at")) == [
            (micro("0.01"), NOON),
            (micro("0.001"), NOON + 40 * SECOND),
        ]
        assert models.Terms.objects.filter(market__condition_id="m-2").count() == 1

    def test_keeps_volumes_and_the_order_of_the_universe(self, source):
        before = models.Universe.objects.get()
        cycle(source, NOON + 40 * SECOND)

        after = models.Universe.objects.order_by("-pk").first()
        assert [volume for _, volume in after.members] == [volume for _, volume in before.members]
        assert after.reasons == before.reasons
        assert [m.id for m in universes.newest().universe.markets] == ["m-1", "m-2"]

    def test_takes_the_changes_of_half_a_minute_together(self, source):
        for second in (10, 20, 29):
            cycle(source, NOON + second * SECOND)
            assert grid_of("m-1") == micro("0.01")

        cycle(source, NOON + 30 * SECOND)
        assert grid_of("m-1") == micro("0.001")

    def test_does_not_stand_for_the_first_ranking_of_a_day(self, source, monkeypatch):
        source.name = "polymarket"
        cycle(source, NOON + DAY)
        cycle(source, NOON + DAY + SECOND)
        asked = []
        choose = universe.ranking.choose
        monkeypatch.setattr(
            universe.ranking, "choose", lambda *a, **k: asked.append(k["rerank"]) or choose(*a, **k)
        )
        for later in (SECOND, 60 * SECOND):
            universe.sync_markets(source, NOON + DAY + later)

        assert grid_of("m-1") == micro("0.001")
        assert asked == [True, False]

    def test_a_list_that_lags_behind_does_not_take_the_grid_back(self, source):
        source.name = "polymarket"
        cycle(source, NOON + 40 * SECOND)
        cycle(source, NOON + 50 * SECOND)
        universe.sync_markets(source, NOON + 60 * SECOND)

        assert grid_of("m-1") == micro("0.001")

    def test_a_grid_no_book_confirms_is_the_lists_again(self, source):
        source.name = "polymarket"
        cycle(source, NOON + 40 * SECOND)
        universe.sync_markets(source, NOON + 10 * 60 * SECOND)

        assert grid_of("m-1") == micro("0.01")

    def test_another_smallest_order_costs_no_book(self, source):
        source.show(NOON + 40 * SECOND)
        done = cycle(source, NOON + 40 * SECOND, tick_size="0", min_size=15)

        assert done.ticks == 1
        assert "OFF_GRID" in codes()  # its prices are finer than the terms allow
        assert universes.newest().universe.min_size.tolist() == [micro(15), micro(5)]

    def test_waits_while_the_list_is_being_synced(self, source, monkeypatch):
        monkeypatch.setattr(regrid.stages, "position", lambda _: 77)

        assert regrid.take({"m-1": Grid(1_000, micro(5))}, NOON + 60 * SECOND) == ()
        assert models.Universe.objects.count() == 1


class TestRestated:
    WORLD = builders.universe(market("m-1"))

    def stated(self, yes: tuple[int, int], no: tuple[int, int]) -> dict[str, Grid]:
        both = (("yes-1", *yes), ("no-1", *no))
        given = {
            name: replace(book(name), tick_size=tick, min_size=least) for name, tick, least in both
        }
        return restated(self.WORLD, given)

    def test_takes_what_both_books_say(self):
        assert self.stated((1_000, micro(5)), (1_000, micro(5))) == {"m-1": Grid(1_000, micro(5))}
        assert self.stated((1_000, 0), (1_000, 0)) == {"m-1": Grid(1_000, micro(5))}

    @pytest.mark.parametrize(
        ("yes", "no"),
        [
            ((0, 0), (0, 0)),
            ((10_000, 5_000_000), (10_000, 5_000_000)),
            ((1_000, 0), (100, 0)),
            ((1_000, 0), (0, 0)),
            ((7_000, 0), (7_000, 0)),
            ((500_000, 0), (500_000, 0)),
        ],
    )
    def test_takes_nothing_else(self, yes, no):
        assert self.stated(yes, no) == {}

    def test_needs_both_books(self):
        assert restated(self.WORLD, {"yes-1": replace(book("yes-1"), tick_size=1_000)}) == {}
