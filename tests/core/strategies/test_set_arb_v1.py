"""Set arbitrage: outcomes that exclude each other, bought only where they surely pay more."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.core import engine
from execution.core.controls import Controls
from execution.core.types import Order, OrderType, Side
from markets.core import venue
from markets.core.panel import Panel
from markets.core.types import ONE, FeeSchedule
from strategies.core import walking
from strategies.core.evaluate import evaluate
from strategies.core.types import Basket, Silence
from strategies.library.set_arb_v1 import DAY_MS, Params, SetArb
from tests import builders as b
from tests.trading import LIMITS, SETTING, VENUE, account

RULE = SetArb(Params())
CHEAP = (("0.28", "0.30"), ("0.28", "0.30"), ("0.35", "0.37"))
"""YES asks of 0.97 together."""
DEAR = (("0.38", "0.39"), ("0.29", "0.30"), ("0.40", "0.41"))
"""The golden vector: NO asks of 0.62, 0.71 and 0.60."""


def outcomes(count=3, *, augmented=False, **terms):
    """Markets of one neg-risk event that ends in thirty days."""
    made = [b.market(f"m-{n}", neg_risk=True, **{"fee_rate": "0", **terms}) for n in range(count)]
    return [replace(m, event=replace(m.event, augmented=augmented)) for m in made]


def shown(touches, markets=None, *, at=b.NOON, size=400, gone=()):
    """A tick of an event's books, one level a side; those in `gone` were never read."""
    markets = markets or outcomes(len(touches))
    books = {
        market.yes.id: b.book(market.yes.id, ((bid, size),), ((ask, size),), at)
        for place, (market, (bid, ask)) in enumerate(zip(markets, touches, strict=True))
        if place not in gone
    }
    return b.tick(b.universe(*markets), books, at=at)


def asked(*ticks, rule=RULE):
    panel = Panel()
    for tick in ticks:
        panel.advance(tick)
    (opinion,) = evaluate([rule], panel)
    return opinion


def twice(touches, markets=None, *, rule=RULE, **options):
    """What the rule says when two reads in a row show the same."""
    ticks = [shown(touches, markets, at=b.NOON + at, **options) for at in (0, 10_000)]
    return asked(*ticks, rule=rule)


def said(opinion) -> list[Silence | None]:
    return [list(Silence)[number - 1] if number else None for number in opinion.silence.tolist()]


def payoff(basket: Basket, world, winner: str | None) -> int:
    """What a share of each leg pays when `winner` is the outcome that came true."""
    total = 0
    for leg in basket.legs:
        yes = world.markets[world.column[leg.market]].yes.id == leg.token
        total += yes == (leg.market == winner)
    return total


