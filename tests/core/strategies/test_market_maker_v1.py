"""Market making: the formula, the numbers of its gates, steady quotes, exact mirrors."""

import os
from dataclasses import replace
from functools import lru_cache
from math import isclose, log

import numpy as np
import pytest

from execution.core import quoting
from markets.core import bars
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.types import ONE
from strategies.core.gates import HOUR_MS
from strategies.core.types import LEAVE_BOTH, Quote, Silence, silence_code
from strategies.library import market_maker_v1 as maker
from strategies.library.market_maker_v1 import MarketMaker, Params
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies.scenes import Scene, along, reverting_ticks

RULE = MarketMaker(Params())
RUN_SEED = int(os.environ["PQAP_TEST_SEED"])
STEPS = 400


@lru_cache
def scene(seed: int = 5, spread: int = 3, size: float = 0.3) -> Scene:
    """Two days of lively markets three ticks wide; the rule quotes market 0."""
    rng = np.random.default_rng(seed)
    x = histories.ornstein(rng, ticks=STEPS, markets=6, half_life=10, size=size)
    world = b.universe(*(b.market(f"m-{i}") for i in range(6)))
    ticks = list(histories.ticks_along(x, world=world, spread=spread))
    made, _ = along(ticks)
    return Scene(tuple(made), ticks[-2], ticks[-1], 0)


def opinion(shown: Scene, rule: MarketMaker = RULE):
    return rule.evaluate(shown.panel())


def quote(shown: Scene, rule: MarketMaker = RULE) -> Quote | None:
    name = shown.tick.universe.markets[shown.column].id
    return next((q for q in opinion(shown, rule).signals if q.market == name), None)


def said(shown: Scene, rule: MarketMaker = RULE) -> Silence | None:
    number = int(opinion(shown, rule).silence[shown.column])
    return list(Silence)[number - 1] if number else None


def words(shown: Scene, rule: MarketMaker = RULE) -> str:
    return opinion(shown, rule).detail.get(shown.column, "")


def jumping(bars_ago: int) -> Scene:
    """The same world with a leap of all prices that ended so many bars before the last close."""
    shown = scene()
    made = list(shown.bars)
    for place in range(len(made) - bars_ago, len(made)):
        made[place] = _leapt(made[place])
    return replace(shown, bars=tuple(made))


