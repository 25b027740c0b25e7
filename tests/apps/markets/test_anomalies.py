"""Faults of books as rows: one a fault, its length and count with it."""

from types import SimpleNamespace

import pytest

from markets import models
from markets.core.book import Anomaly
from markets.selectors import catalogue, ticks
from markets.services import collect, universe
from tests import misbehaving
from tests.builders import NOON, book, market
from tests.misbehaving import Told

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@pytest.fixture
def source(database, settings):
    """Two tracked markets, on SQLite and on PostgreSQL."""
    settings.PQAP = SimpleNamespace(
        digest="one", collection=misbehaving.collection(), exchange=SimpleNamespace(source="replay")
    )
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def crossed(source: Told, *ats: int) -> None:
    """At each of these times the first market's book is crossed."""
    for at in ats:
        source.show(at)
        source.tell(book("yes-1", [("0.50", 1)], [("0.40", 1)], at=at))
        collect.collect(source, at)


def rows() -> list[tuple]:
    fields = ("market__condition_id", "code", "tick_id", "at", "last_at", "count")
    return list(models.Anomaly.objects.order_by("pk").values_list(*fields))


def test_a_fault_that_lasts_is_one_row(source):
    crossed(source, *(NOON + n * 10 * SECOND for n in range(40)))

    end = NOON + 390 * SECOND
    assert rows() == [("m-1", "CROSSED", 1, NOON, end, 40)]


def test_a_fault_goes_on_in_its_row_after_a_restart(source):
    crossed(source, NOON)
    collect.forget()
    crossed(source, NOON + MINUTE)

    assert rows() == [("m-1", "CROSSED", 1, NOON, NOON + MINUTE, 2)]


def test_a_fault_that_comes_back_after_a_quiet_while_is_another(source):
    crossed(source, NOON, NOON + 300 * SECOND, NOON + 601 * SECOND)

    assert [(row[3], row[4], row[5]) for row in rows()] == [
        (NOON, NOON + 300 * SECOND, 2),
        (NOON + 601 * SECOND, NOON + 601 * SECOND, 1),
    ]


def test_other_faults_and_other_markets_have_their_own(source):
    crossed(source, NOON)
    source.show(NOON + 1)
    source.tell(book("yes-1", [("0.01", 1)], [("0.99", 1)], at=NOON + 1))
    source.missing = {"no-2": Anomaly.MISSING}
    source.told["no-3"] = book("no-3")
    source.listed = [*source.listed, market("m-3")]
    universe.sync_markets(source, NOON + 86_400_000)
    source.show(NOON + 86_400_001)
    source.tell(book("yes-1", [("0.01", 1)], [("0.99", 1)], at=NOON + 86_400_001))
    collect.collect(source, NOON + 86_400_001)

    assert [row[:2] for row in rows()] == [("m-1", "CROSSED"), ("m-1", "GHOST"), ("m-2", "MISSING")]


def test_several_ticks_of_one_batch_count_as_one_by_one(source):
    books = source.books

    def bad(tokens, at):
        source.show(at)
        source.tell(book("yes-1", [("0.50", 1)], [("0.40", 1)], at=at))
        return books(tokens, at)

    source.books = bad
    collect.collect_many(source, [NOON, NOON + 1, NOON + 2])
    collect.collect_many(source, [NOON + 3, NOON + 4])

    assert [row[2:] for row in rows()] == [(1, NOON, NOON + 4, 5)]


def test_the_last_hour_counts_what_was_seen_in_it(source):
    crossed(source, *(NOON + n * 4 * MINUTE for n in range(31)))
    end = NOON + 2 * HOUR

    assert ticks.counts(end).anomalies == 1
    assert catalogue.anomalies(since=end - HOUR) == (("CROSSED", 1),)
    assert ticks.counts(end + HOUR).anomalies == 0
