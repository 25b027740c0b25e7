"""Time: hours that drift, deadlines that contradict each other, and when neither is traded."""

from dataclasses import replace
from functools import lru_cache
from math import exp
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core import implications, walking
from strategies.core.evaluate import evaluate
from strategies.core.implications import Terms
from strategies.core.seasons import Season, Seasons, hour_of_week
from strategies.core.types import Basket, Bet, Silence
from strategies.library.time_arb_v1 import Params, TimeArb
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies import moments
from tests.core.strategies.scenes import Scene, code

NEW_YORK = ZoneInfo("America/New_York")
HOUR_MS = 3_600_000
FIRST = hour_of_week(histories.START + 26 * HOUR_MS, NEW_YORK)
"""The hour of the week that begins 26 hours into the worlds of these tests."""


def season(hour: int, mean: float, **values) -> Season:
    given = {"t": 6.0 if mean > 0 else -6.0, "p": 1e-6, "events": 50, "weeks": 10, "days": 70}
    return Season("politics", hour % 168, mean, **{**given, "stable": True, **values})


def told(*cells: Season, **params) -> TimeArb:
    return TimeArb(Params(**params), seasons=Seasons(cells, fitted_at=histories.START))


RISING = told(*(season(FIRST + n, 0.12) for n in range(3)))
FALLING = told(*(season(FIRST + n, -0.12) for n in range(3)))


@lru_cache
def ticks(seed: int = 41):
    return moments.walking_ticks(seed, count=330, size=0.008)


@lru_cache
def hour(outcome: str) -> Scene:
    return moments.first(RISING if outcome == "Yes" else FALLING, ticks(), outcome, 290)


def rule(outcome: str) -> TimeArb:
    return RISING if outcome == "Yes" else FALLING


class TestTheHour:
    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_it_expects_the_sum_of_the_hours_that_stand(self, outcome):
        scene = hour(outcome)
        bet, shown = scene.bet(rule(outcome)), scene.panel().features
        sign = 1 if outcome == "Yes" else -1
        drift = 0.36

        expected = sign * shown.x[scene.column] + drift
        assert bet.fair == pytest.approx(ONE / (1 + exp(-expected)), abs=2)
        assert bet.edge >= 10_000
        assert shown.at + bet.plan.max_hold_ms == histories.START + 29 * HOUR_MS

    def test_it_buys_at_most_a_quarter_of_an_hour_ahead(self):
        assert hour("Yes").panel().features.at == histories.START + 26 * HOUR_MS - HOUR_MS // 4

    def test_it_holds_no_longer_than_it_may(self):
        short = told(*(season(FIRST + n, 0.12) for n in range(9)), hold_hours=2)
        bet = hour("Yes").bet(short)

        assert bet.plan.max_hold_ms == 2 * HOUR_MS + HOUR_MS // 4

    def test_an_hour_of_the_other_sign_ends_the_run(self):
        mixed = told(season(FIRST, 0.3), season(FIRST + 1, -0.1), season(FIRST + 2, 0.3))

        assert hour("Yes").bet(mixed).plan.max_hold_ms == HOUR_MS + HOUR_MS // 4

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    def test_costs_only_take_bets_away(self, outcome):
        scene = hour(outcome)

        moments.assert_costs_only_take_away(list(moments.by_fee(scene, rule(outcome))))
        moments.assert_costs_only_take_away(list(moments.by_spread(scene, rule(outcome))))

    def test_a_shut_gate_silences_it(self):
        wide = hour("Yes").with_column(ask=hour("Yes").tick.ask[hour("Yes").column] + 50_000)

        assert wide.silence(RISING) == code(Silence.SPREAD)


