"""A strategy on trial: what counts as evidence, when it is switched off, and what follows."""

from dataclasses import replace
from math import exp

import pytest

from execution.core import controls, engine, evidence, state, trials, verdicts
from execution.core.desk import ACCOUNTS
from execution.core.types import (
    Change,
    ChangeKind,
    Disposed,
    Fill,
    Order,
    Portfolio,
    Refusal,
    Rule,
    Suspension,
    Trial,
)
from markets.core.tick import Tick
from markets.core.types import ONE, Resolution, Status
from strategies.core.types import LEAVE_YES, Basket, Plan
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import CONTROLS, VENUE, account, bet, opinions
from tests.trading import SETTING as WAITING

EVENTS = 14
WORLD = universe(*(market(f"m-{n}", event=f"e-{n}", fee_rate="0") for n in range(1, EVENTS + 1)))
TO_THE_END = Plan(max_hold_ms=0, hold_to_resolution=True)
NAME = "tester"
SETTING = replace(WAITING, redeem_ms=0)
"""Payouts at once: what is tried here does not hang on the wait."""


def now(
    number: int, bid: str = "0.48", ask: str = "0.50", ends: dict[int, int] | None = None,
    open_again: int = 0,
):  # fmt: skip
    """A tick on which the markets `ends` names are decided: their number, what YES pays."""
    at = NOON + number * 10_000
    books = {m.yes.id: book(m.yes.id, ((bid, 900),), ((ask, 900),), at) for m in WORLD.markets}
    over = [
        Resolution(f"m-{n}", Status.RESOLVED, at, (paid, ONE - paid))
        for n, paid in (ends or {}).items()
    ]
    if open_again:
        over.append(Resolution(f"m-{open_again}", Status.OPEN, at, None))
    return tick(WORLD, books, at=at, id=number + 1, resolutions=over)


def claim(number: int, **options):
    """Ten YES shares of one market, said to win with 60 %."""
    given = {"fair": "0.60", "limit": "0.50", "size": 10, "variance": 0.0, "plan": TO_THE_END}
    return bet(f"yes-{number}", market=f"m-{number}", **{**given, **options})


class Desk:
    """The base account through consecutive ticks, its facts and its controls."""

    def __init__(self, portfolio: Portfolio | None = None) -> None:
        self.portfolio = portfolio or account()
        self.control, self.facts, self.number = CONTROLS, [], 0

    def turn(self, *bets, leave=None, change: Change | None = None, **tick_options) -> list:
        shown = now(self.number, **tick_options)
        self.number += 1
        changes = [change] if change else []
        for each in changes:
            self.control = controls.apply(self.control, each)
        self.portfolio, facts = engine.step(
            self.portfolio, shown, bets, opinions(shown, leave), control=self.control,
            venue=VENUE, setting=SETTING, changes=changes,
        )  # fmt: skip
        assert state.load(state.dump(self.portfolio)) == self.portfolio
        for fact in facts:
            if isinstance(fact, Suspension):
                self.control = controls.suspend(self.control, fact)
        self.facts += facts
        return facts

    def hold(self, number: int, **options) -> None:
        """Buy what is claimed of one market."""
        self.turn(claim(number, **options))
        self.turn()

    def lose(self, number: int) -> list:
        """Buy, and see it resolve to nothing."""
        self.hold(number)
        return self.turn(ends={number: 0})

    @property
    def trial(self) -> Trial:
        return self.portfolio.trials[NAME]


