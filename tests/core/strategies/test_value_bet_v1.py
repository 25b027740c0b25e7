"""Value betting: what it believes, what it pays for, and that it believes nothing by itself."""

from dataclasses import replace
from functools import lru_cache
from math import exp, log

import numpy as np
import pytest

from markets.core.types import ONE
from strategies.core import exclusive
from strategies.core.calibration import Calibration, Cell
from strategies.core.forecasts import Claim, Forecasts
from strategies.core.types import LEAVE_NO, LEAVE_YES, Silence
from strategies.library.value_bet_v1 import Params, ValueBet, validate
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies import moments, scenes
from tests.core.strategies.scenes import Scene, code

FITTED = histories.START - b.DAY


def learnt(beta: float = 1.6, alpha: float = 0.0, *, events: int = 400, **cell) -> Calibration:
    return Calibration(
        tuple(Cell("politics", n, alpha, beta, events=events, **cell) for n in range(5)), FITTED
    )


RULE = ValueBet(Params(), calibration=learnt())
NOBODY = ValueBet(Params())


@lru_cache
def wandering(seed: int = 21, count: int = 420, **world):
    return moments.walking_ticks(seed, count=count, size=0.04, **world)


@lru_cache
def worth(outcome: str) -> Scene:
    return moments.first(RULE, wandering(), outcome, 290)


class TestTheBet:
    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_it_pays_less_than_the_cautious_probability(self, outcome):
        scene = worth(outcome)
        bet, panel = scene.bet(RULE), scene.panel()
        sign, x = (1 if outcome == "Yes" else -1), panel.features.x[scene.column]
        market = scene.tick.universe.markets[scene.column]
        left = (market.terms.end_at - panel.features.at) / b.DAY
        ask = panel.features.ask[scene.column] / ONE
        ask = ask if outcome == "Yes" else 1 - panel.features.bid[scene.column] / ONE
        spent = ask + 0.02 * ask * (1 - ask)

        assert bet.fair == pytest.approx(ONE / (1 + exp(-sign * 1.6 * x)), abs=2)
        edge = bet.fair / ONE - spent * (1 + 0.05 * left / 365)
        assert bet.edge == pytest.approx(edge * ONE, abs=3)
        assert bet.edge >= 20_000
        assert bet.limit >= ask * ONE - 1

    def test_it_is_cautious_by_its_error(self):
        doubtful = ValueBet(Params(min_errors=0), calibration=learnt(var_beta=0.04))
        sure, less = worth("Yes").bet(RULE), worth("Yes").bet(doubtful)
        x = worth("Yes").panel().features.x[worth("Yes").column]
        low = 1 / (1 + exp(-(1.6 * x - 0.8416 * 0.2 * abs(x))))

        assert less.fair == sure.fair
        assert sure.edge - less.edge == pytest.approx(sure.fair - low * ONE, abs=3)

    def test_an_edge_of_less_than_two_errors_is_silence(self):
        scene = worth("Yes")
        doubtful = ValueBet(Params(), calibration=learnt(var_beta=0.25))

        assert scene.silence(doubtful) == code(Silence.EDGE)
        assert "after costs / needs" in scene.opinion(doubtful).detail[scene.column]

    def test_its_plan_takes_the_gain_and_has_an_end(self):
        scene = worth("Yes")
        bet = scene.bet(ValueBet(Params(min_annual=1), calibration=learnt()))
        left = scene.tick.universe.markets[scene.column].terms.end_at - scene.panel().features.at

        assert bet.plan.take_profit % 1_000 == 0
        assert 0 <= bet.plan.take_profit - (bet.fair - 5_000) < 1_000
        assert bet.plan.max_hold_ms == min(left // 2, 30 * b.DAY)
        assert not bet.plan.hold_to_resolution
        assert bet.variance > 0

    def test_what_pays_well_a_year_is_held_to_the_end(self):
        scene = worth("Yes").with_terms(end_at=worth("Yes").tick.at + 20 * b.DAY)
        bet = scene.bet(RULE)

        assert bet.plan.hold_to_resolution
        assert bet.variance == 0.0
        never = ValueBet(Params(min_annual=100), calibration=learnt())
        assert not scene.bet(never).plan.hold_to_resolution

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_costs_only_take_bets_away(self, outcome):
        scene = worth(outcome)

        moments.assert_costs_only_take_away(list(moments.by_fee(scene, RULE)))
        moments.assert_costs_only_take_away(list(moments.by_spread(scene, RULE)))

    def test_more_time_to_the_end_costs_more(self):
        edges = [
            worth("Yes").with_terms(end_at=worth("Yes").tick.at + days * b.DAY).bet(RULE)
            for days in (100, 200, 400)
        ]

        assert [bet.edge for bet in edges] == sorted((bet.edge for bet in edges), reverse=True)
        assert edges[0].edge > edges[2].edge

    def test_it_buys_nothing_below_its_lowest_or_above_its_highest_price(self):
        prices = set()
        forced = ValueBet(Params(min_edge=-0.2, min_errors=0), calibration=learnt())
        for opinion in moments.opinions(forced, wandering(22), 300):
            prices |= {bet.limit for bet in opinion.signals}
        assert len(prices) > 50
        assert max(prices) <= 950_000

    def test_a_shut_gate_silences_it(self):
        scene = worth("Yes")
        wide = scene.with_column(ask=scene.tick.ask[scene.column] + 50_000)

        assert wide.silence(RULE) == code(Silence.SPREAD)


class TestKnowingNothing:
    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (NOBODY, "no calibration was fitted yet"),
            (ValueBet(Params(), calibration=learnt(events=199)), "rests on 199 / needs 200 events"),
            (
                ValueBet(Params(), calibration=replace(learnt(), fitted_at=FITTED - 40 * b.DAY)),
                "days ago / at most 30",
            ),
            (
                ValueBet(Params(), calibration=replace(learnt(), fitted_at=FITTED + 40 * b.DAY)),
                "fitted later than this tick",
            ),
        ],
    )
    def test_it_says_what_is_missing_and_tells_nobody_to_leave(self, rule, words):
        opinion = worth("Yes").opinion(rule)

        assert opinion.signals == ()
        assert set(opinion.silence.tolist()) == {code(Silence.NO_MODEL)}
        assert all(words in text for text in opinion.detail.values())
        assert opinion.close.tolist() == opinion.fair.tolist() == [0] * 16

    @pytest.mark.parametrize("neg_risk", [False, True])
    def test_a_price_that_is_right_never_trades(self, neg_risk):
        right = ValueBet(Params(min_edge=0, min_errors=0), calibration=learnt(1.0, 0.0))
        ticks = wandering(23)
        if neg_risk:
            ticks = exclusive_ticks(23)
        for opinion in moments.opinions(right, ticks, 290):
            assert opinion.signals == ()

    def test_nothing_known_has_no_digest_and_something_has_one(self):
        assert worth("Yes").opinion(NOBODY).inputs == ""
        assert len(RULE.inputs) == 64
        assert worth("Yes").opinion(RULE).inputs == RULE.inputs


