"""The panel: rebuilt from rows it equals the warm one bit for bit, wherever it is restarted."""

import dataclasses
import os
import random

import numpy as np
import pytest

from markets.core.bars import BAR_MS, OpenBar, SealedBar, number
from markets.core.panel import Panel
from markets.core.tick import Tick
from markets.core.types import ONE, PastBar
from markets.core.window import DAY, WEEK, Window
from strategies.core.evaluate import evaluate
from strategies.library import REGISTRY
from tests import builders as b
from tests.core.markets import histories
from tests.core.markets.histories import START

RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
HOUR_MS = 12 * BAR_MS


def shown(panel: Panel) -> dict[str, bytes]:
    """Everything a strategy can read off a panel, as bytes."""
    found = {}
    for part in (panel.features, panel.features.hourly, panel.depth):
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, np.ndarray):
                found[f"{type(part).__name__}.{field.name}"] = value.tobytes()
    rows = panel.window.rows(panel.tick.universe)
    found["x"] = panel.window.x(rows, 2_000).tobytes()
    found["valid"] = panel.window.valid(rows, 2_000).tobytes()
    found["seen"] = panel.window.seen(rows, 2_000).tobytes()
    found["mean"] = b"".join(each.tobytes() for each in panel.window.mean(rows, 1_400))
    for name in ("bid", "ask", "micro", "changes"):
        found[name] = panel.window.ints(name, rows, 2_000).tobytes()
    found["at"] = repr((panel.features.at, panel.features.hourly.at, panel.tick.at)).encode()
    return found


def handed_over(ticks: tuple[Tick, ...], bars: list[SealedBar], position: int) -> Panel:
    """A panel rebuilt after tick `position` from what the selectors hand over."""
    opened = number(ticks[position].at)
    first = position
    while first > 0 and number(ticks[first - 1].at) == opened:
        first -= 1
    first = max(0, min(first, position - 1))
    rows = histories.stored(bars, opened * BAR_MS)
    past = histories.learnt(ticks[: position + 1])
    return Panel.rebuild(rows, ticks[first : position + 1], past)


def walk(ticks: tuple[Tick, ...]):
    """A warm panel after each tick, with the bars sealed until then."""
    panel, bars, collector = Panel(), [], OpenBar.after(None)
    for position, tick in enumerate(ticks):
        panel.advance(tick)
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
        yield position, panel, bars


class TestRebuild:
    @pytest.mark.parametrize("seed", [11, 12, 13, RUN_SEED])
    def test_it_equals_the_warm_panel_bit_for_bit(self, seed):
        print(f"seed {seed}")
        ticks = histories.with_past(seed, histories.unsteady(seed).ticks)
        rng = np.random.default_rng(seed)
        stops = {1, 40, *rng.integers(200, len(ticks) - 1, 5).tolist(), len(ticks) - 1}
        running: list[Panel] = []
        for position, warm, bars in walk(ticks):
            for panel in running:
                panel.advance(ticks[position])
                assert shown(panel) == shown(warm), f"seed {seed}, {position} ticks in"
            if position in stops:
                rebuilt = handed_over(ticks, bars, position)
                assert shown(rebuilt) == shown(warm), f"seed {seed}, restarted after {position}"
                assert rebuilt.tick is warm.tick
                assert rebuilt.previous is warm.previous
                running = [rebuilt]
            elif running and number(ticks[position].at) % 40 == 0:
                running = []

    @pytest.mark.parametrize("seed", [21, RUN_SEED])
    def test_ticks_that_were_skipped_leave_no_trace(self, seed):
        print(f"seed {seed}")
        ticks = histories.with_past(seed, histories.unsteady(seed).ticks)[:400]
        warm, other = Panel(), Panel()
        luck = random.Random(seed)
        for tick in ticks:
            warm.advance(tick)
            if luck.random() < 0.7:
                other.skip(tick)
                continue
            other.advance(tick)
            assert shown(other) == shown(warm), f"seed {seed}, at {tick.at}"

    def test_strategies_believe_the_same_after_a_restart(self):
        rng = np.random.default_rng(3)
        x = histories.ornstein(rng, ticks=900, markets=6, half_life=10, size=0.3)
        ticks = tuple(histories.ticks_along(x))
        built = [entry.built for entry in REGISTRY.values() if entry.built]
        rules = [each(each.params()) for each in built]
        signals = 0
        for position, warm, bars in walk(ticks):
            if position > 600 and position % 25 == 0:
                rebuilt = handed_over(ticks, bars, position)
                for one, other in zip(evaluate(rules, warm), evaluate(rules, rebuilt), strict=True):
                    assert one.signals == other.signals
                    assert one.detail == other.detail
                    for name in ("silence", "fair", "close"):
                        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
                    signals += len(one.signals)
        assert signals > 0

    def test_without_bars_it_is_a_new_panel(self):
        ticks = histories.unsteady(seed=4, length=3).ticks

        panel = Panel.rebuild([], ticks[:1])

        assert panel.tick is ticks[0]
        assert panel.previous is None

    def test_bars_after_the_newest_tick_are_left_out(self):
        ticks = histories.unsteady(seed=6, length=300).ticks
        panels = list(walk(ticks))
        _, _, bars = panels[-1]
        opened = number(ticks[150].at)
        first = next(i for i, tick in enumerate(ticks) if number(tick.at) == opened)
        some = ticks[min(first, 149) : 151]

        early = Panel.rebuild(bars, some)
        late = Panel.rebuild([bar for bar in bars if bar.number < opened], some)

        assert shown(early) == shown(late)


