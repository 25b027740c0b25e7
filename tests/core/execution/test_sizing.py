"""From a bet to a size: Kelly, what waiting costs, exclusive outcomes together, and every cap."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import growth, kelly, sizing
from execution.core.marks import mark
from execution.core.types import Portfolio
from markets.core.types import ONE
from tests.builders import DAY, NOON, book, market, micro, tick, universe
from tests.core.execution.test_exposure import holding, position
from tests.trading import LIMITS, SIZING, bet

FREE = replace(SIZING, risk_free=0)
NAMES = ("m-1", "m-2", "m-3", "m-4")
RACE = universe(*(market(name, event="race", neg_risk=True, fee_rate="0") for name in NAMES))
NOW = tick(RACE)


def held(*positions, cash: int = 1000) -> Portfolio:
    account = replace(holding(*positions), cash=micro(cash))
    return mark(account, NOW)


def stake(name: str, index: int, size: int, price: str):
    token = f"{'no' if index else 'yes'}-{name.removeprefix('m-')}"
    return replace(position(name, index, size, price), token=token)


def sure(name: str = "m-1", *, no: bool = False, fair: str, limit: str, size: int = 10**6):
    """A bet to be held to resolution."""
    token = f"{'no' if no else 'yes'}-{name.removeprefix('m-')}"
    return bet(token, market=name, fair=fair, limit=limit, size=size, variance=0.0)


class TestKelly:
    @pytest.mark.parametrize(
        ("fair", "all_in", "fraction"),
        [("0.6", "0.5", 0.2), ("0.3", "0.2", 0.125), ("0.95", "0.90", 0.5)],
    )
    def test_the_worked_examples(self, fair, all_in, fraction):
        wanted = sizing.kelly(sure(fair=fair, limit=all_in), micro(1000), ONE, micro(all_in))

        assert wanted * float(all_in) / micro(1000) == pytest.approx(fraction, abs=1e-6)

    def test_no_edge_no_size(self):
        assert sizing.kelly(sure(fair="0.5", limit="0.5"), micro(1000), ONE, micro("0.5")) == 0

    def test_the_fraction_scales_it(self):
        whole, tenth = (
            sizing.kelly(sure(fair="0.6", limit="0.5"), micro(1000), part, micro("0.5"))
            for part in (ONE, ONE // 10)
        )

        assert tenth == pytest.approx(whole / 10, abs=1)


class TestCarry:
    """Capital locked for a year at 5 % costs 5 % of what is paid."""

    @pytest.mark.parametrize(("days", "cost"), [(365, "0.025"), (73, "0.005"), (0, "0")])
    def test_what_waiting_costs(self, days, cost):
        now = tick(universe(market(end_at=NOON + days * DAY)))

        assert kelly.carry(sure(fair="0.6", limit="0.5"), micro("0.5"), now, SIZING) == micro(cost)

    def test_an_end_nobody_knows_is_a_year_away_and_one_gone_by_is_now(self):
        unknown, gone = (tick(universe(market(end_at=at))) for at in (None, NOON - DAY))
        one = sure(fair="0.6", limit="0.5")

        assert kelly.carry(one, ONE, unknown, SIZING) == 50_000
        assert kelly.carry(one, ONE, gone, SIZING) == 0

    def test_an_edge_smaller_than_that_is_none(self):
        year = tick(universe(market(end_at=NOON + 365 * DAY, fee_rate="0")))
        narrow = sure(fair="0.52", limit="0.5")

        assert kelly.alone(narrow, micro(1000), year, SIZING) == 0
        assert kelly.alone(narrow, micro(1000), year, FREE) > 0

    def test_a_timed_exit_pays_none(self):
        assert kelly.carry(bet(), ONE, NOW, SIZING) == 0


def size(one, account, now=NOW, *, limits=LIMITS, fractions=FREE, depth=10**6, others=()):
    return sizing.size_entry(
        one, account, now, depth=micro(depth), limits=limits, sizing=fractions, others=others
    )


class TestCaps:
    WIDE = replace(LIMITS, max_capital_per_market=micro(1000), max_capital_per_strategy=micro(1000))

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"max_capital_per_market": micro(20)}, "MARKET_CAP"),
            ({"max_capital_per_strategy": micro(20)}, "STRATEGY_CAP"),
            ({"max_event_loss": micro(20)}, "EVENT_CAP"),
            ({"max_cluster_loss": micro(20)}, "CLUSTER_CAP"),
            ({"max_total_exposure": micro(20)}, "TOTAL_CAP"),
            ({"cash_floor": 980_000}, "CASH"),
        ],
    )
    def test_each_limit_cuts_the_size_and_is_named(self, changed, code):
        sized = size(bet(size=500), held(), limits=replace(self.WIDE, **changed))

        assert sized.bound_by == code
        assert micro(19) < sized.size * micro("0.45") // ONE <= micro(20)

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("max_fraction_per_market", "MARKET_CAP"),
            ("max_fraction_per_strategy", "STRATEGY_CAP"),
            ("max_fraction_per_event", "EVENT_CAP"),
            ("max_fraction_per_cluster", "CLUSTER_CAP"),
            ("max_fraction_per_category", "CATEGORY_CAP"),
            ("max_fraction_total", "TOTAL_CAP"),
        ],
    )
    def test_so_does_each_fraction_of_equity(self, name, code):
        fractions = replace(FREE, **{name: 20_000})

        sized = size(bet(size=500), held(), limits=self.WIDE, fractions=fractions)

        assert (sized.bound_by, sized.limit) == (code, micro(20))

    def test_depth_is_shared(self):
        fractions = replace(FREE, max_depth_share=100_000)

        sized = size(bet(size=500), held(), fractions=fractions, depth=300)

        assert (sized.size, sized.bound_by) == (micro(30), "DEPTH")

    def test_a_hedge_has_more_room_than_its_cost(self):
        account = held(stake("m-1", 0, 100, "0.40"))
        hedge = bet("no-1", limit="0.55", fair="0.7", size=90)
        more = bet("yes-1", limit="0.45", size=90)
        limits = replace(self.WIDE, max_event_loss=micro(41))

        assert size(hedge, account, limits=limits).size == micro(90)
        assert size(more, account, limits=limits).size < micro(3)

    def test_an_excluding_outcome_has_room_too(self):
        account = held(stake("m-1", 1, 100, "0.60"))
        other = bet("no-2", market="m-2", limit="0.55", fair="0.7", size=90)
        limits = replace(self.WIDE, max_event_loss=micro(61))

        assert size(other, account, limits=limits).size == micro(90)

    def test_sizes_halve_in_a_drawdown_where_that_is_configured(self):
        account = replace(held(), high_water=micro(1060))
        limits = replace(self.WIDE, halve_at_drawdown=50_000)

        assert size(bet(size=100), account, limits=self.WIDE).size == micro(100)
        assert size(bet(size=100), account, limits=limits).size == micro(50)
        calm = replace(account, high_water=micro(1050))
        assert size(bet(size=100), calm, limits=limits).size == micro(100)


PRICE = st.integers(5, 95).map(lambda cents: f"{cents / 100:.2f}")


@st.composite
def bets(draw):
    """One bet on each of some outcomes, for or against, good or bad."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return [
        sure(name, no=draw(st.booleans()), fair=draw(PRICE), limit=draw(PRICE)) for name in names
    ]