class TestForecasts:
    def claim(self, probability: int, error: int = 10_000, **times) -> Forecasts:
        scene = worth("Yes")
        market = scene.tick.universe.markets[scene.column]
        times = {"at": 0, "until": scene.tick.at + 1, **times}
        return Forecasts((Claim(market.slug, probability, error, **times),))

    def test_a_forecast_takes_the_calibrations_place(self):
        scene = worth("Yes")
        for known in (Calibration(), learnt()):
            rule = ValueBet(Params(), calibration=known, forecasts=self.claim(850_000))
            assert scene.bet(rule).fair == 850_000

    def test_a_void_one_does_not(self):
        scene = worth("Yes")
        void = ValueBet(Params(), forecasts=self.claim(850_000, until=scene.tick.at - b.DAY))

        assert scene.silence(void) == code(Silence.NO_MODEL)

    def test_it_may_bet_on_no(self):
        rule = ValueBet(Params(), forecasts=self.claim(300_000))

        assert worth("Yes").bet(rule).outcome == "No"


class TestLeaving:
    @pytest.mark.parametrize(
        ("off", "close"), [(-20_000, LEAVE_YES), (20_000, LEAVE_NO), (5_000, 0), (-5_000, 0)]
    )
    def test_holders_of_what_trades_above_its_worth_leave(self, off, close):
        scene = worth("Yes")
        market = scene.tick.universe.markets[scene.column]
        worth_now = int(scene.panel().features.micro[scene.column]) + off
        known = Forecasts((Claim(market.id, worth_now, 1_000, 0, scene.tick.at + 1),))

        opinion = scene.opinion(ValueBet(Params(), forecasts=known))

        assert opinion.close[scene.column] == close


