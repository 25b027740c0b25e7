"""Quotes as signals in rows: stored when they move, restored as they were, disposed of."""

from dataclasses import replace

import pytest

from execution import models
from execution.core.controls import Controls
from execution.services import configured, desk
from markets import stages
from markets.selectors import ticks
from strategies.library import REGISTRY
from strategies.models import Signal
from tests.apps.execution import world
from tests.flows import parity, quoter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def session(db, settings):
    with world.trading(settings, ticks=50, spacing=60_000):
        quoter.register()
        settings.PQAP = replace(
            settings.PQAP,
            enabled_strategies=("taker", "quoter"),
            strategies={**settings.PQAP.strategies, "quoter": quoter.Params()},
        )
        yield
        REGISTRY.pop("quoter", None)


def test_rows_say_what_a_plain_loop_says(settings):
    while world.go(batch=7):
        pass

    staged = parity.from_rows()
    plain = parity.from_loop(
        ticks.ticks_after(0, 50),
        strategies=configured.strategies(),
        venues=configured.venues(),
        setting=configured.setting(),
        control=Controls.of(configured.enabled(), settings.PQAP.risk_limits),
        capital=settings.PQAP.initial_capital,
        changes={},
        lapsed=set(),
    )

    kinds = set(Signal.objects.filter(kind="quote").values_list("disposition", flat=True))
    assert {"resting", "traded"} <= kinds
    for name in ("signals", "orders", "fills", "refusals", "equity"):
        assert parity.canonical({name: staged[name]}) == parity.canonical({name: plain[name]})


def test_a_restarted_desk_knows_the_same_quotes():
    world.go(batch=20)
    warm = desk._warm.desk.journal.quotes

    desk.forget()
    cold = desk._at(stages.position("desk")).journal.quotes

    assert warm
    assert cold == warm


def test_an_order_names_the_quote_it_stands_for():
    world.go(batch=20)

    rows = models.Order.objects.filter(purpose="quote", account="base")
    assert rows.exists()
    for order in rows.select_related("signal"):
        assert (order.signal.kind, order.signal.market) == ("quote", order.market)


def test_no_quote_is_open_twice():
    while world.go(batch=7):
        pass

    still = Signal.objects.filter(kind="quote", closed_tick_id=None)
    keys = list(still.values_list("strategy", "market"))
    assert len(keys) == len(set(keys))
    assert Signal.objects.filter(kind="quote").exclude(closed_tick_id=None).exists()
