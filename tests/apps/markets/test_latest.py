"""The newest quotes as columns."""

from types import SimpleNamespace

import pytest

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


def entries() -> dict[str, tuple]:
    found = latest.quotes()
    rest = (found.bid, found.ask, found.bid_size, found.ask_size, found.observed_at, found.trusted)
    return {name: row for name, *row in zip(found.market, *rest, strict=True)}


def test_there_are_none_before_the_first_tick(source):
    assert latest.quotes() == latest.Quotes()


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
