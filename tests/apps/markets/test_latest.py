"""The newest quotes as columns."""

from types import SimpleNamespace

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from markets import models
from markets.core.types import ONE
from markets.selectors import latest
from markets.services import collect, universe
from tests import misbehaving
from tests.builders import NOON, book, market, micro
from tests.misbehaving import Told


@pytest.fixture
def source(database, settings):
    """Three tracked markets, on SQLite and on PostgreSQL."""
    settings.PQAP = SimpleNamespace(
        digest="one", collection=misbehaving.collection(), exchange=SimpleNamespace(source="replay")
    )
    told = Told([market(f"m-{n}") for n in (1, 2, 3)])
    universe.sync_markets(told, NOON)
    return told


def columns(found: latest.Quotes) -> list[np.ndarray]:
    sizes = (found.bid_size, found.ask_size)
    return [found.bid, found.ask, *sizes, found.observed_at, found.trusted]


def entries() -> dict[str, list]:
    found = latest.quotes()
    cells = (column.tolist() for column in columns(found))
    return {name: row for name, *row in zip(found.market, *cells, strict=True)}


def test_there_are_none_before_the_first_tick(source):
    found = latest.quotes()
    assert found.market == ()
    assert [column.tolist() for column in columns(found)] == [[]] * 6


@pytest.mark.parametrize("markets", [0, 3])
def test_are_whole_numbers_and_flags(source, markets):
    source.show(NOON)
    collect.collect(source, NOON)
    models.Latest.objects.update(tracked=markets > 0)

    kinds = [(len(column), column.dtype) for column in columns(latest.quotes())]
    assert kinds == [(markets, np.int64)] * 5 + [(markets, np.bool_)]


@pytest.mark.parametrize("size", [2**53 + 1, 2**63 - 1])
def test_hold_the_largest_numbers_to_the_last_unit(source, size):
    source.show(NOON)
    collect.collect(source, NOON)
    models.Latest.objects.filter(market__condition_id="m-2").update(bid_size=size, ask_size=7)

    assert entries()["m-2"][2:4] == [size, 7]
    assert entries()["m-1"][2:4] == [micro(1000), micro(1000)]


def test_keep_each_market_its_own_numbers_in_whatever_order_rows_come(source):
    source.show(NOON)
    collect.collect(source, NOON)
    for number in (2, 1, 3, 1):
        row = models.Latest.objects.filter(market__condition_id=f"m-{number}")
        row.update(bid=number, ask=10 * number, ask_size=100 * number, coherent=number != 2)
        found = {name: (bid, ask, more) for name, (bid, ask, _, more, *_) in entries().items()}
        assert found[f"m-{number}"] == (number, 10 * number, 100 * number)
    assert [entries()[f"m-{number}"][-1] for number in (1, 2, 3)] == [True, False, True]


def test_take_one_query_once_the_markets_are_known(source):
    source.show(NOON)
    collect.collect(source, NOON)
    latest.quotes()

    source.show(NOON + 1)
    collect.collect(source, NOON + 1)
    with CaptureQueriesContext(connection) as asked:
        assert entries()["m-1"][4] == NOON + 1
    assert len(asked) == 1


def test_hold_every_tracked_market_once(source):
    source.show(NOON)
    source.tell(book("yes-1", [("0.97", 9)], [], at=NOON), book("no-1", [], [("0.03", 9)], at=NOON))
    del source.told["no-3"]
    collect.collect(source, NOON)

    whole = [micro("0.40"), micro("0.42"), micro(1000), micro(1000), NOON, True]
    assert entries() == {
        "m-1": [micro("0.97"), ONE, micro(9), 0, NOON, False],
        "m-2": whole,
        "m-3": [0, ONE, 0, 0, 0, False],
    }


def test_follow_the_universe_between_a_sync_and_its_first_tick(source):
    source.show(NOON)
    collect.collect(source, NOON)
    source.listed = [market("m-2"), market("m-4")]
    universe.sync_markets(source, NOON + 1)

    assert set(entries()) == {"m-1", "m-2", "m-3"}
    source.show(NOON + 2)
    collect.collect(source, NOON + 2)
    assert set(entries()) == {"m-2", "m-4"}
