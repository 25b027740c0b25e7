"""The panel: rebuilt from rows it equals the warm one bit for bit, wherever it is restarted."""

import dataclasses

import numpy as np
import pytest

from markets.core.bars import BAR_MS, OpenBar, SealedBar, number
from markets.core.panel import Panel
from markets.core.tick import Tick
from markets.core.types import ONE
from markets.core.window import DAY, WEEK, Window
from strategies.core.evaluate import evaluate
from strategies.library import REGISTRY
from tests import builders as b
from tests.core.markets import histories
from tests.core.markets.histories import START

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
    return Panel.rebuild(rows, ticks[first : position + 1])


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
    @pytest.mark.parametrize("seed", [11, 12, 13])
    def test_it_equals_the_warm_panel_bit_for_bit(self, seed):
        ticks = histories.unsteady(seed).ticks
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
