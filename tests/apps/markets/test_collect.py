"""One cycle: what is stored, what is counted, and what a failure leaves behind (nothing)."""

import logging
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.db import connections

from markets import models, stages
from markets.core.book import Anomaly, mirror
from markets.core.ports import SourceDown
from markets.core.types import ONE, Resolution, Status
from markets.selectors import ticks
from markets.services import collect, resolutions, rows, sources, universe
from tests import misbehaving
from tests.builders import NOON, book, market
from tests.misbehaving import Told

SECOND = 1000


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(
        digest="one",
        collection=misbehaving.collection(),
        exchange=SimpleNamespace(source="replay"),
    )


@pytest.fixture
def source(db):
    """Two tracked markets whose books were never read."""
    return tracked()


def tracked() -> Told:
    told = Told([market("m-1"), market("m-2")])
    universe.sync_markets(told, NOON)
    return told


def cycle(source: Told, at: int) -> collect.Collected:
    source.show(at)
    return collect.collect(source, at)


class TestStoring:
    def test_a_cycle_makes_one_tick_with_a_snapshot_of_every_market(self, source):
        done = cycle(source, NOON)

        assert done == collect.Collected(position=1, ticks=1)
        row = models.Tick.objects.get()
        assert (row.id, row.at, stages.position("collect")) == (1, NOON, 1)
        assert models.Snapshot.objects.filter(tick_id=1).count() == 2
        assert ticks.counts().snapshots == 2

    def test_asks_for_both_tokens_of_every_market_in_one_call(self, source):
        source.asked.clear()
        asked: list[tuple[str, ...]] = []
        books = source.books
        source.books = lambda tokens, at: asked.append(tuple(tokens)) or books(tokens, at)

        cycle(source, NOON)

        assert asked == [("yes-1", "no-1", "yes-2", "no-2")]

    def test_tells_the_source_which_tokens_belong_together(self, source):
        learnt = []
        source.learn = learnt.append

        cycle(source, NOON)

        assert [market.id for market in learnt[0]] == ["m-1", "m-2"]

    def test_only_the_newest_tick_keeps_a_checkpoint(self, source):
        for minute in range(3):
            cycle(source, NOON + minute * 60 * SECOND)

        held = models.Tick.objects.exclude(checkpoint=b"")
        assert list(held.values_list("pk", flat=True)) == [3]
        assert ticks.checkpoint(3) == source.checkpoint()
        assert ticks.checkpoint(2) == b""

    def test_latest_holds_the_newest_quote_of_each_market(self, source):
        cycle(source, NOON)
        yes = book("yes-1", [("0.20", 5)], at=NOON + 1)
        source.tell(yes, mirror(yes, "no-1"))
        collect.collect(source, NOON + 1)

        rows = models.Latest.objects.order_by("pk")
        assert [(row.tick_id, row.bid, row.observed_at) for row in rows] == [
            (2, 200_000, NOON + 1),
            (2, 400_000, NOON),
        ]

    def test_latest_says_when_the_book_last_changed_in_the_exchanges_words(self, source):
        def show(second: int, price: str = "0.40", venue: int = 0, size: int = 9) -> int:
            at = NOON + second * SECOND
            yes = book("yes-1", [(price, size)], at=at, venue_at=venue and NOON + venue)
            source.tell(yes, mirror(yes, "no-1"))
            collect.collect(source, at)
            return models.Latest.objects.get(market__condition_id="m-1").changed_at - NOON

        assert show(0) == 0
        assert show(10) == 0, "the same book again"
        assert show(20, size=8) == 20 * SECOND, "seen by us, for the exchange says nothing"
        assert show(30, size=8, venue=27_000) == 27_000
        assert show(40, size=8, venue=27_000) == 27_000
        assert show(50, size=7, venue=90_000) == 50 * SECOND, "a time ahead of the clock"

    def test_latest_says_which_markets_are_tracked_no_more(self, source):
        cycle(source, NOON)
        source.listed = [market("m-2"), market("m-3")]
        universe.sync_markets(source, NOON + SECOND)
        cycle(source, NOON + 2 * SECOND)

        held = models.Latest.objects.values_list("market__condition_id", "tracked")
        assert dict(held) == {"m-1": False, "m-2": True, "m-3": True}

    def test_anomalies_are_stored_with_their_tick(self, source):
        source.show(NOON)
        source.tell(book("yes-1", [("0.50", 1)], [("0.40", 1)], at=NOON))

        done = collect.collect(source, NOON)

        row = models.Anomaly.objects.select_related("market").get()
        assert done.anomalies == 1
        assert (row.tick_id, row.at, row.code) == (1, NOON, "CROSSED")
        assert row.market.condition_id == "m-1"

    def test_a_bar_is_sealed_by_the_first_tick_after_its_end(self, source):
        for at in (NOON, NOON + 299_999):
            cycle(source, at)
        assert not models.Bar.objects.exists()

        cycle(source, NOON + 300_000)

        bars = models.Bar.objects.values_list("at", "bid", "ask", "count", "imported")
        assert set(bars) == {(NOON + 300_000, 400_000, 420_000, 2, False)}
        assert len(bars) == 2

    def test_a_bar_of_a_market_that_left_with_the_closing_tick_is_kept(self, source):
        cycle(source, NOON)
        source.listed = [market("m-2"), market("m-3")]
        universe.sync_markets(source, NOON + SECOND)
        cycle(source, NOON + 300_000)

        held = models.Bar.objects.values_list("market__condition_id", flat=True)
        assert set(held) == {"m-1", "m-2"}

    def test_says_in_one_line_what_was_refreshed(self, source, caplog):
        caplog.set_level(logging.INFO)
        source.show(NOON)
        source.tell(book("yes-1", [("0.50", 1)], [("0.40", 1)], at=NOON))

        collect.collect(source, NOON)

        assert "Refreshed prices: 1 markets, 1 anomalies" in caplog.messages


