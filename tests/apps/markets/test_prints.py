"""Trades over HTTP: told late and more than once, stored once, and never in a tick's way."""

from types import SimpleNamespace

import pytest

from markets import models
from markets.core.ports import SourceDown
from markets.core.types import Print
from markets.selectors import ticks
from markets.services import collect, prints, universe
from tests import misbehaving
from tests.builders import NOON, market
from tests.misbehaving import Told

SECOND, MINUTE = 1_000, 60_000


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(digest="one", collection=misbehaving.collection())


@pytest.fixture
def source(db) -> Told:
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def cycle(source: Told, at: int) -> collect.Collected:
    source.show(at)
    return collect.collect(source, at)


def trade(at: int, name: str = "1", reference: str = "0xa", size: int = 5_000_000) -> Print:
    return Print(f"m-{name}", f"yes-{name}", "buy", 410_000, size, at, reference)


def learnt() -> list[tuple[Print, ...]]:
    return [tick.prints for tick in ticks.ticks_after(0, 99)]


def test_a_trade_is_a_fact_of_the_tick_on_which_it_was_learnt(source):
    cycle(source, NOON)
    source.traded = [trade(NOON - 3 * MINUTE)]
    cycle(source, NOON + 10 * SECOND)

    assert learnt() == [(), (trade(NOON - 3 * MINUTE),)]
    assert models.Print.objects.get().tick_id == 2


def test_what_is_told_again_is_dropped_across_a_restart_too(source):
    source.traded = [trade(NOON - MINUTE)]
    for step in range(3):
        cycle(source, NOON + step * 10 * SECOND)
    collect.forget()
    cycle(source, NOON + 30 * SECOND)

    assert models.Print.objects.count() == 1


def test_two_of_one_transaction_are_two(source):
    source.traded = [trade(NOON), trade(NOON, size=6_000_000), trade(NOON, name="2")]
    cycle(source, NOON)

    assert models.Print.objects.count() == 3


def test_one_that_came_while_nothing_ran_is_learnt_afterwards(source):
    cycle(source, NOON)
    collect.forget()
    source.traded = [trade(NOON + 40 * MINUTE), trade(NOON - 10 * MINUTE, reference="0xb")]
    cycle(source, NOON + 60 * MINUTE)

    assert len(learnt()[-1]) == 2


def test_one_that_came_with_a_cycle_without_a_tick_is_not_lost(source):
    cycle(source, NOON)
    source.traded = [trade(NOON)]
    assert collect.collect(source, NOON + 10 * SECOND).ticks == 0
    cycle(source, NOON + 20 * SECOND)

    assert learnt() == [(), (trade(NOON),)]


def test_one_of_a_market_that_is_not_tracked_is_dropped(source):
    source.prints = lambda markets, since, at: [
        trade(NOON, name="9"),
        Print("m-1", "yes-2", "buy", 1, 1, NOON),
        trade(NOON + 2 * MINUTE),
        trade(NOON - 1),
    ]
    cycle(source, NOON)

    assert learnt() == [(trade(NOON - 1),)]


def test_trades_that_cannot_be_read_do_not_cost_the_tick(source, caplog):
    def down(*_):
        raise SourceDown("No trades today.")

    source.prints = down

    assert cycle(source, NOON).ticks == 1
    assert "The trades could not be read: No trades today." in caplog.messages


class TestAskedInTurn:
    """A live exchange is asked about some markets at a time, each once a minute."""

    @pytest.fixture
    def asked(self, db, monkeypatch):
        told = Told([market(f"m-{number}") for number in range(5)])
        monkeypatch.setitem(prints.AT_ONCE, told.name, 2)
        monkeypatch.setitem(prints.EVERY_MS, told.name, MINUTE)
        universe.sync_markets(told, NOON)
        told.questions = []

        def answer(markets, since, at):
            told.questions.append((len(markets), since))
            return []

        told.prints = answer
        return told

    def test_each_market_once_a_minute_with_spans_that_overlap(self, asked):
        for second in (0, 10, 50, 60):
            cycle(asked, NOON + second * SECOND)

        first, again = asked.questions[:3], asked.questions[3:]
        assert [count for count, _ in first] == [count for count, _ in again] == [2, 2, 1]
        assert {since for _, since in again} == {NOON - prints.OVERLAP_MS}

    def test_a_source_that_fails_half_way_is_asked_for_the_rest(self, asked):
        answer = asked.prints

        def failing(markets, since, at):
            if len(asked.questions) == 1:
                raise SourceDown("Enough.")
            return answer(markets, since, at)

        asked.prints = failing
        cycle(asked, NOON)
        asked.prints = answer
        cycle(asked, NOON + 10 * SECOND)

        assert [count for count, _ in asked.questions] == [2, 2, 1]

    def test_no_time_left_is_another_cycles_turn(self, asked, monkeypatch):
        monkeypatch.setattr(collect, "ASKING_SHARE", 0.0)
        cycle(asked, NOON)

        assert asked.questions == []
        assert models.Tick.objects.count() == 1
