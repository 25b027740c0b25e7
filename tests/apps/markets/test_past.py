"""The past of markets that entered: asked for once, stored as imported bars, brought by a tick."""

import logging
import os
import random
from types import SimpleNamespace
from zlib import crc32

import pytest

from markets import models
from markets.core.bars import BAR_MS
from markets.core.book import mirror
from markets.core.panel import Panel
from markets.core.types import ONE, PastBar
from markets.core.window import WEEK
from markets.selectors import bars, ticks
from markets.services import collect, past, pastbars, sources, universe
from tests import misbehaving
from tests.builders import NOON, book, market
from tests.misbehaving import Told

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
MINUTE = 60_000
WEEK_MS = WEEK * BAR_MS


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(
        digest="one",
        collection=misbehaving.collection(markets=400),
        exchange=SimpleNamespace(source="polymarket"),
    )


def wave(token: str, at: int) -> int:
    """A line that moves every second bar."""
    return 400_000 + at // BAR_MS % 8 // 2 * 10_000


def tracked(*names: str, at: int = NOON, told: Told | None = None) -> Told:
    told = told or Told()
    told.listed = [market(name) for name in names]
    told.line = wave
    universe.sync_markets(told, at)
    return told


def cycle(told: Told, at: int):
    told.show(at)
    collect.collect(told, at)
    return ticks.ticks_after(0, 10_000)[-1]


def closes(name: str, **given) -> list[int]:
    rows = models.Bar.objects.filter(market__condition_id=name, **given)
    return list(rows.order_by("at").values_list("at", flat=True))


