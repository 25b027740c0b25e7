"""What every rule promises, asked of each of them in a moment in which it wants to trade."""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pytest

from execution.core import quoting
from markets.core import venue
from markets.core.bars import SealedBar
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule, Market
from strategies.core import seasons
from strategies.core.gates import HOUR_MS
from strategies.core.journal import Journal
from strategies.core.seasons import Seasons
from strategies.core.types import (
    LEAVE_BOTH,
    LEAVE_NO,
    LEAVE_YES,
    STOP,
    Basket,
    Bet,
    Opinion,
    Quote,
    Signal,
    Silence,
    silence_code,
)
from tests.core.markets import histories
from tests.worlds import knowledge, rules, scenes
from tests.worlds.plants import PLANTS
from tests.worlds.scenes import Scene

NAMES = sorted(PLANTS)
MONDAY = 1_767_571_200_000
"""2026-01-05, ms UTC."""
SETS = "set_arb_v1"
SIDES_DIFFER = {SETS: "YES of exclusive outcomes is not NO: see the permutation of outcomes"}


@pytest.fixture(params=NAMES)
def scene(request) -> Scene:
    return scenes.first(request.param)


def legs(signals: tuple[Signal, ...]) -> list[Bet]:
    """Every Bet there is, alone or in a basket."""
    found = []
    for signal in signals:
        found += list(signal.legs) if isinstance(signal, Basket) else [signal]
    return [each for each in found if isinstance(each, Bet)]


@dataclass(frozen=True)
class Returns:
    """Hourly returns of one category, an event a line; three hours of the week really rise."""

    move: np.ndarray
    WEEKS, EVENTS = 10, 12

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Returns":
        shared = rng.normal(0, 0.02, 168 * cls.WEEKS)
        move = shared + rng.standard_t(4, (cls.EVENTS, 168 * cls.WEEKS)) * 0.05
        for hour in (30, 80, 130):
            move[:, hour::168] += 0.15
        return cls(move)

    def shuffled(self, rng: np.random.Generator) -> "Returns":
        """The same hours in another order, the same one for all events."""
        return Returns(self.move[:, rng.permutation(self.move.shape[1])])

    def fitted(self) -> Seasons:
        hours = MONDAY + np.arange(self.move.shape[1]) * HOUR_MS
        names = [f"e-{n}" for n in range(self.EVENTS) for _ in hours]
        return seasons.fit(
            self.move.ravel(), np.tile(hours, self.EVENTS), event=names,
            category=["politics"] * len(names), fitted_at=int(hours[-1]) + HOUR_MS, zone="UTC",
        )  # fmt: skip


def standing(returns: Returns) -> tuple[seasons.Season, ...]:
    """The hours that stand, however little they rest on."""
    return returns.fitted().standing(rate=TestChance.RATE, min_days=1, min_events=1, min_weeks=1)


def alike(one: Tick, two: Tick) -> bool:
    """Whether two ticks show the same."""
    names = ("bid", "ask", "bid_size", "ask_size", "observed_at", "coherent")
    equal = all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)
    return equal and (one.at, one.depth, one.prints) == (two.at, two.depth, two.prints)


def named(opinion: Opinion) -> set[tuple[str, ...]]:
    """What each signal wants to hold: tokens, or the market it quotes."""
    return {
        tuple(sorted(leg.token for leg in signal.legs))
        if isinstance(signal, Basket)
        else (signal.token if isinstance(signal, Bet) else signal.market,)
        for signal in opinion.signals
    }


class TestMirror:
    """Family 1: with YES and NO swapped the decision is swapped, to the last digit."""

    def test_the_other_name_of_a_token_changes_nothing(self, scene):
        if scene.rule.name in SIDES_DIFFER:
            pytest.skip(SIDES_DIFFER[scene.rule.name])
        said, swapped = scene.opinion(), mirrored(scene).opinion()

        assert said.silence.tolist() == swapped.silence.tolist()
        assert [turned(value) for value in said.fair.tolist()] == swapped.fair.tolist()
        assert [across(value) for value in said.close.tolist()] == swapped.close.tolist()
        assert [bare(signal) for signal in said.signals] == [
            other(bare(signal)) for signal in swapped.signals
        ]

    def test_the_order_of_outcomes_changes_nothing(self):
        scene = scenes.first(SETS)
        order = list(range(len(scene.tick.universe)))[::-1]
        said, turned_round = scene.opinion(), permuted(scene, order).opinion()

        assert named(said) == named(turned_round)
        assert said.silence.tolist() == turned_round.silence[::-1].tolist()


class TestCosts:
    """Family 2: whatever costs more never adds a signal."""

    @pytest.mark.parametrize("factor", [1.3, 2, 6])
    def test_a_higher_fee_adds_nothing(self, scene, factor):
        def dearer(market: Market) -> Market:
            assert market.terms.fee is not None
            fee = FeeSchedule(round(market.terms.fee.rate * factor))
            return replace(market, terms=replace(market.terms, fee=fee))

        assert no_better(scene.in_world(dearer).opinion(), scene.opinion())

    @pytest.mark.parametrize("sides", [(1, 0), (0, 1), (1, 1), (3, 3)])
    def test_a_wider_spread_adds_nothing(self, scene, sides):
        wide = Scene(
            scene.rule,
            tuple(wider_bar(bar, *sides) for bar in scene.bars),
            wider_tick(scene.previous, *sides),
            wider_tick(scene.tick, *sides),
        )

        if scene.rule.name != "market_maker_v1":  # A maker earns the spread.
            assert no_better(wide.opinion(), scene.opinion())