class TestArithmetic:
    def test_the_golden_basket_of_no(self):
        fees = [FeeSchedule(40_000)] * 3

        assert walking.edge((620_000, 710_000, 600_000), fees, 2 * ONE) == 42_740

    def test_the_golden_basket_is_bought_and_converted(self):
        opinion = twice(DEAR, outcomes(fee_rate="0.04"))

        (basket,) = opinion.signals
        assert basket.convert
        assert {leg.outcome for leg in basket.legs} == {"No"}
        assert sorted(leg.limit for leg in basket.legs) == [600_000, 620_000, 710_000]
        assert {leg.edge for leg in basket.legs} == {42_740}
        assert {leg.size for leg in basket.legs} == {400 * ONE}
        assert said(opinion) == [None] * 3

    def test_every_yes_is_bought_and_held(self):
        opinion = twice(CHEAP)

        (basket,) = opinion.signals
        assert not basket.convert
        assert sorted(leg.limit for leg in basket.legs) == [300_000, 300_000, 370_000]
        assert {leg.edge for leg in basket.legs} == {30_000}
        assert all(leg.plan.hold_to_resolution for leg in basket.legs)
        assert sum(leg.fair for leg in basket.legs) == ONE

    def test_only_outcomes_that_add_to_the_gain_are_bought(self):
        flat = FeeSchedule(30_000, exponent=0)  # three cents a share, whatever it costs
        markets = [replace(m, terms=replace(m.terms, fee=flat)) for m in outcomes(4)]
        touches = (("0.01", "0.02"), ("0.60", "0.61"), ("0.03", "0.04"), ("0.50", "0.51"))

        (basket,) = twice(touches, markets).signals

        assert sorted(leg.market for leg in basket.legs) == ["m-1", "m-3"]
        assert basket.legs[0].edge == 40_000

    def test_the_walk_goes_as_deep_as_the_edge_lasts(self):
        markets = outcomes(2)
        asks = (("0.45", 100), ("0.48", 100), ("0.60", 900)), (("0.50", 150), ("0.55", 900))
        ticks = []
        for at in (b.NOON, b.NOON + 10_000):
            books = {
                m.yes.id: b.book(m.yes.id, (("0.40", 500),), side, at)
                for m, side in zip(markets, asks, strict=True)
            }
            ticks.append(b.tick(b.universe(*markets), books, at=at))

        (basket,) = asked(*ticks, rule=SetArb(Params(max_gap=0.1))).signals

        assert {leg.size for leg in basket.legs} == {150 * ONE}
        assert [leg.limit for leg in sorted(basket.legs, key=lambda leg: leg.market)] == [
            480_000, 500_000,
        ]  # fmt: skip
        assert basket.legs[0].edge == (100 * 50_000 + 50 * 20_000) // 150

    def test_the_thinnest_book_comes_first(self):
        opinion = asked(*(_uneven(at) for at in (b.NOON, b.NOON + 10_000)))

        (basket,) = opinion.signals
        assert [leg.market for leg in basket.legs] == ["m-1", "m-0", "m-2"]
        assert [leg.leg for leg in basket.legs] == [0, 1, 2]


def _uneven(at):
    markets = outcomes()
    sizes = (200, 50, 900)
    books = {
        m.yes.id: b.book(m.yes.id, ((bid, 500),), ((ask, size),), at)
        for m, (bid, ask), size in zip(markets, CHEAP, sizes, strict=True)
    }
    return b.tick(b.universe(*markets), books, at=at)


cents = st.integers(2, 97)
event = st.lists(st.tuples(cents, st.integers(1, 4), st.integers(6, 900)), min_size=2, max_size=8)


def random_tick(lines, rate, *, at, order=None):
    markets = outcomes(len(lines), fee_rate=rate)
    books = {}
    for market, (bid, width, size) in zip(markets, lines, strict=True):
        ask = min(bid + width, 99)
        levels = [((f"{price / 100:.2f}", size),) for price in (bid, ask)]
        books[market.yes.id] = b.book(market.yes.id, *levels, at)
    ordered = [markets[i] for i in order] if order else markets
    return b.tick(b.universe(*ordered), books, at=at)


def random_event(lines, rate="0.04", *, order=None, rule=None):
    ticks = [random_tick(lines, rate, at=b.NOON + at, order=order) for at in (0, 10_000)]
    return asked(*ticks, rule=rule or SetArb(Params(max_gap=1))), ticks[-1]


