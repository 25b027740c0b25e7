"""The newest quotes are those of the newest tick."""

from types import SimpleNamespace

import numpy as np
import pytest

from markets import models
from markets.selectors import latest
from tests.pasts import Past, collection


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(collection=collection())


def test_are_the_newest_ticks_columns(database, monkeypatch):
    past = Past(3, monkeypatch)
    past.live(25)
    past.world.source.show(past.world.step())
    past.live(1)

    found, tick = latest.latest(), past.made[-1]

    assert found.universe.markets == tick.universe.markets
    assert found.known.all()
    for name in ("bid", "ask", "bid_size", "ask_size", "observed_at", "bid_valid", "ask_valid",
                 "coherent"):  # fmt: skip
        assert np.array_equal(getattr(found, name), getattr(tick, name)), name


def test_a_market_without_a_quote_yet_is_not_known(db, monkeypatch):
    past = Past(3, monkeypatch)
    assert latest.latest().known.sum() == 0
    past.live(5)
    newest = latest.latest()
    models.Latest.objects.filter(market__condition_id=newest.universe.markets[1].id).delete()

    assert latest.latest().known.tolist() == [n != 1 for n in range(len(newest.universe))]


def test_is_none_before_the_first_universe(db):
    assert latest.latest() is None