class TestGrid:
    """Family 3: prices on the grid within (0, 1), sizes that the exchange takes."""

    def test_whatever_it_says_can_be_ordered(self, scene):
        world = scene.tick.universe
        assert scene.signals
        for bet in legs(scene.signals):
            terms = world.markets[world.column[bet.market]].terms
            assert venue.on_grid(bet.limit, terms.tick_size)
            assert bet.size >= terms.min_size
            assert bet.size == venue.floor_size(bet.size)
            assert 0 < bet.fair < ONE
            assert bet.plan.hold_to_resolution or bet.plan.max_hold_ms > 0
        for quote in (each for each in scene.signals if isinstance(each, Quote)):
            market = world.markets[world.column[quote.market]]
            touch = scene.tick.touch(market.yes.id)
            for held in (-quote.max_inventory, 0, quote.max_inventory):
                at = quoting.prices(quote, held, market, touch)
                assert at.bid is None or at.ask is None or 0 < at.bid < at.ask < ONE


class TestPast:
    """Family 4: what comes after a moment does not change what was said at it."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_history_cut_off_at_a_moment_says_the_same(self, name):
        known, seen = scenes.days(name), 0
        for place, panel in scenes.moments(known):
            if place % 13 == 5:
                again = rules.rule(name, known.world, **rules.OWN.get(name, {}))
                warm, cold = scenes.rule(name).evaluate(panel), scenes.rebuilt(known, place)
                assert same(warm, again.evaluate(cold))
                seen += 1
            if seen == 3:
                break

        assert seen == 3


class TestGates:
    """Family 5: any gate that is shut silences the market, under its own code."""

    CHANGES = {
        Silence.STALE: lambda tick, at: columns(tick, at, observed_at=tick.at - 500_000),
        Silence.INCOHERENT: lambda tick, at: columns(tick, at, coherent=False),
    }
    TERMS = {
        Silence.FEE: lambda m: replace(m, terms=replace(m.terms, fee=None)),
        Silence.RULES: lambda m: replace(m, tags=("ambiguous",)),
        Silence.VENUE: lambda m: replace(m, terms=replace(m.terms, accepting_orders=False)),
    }
    DIRECTIONAL = {
        Silence.EXPIRY: lambda m: replace(m, terms=replace(m.terms, end_at=None)),
        Silence.ACTIVITY: lambda m: replace(m, volume_24h=0),
    }

    @pytest.mark.parametrize("reason", CHANGES)
    def test_of_the_tick(self, scene, reason):
        shut = scene.with_tick(self.CHANGES[reason](scene.tick, scene.columns()))

        assert silenced(shut, scene, reason)

    @pytest.mark.parametrize("reason", [*TERMS, *DIRECTIONAL])
    def test_of_the_terms(self, scene, reason):
        if reason in self.DIRECTIONAL and scene.rule.name == SETS:
            pytest.skip("a set is bought whatever its outcomes do")
        change = {**self.TERMS, **self.DIRECTIONAL}[reason]
        names = {market.id for market in scene.markets()}
        shut = scene.in_world(lambda market: change(market) if market.id in names else market)

        assert silenced(shut, scene, reason)


class TestAgain:
    """Family 6: one snapshot, one intent."""

    def test_asking_twice_says_the_same_and_opens_nothing_new(self, scene):
        panel, journal = scene.panel(), Journal()
        first, second = scene.rule.evaluate(panel), scene.rule.evaluate(panel)
        opened = journal.write(scene.tick, [first])
        again = journal.write(scene.tick, [second])

        assert same(first, second)
        assert opened.opened or opened.quoted
        assert again.opened == again.quoted == again.closed == ()


class TestDraws:
    """Family 7: whatever is drawn by chance has a seed."""

    def test_a_world_drawn_twice_and_a_rule_built_twice_say_the_same(self, scene):
        name = scene.rule.name
        world, known = scenes.fresh(name), scenes.days(name).world
        twice = [list(islice(each.ticks(), 3)) for each in (world, known)]
        rule = rules.rule(name, world, **rules.OWN.get(name, {}))

        assert all(alike(one, two) for one, two in zip(*twice, strict=True))
        assert world.shown.keys() == known.shown.keys()
        assert all(
            np.array_equal(getattr(row, column), getattr(known.shown[market][1], column))
            for market, (_, row) in world.shown.items()
            for column in ("worth", "bid", "ask", "bought", "sold")
        )
        assert same(rule.evaluate(scene.panel()), scene.opinion())

    def test_what_is_learnt_twice_is_the_same(self):
        timed, timid = PLANTS["time_arb_v1"], PLANTS["value_bet_v1"]
        seasonal = [knowledge.seasonal(timed, seed=5, events=9, days=28) for _ in range(2)]
        calibrated = [knowledge.calibrated(timid, seed=5, events=40) for _ in range(2)]

        assert seasonal[0].cells
        assert calibrated[0].cells
        assert seasonal[0] == seasonal[1]
        assert calibrated[0] == calibrated[1]


class TestChance:
    """Family 10: an hour of the week that is only chance does not stand."""

    RATE, DRAWS = 0.05, 15

    def test_returns_at_shuffled_hours_leave_no_hour_standing(self):
        rng = np.random.default_rng(41)
        known = standing(Returns.drawn(rng))
        found = [standing(Returns.drawn(rng).shuffled(rng)) for _ in range(self.DRAWS)]

        assert known
        assert sum(map(bool, found)) <= 2 * self.RATE * self.DRAWS


def no_better(dear: Opinion, cheap: Opinion) -> bool:
    """Whether what is said where it costs more is said anyway, and no Bet promises more there."""
    promised = {bet.token: bet.edge for bet in legs(cheap.signals)}
    less = all(bet.edge <= promised.get(bet.token, -ONE) for bet in legs(dear.signals))
    return less and named(dear) <= named(cheap)


def mirrored(scene: Scene) -> Scene:
    """Bars and ticks with YES and NO of every market swapped, and the rule told accordingly."""
    before, now = histories.mirrored([scene.previous, scene.tick])
    bars = tuple(
        replace(
            bar,
            universe=histories.swapped(bar.universe),
            bid=np.where(bar.valid, ONE - bar.ask, 0),
            ask=np.where(bar.valid, ONE - bar.bid, 0),
            micro=np.where(bar.valid, ONE - bar.micro, 0),
        )
        for bar in scene.bars
    )
    return Scene(rules.mirrored(scene.rule), bars, before, now)


def permuted(scene: Scene, order: list[int]) -> Scene:
    """The same markets in another order of columns."""
    return Scene(
        scene.rule,
        tuple(histories.reordered_bar(bar, order) for bar in scene.bars),
        histories.reordered(scene.previous, order),
        histories.reordered(scene.tick, order),
    )


def turned(fair: int) -> int:
    """A fair value of NO; 0 is none."""
    return ONE - fair if fair else 0


def across(close: int) -> int:
    """Who leaves, when YES and NO have changed names."""
    stop, who = close & STOP, close & LEAVE_BOTH
    return stop | {LEAVE_YES: LEAVE_NO, LEAVE_NO: LEAVE_YES}.get(who, who)


def bare(signal: Signal) -> Signal:
    """A signal without the words, and without the name of its token's side."""
    if isinstance(signal, Basket):
        return replace(signal, legs=tuple(bare(leg) for leg in signal.legs))  # type: ignore[misc]
    return replace(signal, why="", outcome="") if isinstance(signal, Bet) else signal