@pytest.mark.django_db
class TestAsking:
    def test_a_market_that_entered_gets_the_seven_days_before(self):
        told = tracked("m-1", "m-2")

        done = past.import_past(told, NOON + MINUTE)

        assert done == past.Imported(markets=2, bars=2 * WEEK, left=0)
        assert told.asked_past == [(("yes-1", "yes-2"), NOON - WEEK_MS, NOON)]
        assert closes("m-1") == list(range(NOON - WEEK_MS + BAR_MS, NOON + 1, BAR_MS))
        row = models.Bar.objects.filter(market__condition_id="m-1", at=NOON).get()
        assert row.bid == row.ask == row.micro == wave("yes-1", NOON - 1)
        assert (row.imported, row.count, row.learnt_tick_id) == (True, 0, None)
        assert models.Bar.objects.filter(changes=1).count() == WEEK - 2

    def test_it_is_asked_once(self):
        told = tracked("m-1")
        past.import_past(told, NOON + MINUTE)
        for hour in range(3):
            past.import_past(told, NOON + hour * 3_600_000)

        assert len(told.asked_past) == 1

    def test_only_bars_that_closed_before_it_entered_are_wanted(self):
        told = tracked("m-1", at=NOON + 4 * MINUTE)

        past.import_past(told, NOON + 11 * MINUTE)

        assert told.asked_past[0][2] == NOON
        assert closes("m-1")[-1] == NOON

    def test_a_source_that_is_down_is_asked_again_after_a_growing_pause(self, caplog):
        told = tracked("m-1", "m-2")
        told.down = True
        asked_at = []
        for minute in range(140):
            before = len(told.asked_past)
            past.import_past(told, NOON + minute * MINUTE)
            asked_at += [minute] * (len(told.asked_past) - before)

        assert asked_at == [0, 5, 15, 35, 65, 95, 125]
        assert sum(r.levelno == logging.WARNING for r in caplog.records) == 7
        assert "switched off" in models.PastImport.objects.first().reason

        told.down = False
        assert past.import_past(told, NOON + 156 * MINUTE).bars > 3_900
        assert models.PastImport.objects.filter(done=True).count() == 2

    def test_one_failure_pauses_all_that_wait(self):
        told = tracked(*(f"m-{n}" for n in range(40)))
        told.down = True

        done = past.import_past(told, NOON)

        assert len(told.asked_past) == 1
        assert done.left == 40
        assert past.import_past(told, NOON + MINUTE).left == 0

    def test_a_market_without_a_past_is_believed_after_three_answers(self, caplog):
        told = tracked("m-1", "m-2")
        told.line = lambda token, at: None if token == "yes-1" else 500_000
        for minute in range(300):
            past.import_past(told, NOON + minute * MINUTE)

        assert [asked for asked, _, _ in told.asked_past] == [
            ("yes-1", "yes-2"),
            ("yes-1",),
            ("yes-1",),
        ]
        row = models.PastImport.objects.get(market__condition_id="m-1")
        assert (row.done, row.bars, row.reason) == (True, 0, past.UNKNOWN)
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]

    def test_many_are_asked_in_slices(self):
        told = tracked(*(f"m-{n}" for n in range(35)))
        told.line = lambda token, at: 500_000 if at > NOON - 3_600_000 else None
        seconds = iter(range(0, 1_000, 4))

        first = past.import_past(told, NOON, clock=lambda: next(seconds))
        second = past.import_past(told, NOON + MINUTE)

        assert (first.markets, first.left) == (20, 15)
        assert (second.markets, second.left) == (15, 0)
        assert max(len(asked) for asked, _, _ in told.asked_past) == past.TOGETHER

    def test_a_market_that_came_back_gets_what_it_missed(self):
        told = tracked("m-1", "m-2")
        past.import_past(told, NOON)
        for minute in range(0, 31, 5):
            cycle(told, NOON + minute * MINUTE + 1)
        tracked("m-2", at=NOON + 31 * MINUTE, told=told)
        cycle(told, NOON + 35 * MINUTE)
        past.import_past(told, NOON + 36 * MINUTE)
        assert models.PastImport.objects.get(market__condition_id="m-1").entered_at == 0
        tracked("m-1", "m-2", at=NOON + 61 * MINUTE, told=told)

        done = past.import_past(told, NOON + 62 * MINUTE)

        left, back = NOON + 35 * MINUTE, NOON + 60 * MINUTE
        assert done.bars == 5
        assert told.asked_past[-1] == (("yes-1",), left, back)
        assert closes("m-1", imported=False) == [NOON + n * BAR_MS for n in range(1, 8)]
        assert closes("m-1", at__gt=left) == list(range(left + BAR_MS, back + 1, BAR_MS))

    def test_nothing_is_asked_when_the_entry_is_older_than_a_week(self):
        told = tracked("m-1")

        past.import_past(told, NOON + WEEK_MS + BAR_MS)

        assert told.asked_past == []
        assert models.PastImport.objects.get().done

    def test_sources_without_a_past_are_left_alone(self, settings, monkeypatch):
        tracked("m-1")
        settings.PQAP.exchange.source = "synthetic"
        monkeypatch.setattr(sources, "current", lambda _: pytest.fail("asked"))

        assert past.run(NOON) == past.Imported()

    def test_a_desk_of_an_older_version_asks_only_for_its_gaps(self):
        told = tracked("m-1")
        for minute in range(0, 41, 10):
            cycle(told, NOON + minute * MINUTE)
        tracked("m-1", "m-2", at=NOON + 41 * MINUTE, told=told)

        past.import_past(told, NOON + 42 * MINUTE)

        assert closes("m-1", imported=False) == [NOON + n * 2 * BAR_MS + BAR_MS for n in range(4)]
        assert len(closes("m-1")) == WEEK