def pick(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


class TestEvidence:
    def test_a_holding_kept_to_its_end_sets_claim_against_outcome(self):
        desk = Desk()
        desk.lose(1)

        assert exp(desk.trial.evidence / ONE) == pytest.approx(1.3, abs=1e-5)
        assert desk.trial.results == (-micro(5),)
        assert desk.trial.hopes == (micro("0.3"),)
        assert desk.trial.chances == (600_000,)
        assert desk.trial.deviations == (evidence.spread(micro(6), micro(10)),)
        assert desk.trial.losses == 1

        desk.hold(2)
        desk.turn(ends={2: ONE})

        assert exp(desk.trial.evidence / ONE) == pytest.approx(1.3 * 0.8, abs=1e-5)
        assert (desk.trial.clusters, desk.trial.wins, desk.trial.losses) == (2, 1, 0)

    def test_a_sale_sets_what_was_hoped_against_what_it_brought_within_what_could_be(self):
        desk = Desk()
        desk.hold(1, variance=0.01)
        desk.turn(leave={0: LEAVE_YES})
        desk.turn()
        missed = 0.03 + 0.02
        most = max(0.50 + 0.03, 1 - 0.50 - 0.03)

        assert desk.trial.results == (-micro("0.2"),)
        assert exp(desk.trial.evidence / ONE) == pytest.approx(1 + missed / most / 2, abs=1e-5)
        assert desk.trial.deviations == (micro("1"),)
        assert desk.trial.chances == (0,)

    def test_the_fees_of_purchase_and_sale_count(self):
        world = universe(market("m-1", fee_rate="0.04"))
        portfolio = account()
        for number, leave in enumerate((None, None, {0: LEAVE_YES}, None)):
            shown = of(world, number)
            portfolio, _ = engine.step(
                portfolio, shown, [claim(1, variance=0.01)][number:], opinions(shown, leave),
                control=CONTROLS, venue=VENUE, setting=SETTING,
            )  # fmt: skip

        # ten shares: 2 cents of spread, and 0.04 p (1 - p) of fee a share each way
        lost = micro("0.2") + micro("0.1") + 99_840
        assert portfolio.trials[NAME].results == (-lost,) == (portfolio.realized,)
        missed, most = micro("0.3") + lost, micro("5.3") + micro("0.1") + 99_840
        assert exp(portfolio.trials[NAME].evidence / ONE) == pytest.approx(
            1 + missed / most / 2, abs=1e-5
        )

    def test_an_event_counts_once_and_only_when_nothing_of_it_is_held(self):
        desk = Desk()
        desk.hold(1)
        desk.turn(ends={1: 0})
        assert desk.trial.clusters == 1
        desk.hold(2, size=20)
        desk.turn(leave={1: LEAVE_YES}, bid="0.40")
        desk.turn(bid="0.40")
        assert desk.trial.clusters == 2
        assert desk.trial.open == {}

    def test_two_markets_of_one_event_are_one_cluster(self):
        world = universe(market("m-1", fee_rate="0"), market("m-2", fee_rate="0"))
        portfolio, control = account(), CONTROLS
        for number, bets in enumerate([(claim(1), claim(2)), ()]):
            shown = of(world, number)
            portfolio, _ = step(portfolio, shown, bets, control)
        assert len(portfolio.positions) == 2
        portfolio, _ = step(portfolio, of(world, 2, {"m-1": 0}), (), control)
        assert portfolio.trials[NAME].clusters == 0
        portfolio, _ = step(portfolio, of(world, 3, {"m-2": ONE}), (), control)

        assert portfolio.trials[NAME].clusters == 1
        assert portfolio.trials[NAME].results == (0,)

    def test_our_probabilities_are_scored_beside_the_markets_at_entry(self):
        desk = Desk()
        desk.hold(1)
        desk.turn(ends={1: ONE})
        scores = desk.trial.scores

        assert (scores.count, scores.brier) == (1, 160_000)
        assert scores.market_brier == 260_100  # the microprice of 0.48 and 0.50 is 0.49
        assert scores.lead == 100_100

    def test_only_the_base_account_is_on_trial(self):
        for name in ACCOUNTS:
            desk = Desk(account(name))
            desk.lose(1)

            assert bool(desk.portfolio.trials) == (name == "base")

    def test_no_single_event_switches_anything_off(self):
        desk = Desk()
        desk.hold(1, variance=1e-9, size=200)
        desk.turn(leave={0: LEAVE_YES}, bid="0.05", ask="0.06")
        desk.turn(bid="0.05", ask="0.06")

        assert desk.trial.clusters == 1
        assert desk.trial.cusum == 3_750_000
        assert not pick(desk.facts, Suspension)


def of(world, number: int, ends: dict[str, int] | None = None) -> Tick:
    at = NOON + number * 10_000
    books = {
        m.yes.id: book(m.yes.id, (("0.48", 900),), (("0.50", 900),), at) for m in world.markets
    }
    over = [
        Resolution(name, Status.RESOLVED, at, (paid, ONE - paid))
        for name, paid in (ends or {}).items()
    ]
    return tick(world, books, at=at, id=number + 1, resolutions=over)


def step(portfolio, shown, bets, control):
    return engine.step(
        portfolio, shown, bets, opinions(shown), control=control, venue=VENUE, setting=SETTING
    )


def against(events: int, claimed: int = 600_000) -> int:
    return events * evidence.log_factor(claimed, ONE)


def columns(results, hopes=0, deviations=ONE, chances=0) -> dict:
    n = len(results)
    return {
        "results": tuple(results), "hopes": (hopes,) * n, "deviations": (deviations,) * n,
        "chances": (chances,) * n, "clusters": n,
    }  # fmt: skip


class TestRules:
    def test_eleven_losses_claimed_at_sixty_percent_are_kept_and_twelve_are_not(self):
        assert verdicts.on_outcomes(NAME, Trial(evidence=against(11))) is None
        rule, why = verdicts.on_outcomes(NAME, Trial(evidence=against(12), clusters=12))

        assert rule is Rule.E_PROCESS
        assert "23.3 after 12 closed events" in why

    @pytest.mark.parametrize(("loss", "most"), [(0.1, 4), (0.5, 11), (0.9, 57)])
    def test_losses_in_a_row_are_judged_by_the_claimed_chance_of_losing(self, loss, most):
        chance = round((1 - loss) * ONE)
        losing = columns([-ONE] * most, deviations=10**9, chances=chance)
        trial = Trial(**losing, losses=most)

        assert verdicts._losses(trial)[0] is Rule.STRAIGHT_LOSSES
        assert verdicts._losses(replace(trial, losses=most - 1)) is None

    def test_disappointments_in_sum(self):
        long_shots = {"deviations": 10**9, "chances": 100_000}
        trial = Trial(**columns([ONE] * 20, **long_shots))

        assert verdicts.on_outcomes(NAME, replace(trial, cusum=8 * ONE)) is None
        assert verdicts.on_outcomes(NAME, replace(trial, cusum=8 * ONE + 1))[0] is Rule.CUSUM

    @pytest.mark.parametrize(
        ("chance", "least", "most"),
        [
            (100_000, 8, 8),
            (500_000, 8, 9.5),
            (950_000, 10, 16),
        ],
    )
    def test_the_alarm_is_higher_where_true_claims_disappoint_in_lumps(self, chance, least, most):
        trial = Trial(**columns([ONE] * 20, chances=chance))

        assert least <= verdicts.cusum_alarm(NAME, trial) <= most

    def test_a_small_chance_of_earning_anything_after_fifty_events(self):
        losing = [-ONE, -ONE, ONE] * 17
        trial = Trial(**columns(losing[:51], deviations=10**9))
        few = Trial(**columns(losing[:49], deviations=10**9))

        assert verdicts.on_outcomes(NAME, trial)[0] is Rule.SHARPE
        assert verdicts.on_outcomes(NAME, few) is None
        assert verdicts.profit_chance([5] * 50) == 1
        assert verdicts.profit_chance([-5] * 50) == 0

    def test_a_fall_deeper_than_the_claims_allow_three_times_over(self):
        fallen = [-100 * ONE] + [ONE] * 9
        trial = Trial(**columns(fallen, hopes=ONE, deviations=2 * ONE))
        modest = Trial(**columns(fallen, hopes=ONE, deviations=40 * ONE))

        assert verdicts.on_outcomes(NAME, trial)[0] is Rule.DRAWDOWN
        assert verdicts.on_outcomes(NAME, modest) is None
        assert verdicts.on_outcomes(NAME, trial) == verdicts.on_outcomes(NAME, trial)

    @pytest.mark.parametrize(
        ("cents", "expected", "fills", "off"),
        [
            ("0.21", "0", 50, True),
            ("0.19", "0", 50, False),  # below the floor
            ("1.9", "1", 50, False),  # less than twice the model
            ("2.1", "1", 50, True),
            ("9", "0", 49, False),
        ],
    )
    def test_fills_worse_than_twice_the_model_and_the_floor(self, cents, expected, fills, off):
        slip = (micro(10), 10 * micro(cents) // 100, 10 * micro(expected) // 100)
        found = verdicts.on_orders(Trial(slips=(slip,) * fills))

        assert (found is not None and found[0] is Rule.SLIPPAGE) == off

    @pytest.mark.parametrize(("filled", "off"), [(0, True), (2, True), (3, False)])
    def test_entry_orders_that_hardly_ever_fill(self, filled, off):
        ended = (1,) * filled + (0,) * (50 - filled)

        assert (verdicts.on_orders(Trial(ended=ended)) is not None) == off
        assert verdicts.on_orders(Trial(ended=ended[1:])) is None

    def test_fills_and_orders_are_noted_as_they_come(self):
        desk = Desk()
        desk.turn(claim(1, limit="0.52"))
        desk.turn(ask="0.51")
        desk.turn(claim(2))
        desk.turn(ask="0.60", bid="0.58")

        assert desk.trial.ended == (1, 0)
        [(size, paid, expected)] = desk.trial.slips
        assert (size, paid, expected) == (micro(10), micro("0.10"), 0)


class TestSwitchedOff:
    def losing(self) -> Desk:
        desk = Desk()
        for number in range(1, 12):
            if pick(desk.lose(number), Suspension):
                return desk
        raise AssertionError("nothing switched it off")

    def test_nine_losses_in_a_row_at_a_claimed_forty_percent(self):
        desk = self.losing()
        [suspension] = pick(desk.facts, Suspension)

        assert desk.trial.losses == 9
        assert suspension.rule is Rule.STRAIGHT_LOSSES
        assert desk.trial.suspended_at == suspension.at
        assert not desk.control.trading(NAME)

    def test_nothing_is_opened_from_the_same_tick_on(self):
        desk = Desk()
        for number in range(1, 9):
            desk.lose(number)
        desk.hold(9)
        facts = desk.turn(claim(10), ends={9: 0})

        assert pick(facts, Suspension)
        assert not pick(facts, Order)
        assert [(f.disposition, f.reason) for f in pick(facts, Disposed)] == [
            ("shadow", "AUTO_DISABLED")
        ]
        assert not pick(desk.turn(claim(10)), Refusal | Disposed), "it is news once"

    def test_what_is_held_is_still_sold(self):
        desk = Desk()
        desk.turn(claim(11))
        desk.turn()
        for number in range(1, 10):
            desk.lose(number)
        assert desk.control.suspended
        desk.turn(leave={10: LEAVE_YES})

        assert [fill.token for fill in pick(desk.turn(), Fill)] == ["yes-11"]

    def test_a_person_enables_it_again_and_a_fresh_trial_begins(self):
        desk = self.losing()
        enable = Change(ChangeKind.ENABLE, NAME, "", "ann", "looked into it")
        facts = desk.turn(claim(12), change=enable)

        assert pick(facts, Order)
        assert desk.control.trading(NAME)
        assert desk.trial == Trial(since=NOON + (desk.number - 1) * 10_000)

    def test_enabling_what_was_never_suspended_wipes_nothing(self):
        desk = Desk()
        desk.lose(1)
        desk.turn(change=Change(ChangeKind.ENABLE, NAME, "", "ann", "sure"))

        assert desk.trial.clusters == 1

    def test_the_first_reason_stays(self):
        desk = self.losing()
        again = controls.suspend(desk.control, Suspension(NAME, Rule.CUSUM, "other", 1))

        assert again.suspended == desk.control.suspended


class TestShadows:
    def suspended(self) -> Desk:
        desk = Desk()
        desk.control = controls.suspend(CONTROLS, Suspension(NAME, Rule.CUSUM, "tested", NOON))
        return desk

    def test_a_signal_is_followed_from_the_next_ask_to_the_bid_it_leaves_at(self):
        desk = self.suspended()
        desk.turn(claim(1, limit="0.52"))
        assert desk.trial.shadows["yes-1"].cost == 0
        desk.turn(claim(1, limit="0.52"), ask="0.51")
        assert desk.trial.shadows["yes-1"].cost == micro("0.51")
        desk.turn(leave={0: LEAVE_YES}, bid="0.55", ask="0.57")

        assert desk.trial.shadow == (micro("0.04"),)
        assert desk.trial.shadows == {}
        assert not pick(desk.facts, Order)
        assert desk.portfolio.cash == micro(1000)

    def test_fees_are_taken_off_both_ways(self):
        world = universe(market("m-1", fee_rate="0.04"))
        control = self.suspended().control
        portfolio, bets = account(), (claim(1),)
        for number in range(2):
            shown = of(world, number)
            portfolio, _ = step(portfolio, shown, bets, control)
        shown = of(world, 2)
        portfolio, _ = engine.step(
            portfolio, shown, (), opinions(shown, {0: LEAVE_YES}), control=control, venue=VENUE,
            setting=SETTING,
        )  # fmt: skip

        assert portfolio.trials[NAME].shadow == (-20_000 - 10_000 - 9_980,)

    def test_a_book_from_before_the_signal_is_not_taken(self):
        world = universe(market("m-1", fee_rate="0.04"))
        control, bets = self.suspended().control, (claim(1),)
        portfolio, _ = step(account(), of(world, 0), bets, control)
        later = of(world, 1)
        carried = replace(later, observed_at=later.observed_at * 0 + NOON)

        portfolio, _ = step(portfolio, carried, bets, control)

        assert portfolio.trials[NAME].shadows["yes-1"].cost == 0

    def test_the_end_of_a_market_pays_a_shadow_too(self):
        desk = self.suspended()
        desk.turn(claim(1), claim(2))
        desk.turn()
        desk.turn(ends={1: ONE, 2: 0})

        assert sorted(desk.trial.shadow) == [-micro("0.5"), micro("0.5")]

    def test_a_price_that_has_gone_is_not_taken(self):
        desk = self.suspended()
        desk.turn(claim(1))
        desk.turn(ask="0.51")

        assert desk.trial.shadows == {}
        assert desk.trial.shadow == ()

    def test_the_plans_time_and_cooldown_hold(self):
        desk = self.suspended()
        plan = Plan(max_hold_ms=20_000, cooldown_ms=30_000)
        for _ in range(6):
            desk.turn(claim(1, plan=plan))
        assert len(desk.trial.shadow) == 1
        assert desk.trial.shadows["yes-1"].rests_until
        for _ in range(2):
            desk.turn(claim(1, plan=plan))

        assert desk.trial.shadows["yes-1"].rests_until == 0, "followed again"

    def test_nothing_is_followed_while_it_trades(self):
        desk = Desk()
        desk.turn(claim(1))

        assert desk.portfolio.trials == {} or desk.trial.shadows == {}

    def test_a_basket_is_taken_whole_or_not_at_all(self):
        desk = self.suspended()
        legs = (claim(1), replace(claim(1, limit="0.40"), token="no-1", outcome="No", leg=1))
        basket = Basket(NAME, "1", NOON, legs)
        desk.turn(basket)
        assert len(desk.trial.shadows) == 2
        desk.turn()
        assert desk.trial.shadows == {}, "NO asks 0.52, more than its limit"

        legs = (claim(2), replace(claim(2, limit="0.52"), token="no-2", outcome="No", leg=1))
        desk.turn(Basket(NAME, "1", NOON, legs))
        desk.turn()
        desk.turn(ends={2: 0})

        assert desk.trial.shadow == (-micro("0.02"),)


def test_a_payout_that_is_taken_back_stays_counted_and_the_next_outcome_counts_again():
    desk = Desk()
    desk.hold(1)
    desk.turn(ends={1: ONE})
    desk.turn(open_again=1)
    assert desk.portfolio.positions
    assert desk.trial.results == (micro(5),)
    desk.turn(ends={1: 0})

    assert desk.trial.results == (micro(5), -micro(5))


def test_a_window_keeps_the_newest_events():
    trial = Trial(**columns(range(trials.WINDOW)))
    desk = Desk(replace(account(), trials={NAME: trial}))
    desk.hold(1)
    desk.turn(ends={1: ONE})

    assert desk.trial.clusters == trials.WINDOW + 1
    assert len(desk.trial.results) == trials.WINDOW
    assert desk.trial.results[-1] == micro(5)