class TestProperties:
    @settings(derandomize=True, deadline=None, max_examples=200)
    @given(event)
    def test_whatever_comes_true_the_basket_pays_more_than_it_costs(self, lines):
        opinion, tick = random_event(lines)

        for basket in opinion.signals:
            k, world = len(basket.legs), tick.universe
            winners = [m.id for m in world.markets]
            paid = {payoff(basket, world, winner) for winner in winners}
            if basket.convert:
                assert paid <= {k - 1, k}
                assert payoff(basket, world, None) == k
            else:
                assert (paid, k) == ({1}, len(winners))
            spent = sum(_cost(leg, tick) for leg in basket.legs)
            assert min(paid) * basket.legs[0].size - spent >= 250_000

    @settings(derandomize=True, deadline=None, max_examples=200)
    @given(event, st.sampled_from(["0", "0.02", "0.05"]), st.sampled_from(["0.01", "0.05"]))
    def test_a_fee_never_adds_a_basket(self, lines, rate, more):
        cheaper, _ = random_event(lines, rate)
        dearer, _ = random_event(lines, str(float(rate) + float(more)))

        assert len(dearer.signals) <= len(cheaper.signals)

    @settings(derandomize=True, deadline=None, max_examples=100)
    @given(event, st.randoms(use_true_random=False))
    def test_the_order_of_the_outcomes_does_not_matter(self, lines, luck):
        order = list(range(len(lines)))
        luck.shuffle(order)

        straight, tick = random_event(lines)
        shuffled, other = random_event(lines, order=order)

        assert straight.signals == shuffled.signals
        assert _by_market(straight, tick) == _by_market(shuffled, other)

    @settings(derandomize=True, deadline=None, max_examples=100)
    @given(event)
    def test_prices_are_on_the_grid_and_sizes_large_enough(self, lines):
        opinion, tick = random_event(lines)

        for basket in opinion.signals:
            for leg in basket.legs:
                terms = tick.universe.markets[tick.universe.column[leg.market]].terms
                assert venue.on_grid(leg.limit, terms.tick_size)
                assert leg.size >= terms.min_size
                assert leg.limit <= leg.fair <= ONE

    @settings(derandomize=True, deadline=None, max_examples=100)
    @given(event, st.integers(1, 20))
    def test_a_wider_spread_never_adds_a_basket(self, lines, more):
        # Large sizes: a dearer share reaches the exchange's dollar sooner, and that is no edge.
        lines = [(bid, width, size + 200) for bid, width, size in lines]
        wider = [(max(bid - more, 1), width + 2 * more, size) for bid, width, size in lines]

        assert len(random_event(wider)[0].signals) <= len(random_event(lines)[0].signals)


def _cost(leg, tick) -> int:
    left, spent = leg.size, 0
    fee = tick.universe.markets[tick.universe.column[leg.market]].terms.fee
    for level in tick.book(leg.token).asks:
        size = min(left, level.size)
        assert size == 0 or level.price <= leg.limit
        spent += venue.cost(size, level.price) + venue.taker_fee(size, level.price, fee)
        left -= size
    assert left == 0
    return spent


def _by_market(opinion, tick):
    columns = enumerate(tick.universe.markets)
    return {m.id: (opinion.silence[c], opinion.detail.get(c, "")) for c, m in columns}


class TestEveryYes:
    def test_an_event_that_may_grow_is_left(self):
        opinion = twice(CHEAP, outcomes(augmented=True))

        assert said(opinion) == [Silence.RULES] * 3
        assert "may grow" in opinion.detail[0]

    def test_but_its_dear_outcomes_may_be_sold(self):
        assert twice(DEAR, outcomes(augmented=True)).signals

    def test_a_missing_outcome_is_suspected_where_prices_leave_too_much(self):
        opinion = twice((("0.28", "0.30"), ("0.48", "0.50")))

        assert said(opinion) == [Silence.RULES] * 2
        assert opinion.detail[0] == (
            "asks of all 2 outcomes add up to 0.8000 / below 0.9500 one must be missing"
        )

    def test_a_missing_outcome_is_known_where_the_exchange_lists_more(self):
        opinion = twice(CHEAP, rule=SetArb(Params(), {"e-1": 4}))

        assert said(opinion) == [Silence.RULES] * 3
        assert opinion.detail[0] == "3 of the event's 4 outcomes are tracked / needs all"
        assert twice(CHEAP, rule=SetArb(Params(), {"e-1": 3})).signals

    def test_what_it_was_told_is_on_its_opinion(self):
        told, otherwise = (twice(CHEAP, rule=SetArb(Params(), {"e-1": n})) for n in (3, 4))

        assert told.inputs
        assert told.inputs != otherwise.inputs
        assert twice(CHEAP).inputs == ""

    def test_too_many_legs_are_left(self):
        opinion = twice([("0.010", "0.074")] * 13, outcomes(13, tick_size="0.001"))

        assert said(opinion) == [Silence.EDGE] * 13
        assert opinion.detail[0] == "13 legs / at most 12"

    def test_capital_locked_for_long_must_earn_its_keep(self):
        far = outcomes(end_at=b.NOON + 365 * b.DAY)
        opinion = twice(CHEAP, far)

        assert said(opinion) == [Silence.EDGE] * 3
        assert opinion.detail[0] == "3 Yes: nets +0.03000 a set after fees / needs 0.09091"
        assert twice(CHEAP, far, rule=SetArb(Params(min_yearly_return=0.02))).signals

    def test_an_end_that_nobody_knows_is_silence(self):
        assert said(twice(CHEAP, outcomes(end_at=None))) == [Silence.EXPIRY] * 3