def _leapt(bar):
    """The bar as if everything were two logits dearer or cheaper."""
    far = np.where(bar.micro < ONE // 2, 850_000, 150_000)
    return replace(bar, bid=far - 10_000, ask=far + 20_000, micro=far)


class TestFormula:
    def test_the_golden_quotes(self):
        params, bounded = Params(), np.array([0.3 * 0.7])
        variance = np.array([0.12**2 * 6])
        skew = float(maker.skew(bounded, variance, params)[0])
        half = float(maker.half_width(bounded, variance, np.array([20.0]), params)[0])
        made = Quote(
            "market_maker_v1", "1", b.NOON, "m-1", log(0.3 / 0.7), half, skew, b.micro(20),
            b.micro(100), RULE.plan,
        )  # fmt: skip

        found = quoting.prices(made, b.micro(100), b.market(), (None, None))

        assert round(-100 * skew, 5) == -0.03629
        assert round(half, 5) == 0.03692
        assert (found.bid, found.ask) == (b.micro("0.28"), b.micro("0.31"))

    def test_it_is_wider_where_more_moves_and_for_the_more_averse(self):
        bounded, shares = np.array([0.21]), np.array([20.0])

        def width(variance, **changes):
            params = replace(Params(), **changes)
            return float(maker.half_width(bounded, np.array([variance]), shares, params)[0])

        assert width(0.2) > width(0.1) > 0
        assert width(0.2, risk_aversion=0.04) > width(0.2)

    def test_the_more_is_held_the_more_it_leans(self):
        made = quote(scene())

        middle = [made.fair - made.skew_per_share * held for held in (-100, 0, 100)]

        assert middle == sorted(middle, reverse=True)
        assert len(set(middle)) == 3


class TestQuote:
    def test_it_quotes_both_sides_of_a_lively_market(self):
        made = quote(scene())
        market = scene().tick.universe.markets[0]

        found = quoting.prices(made, 0, market, scene().tick.touch(market.yes.id))

        assert made.size == 20 * ONE
        assert made.max_inventory == 100 * ONE
        assert found.bid < found.ask
        assert found.bid % 10_000 == found.ask % 10_000 == 0
        assert made.at == scene().panel().features.at
        assert made.plan.max_hold_ms == 24 * HOUR_MS
        assert not made.plan.hold_to_resolution

    def test_its_size_is_at_least_the_smallest_order(self):
        made = quote(scene().with_terms(min_size=50 * ONE))

        assert (made.size, made.max_inventory) == (50 * ONE, 250 * ONE)

    def test_never_nearer_than_a_tick_or_what_a_move_and_its_hedge_cost(self):
        panel = scene().panel()
        price = int(panel.features.micro[0]) / ONE
        bounded, step = price * (1 - price), float(panel.features.hourly.step[0])
        adverse = 0.8 * step + 0.05

        assert quote(scene()).half_width >= max(adverse, 0.01 / bounded) - 1e-12
        free = quote(scene(), MarketMaker(Params(hedge_share=0)))
        assert 0.01 / bounded - 1e-12 <= free.half_width < quote(scene()).half_width

    def test_a_book_may_be_as_old_as_the_ticks_are_apart(self):
        assert quote(scene()).max_age_ms == BAR_MS * 3 // 2
        near = replace(scene().previous, at=scene().tick.at - 10_000)
        assert quote(replace(scene(), previous=near)).max_age_ms == 60_000

    def test_fair_is_told_of_every_market_with_a_price(self):
        found = opinion(scene())

        assert ((found.fair > 0) & (found.fair < ONE)).all()


class TestSteady:
    def test_small_wobbles_of_size_move_nothing(self):
        shown = scene()
        bids = int(shown.tick.bid_size[0])

        quotes = {
            quote(shown.with_column(bid_size=bids + more * ONE)).fair for more in range(-60, 61, 20)
        }

        assert len(quotes) == 1

    def test_a_moved_price_moves_it_in_half_ticks(self):
        shown, fairs = scene(), set()
        anchor = int(shown.panel().features.micro[0])
        for cents in range(-3, 4):
            moved = shown.with_column(
                bid=int(shown.tick.bid[0]) + cents * 10_000,
                ask=int(shown.tick.ask[0]) + cents * 10_000,
            )
            fair = int(opinion(moved).fair[0])
            micro = bars.microprices(
                moved.tick.bid, moved.tick.bid_size, moved.tick.ask, moved.tick.ask_size
            )[0]
            assert (fair - anchor) % 5_000 == 0
            assert abs(fair - micro) < 5_000
            fairs.add(fair)

        assert len(fairs) == 7

    def test_within_a_bar_width_and_lean_stay(self):
        shown = scene()
        moved = shown.with_column(
            bid=int(shown.tick.bid[0]) + 20_000, ask=int(shown.tick.ask[0]) + 20_000
        )

        before, after = quote(shown), quote(moved)

        assert before.fair != after.fair
        assert (before.half_width, before.skew_per_share) == (
            after.half_width, after.skew_per_share,
        )  # fmt: skip


class TestSilence:
    def test_a_spread_of_one_tick_is_left_to_the_queue(self):
        shown = scene(spread=1)

        assert said(shown) is Silence.EDGE
        assert words(shown).startswith("spread is one tick (0.01) / needs two")

    def test_a_spread_too_wide_is_said_with_its_numbers(self):
        shown = scene()
        wide = shown.with_column(ask=int(shown.tick.bid[0]) + 90_000)

        assert said(wide) is Silence.SPREAD
        assert words(wide) == "spread 0.0900 / at most 0.0800"
        assert said(wide, MarketMaker(Params(max_spread=0.09))) is not Silence.SPREAD

    @pytest.mark.parametrize(
        ("bid", "ask", "reason"),
        [
            (50_000, 60_000, None),
            (40_000, 50_000, Silence.BAND),
            (940_000, 950_000, None),
            (950_000, 960_000, Silence.BAND),
        ],
    )
    def test_the_band_is_a_makers(self, bid, ask, reason):
        shown = scene().with_column(bid=bid, ask=ask, depth=_deep(bid, ask))

        assert said(shown) is reason

    @pytest.mark.parametrize(("hours", "reason"), [(6, None), (5.9, Silence.EXPIRY)])
    def test_it_stops_and_leaves_six_hours_before_the_end(self, hours, reason):
        shown = scene()
        ending = shown.with_terms(end_at=shown.tick.at + round(hours * HOUR_MS))

        assert said(ending) is reason
        assert int(opinion(ending).close[0]) == (LEAVE_BOTH if reason else 0)

    @pytest.mark.parametrize(("minutes", "reason"), [(11, None), (10, Silence.EXPIRY)])
    def test_it_stops_ten_minutes_before_a_game(self, minutes, reason):
        shown = scene()
        game = shown.with_market(
            lambda m: replace(m, game_start_at=shown.tick.at + minutes * 60_000)
        )

        assert said(game) is reason

    def test_holders_leave_when_the_rules_are_unclear(self):
        shown = scene().with_market(lambda m: replace(m, tags=("ambiguous",)))

        assert said(shown) is Silence.RULES
        assert int(opinion(shown).close[0]) == LEAVE_BOTH

    def test_without_bars_it_warms_up(self):
        shown = replace(scene(), bars=scene().bars[-200:])

        assert said(shown) is Silence.WARMUP
        assert "need 240 bars" in words(shown)

    def test_any_shut_gate_leaves_no_quote(self):
        shown = scene().with_column(coherent=False)

        assert said(shown) is Silence.INCOHERENT
        assert quote(shown) is None


class TestJump:
    def test_it_pulls_while_the_newest_move_is_a_jump(self):
        for ago in (1, 2, 3):
            assert said(jumping(ago)) is Silence.JUMP

    def test_then_it_quotes_twice_as_wide_for_half_an_hour(self):
        for ago in (4, 9):
            found = quote(jumping(ago))
            assert found is not None
            alone = quote(jumping(ago), MarketMaker(Params(jump_widening=1)))
            assert isclose(found.half_width, 2 * alone.half_width)

    def test_and_as_ever_afterwards(self):
        alone = quote(jumping(10), MarketMaker(Params(jump_widening=1)))

        assert quote(jumping(10)).half_width == alone.half_width


class TestProperties:
    @pytest.mark.parametrize("seed", [1, 2, RUN_SEED])
    def test_swapped_tokens_give_the_mirrored_quotes(self, seed):
        print(f"seed {seed}")
        ticks = reverting_ticks(seed, count=STEPS, size=0.8)
        quoted = 0
        for here, there in _side_by_side(ticks):
            assert here.silence.tobytes() == there.silence.tobytes()
            assert here.close.tobytes() == there.close.tobytes()
            assert (here.fair + there.fair == np.where(here.fair > 0, ONE, 0)).all()
            quoted += len(here.signals)
            for ours, theirs in zip(here.signals, there.signals, strict=True):
                assert ours == replace(theirs, fair=-theirs.fair)
        assert quoted > 0

    def test_the_same_panel_gives_the_same_quotes_warm_and_rebuilt(self):
        shown = scene()

        assert opinion(shown).signals == opinion(shown).signals
        assert opinion(shown).signals

    def test_a_higher_fee_never_adds_a_quote_nor_narrows_one(self):
        free, dear = scene().with_terms(fee=_fee("0")), scene().with_terms(fee=_fee("0.07"))

        assert {q.market for q in opinion(dear).signals} <= {
            q.market for q in opinion(free).signals
        }
        assert quote(dear).half_width >= quote(free).half_width

    @pytest.mark.parametrize("seed", [4, RUN_SEED])
    def test_every_quote_finds_a_place_on_the_grid(self, seed):
        print(f"seed {seed}")
        for held in (-100, 0, 100):
            shown = scene(seed % 1_000, size=1.0)
            for made in opinion(shown).signals:
                market = shown.tick.universe.markets[shown.tick.universe.column[made.market]]
                found = quoting.prices(made, held * ONE, market, shown.tick.touch(market.yes.id))
                for price in (found.bid, found.ask):
                    assert price is None or (0 < price < ONE and price % 10_000 == 0)
                if found.bid and found.ask:
                    assert found.bid < found.ask


def _fee(rate: str):
    return b.market(fee_rate=rate).terms.fee


def _deep(bid: int, ask: int) -> bytes:
    from markets.core import book as books

    sides = [((f"{price / ONE:.2f}", 200_000),) for price in (bid, ask)]
    return books.pack(b.book("yes-0", *sides), 10)


def _side_by_side(ticks):
    """Opinions along a run and along its mirror image, from when the rule has warmed up."""
    here, there = Panel(), Panel()
    for number, (tick, swapped) in enumerate(zip(ticks, histories.mirrored(ticks), strict=True)):
        wide = _widened(tick), _widened(swapped)
        here.advance(wide[0])
        there.advance(wide[1])
        if number > 260 and number % 7 == 0:
            yield RULE.evaluate(here), RULE.evaluate(there)


def _widened(tick):
    """The tick two ticks wider on both sides, books and all."""
    bid, ask = tick.bid - 10_000, tick.ask + 10_000
    bid, ask = np.maximum(bid, 10_000), np.minimum(ask, ONE - 10_000)
    return histories.make_tick(
        tick.universe, bid, ask, at=tick.at, id=tick.id,
        bid_size=tick.bid_size, ask_size=tick.ask_size,
    )  # fmt: skip


def test_codes_of_silence_are_the_gates_own():
    found = opinion(scene().with_terms(accepting_orders=False))

    assert int(found.silence[0]) == silence_code(Silence.VENUE)