def exclusive_ticks(seed: int, outcomes: int = 4, count: int = 420, total: float = 1.04):
    """Events of several outcomes of which one comes; their prices add up to `total`."""
    rng = np.random.default_rng(seed)
    paths = np.cumsum(rng.normal(0, 0.03, (count, 3, outcomes)), axis=0)
    share = total * np.exp(paths) / np.exp(paths).sum(axis=2, keepdims=True)
    price = np.clip(share.reshape(count, -1), 0.02, 0.98)
    markets = [
        b.market(f"m-{i}", event=f"e-{i // outcomes}", neg_risk=True, tick_size="0.001",
                 fee_rate="0.02", end_at=histories.START + 200 * b.DAY)
        for i in range(3 * outcomes)
    ]  # fmt: skip
    ticks = []
    for step, line in enumerate(np.log(price / (1 - price))):
        bid, ask, bids, asks = histories.around(line, tick_size=1_000)
        at = histories.START + step * 300_000
        ticks.append(
            histories.make_tick(
                b.universe(*markets) if not ticks else ticks[0].universe,
                bid, ask, at=at, id=step + 1, bid_size=bids, ask_size=asks,
            )
        )  # fmt: skip
    return ticks


class TestExclusiveOutcomes:
    def test_their_probabilities_add_up_to_one(self):
        panel = scenes.along(exclusive_ticks(5, count=80))[1]
        logits, complete = exclusive.normalised(panel)
        chance = 1 / (1 + np.exp(-logits))
        micro = panel.features.micro / ONE

        assert complete.all()
        assert np.bincount(np.arange(12) // 4, chance) == pytest.approx([1, 1, 1], abs=1e-9)
        power = np.log(chance[:4]) / np.log(micro[:4])
        assert power == pytest.approx([power[0]] * 4)
        assert power[0] > 1

    def test_an_event_with_an_outcome_missing_is_left_alone(self):
        ticks = exclusive_ticks(5, count=80, total=0.7)

        assert not exclusive.normalised(scenes.along(ticks)[1])[1].any()

    @pytest.mark.parametrize(("outcome", "total"), [("Yes", 1.04), ("No", 0.96)])
    def test_a_sum_that_is_off_only_makes_it_more_cautious(self, outcome, total):
        ticks = exclusive_ticks(24, total=total)
        scene = moments.first(RULE, ticks, outcome, 290)
        alone = scene.with_market(lambda m: replace(m, event=replace(m.event, neg_risk=False)))

        assert alone.bet(RULE) is not None
        assert scene.bet(RULE).edge < alone.bet(RULE).edge


class TestMirror:
    @pytest.mark.parametrize("ticks", [lambda: wandering(25), lambda: exclusive_ticks(26)])
    def test_swapping_yes_and_no_swaps_every_decision_exactly(self, ticks):
        known = learnt(1.5, 0.1, var_alpha=0.001, covariance=-0.0005, var_beta=0.002)
        claim = Forecasts((Claim("m-3", 612_345, 20_000, 0, 2 * histories.START),))
        rule = ValueBet(Params(min_errors=1), calibration=known, forecasts=claim)
        other = ValueBet(
            Params(min_errors=1), calibration=known.mirrored(), forecasts=claim.mirrored()
        )
        pairs = zip(
            moments.opinions(rule, ticks(), 290),
            moments.opinions(other, list(histories.mirrored(ticks())), 290),
            strict=True,
        )

        assert sum(moments.assert_mirrored(one, two) for one, two in pairs) > 20


class TestLadders:
    def test_an_early_deadline_is_worth_no_more_than_a_later_ones_ask(self):
        early, late = (
            replace(
                b.market(f"m-{n}", end_at=histories.START + days * b.DAY, fee_rate="0"),
                question=f"Will X resign by {text}?",
            )
            for n, text, days in ((1, "June 30", 100), (2, "July 31", 130))
        )
        rng = np.random.default_rng(1)
        x = np.stack((np.full(400, log(0.6 / 0.4)), np.full(400, log(0.62 / 0.38))), axis=1)
        x += rng.normal(0, 0.03, x.shape)
        known = Forecasts((Claim("m-1", 900_000, 1_000, 0, 2 * histories.START),))
        rule = ValueBet(Params(), forecasts=known)
        ticks = list(histories.ticks_along(x, world=b.universe(early, late)))
        alone = [replace(tick, universe=_asking(tick.universe)) for tick in ticks]

        bound = next(moments.opinions(rule, ticks, 399))
        free = next(moments.opinions(rule, alone, 399))

        assert [bet.fair for bet in free.signals] == [900_000]
        assert bound.signals == ()
        assert bound.fair[0] == ticks[-2].ask[1]


@lru_cache
def _asking(world):
    return b.universe(*(replace(m, question="Will X resign?") for m in world.markets))


def test_parameters_that_make_no_rule_together_are_refused():
    assert "min_price" in validate(Params(min_price=0.5, max_price=0.5))