class TestSilence:
    @pytest.mark.parametrize(
        ("silent", "reason", "words"),
        [
            (TimeArb(Params()), Silence.NO_MODEL, "no seasons were fitted yet"),
            (told(season(FIRST + 5, 0.3)), Silence.NO_SIGNAL, "no hour that stands begins"),
            (told(season(FIRST, 0.3, stable=False)), Silence.NO_SIGNAL, "no hour that stands"),
            (told(season(FIRST, 0.3, events=29)), Silence.NO_SIGNAL, "no hour that stands"),
            (told(season(FIRST, 0.3, p=0.2)), Silence.NO_SIGNAL, "no hour that stands"),
            (told(season(FIRST, 0.01)), Silence.EDGE, "a share after costs / needs 0.0100"),
            (
                TimeArb(Params(), seasons=replace(RISING.seasons, fitted_at=0)),
                Silence.NO_MODEL,
                "days ago / at most 30",
            ),
            (
                TimeArb(Params(), seasons=replace(RISING.seasons, fitted_at=2 * histories.START)),
                Silence.NO_MODEL,
                "fitted later than this tick",
            ),
        ],
    )
    def test_it_says_why_and_when_trading_is_cheap(self, silent, reason, words):
        opinion = hour("Yes").opinion(silent)

        assert set(opinion.silence.tolist()) == {code(reason)}
        assert all(words in text for text in opinion.detail.values())
        assert "mean spread now 0.0010, cheapest hours " in opinion.detail[0]

    def test_the_day_on_which_clocks_change_is_silence(self):
        sunday = moments.at(ticks(), "2026-03-08T10:00:00+00:00")
        every = told(*(season(n, 0.4) for n in range(168)), max_model_days=365)
        later = moments.at(ticks(), "2026-03-09T10:00:00+00:00")

        assert sum(len(each.signals) for each in moments.opinions(every, later, 290)) > 0
        assert all(each.signals == () for each in moments.opinions(every, sunday, 290))

    def test_nothing_told_has_no_digest(self):
        assert TimeArb(Params()).inputs == ""
        assert hour("Yes").opinion(RISING).inputs == RISING.seasons.digest != ""


class TestMirror:
    def test_swapping_yes_and_no_swaps_every_decision_exactly(self):
        cells = [season(FIRST + n, 0.1 + 0.01 * n) for n in range(4)]
        one, other = told(*cells, min_edge=0), Seasons(tuple(cells), fitted_at=histories.START)
        other = TimeArb(Params(min_edge=0), seasons=other.mirrored())
        pairs = zip(
            moments.opinions(one, ticks(), 290),
            moments.opinions(other, list(histories.mirrored(ticks())), 290),
            strict=True,
        )

        assert sum(moments.assert_mirrored(*pair) for pair in pairs) > 10


def rung(number: int, text: str, days: int, **terms):
    market = b.market(f"m-{number}", end_at=b.NOON + days * b.DAY, **{"fee_rate": "0.04", **terms})
    return replace(market, question=f"Will X resign by {text}?")


def deadlines(**terms):
    return b.universe(rung(1, "March 31", 30, **terms), rung(2, "June 30", 60, **terms))


def quotes(early: str, late: str, size: int = 1_000, *, at: int = b.NOON, world=None):
    """A tick in which the earlier deadline is bid at `early` and the later offered at `late`."""
    world = world or deadlines()
    books = {
        "yes-1": b.book("yes-1", bids=((early, size),), asks=((str(float(early) + 0.01), size),)),
        "yes-2": b.book("yes-2", bids=((str(round(float(late) - 0.01, 2)), size),),
                        asks=((late, size),)),
    }  # fmt: skip
    return b.tick(world, books, at=at, id=at)


def seen(*shown) -> Panel:
    panel = Panel()
    for tick in shown:
        panel.advance(tick)
    return panel


def twice(*args, **values) -> Panel:
    return seen(quotes(*args, **values), quotes(*args, at=b.NOON + 10_000, **values))


