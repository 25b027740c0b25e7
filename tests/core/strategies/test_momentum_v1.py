"""Momentum: what it calls a move that goes on, what it expects of it, and when it leaves."""

from collections import Counter
from functools import lru_cache
from math import exp, sqrt

import numpy as np
import pytest

from markets.core.bars import BAR_MS
from markets.core.types import ONE
from strategies.core import continuation
from strategies.core.types import SILENCES, Silence
from strategies.library import mean_reversion_v1
from strategies.library.mean_reversion_v1 import MeanReversion
from strategies.library.momentum_v1 import Momentum, Params, validate
from tests.core.markets import histories
from tests.core.strategies import moments, scenes
from tests.core.strategies.scenes import Scene, code

LOOSE = Params(min_strength=0.3, min_edge=0.0, min_move=0.01, max_move=0.3)
RULE = Momentum(LOOSE)
FORCED = Params(
    min_strength=0,
    max_strength=100,
    min_move=0,
    max_move=1,
    min_edge=-0.2,
    min_beta_t=-100,
    min_variance_ratio=1,
    max_false_discoveries=1,
)
HOUR_MS = 12 * BAR_MS


@lru_cache
def following(outcome: str) -> Scene:
    return moments.first(RULE, moments.trending_ticks(), outcome)


class TestTheBet:
    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_it_follows_the_move_and_expects_its_slope_to_hold(self, outcome):
        scene = following(outcome)
        bet, panel = scene.bet(RULE), scene.panel()
        sign, column = (1 if outcome == "Yes" else -1), scene.column
        x = panel.window.x(panel.window.rows(scene.tick.universe), 300)[column]
        step = panel.features.hourly.step[column]
        six = (x[-2] - x[-2 - 72]) / (step * sqrt(72))
        day = (x[-2] - x[-2 - 288]) / (step * sqrt(288))
        slope = RULE._fit(panel).slope[column]

        expected = panel.features.x[column] + slope * (six + day) / 2 * step * sqrt(288)

        assert sign * (six + day) > 0
        assert slope > 0
        assert bet.fair == pytest.approx(ONE / (1 + exp(-sign * expected)), abs=2)
        assert bet.edge >= 0
        assert "variance ratio" in bet.why

    def test_its_plan_is_a_day_with_a_trailing_stop(self):
        scene = following("Yes")
        plan, panel = scene.bet(RULE).plan, scene.panel()
        price = panel.features.micro[scene.column] / ONE
        sigma = panel.features.hourly.step[scene.column] * sqrt(288) * price * (1 - price)

        assert plan.max_hold_ms == 24 * HOUR_MS
        assert plan.trail == pytest.approx(1.5 * sigma * ONE, abs=1)
        assert not plan.hold_to_resolution

    def test_the_last_bar_is_not_part_of_the_move(self):
        scene = following("Yes")
        newest = scene.bars[-1].number

        def leapt(bar):
            if bar.number == newest:
                bar.micro[scene.column] += 3_000
            return bar

        moves = RULE._moves(scene.panel())
        changed = RULE._moves(scene.with_bars(leapt).panel())

        assert changed.far.tolist() == moves.far.tolist()

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_costs_only_take_bets_away(self, outcome):
        scene = following(outcome)

        moments.assert_costs_only_take_away(list(moments.by_fee(scene, RULE)))
        moments.assert_costs_only_take_away(list(moments.by_spread(scene, RULE)))

    def test_a_shut_gate_silences_it(self):
        scene = following("Yes")
        wide = scene.with_column(ask=scene.tick.ask[scene.column] + 50_000)

        assert wide.silence(RULE) == code(Silence.SPREAD)
        assert wide.bet(RULE) is None

    def test_a_move_outside_its_range_is_no_signal_and_says_so(self):
        scene = following("Yes")
        far = abs(int(RULE._moves(scene.panel()).far[scene.column])) / ONE
        rule = Momentum(Params(min_strength=0.3, min_edge=0, min_move=far + 0.01, max_move=0.5))
        opinion = scene.opinion(rule)

        assert opinion.silence[scene.column] == code(Silence.NO_SIGNAL)
        assert "in a day / needs" in opinion.detail[scene.column]


class TestRegime:
    def test_a_market_of_mean_reversion_is_never_its_market(self):
        loose = mean_reversion_v1.Params(
            min_edge=0, entry_zscore=0.6, max_false_discoveries=0.5, max_variance_ratio=1.0
        )
        others = MeanReversion(loose)
        rule, both, either = Momentum(FORCED), 0, Counter()
        for ticks in (scenes.reverting_ticks(count=900), moments.trending_ticks(count=900)):
            pairs = zip(
                moments.opinions(rule, ticks, 400),
                moments.opinions(others, ticks, 400),
                strict=True,
            )
            for one, other in pairs:
                mine, theirs = ({bet.market for bet in each.signals} for each in (one, other))
                both += len(mine & theirs)
                either.update(mine=len(mine), theirs=len(theirs))
        assert both == 0
        assert min(either["mine"], either["theirs"]) > 20

    def test_moves_that_come_back_silence_it(self):
        ticks = moments.trending_ticks(seed=6, drifting=0.0, count=700)
        opinion = list(moments.opinions(RULE, ticks, 699))[-1]

        assert opinion.signals == ()
        assert set(opinion.silence.tolist()) == {code(Silence.REGIME)}
        assert all("variance ratio" in text or "slope" in text for text in opinion.detail.values())

    def test_without_a_day_of_bars_it_warms_up(self):
        opinion = list(moments.opinions(RULE, moments.trending_ticks(count=100), 99))[-1]

        assert set(opinion.silence.tolist()) == {code(Silence.WARMUP)}
        assert opinion.detail[0].startswith("have 99 / need 240 bars")

    def test_defaults_say_next_to_nothing_of_random_walks(self):
        rule, counts = Momentum(Params()), Counter()
        for opinion in moments.opinions(rule, moments.walking_ticks(seed=8), 400):
            counts.update(SILENCES[n - 1] if n else "signalled" for n in opinion.silence.tolist())
        print(counts)

        assert counts["signalled"] < 0.002 * counts.total()

    def test_it_can_be_forced_to_trade_random_walks(self):
        ticks = moments.walking_ticks(seed=8, count=700)
        signals = sum(len(o.signals) for o in moments.opinions(Momentum(FORCED), ticks, 400))

        assert signals > 300


