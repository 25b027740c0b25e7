"""Mean reversion: what it buys, what it expects, when it leaves, and what it must never do."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from markets.core import venue
from markets.core.bars import BAR_MS, SealedBar
from markets.core.panel import Panel
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule
from strategies.core.types import LEAVE_BOTH, LEAVE_NO, LEAVE_YES, SILENCES, STOP, Silence
from strategies.library.mean_reversion_v1 import MeanReversion, Params
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies import scenes
from tests.core.strategies.scenes import RULE, Scene, code

HOUR_MS = 12 * BAR_MS


def fee(price: float, rate: float = 0.05) -> float:
    return rate * price * (1 - price)


def last_bar(scene: Scene, **shift: int) -> Scene:
    """The scene with the newest bar of its market changed by so many micro."""
    newest = scene.bars[-1].number

    def change(bar: SealedBar) -> SealedBar:
        if bar.number != newest:
            return bar
        columns = {}
        for name, by in shift.items():
            columns[name] = getattr(bar, name).copy()
            columns[name][scene.column] += by
        return replace(bar, **columns)

    return scene.with_bars(change)


def shocked(scene: Scene, z: float) -> Scene:
    """The scene with the newest bar's price moved to where its z-score is `z`."""
    panel = scene.panel()
    shown, column = panel.features, scene.column
    x = shown.mean[column] + z * max(
        shown.hourly.spread[column],
        0.01 / (0.25),
    )
    price = round(ONE / (1 + np.exp(-x)))
    return last_bar(scene, micro=price - int(shown.micro[column]))


class TestTheBet:
    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_it_buys_below_its_limit_and_expects_its_edge_after_costs(self, outcome):
        scene = scenes.buying(outcome)
        bet, shown = scene.bet(), scene.panel().features
        bid, ask = int(shown.bid[scene.column]), int(shown.ask[scene.column])
        if outcome == "No":
            bid, ask = ONE - ask, ONE - bid

        expected = bet.fair / ONE
        sold = expected - fee(expected) - (ask - bid) / 2 / ONE
        gain = sold - ask / ONE - fee(ask / ONE)

        assert bet.edge == pytest.approx(gain * ONE, abs=3)
        assert bet.edge >= 10_000
        assert ask <= bet.limit < bet.fair
        assert sold - bet.limit / ONE - fee(bet.limit / ONE) >= 0.01 - 1e-5
        above = bet.limit / ONE + 0.01
        assert sold - above - fee(above) < 0.01
        assert venue.on_grid(bet.limit, 10_000)

    def test_it_names_its_market_token_and_reasons(self):
        scene = scenes.buying("No")
        bet = scene.bet()

        market = scene.tick.universe.markets[scene.column]
        assert (bet.market, bet.token, bet.outcome) == (market.id, market.no.id, "No")
        assert (bet.strategy, bet.at, bet.leg) == ("mean_reversion_v1", scene.tick.at, 0)
        assert "half-life" in bet.why
        assert bet.size == 5_000 * ONE

    def test_it_expects_three_quarters_of_the_gap_back_after_two_half_lives(self):
        scene = scenes.buying("Yes")
        bet, shown, column = scene.bet(), scene.panel().features, scene.column

        expected = log(bet.fair / (ONE - bet.fair))
        gap = shown.x[column] - shown.mean[column]

        assert (expected - shown.mean[column]) / gap == pytest.approx(0.25, abs=1e-4)

    def test_its_plan_ends_it(self):
        plan = scenes.buying("Yes").bet().plan

        assert 30 * 60_000 <= plan.max_hold_ms <= 12 * HOUR_MS
        assert plan.max_hold_ms == pytest.approx(2 * 50 * 60_000, rel=0.5)
        assert plan.cooldown_ms == HOUR_MS
        assert plan.stop_cooldown_ms == 24 * HOUR_MS
        assert plan.max_adds == 0
        assert not plan.hold_to_resolution

    def test_its_variance_has_a_jump_and_is_bounded(self):
        scene = scenes.buying("Yes")
        bet, price = scene.bet(), scene.panel().features.micro[scene.column] / ONE
        hours = bet.plan.max_hold_ms / HOUR_MS

        assert price * (1 - price) * 0.01 * hours / 6 < bet.variance < price * (1 - price)

    def test_it_stays_the_same_within_a_bar(self):
        scene = scenes.buying("Yes")
        panel = scene.panel()
        first = RULE.evaluate(panel).signals
        later = replace(
            scene.tick,
            at=scene.tick.at + 10_000,
            observed_at=scene.tick.observed_at + 10_000,
            bid=scene.tick.bid + 10_000,
            ask=scene.tick.ask + 10_000,
            id=scene.tick.id + 1,
        )

        panel.advance(later)

        again = RULE.evaluate(panel).signals
        assert [replace(bet, at=0) for bet in again] == [replace(bet, at=0) for bet in first]
        assert {bet.at for bet in again} == {later.at}