class TestLegs:
    def test_a_leg_never_read_keeps_every_yes_out(self):
        opinion = twice((*CHEAP, ("0.01", "0.02")), outcomes(4), gone=(3,))

        assert opinion.signals == ()
        assert said(opinion) == [Silence.EDGE] * 3 + [Silence.STALE]

    def test_a_stale_leg_is_named(self):
        first, second = (shown(CHEAP, at=b.NOON + at) for at in (0, 10_000))
        old = second.observed_at.copy()
        old[1] -= 60_000

        opinion = asked(first, replace(second, observed_at=old))

        assert said(opinion) == [Silence.STALE] * 3
        assert opinion.detail[0] == "1 of 3 outcomes cannot be bought: Question m-1? (STALE)"
        assert opinion.detail[1] == opinion.detail[0]

    def test_a_torn_leg_is_counted_as_torn(self):
        first, second = (shown(CHEAP, at=b.NOON + at) for at in (0, 10_000))
        torn = replace(second, coherent=np.array([True, True, False]))

        opinion = asked(first, torn)

        assert said(opinion) == [Silence.INCOHERENT] * 3
        assert "(INCOHERENT)" in opinion.detail[2]

    def test_no_shares_do_without_a_torn_leg(self):
        touches = (("0.60", "0.61"), ("0.55", "0.56"), ("0.20", "0.21"))
        first, second = (shown(touches, at=b.NOON + at) for at in (0, 10_000))
        torn = replace(second, coherent=np.array([True, True, False]))

        opinion = asked(first, torn)

        (basket,) = opinion.signals
        assert {leg.market for leg in basket.legs} == {"m-0", "m-1"}
        assert said(opinion) == [None, None, Silence.INCOHERENT]

    def test_an_unnamed_outcome_is_no_leg(self):
        markets = outcomes(augmented=True)
        markets[2] = replace(markets[2], question="Will another person win?")

        opinion = twice(DEAR, markets)

        assert said(opinion)[2] is Silence.RULES
        assert opinion.signals == ()

    def test_an_outcome_added_today_keeps_the_event_out(self):
        markets = outcomes()
        markets[1] = replace(markets[1], created_at=b.NOON + 10_000 - DAY_MS + 3_600_000)

        opinion = twice(CHEAP, markets)

        assert said(opinion) == [Silence.RULES] * 3
        assert opinion.detail[0] == "an outcome was added 23.0 h ago / needs 24"

    def test_too_little_on_offer_is_said(self):
        thin = twice(CHEAP, size=4)
        assert said(thin) == [Silence.EDGE] * 3
        assert thin.detail[0] == "3 Yes: 4.00 sets are offered / needs 5.00"

        poor = twice(CHEAP, size=6)
        assert poor.detail[0] == "3 Yes: gains 0.18 dollars in all / needs 0.25"

        deeper = twice(CHEAP, rule=SetArb(Params(min_leg_depth=500)))
        assert deeper.detail[0] == "3 Yes: 400.00 sets are offered / needs 500.00"

    def test_a_leg_not_worth_a_dollar_is_said(self):
        touches = (("0.01", "0.02"), ("0.47", "0.48"), ("0.45", "0.46"))

        assert twice(touches, size=40).detail[0] == (
            "3 Yes: 40.00 shares at 0.0200 / needs a dollar's worth of each"
        )

    def test_never_more_than_allowed(self):
        (basket,) = twice(CHEAP, rule=SetArb(Params(max_sets=50))).signals

        assert {leg.size for leg in basket.legs} == {50 * ONE}

    def test_an_unknown_fee_is_silence(self):
        markets = outcomes()
        markets[0] = replace(markets[0], terms=replace(markets[0].terms, fee=None))

        assert said(twice(CHEAP, markets)) == [Silence.FEE] * 3