class TestMirrorAndTime:
    def test_swapping_yes_and_no_swaps_every_decision_exactly(self):
        ticks = moments.trending_ticks(seed=9, count=800)
        pairs = zip(
            moments.opinions(RULE, ticks, 400),
            moments.opinions(RULE, list(histories.mirrored(ticks)), 400),
            strict=True,
        )

        assert sum(moments.assert_mirrored(one, other) for one, other in pairs) > 20

    def test_what_comes_later_changes_no_earlier_opinion(self):
        ticks = moments.trending_ticks(seed=11, count=500)
        other = ticks[:470] + moments.trending_ticks(seed=12, count=500)[470:]

        for one, same in zip(
            moments.opinions(RULE, ticks[:470], 440),
            moments.opinions(RULE, other, 440),
            strict=False,
        ):
            assert one.signals == same.signals
            assert one.silence.tobytes() == same.silence.tobytes()
            assert one.fair.tobytes() == same.fair.tobytes()

    def test_a_restart_within_the_hour_changes_nothing(self):
        scene = following("No")

        assert scene.opinion(RULE).signals == scene.opinion(Momentum(LOOSE)).signals
        warm = list(moments.opinions(Momentum(LOOSE), _until(scene)))[-1]
        assert warm.signals == scene.opinion(RULE).signals
        assert warm.detail == scene.opinion(RULE).detail


def _until(scene: Scene):
    ticks = moments.trending_ticks()
    return ticks[: [tick.at for tick in ticks].index(scene.tick.at) + 1]


class TestSlopes:
    def test_a_planted_slope_is_found_and_shrunk(self):
        rng = np.random.default_rng(1)
        moved = rng.normal(0, 1, (200, 30))
        after = 0.3 * moved + rng.normal(0, 1, moved.shape)
        found = slopes(moved, after, event=np.arange(200), category=np.arange(200) % 2)

        assert found.slope == pytest.approx([0.3, 0.3], abs=0.05)
        assert (found.t > 10).all()
        assert found.events.tolist() == [100, 100]

    def test_what_every_event_says_alike_is_certain(self):
        moved = np.ones((100, 30))

        assert slopes(moved, 0.4 * moved, event=np.arange(100)).t[0] > 80

    def test_one_event_told_a_hundred_times_is_one_event(self):
        rng = np.random.default_rng(2)
        line, noise = rng.normal(0, 1, (1, 30)), rng.normal(0, 1, (1, 30))
        moved, after = np.repeat(line, 100, axis=0), np.repeat(noise + line, 100, axis=0)

        found = slopes(moved, after, event=np.zeros(100, dtype=np.int64))

        assert found.t.tolist() == [0.0]

    def test_chance_is_rarely_significant(self):
        rng = np.random.default_rng(3)
        high = 0
        for _ in range(200):
            common = rng.normal(0, 1, (20, 1, 20))
            moved = (common + 0.3 * rng.normal(0, 1, (20, 3, 20))).reshape(60, 20)
            after = np.repeat(rng.normal(0, 1, (20, 20)), 3, axis=0)
            found = slopes(moved, after, event=np.repeat(np.arange(20), 3))
            high += abs(found.t[0]) >= 2
        assert high <= 24  # 5 % is nominal; with twenty events it comes to some 8 %

    def test_a_small_category_believes_the_pool(self):
        rng = np.random.default_rng(4)
        moved = rng.normal(0, 1, (101, 30))
        after = 0.4 * moved
        after[100] = -0.4 * moved[100]
        category = np.array([0] * 100 + [1])

        found = slopes(moved, after, event=np.arange(101), category=category)

        assert found.slope[1] == pytest.approx(0.4 * 9 / 11, abs=0.07)


def slopes(moved, after, *, event, category=None):
    category = np.zeros(len(moved), dtype=np.int64) if category is None else category
    return continuation.slopes(
        moved,
        after,
        np.ones(moved.shape, dtype=np.bool_),
        event=event,
        category=category,
        categories=int(category.max()) + 1,
    )


def test_parameters_that_make_no_rule_together_are_refused():
    assert "min_strength" in validate(Params(min_strength=3, max_strength=3))
    assert "min_move" in validate(Params(min_move=0.1))
    assert validate(FORCED) is None