@st.composite
def holdings(draw):
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    return [
        stake(name, draw(st.integers(0, 1)), draw(st.integers(1, 300)), draw(PRICE))
        for name in names
    ]


class TestJoint:
    @given(PRICE, PRICE, st.booleans())
    def test_one_outcome_is_its_kelly_size(self, fair, limit, no):
        one = sure(no=no, fair=fair, limit=limit)
        tenth = replace(FREE, kelly_fraction=100_000)

        [found] = sizing.joint([one], held(), NOW, sizing=tenth)

        alone = kelly.alone(one, micro(1000), NOW, tenth)
        assert found == pytest.approx(alone, rel=1e-4, abs=100)

    @given(bets(), holdings())
    def test_never_more_than_each_by_itself(self, wanted, positions):
        account = held(*positions)

        found = sizing.joint(wanted, account, NOW, sizing=FREE)

        for one, shares in zip(wanted, found, strict=True):
            assert 0 <= shares <= kelly.alone(one, account.equity, NOW, FREE)

    @given(bets(), holdings())
    def test_never_buys_where_there_is_no_edge(self, wanted, positions):
        found = sizing.joint(wanted, held(*positions), NOW, sizing=FREE)

        for one, shares in zip(wanted, found, strict=True):
            if one.fair <= one.limit:
                assert shares == 0

    def test_bets_that_lose_together_shrink_each_other(self):
        for_a = sure("m-1", fair="0.60", limit="0.50")
        against_b = sure("m-2", no=True, fair="0.85", limit="0.75")
        alone = [kelly.alone(one, micro(1000), NOW, FREE) for one in (for_a, against_b)]

        found = sizing.joint([for_a, against_b], held(), NOW, sizing=FREE)

        assert sum(found) < sum(alone)
        assert found[1] < alone[1]

    def test_what_is_held_is_seen(self):
        more = sure("m-1", fair="0.60", limit="0.50")
        loaded = held(stake("m-1", 0, 300, "0.50"))

        [fresh] = sizing.joint([more], held(), NOW, sizing=FREE)
        [added] = sizing.joint([more], loaded, NOW, sizing=FREE)

        assert added < fresh

    def test_an_event_already_overspent_wants_no_more(self):
        more = sure("m-1", fair="0.60", limit="0.50")
        tenth = replace(FREE, kelly_fraction=100_000)
        loaded = held(stake("m-1", 0, 900, "0.50"))

        assert sizing.joint([more], loaded, NOW, sizing=tenth) == (0,)

    def test_is_what_sizes_a_bet_when_the_strategy_has_several(self):
        for_a = sure("m-1", fair="0.60", limit="0.50")
        against_b = sure("m-2", no=True, fair="0.85", limit="0.75")
        limits = replace(TestCaps.WIDE, max_event_loss=micro(10**6))

        alone = size(against_b, held(), limits=limits).size
        together = size(against_b, held(), limits=limits, others=[for_a, against_b]).size
        apart = size(
            against_b, held(), limits=limits, others=[replace(for_a, strategy="another")]
        ).size

        assert together < alone == apart

    def test_is_the_same_every_time(self):
        wanted = [sure(name, fair="0.35", limit="0.30") for name in NAMES]

        first, again = (sizing.joint(wanted, held(), NOW, sizing=FREE) for _ in range(2))

        assert first == again