class TestDeadlines:
    def test_a_golden_pair(self):
        edge = walking.edge([300_000, 660_000], [m.terms.fee for m in deadlines().markets], ONE)

        assert edge == 22_620

    def test_a_contradiction_seen_twice_is_bought_as_a_pair(self):
        [opinion] = evaluate([TimeArb(Params(risk_free=0))], twice("0.34", "0.30"))
        [basket] = opinion.signals

        assert isinstance(basket, Basket)
        assert {(leg.token, leg.limit) for leg in basket.legs} == {
            ("yes-2", 300_000), ("no-1", 660_000),
        }  # fmt: skip
        assert {leg.edge for leg in basket.legs} == {22_624}
        assert {leg.size for leg in basket.legs} == {500 * ONE}
        assert all(leg.plan.hold_to_resolution for leg in basket.legs)
        assert opinion.silence.tolist() == [0, 0]
        assert sorted(leg.leg for leg in basket.legs) == [0, 1]

    def test_waiting_for_the_outcome_costs_its_carry(self):
        dear = Params(risk_free=0.5)
        [opinion] = evaluate([TimeArb(dear)], twice("0.34", "0.30"))

        assert opinion.signals == ()
        assert "nets +0.02262 a set after fees / needs 0.09219" in opinion.detail[0]

    def test_once_is_not_enough(self):
        same = quotes("0.34", "0.30")
        again = replace(same, at=same.at + 10_000, id=2)
        for panel in (seen(same), seen(same, again), seen(quotes("0.29", "0.30"), again)):
            [opinion] = evaluate([TimeArb(Params())], panel)
            assert opinion.signals == ()
            assert "on one tick only" in opinion.detail[0]

    def test_coherent_deadlines_are_left_alone(self):
        for early in ("0.20", "0.30", "0.31"):
            [opinion] = evaluate([TimeArb(Params())], twice(early, "0.31"))
            assert opinion.signals == ()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"fee_rate": None}, Silence.FEE),
            ({"end_at": None}, Silence.EXPIRY),
        ],
    )
    def test_a_gate_on_either_leg_shuts_the_pair(self, change, reason):
        world = deadlines()
        terms = {"fee": None} if "fee_rate" in change else {"end_at": b.NOON + b.DAY // 2}
        first = replace(world.markets[0], terms=replace(world.markets[0].terms, **terms))
        shut = b.universe(first, world.markets[1])
        [opinion] = evaluate([TimeArb(Params())], twice("0.34", "0.30", world=shut))

        assert opinion.signals == ()
        assert opinion.silence[0] != 0

    def test_swapped_tokens_make_the_same_pair(self):
        one = quotes("0.34", "0.30"), quotes("0.34", "0.30", at=b.NOON + 10_000)
        [plain] = evaluate([TimeArb(Params())], seen(*one))
        [other] = evaluate([TimeArb(Params())], seen(*histories.mirrored(one)))

        def bare(signals):
            return {replace(leg, why="", leg=0) for basket in signals for leg in basket.legs}

        assert bare(plain.signals) == bare(other.signals) != set()

    def test_one_of_the_legs_pays_a_dollar_whatever_happens(self):
        (_, yes), (_, no) = implications.legs(quotes("0.34", "0.30"), (0, 1, True, True))
        for early, late in ((True, True), (False, True), (False, False)):
            pays = {"yes-1": early, "no-1": not early, "yes-2": late, "no-2": not late}
            assert pays[yes.id] + pays[no.id] >= 1

    def test_a_market_is_in_one_pair_at_most(self):
        world = b.universe(*deadlines().markets, rung(3, "September 30", 90))
        shown = [
            b.tick(
                world,
                {
                    **{f"yes-{n}": b.book(f"yes-{n}", bids=((low, 1000),), asks=((high, 1000),))
                       for n, low, high in ((1, "0.50", "0.51"), (2, "0.40", "0.41"),
                                            (3, "0.30", "0.31"))},
                },
                at=at,
                id=at,
            )
            for at in (b.NOON, b.NOON + 10_000)
        ]  # fmt: skip
        [opinion] = evaluate([TimeArb(Params())], seen(*shown))
        [basket] = opinion.signals

        assert {leg.token for leg in basket.legs} == {"yes-3", "no-1"}

    def test_a_fee_only_takes_pairs_away(self):
        found = []
        for rate in ("0", "0.02", "0.04", "0.08", "0.2"):
            panel = twice("0.34", "0.30", world=deadlines(fee_rate=rate))
            [opinion] = evaluate([TimeArb(Params())], panel)
            found.append(len(opinion.signals))
        assert found == sorted(found, reverse=True)
        assert found[0] == 1
        assert found[-1] == 0

    def test_a_stretch_with_an_odd_hazard_is_told(self):
        texts = [
            ("January 31", 30), ("February 28", 60), ("March 31", 90), ("April 30", 120),
            ("May 31", 150),
        ]  # fmt: skip
        world = b.universe(*(rung(n, text, days) for n, (text, days) in enumerate(texts)))
        p = np.array([0.10, 0.19, 0.27, 0.55, 0.59])
        panel = moments.last(list(histories.ticks_along(
            np.tile(np.log(p / (1 - p)), (300, 1)) + 0.01 * np.arange(300)[:, None] % 0.03,
            world=world,
        )))  # fmt: skip
        opinion = TimeArb(Params()).evaluate(panel)
        told_of = {column: TimeArb(Params())._explain(
            panel, TimeArb(Params())._view(panel), column, {}, np.zeros(5, dtype=np.bool_)
        ) for column in range(5)}  # fmt: skip

        assert "deadlines of 'will x resign': hazards a day" in told_of[0]
        assert [c for c, text in told_of.items() if "over 3 times" in text] == [3]
        assert opinion.signals == ()


def test_a_forced_rule_trades_noise():
    every = told(*(season(n, 0.001, stable=True) for n in range(168)), min_edge=-0.2)
    signals = sum(len(each.signals) for each in moments.opinions(every, ticks(), 290))

    assert signals > 100


def test_a_forced_rule_buys_pairs_at_a_loss():
    forced = Params(min_pair_edge=-0.2, min_profit=-1_000_000)
    [opinion] = evaluate([TimeArb(forced)], twice("0.29", "0.31"))

    assert len(opinion.signals) == 1
    assert not any(isinstance(each, Bet) for each in opinion.signals)
    assert Terms(1, 2, 3, 0.5).most == 3