class TestCosts:
    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_a_higher_fee_never_adds_a_signal_or_raises_a_limit(self, outcome):
        scene, last = scenes.buying(outcome), None
        for rate in range(0, 250_000, 10_000):
            bet = scene.with_terms(fee=FeeSchedule(rate)).bet()
            if last is not None and bet is not None:
                assert bet.limit <= last.limit
                assert bet.edge < last.edge
            assert rate == 0 or last is not None or bet is None
            last = bet
        assert last is None
        assert scene.with_terms(fee=FeeSchedule(240_000)).silence() == code(Silence.EDGE)

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_a_wider_spread_never_adds_a_signal(self, outcome):
        scene, edges = scenes.buying(outcome), []
        for wider in range(0, 100_000, 10_000):
            bet = last_bar(scene, bid=-wider, ask=wider).bet()
            edges.append(bet.edge if bet else 0)
        assert edges == sorted(edges, reverse=True)
        assert edges[0] > 0
        assert edges[-1] == 0

    def test_more_edge_demanded_never_adds_a_signal(self):
        scene = scenes.buying("Yes")
        for edge in (0.0, 0.01, 0.02, 0.05, 0.5):
            rule = MeanReversion(Params(min_edge=edge))
            bet = scene.bet(rule)
            assert bet is None or bet.edge >= edge * ONE
        assert bet is None


class TestTheBand:
    @pytest.mark.parametrize(
        ("z", "silence", "close"),
        [
            (-3.2, Silence.NO_SIGNAL, LEAVE_BOTH + STOP),
            (-2.9, None, LEAVE_NO),
            (-1.0, Silence.NO_SIGNAL, LEAVE_NO),
            (-0.3, Silence.NO_SIGNAL, LEAVE_BOTH),
            (0.3, Silence.NO_SIGNAL, LEAVE_BOTH),
            (1.0, Silence.NO_SIGNAL, LEAVE_YES),
            (2.9, None, LEAVE_YES),
            (3.2, Silence.NO_SIGNAL, LEAVE_BOTH + STOP),
        ],
    )
    def test_it_enters_between_entry_and_stop_and_holders_leave_outside(self, z, silence, close):
        scene = shocked(scenes.buying("Yes" if z < 0 else "No"), z)
        scene = last_bar(scene, **_touch(scene))

        opinion = scene.opinion(MeanReversion(Params(stop_zscore=3.0)))

        assert opinion.silence[scene.column] == (code(silence) if silence else 0)
        assert opinion.close[scene.column] == close

    def test_holders_are_told_to_leave_while_entries_are_shut(self):
        scene = shocked(scenes.buying("Yes"), -0.3)
        wide = scene.with_column(ask=scene.tick.ask[scene.column] + 50_000)

        opinion = wide.opinion()

        assert opinion.silence[scene.column] == code(Silence.SPREAD)
        assert opinion.close[scene.column] == LEAVE_BOTH

    @pytest.mark.parametrize(
        "ending",
        [
            lambda s: s.with_terms(end_at=s.tick.at + 23 * HOUR_MS),
            lambda s: s.with_market(lambda m: replace(m, tags=("ambiguous",))),
        ],
    )
    def test_everyone_leaves_when_the_market_ends_or_its_rules_blur(self, ending):
        scene = scenes.buying("Yes")

        assert scene.opinion().close[scene.column] == LEAVE_NO
        assert ending(scene).opinion().close[scene.column] == LEAVE_BOTH

    def test_nothing_known_tells_nobody_to_leave(self):
        scene = replace(scenes.buying("Yes"), bars=scenes.buying("Yes").bars[-30:])

        opinion = scene.opinion()

        assert opinion.close.tolist() == [0] * 6
        assert opinion.fair.tolist() == [0] * 6


