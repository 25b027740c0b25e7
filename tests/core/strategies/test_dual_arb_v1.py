"""Dual arbitrage: exact arithmetic, and no trade on anything but one sound instant twice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markets.core import book as books
from markets.core import venue
from markets.core.panel import Panel
from markets.core.types import ONE, FeeSchedule
from strategies.core.types import Basket, Silence
from strategies.library.dual_arb_v1 import DualArb, Params, pairing, set_edge
from tests import builders as b
from tests.core.markets import histories

RULE = DualArb(Params())


def two_books(yes, no, *, at=b.NOON, coherent=True, market=None, observed_at=None):
    """A tick of one market whose NO book was read apart from its YES book."""
    market = market or b.market(fee_rate="0")
    tick = b.tick(b.universe(market), {"yes-1": yes}, at=at)
    return replace(
        tick,
        no_depth={0: books.pack(no, 10)},
        coherent=np.array([coherent]),
        observed_at=np.array([observed_at or at]),
    )


def yes_book(ask="0.48", size=100):
    return b.book("yes-1", bids=(("0.46", 500),), asks=((ask, size), ("0.60", 500)))


def no_book(ask="0.50", size=80):
    return b.book("no-1", bids=(("0.47", 500),), asks=((ask, size), ("0.62", 500)))


def asked(*ticks):
    panel = Panel()
    for tick in ticks:
        panel.advance(tick)
    return RULE.evaluate(panel)


def said(opinion) -> Silence | None:
    number = int(opinion.silence[0])
    return list(Silence)[number - 1] if number else None


class TestArithmetic:
    def test_the_golden_pair_loses_after_fees(self):
        assert set_edge(480_000, 500_000, FeeSchedule(0)) == 20_000
        assert set_edge(480_000, 500_000, FeeSchedule(50_000)) == -4_980

    def test_the_golden_pair_is_no_trade(self):
        market = b.market(fee_rate="0.05")
        tick = two_books(yes_book(), no_book(), market=market)

        assert pairing(tick, market, Params()) is None

    def test_the_walk_takes_what_pays_and_no_more(self):
        market = b.market(fee_rate="0")
        yes = b.book("yes-1", asks=(("0.45", 100), ("0.48", 100), ("0.55", 900)))
        no = b.book("no-1", asks=(("0.50", 150), ("0.53", 900)))

        found = pairing(two_books(yes, no), market, Params())

        assert found.size == 150 * ONE
        assert (found.yes_limit, found.no_limit) == (480_000, 500_000)
        assert found.profit == 100 * 50_000 + 50 * 20_000

    @pytest.mark.parametrize(
        ("params", "market"),
        [
            (Params(min_profit=3.0), b.market(fee_rate="0")),
            (Params(min_edge=0.03), b.market(fee_rate="0")),
            (Params(), b.market(fee_rate="0", min_size=200)),
            (Params(), b.market(fee_rate=None)),
        ],
    )
    def test_it_leaves_what_is_too_little(self, params, market):
        assert pairing(two_books(yes_book(), no_book(), market=market), market, params) is None

    def test_it_never_buys_more_than_allowed(self):
        market = b.market(fee_rate="0")

        found = pairing(two_books(yes_book(), no_book()), market, Params(max_sets=50))

        assert found.size == 50 * ONE


side = st.lists(
    st.tuples(st.integers(2, 97), st.integers(1, 3_000)),
    min_size=1,
    max_size=4,
    unique_by=lambda x: x[0],
)


def asks(token, pairs):
    levels = tuple((f"{price / 100:.2f}", size) for price, size in sorted(pairs))
    return b.book(token, bids=(("0.01", 10),), asks=levels)


class TestProperties:
    @settings(derandomize=True, deadline=None)
    @given(side, side, st.sampled_from(["0", "0.03", "0.05", "0.07"]))
    def test_what_it_buys_pays_more_than_it_costs(self, yes, no, rate):
        market = b.market(fee_rate=rate)
        tick = two_books(asks("yes-1", yes), asks("no-1", no), market=market)

        found = pairing(tick, market, Params())

        if found:
            fee, spent = market.terms.fee, 0
            for token, limit in ((market.yes, found.yes_limit), (market.no, found.no_limit)):
                left = found.size
                for level in tick.book(token.id).asks:
                    size = min(left, level.size)
                    assert size == 0 or level.price <= limit
                    spent += venue.cost(size, level.price)
                    spent += venue.taker_fee(size, level.price, fee)
                    left -= size
                assert left == 0
            assert found.size - spent >= 250_000 - 100
            assert found.size % venue.SIZE_STEP == 0

    @settings(derandomize=True, deadline=None)
    @given(side, side)
    def test_swapping_the_tokens_changes_nothing(self, yes, no):
        market = b.market(fee_rate="0.04")
        swapped = replace(market, yes=market.no, no=market.yes)
        tick = two_books(asks("yes-1", yes), asks("no-1", no), market=market)
        mirror = two_books(asks("no-1", no), asks("yes-1", yes), market=swapped)
        mirror = replace(mirror, depth=(tick.no_depth[0],), no_depth={0: tick.depth[0]})

        found, other = pairing(tick, market, Params()), pairing(mirror, swapped, Params())

        assert (found is None) == (other is None)
        if found and other:
            assert (found.size, found.profit) == (other.size, other.profit)
            assert (found.yes_limit, found.no_limit) == (other.no_limit, other.yes_limit)

    @settings(derandomize=True, deadline=None)
    @given(side, side, st.integers(0, 70_000), st.integers(0, 30_000))
    def test_a_higher_fee_never_gains_more(self, yes, no, rate, more):
        market = b.market(fee_rate="0")
        tick = two_books(asks("yes-1", yes), asks("no-1", no))

        def gain(fee: int) -> int:
            terms = replace(market.terms, fee=FeeSchedule(fee))
            found = pairing(tick, replace(market, terms=terms), Params())
            return found.profit if found else 0

        assert gain(rate + more) <= gain(rate)

    def test_mirrored_books_never_trade(self):
        for seed in range(3):
            ticks = histories.unsteady(seed, 300).ticks
            panel = Panel()
            for tick in ticks:
                panel.advance(tick)
                assert RULE.evaluate(panel).signals == ()


class TestSilence:
    def test_sound_books_are_without_edge(self):
        opinion = asked(b.tick(at=b.NOON), b.tick(at=b.NOON + 10_000))

        assert said(opinion) is Silence.EDGE

    def test_a_mirror_gap_is_counted_and_explained(self):
        torn = two_books(yes_book(), no_book(), coherent=False)

        opinion = asked(torn, replace(torn, at=b.NOON + 10_000))

        assert said(opinion) is Silence.INCOHERENT
        assert opinion.signals == ()
        assert opinion.detail[0].startswith("mirror gap")
        assert "net +0.02000" in opinion.detail[0]

    def test_torn_books_without_depth_are_counted_too(self):
        torn = replace(b.tick(), coherent=np.array([False]), depth=(b"",))

        opinion = asked(torn)

        assert said(opinion) is Silence.INCOHERENT
        assert opinion.detail[0]

    def test_a_stale_pair_is_stale_however_cheap(self):
        first = two_books(yes_book(), no_book(), at=b.NOON)
        second = two_books(yes_book(), no_book(), at=b.NOON + 10_000, observed_at=b.NOON - 60_000)

        assert said(asked(first, second)) is Silence.STALE

    def test_an_unknown_fee_is_silence(self):
        market = b.market(fee_rate=None)
        ticks = [
            two_books(yes_book(), no_book(), at=b.NOON + at, market=market) for at in (0, 10_000)
        ]

        assert said(asked(*ticks)) is Silence.FEE


class TestConfirmation:
    def test_one_cheap_tick_is_not_enough(self):
        opinion = asked(b.tick(at=b.NOON), two_books(yes_book(), no_book(), at=b.NOON + 10_000))

        assert said(opinion) is Silence.EDGE
        assert "waits" in opinion.detail[0]

    def test_two_make_a_basket(self):
        ticks = [two_books(yes_book(), no_book(), at=b.NOON + at) for at in (0, 10_000)]

        opinion = asked(*ticks)

        (basket,) = opinion.signals
        assert isinstance(basket, Basket)
        assert said(opinion) is None
        thin, thick = basket.legs
        assert (thin.outcome, thin.limit, thin.leg) == ("No", 500_000, 0)
        assert (thick.outcome, thick.limit, thick.leg) == ("Yes", 480_000, 1)
        assert {leg.size for leg in basket.legs} == {80 * ONE}
        assert {leg.edge for leg in basket.legs} == {20_000}
        assert sum(leg.fair for leg in basket.legs) >= ONE
        assert all(leg.plan.hold_to_resolution and leg.at == b.NOON + 10_000 for leg in basket.legs)

    def test_a_torn_tick_before_does_not_confirm(self):
        torn = two_books(yes_book(), no_book(), at=b.NOON, coherent=False)

        assert asked(torn, two_books(yes_book(), no_book(), at=b.NOON + 10_000)).signals == ()

    def test_the_same_read_carried_does_not_confirm(self):
        first = two_books(yes_book(), no_book(), at=b.NOON)
        carried = two_books(yes_book(), no_book(), at=b.NOON + 10_000, observed_at=b.NOON)

        assert asked(first, carried).signals == ()


class TestForced:
    """A rule that may lose trades on sound mirrored books: what a test of honesty needs."""

    def test_it_buys_what_costs_a_dollar_and_the_spread(self):
        rule = DualArb(Params(min_edge=-0.1, min_profit=-1_000))
        panel = Panel()
        for at in (0, 10_000):
            panel.advance(b.tick(b.universe(b.market(fee_rate="0.05")), at=b.NOON + at))

        opinion = rule.evaluate(panel)

        (basket,) = opinion.signals
        assert [leg.limit for leg in basket.legs] == [420_000, 600_000]
        assert {leg.edge for leg in basket.legs} == {1}  # claims next to nothing, so it is sized

    def test_not_where_it_would_lose_more(self):
        assert pairing(b.tick(), b.market(), Params(min_edge=-0.02, min_profit=-1_000)) is None
