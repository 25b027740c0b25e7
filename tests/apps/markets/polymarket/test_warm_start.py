"""The whole way on the local exchange: a market enters, its past is read, strategies listen."""

from types import SimpleNamespace

import numpy as np
import pytest

from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.window import WEEK
from markets.selectors import bars, ticks
from markets.services import collect, past, universe
from strategies.core import gates
from strategies.core.gates import Thresholds
from tests import misbehaving


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(collection=misbehaving.collection(markets=6))


@pytest.mark.django_db
def test_after_one_bar_of_its_own_a_new_market_is_warm(source, exchange, clock):
    universe.sync_markets(source, clock.ms)
    collect.collect(source, clock.ms)
    done = past.import_past(source, clock.ms, clock=clock.seconds)
    for _ in range(3):
        clock.ms += BAR_MS
        collect.collect(source, clock.ms)

    panel = Panel()
    for tick in ticks.ticks_after(0, 10):
        panel.advance(tick)
    still_cold = gates.warmup(panel, Thresholds(), np.zeros(len(panel.tick.universe), np.int64))
    ready = bars.readiness([market.id for market in panel.tick.universe.markets])

    tracked = len(panel.tick.universe)
    assert (done.markets, done.left) == (tracked, 0)
    assert done.bars == tracked * WEEK
    assert not still_cold.any()
    assert {found.have for found in ready.values()} == {WEEK}
    assert {found.ready_at for found in ready.values()} == {clock.ms // BAR_MS * BAR_MS}
    assert exchange.requests["/batch-prices-history"] == 1