class TestManyAtOnce:
    def test_stores_the_same_as_one_by_one(self, source):
        times = [NOON + minute * 60 * SECOND for minute in range(12)]
        books = source.books

        def moving(tokens, at):
            source.show(at)
            return books(tokens, at)

        source.books = moving
        collect.collect_many(source, times[:5])
        collect.collect(source, times[5])
        collect.forget()
        done = collect.collect_many(source, times[6:])

        assert done == collect.Collected(position=12, ticks=6)
        assert [tick.at for tick in ticks.ticks_after(0, 50)] == times
        assert models.Bar.objects.count() == 4
        assert ticks.counts().snapshots == 24

    def test_what_was_read_before_the_source_went_down_is_stored(self, source):
        books = source.books

        def failing(tokens, at):
            source.down = at > NOON + 1
            source.show(at)
            return books(tokens, at)

        source.books = failing
        done = collect.collect_many(source, [NOON, NOON + 1, NOON + 2, NOON + 3])

        assert done == collect.Collected(position=2, ticks=2, failures=1)


class TestOutcomes:
    FINAL = Resolution("m-1", Status.RESOLVED, NOON, (ONE, 0))

    def test_are_told_once_on_the_tick_that_learnt_them(self, source):
        for minute in range(3):
            source.said = [self.FINAL] if minute else []
            cycle(source, NOON + minute)

        told = [tick.resolutions for tick in ticks.ticks_after(0, 9)]
        assert told == [(), (self.FINAL,), ()]
        assert models.Resolution.objects.count() == 1

    def test_are_told_once_across_a_restart(self, source):
        source.said = [self.FINAL]
        cycle(source, NOON)
        collect.forget()
        cycle(source, NOON + 1)

        assert models.Resolution.objects.get().tick_id == 1

    def test_wait_for_a_tick_that_can_carry_them(self, source):
        cycle(source, NOON)
        source.said = [self.FINAL]

        assert collect.collect(source, NOON + 1).ticks == 0
        cycle(source, NOON + 2)

        assert models.Resolution.objects.get().tick_id == 2

    def test_a_repeated_statement_with_a_new_time_is_no_news(self, source):
        for minute in range(3):
            source.said = [Resolution("m-1", Status.PROPOSED, NOON + minute)]
            cycle(source, NOON + minute)

        assert models.Resolution.objects.get().at == NOON

    def test_a_source_that_wavers_is_written_down_without_repeating_itself(self, source):
        said = [Resolution("m-1", Status.PROPOSED, 1), Resolution("m-1", Status.DISPUTED, 2)]
        for minute in range(6):
            source.said = [said[minute % 2]]
            cycle(source, NOON + minute)

        assert models.Resolution.objects.count() == 2

    def test_a_proposal_that_flips_is_news_and_one_without_a_direction_is_not(self, source):
        yes = Resolution("m-1", Status.PROPOSED, NOON, proposed=(ONE, 0))
        said = [yes, replace(yes, proposed=None), replace(yes, proposed=(0, ONE))]
        for minute, fact in enumerate([*said, said[2], said[0]]):
            source.said = [fact]
            cycle(source, NOON + minute)

        rows = models.Resolution.objects.order_by("tick_id")
        assert [(r.tick_id, r.yes_proposed, r.no_proposed) for r in rows] == [
            (1, ONE, 0), (3, 0, ONE), (5, ONE, 0),
        ]  # fmt: skip
        told = [fact.proposed for tick in ticks.ticks_after(0, 9) for fact in tick.resolutions]
        assert told == [(ONE, 0), (0, ONE), (ONE, 0)]

    def test_a_source_that_tells_the_whole_past_does_not_repeat_a_correction(self, source):
        past = [self.FINAL, replace(self.FINAL, at=NOON + 5, payouts=(0, ONE))]
        for number in range(4):
            source.said = past[: number + 1]
            cycle(source, NOON + number * 600_000)

        assert [r.yes_payout for r in models.Resolution.objects.order_by("id")] == [ONE, 0]

    def test_an_outcome_said_again_after_a_doubt_is_news(self, source):
        closed = Resolution("m-1", Status.CLOSED, NOON)
        for number, fact in enumerate([self.FINAL, closed, self.FINAL, self.FINAL, closed]):
            source.said = [fact]
            cycle(source, NOON + number * 600_000)

        rows = models.Resolution.objects.order_by("id")
        assert [(r.tick_id, r.status) for r in rows] == [
            (1, "resolved"), (2, "closed"), (3, "resolved"),
        ]  # fmt: skip

    def test_books_of_a_settled_market_are_asked_no_more(self, source):
        source.said = [self.FINAL]
        cycle(source, NOON)
        asked = []
        books = source.books
        source.books = lambda tokens, at: asked.append(tuple(tokens)) or books(tokens, at)

        cycle(source, NOON + 1)

        assert asked == [("yes-2", "no-2")]
        assert source.asked_outcomes[-1] == ("m-2",)

    def test_a_kept_market_is_asked_about_though_it_left_the_universe(self, source):
        cycle(source, NOON)
        source.listed = [market("m-2")]
        universe.sync_markets(source, NOON + 1)
        universe.keep("m-1", "position")
        universe.keep("m-99", "a market nobody has heard of")
        cycle(source, NOON + 2)

        assert source.asked_outcomes[-1] == ("m-2", "m-1")

    def test_a_live_exchange_is_asked_once_a_minute(self, source, monkeypatch):
        monkeypatch.setitem(resolutions.EVERY_MS, source.name, 60 * SECOND)
        for second in (0, 10, 59, 60, 70, 119, 120):
            cycle(source, NOON + second * SECOND)

        assert len(source.asked_outcomes) == 3