class TestGrowth:
    @given(st.integers(0, 2**32 - 1))
    def test_nothing_near_is_better(self, seed):
        """At the best stakes every step up or down within the bounds grows wealth less."""
        print(f"seed {seed}")
        luck = np.random.default_rng(seed)
        states, count = int(luck.integers(2, 12)), int(luck.integers(1, 8))
        chance = luck.dirichlet(np.ones(states))
        base = luck.uniform(1, 100, states)
        gain = luck.uniform(-1, 1, (states, count))
        most = luck.uniform(0, 60, count)

        best = growth.maximise(chance, base, gain, most)

        wealth = base + gain @ best
        assert wealth.min() > 0
        slope = gain.T @ (chance / wealth)
        scale = np.sqrt((gain**2 * (chance / wealth**2)[:, None]).sum(axis=0)) + 1e-12
        off = slope / scale
        assert (off[best < most] <= 1e-5).all()
        assert (off[best > 0] >= -1e-5).all()

    def test_two_stakes_that_are_the_same_thing_are_no_trouble(self):
        gain = np.array([[0.5, 0.5], [-0.5, -0.5]])

        best = growth.maximise(
            np.array([0.6, 0.4]), np.array([100.0, 100.0]), gain, np.array([1e6, 1e6])
        )

        assert best.sum() == pytest.approx(40, rel=1e-4)


def test_a_size_at_its_caps_is_never_refused_for_them():
    """What sizing leaves room for, the gate lets through: both count the same way."""
    from execution.core import drafting, risk
    from tests.trading import VENUE

    for cents in range(5, 95, 7):
        limits = replace(LIMITS, max_event_loss=micro(20), max_cluster_loss=micro(30))
        now = tick(RACE, {m.yes.id: book(m.yes.id) for m in RACE.markets})
        one = bet(limit=f"{cents / 100:.2f}", size=5000)
        sized = size(one, held(), now, limits=limits)
        draft = drafting.Draft(
            one.strategy, one.token, drafting.Side.BUY, drafting.OrderType.FAK, one.limit,
            sized.size, drafting.Purpose.ENTRY, plan=one.plan,
        )  # fmt: skip

        assert sized.size > 0
        assert risk.refuse(drafting.order(draft, "base", now, VENUE), held(), limits, now) is None