def other(signal: Signal) -> Signal:
    """A quote seen from the other token; what is bought keeps its token's id."""
    return replace(signal, fair=-signal.fair) if isinstance(signal, Quote) else signal


def same(one: Opinion, two: Opinion) -> bool:
    """Whether two opinions agree in everything."""
    columns = ("silence", "fair", "close")
    equal = all(np.array_equal(getattr(one, c), getattr(two, c)) for c in columns)
    return equal and one.signals == two.signals and one.inputs == two.inputs


def silenced(shut: Scene, open_: Scene, reason: Silence) -> bool:
    """Whether the markets that had a signal have none, and say why."""
    said, gone = shut.opinion(), {market.id for market in open_.markets()}
    still = {leg.market for leg in legs(said.signals)}
    still |= {each.market for each in said.signals if isinstance(each, Quote)}
    told = {int(said.silence[column]) for column in open_.columns()}
    return not still & gone and silence_code(reason) in told


def columns(tick: Tick, at: list[int], **values: object) -> Tick:
    """A tick with entries of its columns replaced."""
    changed = {}
    for name, value in values.items():
        column = getattr(tick, name).copy()
        column[at] = value
        changed[name] = column
    return replace(tick, **changed)


def wider_bar(bar: SealedBar, below: int, above: int) -> SealedBar:
    """A bar whose touches lie so many ticks further apart, its microprice where it was."""
    grid = bar.universe.tick_size
    bid, ask = bar.bid - below * grid, bar.ask + above * grid
    kept = bar.valid & (bid > 0) & (ask < ONE)
    return replace(bar, bid=bid * kept, ask=ask * kept, micro=bar.micro * kept, valid=kept)


def wider_tick(tick: Tick, below: int, above: int) -> Tick:
    """A tick whose touches lie so many ticks further apart."""
    grid = tick.universe.tick_size
    bid, ask = tick.bid - below * grid, tick.ask + above * grid
    shown = tick.two_sided & (bid > 0) & (ask < ONE)
    return histories.make_tick(
        tick.universe, np.where(shown, bid, 0), np.where(shown, ask, ONE), at=tick.at, id=tick.id,
        bid_size=tick.bid_size, ask_size=tick.ask_size, observed_at=tick.observed_at,
        coherent=tick.coherent & shown,
    )  # fmt: skip