class TestDeadline:
    def test_a_cycle_has_eight_tenths_of_a_poll_books_first(self, source):
        said = []
        for name in ("books", "resolutions", "prints"):
            real = getattr(source, name)
            setattr(source, name, lambda *a, n=name, f=real: said.append(n) or f(*a))
        source.end_within = said.append

        cycle(source, NOON)

        assert said == [8.0, "books", "resolutions", "prints", None]

    def test_what_books_used_up_is_not_there_for_the_rest(self, source, monkeypatch):
        monkeypatch.setattr(collect, "ASKING_SHARE", 0.0)
        source.prints = source.resolutions = None

        assert cycle(source, NOON).ticks == 1
        assert collect._warm.said.asked_at is None

    def test_the_bound_is_lifted_when_a_source_fails(self, source):
        bounds = []
        source.end_within, source.down = bounds.append, True
        collect.collect(source, NOON)

        assert bounds == [8.0, None]


class TestFailing:
    def test_an_unreachable_source_is_counted_and_said_in_one_sentence(self, source, caplog):
        cycle(source, NOON)
        source.down = True
        caplog.clear()

        done = collect.collect(source, NOON + 1)

        assert done == collect.Collected(position=1, failures=1)
        assert ticks.failures().count == 1
        assert stages.position("collect") == 1
        line = "The exchange could not be read: The test exchange is switched off."
        assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("WARNING", line)]

    def test_outcomes_that_cannot_be_read_do_not_cost_the_books(self, source, caplog):
        def down(*_):
            raise SourceDown("No outcomes today.")

        source.resolutions = down

        assert cycle(source, NOON) == collect.Collected(position=1, ticks=1)
        assert "The outcomes could not be read: No outcomes today." in caplog.messages

    def test_it_goes_on_by_itself_when_the_source_is_back(self, source):
        cycle(source, NOON)
        source.down = True
        collect.collect(source, NOON + 1)
        source.down = False

        assert cycle(source, NOON + 2).ticks == 1
        assert ticks.failures().count == 1

    def test_a_cycle_that_saw_nothing_new_makes_no_tick_and_is_counted(self, source, caplog):
        cycle(source, NOON)

        done = collect.collect(source, NOON + 1)

        assert done == collect.Collected(position=1, failures=1)
        assert ticks.failures().count == 1
        assert "No new book among 2 markets; there is no tick this time." in caplog.messages

    def test_before_the_first_sync_it_waits(self, db, caplog):
        done = collect.collect(Told(), NOON)

        assert done == collect.Collected()
        assert "No market is tracked yet" in caplog.text

    @pytest.mark.parametrize("table", ["_ticks", "_latest", "_bar", "_flaws", "_resolutions"])
    def test_a_crash_while_writing_leaves_nothing(self, source, monkeypatch, table):
        cycle(source, NOON)
        before = everything()

        def crash(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(rows, table, crash)
        source.said = [TestOutcomes.FINAL]
        source.missing = {"yes-2": Anomaly.MISSING}
        with pytest.raises(KeyboardInterrupt):
            cycle(source, NOON + 300_000)
        assert everything() == before

        monkeypatch.undo()
        cycle(source, NOON + 300_001)
        assert [tick.id for tick in ticks.ticks_after(0, 9)] == [1, 2]
        assert len(ticks.ticks_after(1, 1)[0].resolutions) == 1
        assert models.Bar.objects.count() == 2


def everything() -> list[list[dict]]:
    kinds = (models.Tick, models.Snapshot, models.Latest, models.Anomaly, models.Bar)
    others = (models.Resolution, models.Cursor)
    return [list(kind.objects.order_by("pk").values()) for kind in (*kinds, *others)]


class TestOvertaken:
    def test_the_slower_worker_keeps_nothing_and_reads_on_from_the_faster(self, source):
        books = source.books

        def overtake(tokens, at):
            source.books = books
            warm, collect._warm = collect._warm, None
            cycle(source, at)
            collect._warm = warm
            return books(tokens, at)

        cycle(source, NOON)
        source.books = overtake
        with pytest.raises(stages.Overtaken):
            collect.collect(source, NOON + 1)

        assert models.Tick.objects.count() == 2
        assert cycle(source, NOON + 2).position == 3

    def test_two_workers_at_once_make_every_tick_once(self, database):
        """Each waits for the other between reading and writing, so both write from one position."""
        tracked()
        for round_ in range(4):
            outcomes = both_at_once(NOON + round_ * SECOND)

            assert sorted(outcomes) == ["collected", "overtaken"]
            assert stages.position("collect") == round_ + 1
        found = ticks.ticks_after(0, 99)
        assert [tick.id for tick in found] == [1, 2, 3, 4]
        assert models.Snapshot.objects.count() == ticks.counts().snapshots == 8


def both_at_once(at: int) -> list[str]:
    ready, outcomes, one_at_a_time = threading.Barrier(2), [], threading.Lock()

    def run() -> None:
        told = Told([market("m-1"), market("m-2")])
        told.show(at)
        told.checkpoint = lambda: str(ready.wait(10)).encode()
        with one_at_a_time:
            collect.forget()
        try:
            collect.collect(told, at)
            outcomes.append("collected")
        except stages.Overtaken:
            outcomes.append("overtaken")
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


class TestWarmSource:
    @pytest.fixture
    def opened(self, source, monkeypatch):
        """The checkpoints with which sources were opened."""
        seen: list[bytes] = []

        def open_source(configuration, checkpoint):
            seen.append(checkpoint)
            return source

        monkeypatch.setattr(sources, "open_source", open_source)
        return seen

    def run(self, source, at):
        source.show(at)
        return collect.run(at)

    def test_is_opened_once(self, source, opened):
        for second in range(3):
            self.run(source, NOON + second)

        assert opened == [b""]

    def test_is_opened_again_from_the_newest_checkpoint_when_another_worker_went_on(
        self, source, opened
    ):
        self.run(source, NOON)
        cycle(source, NOON + 1)
        self.run(source, NOON + 2)

        assert len(opened) == 2
        assert opened[1].startswith(b"after ")

    def test_is_opened_again_for_another_configuration(self, source, opened, settings):
        self.run(source, NOON)
        settings.PQAP = SimpleNamespace(**vars(settings.PQAP) | {"digest": "two"})
        self.run(source, NOON + 1)

        assert len(opened) == 2

    def test_is_dropped_when_overtaken(self, source, opened, monkeypatch):
        def overtaken(*_):
            raise stages.Overtaken

        monkeypatch.setattr(collect, "_store", overtaken)
        assert self.run(source, NOON) == collect.Collected()
        monkeypatch.undo()

        assert sources._kept is None

    def test_is_closed_when_it_is_dropped(self, source, opened):
        closed = []
        source.close = lambda: closed.append(True)
        self.run(source, NOON)

        sources.forget()

        assert closed == [True]

    def test_survives_an_exchange_that_is_down(self, source, opened):
        self.run(source, NOON)
        source.down = True
        self.run(source, NOON + 1)
        source.down = False
        self.run(source, NOON + 2)

        assert len(opened) == 1


class TestTermsAtTheTick:
    def test_a_tick_names_the_terms_it_was_read_under(self, source):
        cycle(source, NOON)
        fine = replace(market("m-1"), terms=market("m-1", tick_size="0.001").terms)
        source.listed = [fine, market("m-2")]
        universe.sync_markets(source, NOON + SECOND)
        cycle(source, NOON + 2 * SECOND)

        sizes = [tick.universe.tick_size.tolist() for tick in ticks.ticks_after(0, 9)]
        assert sizes == [[10_000, 10_000], [1_000, 10_000]]


def test_an_exchange_silent_at_the_start_is_listed_by_the_first_cycle_that_reaches_it(
    db, monkeypatch
):
    told = Told([market("m-1")])
    monkeypatch.setattr(sources, "open_source", lambda *_: told)
    told.show(NOON)
    told.down = True

    assert collect.run(NOON) == collect.Collected()

    told.down = False
    assert collect.run(NOON + SECOND).ticks == 1