class TestPast:
    """Imported bars: statistics from the first tick on, and never a quote."""

    def panel(self, past, *, ticks: int = 3, every: int = BAR_MS) -> Panel:
        """A market seen for some ticks, the first of which brings `past`."""
        world, panel = b.universe(b.market("m-1")), Panel()
        for step in range(ticks):
            at = START + step * every
            tick = histories.make_tick(world, np.full(1, 400_000), np.full(1, 420_000), at=at)
            panel.advance(dataclasses.replace(tick, past=tuple(past) if step == 0 else ()))
        return panel

    def line(self, prices, *, last: int = START, market: str = "m-1") -> list[PastBar]:
        """One bar a price, the last of them closing at `last`."""
        first = last - (len(prices) - 1) * BAR_MS
        return [PastBar(market, first + n * BAR_MS, price) for n, price in enumerate(prices)]

    def test_a_week_of_them_warms_the_statistics_at_once(self):
        rng = np.random.default_rng(1)
        x = histories.ornstein(rng, ticks=2_016, markets=1, half_life=30, size=0.2)[:, 0]
        prices = np.rint(ONE / (1 + np.exp(-x))).astype(int).tolist()

        panel = self.panel(self.line(prices), ticks=1)

        shown = panel.features
        assert (shown.bars[0], shown.imported[0], shown.gaps[0]) == (DAY, DAY, 0)
        assert shown.hourly.pull_bars[0] > 1_000
        assert shown.hourly.pull[0] == pytest.approx(np.log(2) / 30, rel=0.5)

    def test_they_are_prices_and_not_quotes(self):
        before = self.panel(self.line([410_000] * 300), ticks=1)
        after = self.panel(self.line([410_000] * 300), ticks=2)

        assert not before.features.valid[0]
        assert (before.features.bid[0], before.features.ask[0]) == (0, 0)
        assert after.features.valid[0]
        assert (after.features.bid[0], after.features.ask[0]) == (400_000, 420_000)
        assert after.features.imported[0] == DAY - 1
        assert after.features.mean[0] == pytest.approx(np.log(0.41 / 0.59))

    def test_a_line_that_stands_still_is_quiet_and_one_that_moves_changed_once(self):
        panel = self.panel(self.line([410_000, 410_000, 420_000, 420_000, 430_000]), ticks=1)

        assert (panel.features.changes[0], panel.features.quiet[0]) == (2, 3)

    def test_what_was_seen_is_never_overwritten(self):
        world, panel = b.universe(b.market("m-1")), Panel()
        for step in range(4):
            tick = histories.make_tick(
                world, np.full(1, 400_000), np.full(1, 420_000), at=START + step * BAR_MS
            )
            past = self.line([900_000] * 3, last=START + 2 * BAR_MS) if step == 3 else ()
            panel.advance(dataclasses.replace(tick, past=tuple(past)))

        row = panel.window.rows(world)
        assert panel.window.ints("micro", row, 4)[0].tolist() == [900_000, *[410_000] * 3]
        assert panel.window.seen(row, 4)[0].tolist() == [False, True, True, True]
        assert panel.features.imported[0] == 1

    @pytest.mark.parametrize("bars_late", [1, 2, 500])
    def test_the_open_bar_and_later_ones_are_refused(self, bars_late):
        panel = self.panel(self.line([410_000], last=START + bars_late * BAR_MS), ticks=1)

        assert panel.features.bars[0] == 0

    def test_older_ones_than_the_window_are_refused(self):
        edge = START - (WEEK - 1) * BAR_MS
        inside = self.panel(self.line([410_000], last=edge), ticks=1)
        outside = self.panel(self.line([410_000], last=edge - BAR_MS), ticks=1)

        world = b.universe(b.market("m-1"))
        assert inside.window.valid(inside.window.rows(world), WEEK).sum() == 1
        assert outside.window.valid(outside.window.rows(world), WEEK).sum() == 0

    def test_figures_of_the_hour_are_refit_when_they_arrive(self):
        world, panel = b.universe(b.market("m-1")), Panel()
        tick = histories.make_tick(world, np.full(1, 400_000), np.full(1, 420_000), at=START)
        panel.advance(tick)
        panel.once("key", lambda: 1)
        later = dataclasses.replace(tick, at=START + 10_000, past=tuple(self.line([410_000] * 900)))
        panel.advance(later)

        assert panel.features.hourly.ratio_bars[0] > 800
        assert panel.once("key", lambda: 2) == 2

    def test_nothing_new_computes_nothing(self):
        world, panel = b.universe(b.market("m-1")), Panel()
        tick = histories.make_tick(world, np.full(1, 400_000), np.full(1, 420_000), at=START)
        past = tuple(self.line([410_000] * 9))
        panel.advance(dataclasses.replace(tick, past=past))
        figures = panel.features
        panel.advance(dataclasses.replace(tick, at=START + 10_000, past=past))

        assert panel.features is figures