def _touch(scene: Scene) -> dict[str, int]:
    """What moves the newest bar's touch around its microprice."""
    bar = scene.bars[-1]
    micro, column = int(bar.micro[scene.column]), scene.column
    bid = micro // 10_000 * 10_000
    return {"bid": bid - int(bar.bid[column]), "ask": bid + 10_000 - int(bar.ask[column])}


def opinions(ticks: list[Tick], start: int = 350):
    panel = Panel()
    for position, tick in enumerate(ticks):
        panel.advance(tick)
        if position >= start:
            yield RULE.evaluate(panel)


class TestMirror:
    def test_swapping_yes_and_no_swaps_every_decision_exactly(self):
        ticks = scenes.reverting_ticks(seed=9, count=900)
        signals = 0
        pairs = zip(opinions(ticks), opinions(list(histories.mirrored(ticks))), strict=True)
        for one, other in pairs:
            bets = {replace(bet, why="") for bet in one.signals}
            assert bets == {replace(bet, why="") for bet in other.signals}
            assert one.silence.tobytes() == other.silence.tobytes()
            known = one.fair > 0
            assert (one.fair + other.fair)[known].tolist() == [ONE] * int(known.sum())
            swapped = np.array([0, LEAVE_NO, LEAVE_YES, LEAVE_BOTH])[one.close & LEAVE_BOTH]
            swapped += one.close & STOP
            assert swapped.tolist() == other.close.tolist()
            signals += len(bets)
        assert signals > 20


class TestWorlds:
    def test_a_reverting_world_is_recognised(self):
        ticks = scenes.reverting_ticks(seed=9, count=1_200)
        last = list(opinions(ticks))
        signals = sum(len(each.signals) for each in last)
        panel = scenes.along(ticks)[1]

        lives = log(2) / panel.features.hourly.pull
        assert signals > 100
        assert np.median(lives) == pytest.approx(10, rel=0.4)

    def test_a_martingale_with_bounce_is_mostly_silence(self):
        rng = np.random.default_rng(10)
        walk = np.cumsum(rng.normal(0, 0.02, (1_400, 20)), axis=0)
        bounce = rng.choice([-0.04, 0, 0, 0, 0, 0, 0, 0.04], walk.shape)
        signals, seen = 0, 0
        counts = dict.fromkeys(range(len(SILENCES) + 1), 0)
        for opinion in opinions(list(histories.ticks_along(walk + bounce))):
            signals, seen = signals + len(opinion.signals), seen + len(opinion.silence)
            for number in opinion.silence.tolist():
                counts[number] += 1
        print({SILENCES[n - 1] if n else "signalled": c for n, c in counts.items() if c})
        assert signals < 0.002 * seen

    def test_a_constant_price_never_signals(self):
        still = np.zeros((400, 3))
        for opinion in opinions(list(histories.ticks_along(still))):
            assert opinion.signals == ()
            assert set(opinion.silence.tolist()) == {code(Silence.ACTIVITY)}

    def test_short_history_warms_up_and_says_so(self):
        ticks = scenes.reverting_ticks(count=100)
        opinion = list(opinions(ticks, start=99))[-1]

        assert set(opinion.silence.tolist()) == {code(Silence.WARMUP)}
        assert opinion.detail[0].startswith("have 99 / need 240 bars / ready at 2026-01-02 08:00")


class TestNoLookAhead:
    def test_what_comes_later_changes_no_earlier_opinion(self):
        ticks = scenes.reverting_ticks(seed=11, count=450)
        other = ticks[:420] + scenes.reverting_ticks(seed=12, count=450)[420:]

        for one, same in zip(opinions(ticks[:420]), opinions(other), strict=False):
            assert one.signals == same.signals
            assert one.silence.tobytes() == same.silence.tobytes()
            assert one.close.tobytes() == same.close.tobytes()
            assert one.fair.tobytes() == same.fair.tobytes()

    def test_signals_name_one_entry_a_market(self):
        for opinion in opinions(scenes.reverting_ticks(seed=13, count=600)):
            markets = [bet.market for bet in opinion.signals]
            assert len(markets) == len(set(markets))


def test_the_volume_it_demands_is_its_parameter():
    scene = scenes.buying("Yes")

    assert scene.silence(MeanReversion(Params(min_volume=60_000))) == code(Silence.ACTIVITY)
    assert b.market().volume_24h == 50_000 * ONE