@pytest.mark.django_db
class TestBringing:
    def test_the_next_tick_brings_them_once(self):
        told = tracked("m-1")
        past.import_past(told, NOON)

        first = cycle(told, NOON + 10_000)
        second = cycle(told, NOON + 20_000)

        assert len(first.past) == WEEK
        assert first.past[-1] == PastBar("m-1", NOON, wave("yes-1", NOON - 1))
        assert second.past == ()
        assert not models.PastImport.objects.get().waiting

    def test_a_batch_brings_them_once(self):
        told = tracked("m-1")
        past.import_past(told, NOON)
        books = told.books
        told.books = lambda tokens, at: told.show(at) or books(tokens, at)

        collect.collect_many(told, [NOON + n * 10_000 for n in range(1, 4)])

        assert [len(tick.past) for tick in ticks.ticks_after(0, 9)] == [0, 0, WEEK]

    def test_a_tick_brings_a_few_markets_and_the_next_one_more(self):
        told = tracked(*(f"m-{n}" for n in range(25)))
        past.import_past(told, NOON)

        brought = [len(cycle(told, NOON + n * 10_000).past) for n in range(1, 5)]

        assert brought == [10 * WEEK, 10 * WEEK, 5 * WEEK, 0]

    def test_a_panel_rebuilt_earlier_knows_only_what_was_brought_by_then(self):
        told = tracked(*(f"m-{n}" for n in range(11)))
        past.import_past(told, NOON)
        for n in range(1, 3):
            cycle(told, NOON + n * 10_000)
        pastbars.store(models.Market.objects.first().pk, {NOON - BAR_MS // 2: 1})

        assert [len(list(ticks.window(n).past)) for n in (1, 2)] == [10 * WEEK, 11 * WEEK]

    def test_a_market_that_left_waits_until_it_is_back(self):
        told = tracked("m-1", "m-2")
        past.import_past(told, NOON)
        tracked("m-2", at=NOON + 1, told=told)
        assert {bar.market for bar in cycle(told, NOON + 10_000).past} == {"m-2"}
        tracked("m-1", "m-2", at=NOON + 20_000, told=told)

        assert {bar.market for bar in cycle(told, NOON + 30_000).past} == {"m-1"}

    def test_bars_of_the_open_bar_or_later_wait(self):
        told = tracked("m-1", "m-2")
        key = models.Market.objects.get(condition_id="m-1").pk
        pastbars.store(key, {NOON + BAR_MS: 500_000})
        for at in (NOON + BAR_MS - 1, NOON + BAR_MS):
            yes = book("yes-2", at=at)
            told.tell(yes, mirror(yes, "no-2"))
            collect.collect(told, at)

        early, late = ticks.ticks_after(0, 9)

        assert early.past == ()
        assert late.past == (PastBar("m-1", NOON + BAR_MS, 500_000),)

    def test_an_observed_bar_takes_the_place_of_one_that_was_not_learnt(self):
        told = tracked("m-1")
        cycle(told, NOON)
        pastbars.store(models.Market.objects.get().pk, {NOON + BAR_MS: 900_000})

        tick = cycle(told, NOON + BAR_MS)

        row = models.Bar.objects.get()
        assert (row.imported, row.bid, row.micro, row.ask) == (False, 400_000, 410_000, 420_000)
        assert (row.count, row.changes, row.learnt_tick_id) == (1, 0, None)
        assert tick.past == ()

    def test_an_import_never_overwrites(self):
        told = tracked("m-1")
        for at in (NOON, NOON + BAR_MS):
            cycle(told, at)
        key = models.Market.objects.get().pk

        assert pastbars.store(key, {NOON: 1, NOON + BAR_MS: 900_000}) == 1
        assert pastbars.store(key, {NOON: 2}) == 0
        found = models.Bar.objects.order_by("at").values_list("micro", "imported")
        assert list(found) == [(1, True), (410_000, False)]

    def test_what_is_stored_while_a_tick_claims_waits_for_the_next(self):
        told = tracked("m-1")
        past.import_past(told, NOON)
        key = models.Market.objects.get().pk

        class Keys(list):
            """Read after the waiting markets were: then more comes in."""

            def __iter__(self):
                models.Bar.objects.filter(at=NOON).delete()
                pastbars.store(key, {NOON: 1})
                return super().__iter__()

        first = cycle(told, NOON + 10_000)
        models.PastImport.objects.update(waiting=True)
        pastbars.claim(first, Keys([key]))

        assert models.PastImport.objects.get().waiting

    def test_a_failing_import_costs_no_tick(self):
        told = tracked("m-1")
        told.history = lambda *_: (_ for _ in ()).throw(KeyError("surprise"))
        with pytest.raises(KeyError):
            past.import_past(told, NOON)

        assert cycle(told, NOON + 10_000).id == 1


class TestOnBothDatabases:
    def test_a_rebuilt_panel_has_what_the_running_one_learnt(self, database):
        seed = RUN_SEED
        print(f"seed {seed} on {database}")
        luck, told = random.Random(seed), tracked("m-1", "m-2")
        told.line = lambda token, at: (crc32(f"{token} {at}".encode()) % 40 + 30) * 10_000
        panel, position, at = Panel(), 0, NOON
        for step in range(60):
            at += luck.choice([10_000, 100_000, 300_000, 900_000])
            if step % 9 == 4:
                names = luck.sample(["m-1", "m-2", "m-3", "m-4"], 3)
                tracked(*names, at=at - 1, told=told)
            if luck.random() < 0.4:
                past.import_past(told, at)
            told.show(at)
            collect.collect(told, at)
            for tick in ticks.ticks_after(position, 10):
                panel.advance(tick)
                position = tick.id
        learnt = models.Bar.objects.filter(imported=True).exclude(learnt_tick_id=None)
        assert learnt.count() > WEEK

        seen = ticks.window(position)
        rebuilt = Panel.rebuild(seen.bars, seen.ticks, seen.past)

        rows, other = (p.window.rows(panel.tick.universe) for p in (panel, rebuilt))
        for name in ("bid", "micro", "changes"):
            ours = panel.window.ints(name, rows, WEEK - 1)
            assert (ours == rebuilt.window.ints(name, other, WEEK - 1)).all(), name
        assert (panel.features.mean == rebuilt.features.mean).all()
        assert panel.features.imported.tolist() == rebuilt.features.imported.tolist()
        assert panel.features.imported.sum() > 0
        assert (panel.features.hourly.pull == rebuilt.features.hourly.pull).all()


@pytest.mark.django_db
class TestReadiness:
    def test_it_says_have_need_and_ready_at(self):
        told = tracked("m-1", "m-2")
        told.line = lambda token, at: 500_000 if token == "yes-1" and at < NOON - 1 else None
        past.import_past(told, NOON)
        cycle(told, NOON + 1)
        cycle(told, NOON + BAR_MS)

        found = bars.readiness(["m-1", "m-2", "nobody"])

        ready = NOON + BAR_MS + (WEEK - 1) * BAR_MS
        assert found == {
            "m-1": (WEEK, WEEK - 1, WEEK, NOON + BAR_MS),
            "m-2": (1, 0, WEEK, ready),
        }
        assert bars.readiness(["m-2"], need=240)["m-2"].ready_at == NOON + 240 * BAR_MS

    def test_a_gap_delays_until_it_has_left_the_week(self):
        told = tracked("m-1")
        told.line = lambda token, at: None if at // BAR_MS == NOON // BAR_MS - 100 else 500_000
        past.import_past(told, NOON)
        cycle(told, NOON + 1)

        (found,) = bars.readiness(["m-1"]).values()

        assert found.have == WEEK - 1
        assert found.ready_at == NOON - 99 * BAR_MS + WEEK_MS
        assert bars.readiness(["m-1"], need=WEEK - 1)["m-1"].ready_at == NOON

    def test_without_a_tick_nothing_is_known_and_a_wrong_need_is_refused(self):
        tracked("m-1")
        assert bars.readiness(["m-1"]) == {}
        with pytest.raises(ValueError, match="from 1 to 2016"):
            bars.readiness(["m-1"], need=0)

    def test_imported_bars_are_not_the_newest_seen(self):
        told = tracked("m-1")
        past.import_past(told, NOON)
        cycle(told, NOON + 1)
        cycle(told, NOON + 2 * BAR_MS)

        assert bars.newest_bar_times() == {"m-1": NOON + BAR_MS}


def test_the_price_is_a_price():
    assert 0 < wave("", NOON) < ONE