class TestNoLookAhead:
    def test_later_ticks_change_nothing_that_was_shown(self):
        ticks = histories.unsteady(seed=21, length=500).ticks
        short, long = Panel(), Panel()
        for tick in ticks[:300]:
            short.advance(tick)
        kept = shown(short)
        frozen = short.features
        for tick in ticks[:300]:
            long.advance(tick)
        for tick in ticks[300:]:
            long.advance(tick)
        assert shown(short) == kept
        assert short.features is frozen

    def test_figures_change_only_when_a_bar_closes(self):
        x = np.random.default_rng(1).normal(0, 0.1, (90, 3))
        panel, before, changed = Panel(), None, 0
        for tick in histories.ticks_along(x, every=60_000):
            panel.advance(tick)
            if before is not None and panel.features is not before:
                changed += 1
                assert tick.at % BAR_MS == 0
            before = panel.features
        assert changed == 17

    def test_hourly_figures_change_only_at_the_hour(self):
        x = np.random.default_rng(1).normal(0, 0.1, (60, 3))
        panel, ats = Panel(), []
        for tick in histories.ticks_along(x, start=START):
            panel.advance(tick)
            ats.append((tick.at, panel.features.hourly.at))
        assert all(tick_at - tick_at % HOUR_MS == at for tick_at, at in ats)


class TestMarketsComeAndGo:
    def test_a_market_that_returns_finds_its_bars(self):
        both = b.universe(b.market("m-1"), b.market("m-2"))
        one = b.universe(b.market("m-1"), version=2)
        back = b.universe(b.market("m-2"), b.market("m-1"), version=3)
        panel = Panel()
        for step in range(60):
            world = both if step < 30 else one if step < 40 else back
            at = START + step * BAR_MS
            bid = np.full(len(world), 400_000)
            panel.advance(histories.make_tick(world, bid, bid + 10_000, at=at, id=step + 1))
        assert panel.features.bars.tolist() == [49, 59]
        assert panel.features.gaps.tolist() == [10, 0]

    def test_a_market_that_stayed_away_for_a_week_starts_anew(self):
        both = b.universe(b.market("m-1"), b.market("m-2"))
        one = b.universe(b.market("m-1"), version=2)
        panel = Panel()
        for step in range(2_400):
            world = both if step < 5 or step == 2_399 else one
            bid = np.full(len(world), 400_000)
            at = START + step * BAR_MS
            panel.advance(histories.make_tick(world, bid, bid + 10_000, at=at, id=step + 1))
        rows = panel.window.rows(both)
        assert panel.window.valid(rows, 2_016).sum(axis=1).tolist() == [2_016, 0]
        assert panel.features.valid.tolist() == [True, False]


class TestDepth:
    def test_it_is_read_again_only_where_the_book_changed(self):
        world = b.universe(b.market("m-1"), b.market("m-2"))
        first = b.tick(world)
        changed = {"yes-1": b.book("yes-1"), "yes-2": b.book("yes-2", bids=(("0.39", 10),))}
        second = b.tick(world, changed, at=b.NOON + 10_000, id=2)
        panel = Panel()

        panel.advance(first)
        before = panel.depth
        panel.advance(second)

        assert before.bid.tolist() == [400 * ONE, 400 * ONE]
        assert panel.depth.bid.tolist() == [400 * ONE, 3_900_000]
        assert panel.depth.ask.tolist() == [420 * ONE, 420 * ONE]
        assert panel.depth.no_bid.tolist() == [580 * ONE, 580 * ONE]


class TestOnce:
    def test_it_remembers_until_a_bar_closes_or_terms_change(self):
        world = b.universe()
        panel, calls = Panel(), []
        for at, where in ((0, world), (10_000, world), (20_000, b.universe()), (BAR_MS, world)):
            panel.advance(b.tick(where, at=START + at))
            panel.once("key", lambda: calls.append(1))
            panel.once("key", lambda: calls.append(1))
        assert len(calls) == 3


class TestWindow:
    def test_rows_of_markets_long_gone_are_used_again(self):
        window, highest = Window(), 0
        for step in range(60):
            world = b.universe(b.market(f"m-{step}"))
            one = np.full(1, 500_000)
            window.put(
                SealedBar(
                    at=START + step * DAY * BAR_MS,
                    universe=world,
                    bid=one - 10_000,
                    ask=one + 10_000,
                    micro=one,
                    changes=one * 0,
                    count=one * 0 + 1,
                    valid=np.ones(1, dtype=np.bool_),
                )
            )
            highest = max(highest, int(window.rows(world)[0]))
            assert window.valid(window.rows(world), WEEK).sum() == 1
        assert highest < 20

    def test_bars_must_come_in_order(self):
        bar = next(bar for _, _, bars in walk(histories.unsteady(1, 30).ticks) for bar in bars)
        window = Window()
        window.put(bar)

        with pytest.raises(ValueError, match="not newer"):
            window.put(bar)