class TestConfirmation:
    def test_one_cheap_tick_is_not_enough(self):
        dear = shown([("0.30", "0.36")] * 3, at=b.NOON)

        opinion = asked(dear, shown(CHEAP, at=b.NOON + 10_000))

        assert said(opinion) == [Silence.EDGE] * 3
        assert "waits" in opinion.detail[0]

    def test_a_leg_carried_from_the_same_read_does_not_confirm(self):
        first, second = (shown(CHEAP, at=b.NOON + at) for at in (0, 10_000))
        carried = second.observed_at.copy()
        carried[0] = b.NOON

        assert asked(first, replace(second, observed_at=carried)).signals == ()

    def test_a_torn_tick_before_does_not_confirm(self):
        first, second = (shown(CHEAP, at=b.NOON + at) for at in (0, 10_000))

        torn = replace(first, coherent=np.array([True, False, True]))

        assert asked(torn, second).signals == ()


class TestElsewhere:
    def test_markets_that_exclude_nothing_are_told_so(self):
        world = b.universe(b.market("m-1"), b.market("m-2", event="e-2", neg_risk=True))

        opinion = asked(b.tick(world))

        assert said(opinion) == [Silence.NO_SIGNAL] * 2
        assert "excludes" in opinion.detail[0]

    def test_an_ordinary_event_tells_its_sums(self):
        opinion = twice([("0.30", "0.36")] * 3, outcomes(fee_rate="0.05"))

        assert said(opinion) == [Silence.EDGE] * 3
        assert opinion.detail[0] == (
            "3 outcomes: asks add up to 1.0800 and 0.0345 of fees, bids to 0.9000 less 0.0315"
        )

    def test_events_do_not_mix(self):
        markets = outcomes(4)
        for place in (2, 3):
            markets[place] = replace(
                markets[place], event=replace(markets[place].event, id="e-2", slug="other")
            )
        touches = (("0.46", "0.48"), ("0.47", "0.49"), ("0.48", "0.52"), ("0.48", "0.52"))

        opinion = twice(touches, markets)

        (basket,) = opinion.signals
        assert {leg.market for leg in basket.legs} == {"m-0", "m-1"}
        assert said(opinion)[2:] == [Silence.EDGE] * 2


class TestForced:
    """A rule that may lose trades on fair books: what a test of honesty needs."""

    def test_it_trades_on_a_fair_event_and_is_bought(self):
        params = Params(min_edge=-0.2, min_yearly_return=-1_000, min_profit=-1_000)
        touches = [("0.32", "0.34")] * 3
        ticks = [shown(touches, at=b.NOON + at) for at in (0, 10_000)]
        opinion = asked(*ticks, rule=SetArb(params))
        control = Controls.of(frozenset({"set_arb_v1"}), LIMITS)

        _, facts = engine.step(
            account(),
            ticks[-1],
            opinion.signals,
            {opinion.strategy: opinion},
            control=control,
            venue=VENUE,
            setting=SETTING,
        )

        orders = [fact for fact in facts if isinstance(fact, Order)]
        assert len(orders) == 3
        assert {(o.side, o.type) for o in orders} == {(Side.BUY, OrderType.FOK)}
        assert len({o.size for o in orders}) == 1
        assert all(one.leg <= other.leg for one, other in pairwise(orders))


@pytest.mark.parametrize("count", [0, 1])
def test_a_universe_without_events_is_no_trouble(count):
    markets = [b.market(f"m-{n}") for n in range(count)] or [b.market("m-9", neg_risk=True)]

    assert asked(b.tick(b.universe(*markets))).signals == ()
