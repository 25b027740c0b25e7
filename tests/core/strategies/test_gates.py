"""Gates: each one shuts, names itself, and silences; the first in the table wins."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markets.core import book as books
from markets.core.bars import BAR_MS, SealedBar
from markets.core.types import ONE, FeeSchedule, Level, PastBar, Resolution, Status
from strategies.core import gates
from strategies.core.gates import GATES, Thresholds
from strategies.core.types import Silence
from tests import builders as b
from tests.core.strategies import scenes
from tests.core.strategies.scenes import Scene, code

HOUR_MS = 12 * BAR_MS


def jumped(scene: Scene) -> Scene:
    """Half an hour ago the market leapt to where it is, from much lower odds."""
    last = scene.bars[-1].number

    def change(bar: SealedBar) -> SealedBar:
        if bar.number > last - 6:
            return bar
        micro = bar.micro.copy()
        odds = micro[scene.column] / (ONE - micro[scene.column]) / 20
        micro[scene.column] = round(ONE * odds / (1 + odds))
        return replace(bar, micro=micro)

    return scene.with_bars(change)


def still(scene: Scene) -> Scene:
    return scene.with_bars(lambda bar: replace(bar, changes=np.zeros_like(bar.changes)))


def at(scene: Scene, bid: int, ask: int) -> Scene:
    depth = books.pack(books.Book("yes", (Level(bid, 10**10),), (Level(ask, 10**10),), 0), 10)
    return scene.with_column(bid=bid, ask=ask, depth=depth)


def with_resolution(scene: Scene) -> Scene:
    market = scene.tick.universe.markets[scene.column].id
    said = (Resolution(market, Status.PROPOSED, scene.tick.at),)
    return replace(scene, tick=replace(scene.tick, resolutions=said))


SHUT = {
    "not confirmed for eight minutes": (
        Silence.STALE, lambda s: s.with_column(observed_at=s.tick.at - 8 * 60_000)
    ),
    "never read": (Silence.STALE, lambda s: s.with_column(observed_at=0)),
    "two instants": (Silence.INCOHERENT, lambda s: s.with_column(coherent=False, depth=b"")),
    "no asks": (Silence.INCOHERENT, lambda s: s.with_column(ask=ONE, ask_valid=False)),
    "no bids": (Silence.INCOHERENT, lambda s: s.with_column(bid=0, bid_valid=False)),
    "crossed": (Silence.INCOHERENT, lambda s: s.with_column(bid=500_000, ask=490_000)),
    "off the grid": (Silence.INCOHERENT, lambda s: s.with_column(bid=s.tick.bid[s.column] - 1)),
    "four cents wide": (Silence.SPREAD, lambda s: at(s, 400_000, 440_000)),
    "wide for a cheap token": (Silence.SPREAD, lambda s: at(s, 110_000, 130_000)),
    "nothing near the touch": (Silence.DEPTH, lambda s: s.with_column(depth=scenes.thin(s))),
    "large smallest order": (Silence.DEPTH, lambda s: s.with_terms(min_size=2_000 * ONE)),
    "a longshot": (Silence.BAND, lambda s: at(s, 80_000, 90_000)),
    "a favourite": (Silence.BAND, lambda s: at(s, 910_000, 920_000)),
    "ends tomorrow": (Silence.EXPIRY, lambda s: s.with_terms(end_at=s.tick.at + 23 * HOUR_MS)),
    "no end": (Silence.EXPIRY, lambda s: s.with_terms(end_at=None)),
    "proposed": (Silence.EXPIRY, lambda s: s.with_terms(status=Status.PROPOSED)),
    "proposed just now": (Silence.EXPIRY, with_resolution),
    "the game is on": (
        Silence.EXPIRY, lambda s: s.with_market(lambda m: replace(m, game_start_at=s.tick.at))
    ),
    "no volume": (
        Silence.ACTIVITY, lambda s: s.with_market(lambda m: replace(m, volume_24h=999 * ONE))
    ),
    "nothing moves": (Silence.ACTIVITY, still),
    "leapt": (Silence.JUMP, jumped),
    "young": (Silence.WARMUP, lambda s: replace(s, bars=s.bars[-239:])),
    "gaps": (Silence.WARMUP, lambda s: replace(s, bars=s.bars[:-70] + s.bars[-41:])),
    "no bar lately": (Silence.WARMUP, lambda s: replace(s, bars=s.bars[:-3])),
    "fee unknown": (Silence.FEE, lambda s: s.with_terms(fee=None)),
    "ambiguous": (
        Silence.RULES, lambda s: s.with_market(lambda m: replace(m, tags=("ambiguous",)))
    ),
    "the other outcome": (
        Silence.RULES,
        lambda s: s.with_market(
            lambda m: replace(m, question="An Other?", event=replace(m.event, augmented=True))
        ),
    ),
    "no orders taken": (Silence.VENUE, lambda s: s.with_terms(accepting_orders=False)),
    "halted": (Silence.VENUE, lambda s: s.with_terms(status=Status.HALTED)),
    "a new grid": (Silence.VENUE, lambda s: s.with_terms(tick_size=5_000)),
}  # fmt: skip


class TestEveryGate:
    def test_the_scene_has_something_to_silence(self):
        assert scenes.buying("Yes").bet() is not None
        assert scenes.buying("No").bet() is not None

    @pytest.mark.parametrize("outcome", ["Yes", "No"])
    @pytest.mark.parametrize("why", SHUT)
    def test_it_silences_and_names_itself(self, why, outcome):
        reason, spoil = SHUT[why]
        scene = spoil(scenes.buying(outcome))

        assert scene.bet() is None
        assert scene.silence() == code(reason)

    def test_every_reason_of_the_table_is_tried(self):
        assert {reason for reason, _ in SHUT.values()} == set(GATES)
        assert list(GATES) == list(Silence)[: len(GATES)]

    @settings(derandomize=True, deadline=None, max_examples=25)
    @given(st.lists(st.sampled_from(sorted(SHUT)), min_size=2, max_size=4, unique=True))
    def test_of_several_the_first_in_the_table_is_named(self, several):
        scene = scenes.buying("Yes")
        for why in several:
            scene = SHUT[why][1](scene)
        panel, horizon = scene.panel(), np.zeros(6, dtype=np.int64)
        shut = [
            reason
            for reason, gate in GATES.items()
            if gate(panel, Thresholds(), horizon)[scene.column]
        ]

        assert scene.bet() is None
        assert scene.silence() == code(shut[0])

    def test_exempt_gates_stay_open(self):
        scene = at(scenes.buying("Yes"), 400_000, 440_000)
        panel, horizon = scene.panel(), np.zeros(6, dtype=np.int64)

        shut = gates.silences(panel, Thresholds(), horizon=horizon, exempt=(Silence.SPREAD,))

        assert shut[scene.column] == 0


class TestStale:
    def stale(self, spacing: int, age: int) -> bool:
        tick = b.tick(at=b.NOON)
        tick = replace(tick, observed_at=np.array([b.NOON - age]))
        panel = gates.Panel.rebuild([], [b.tick(at=b.NOON - spacing, id=1), tick])
        return bool(gates.stale(panel, Thresholds(), np.zeros(1, dtype=np.int64))[0])

    def test_a_market_one_read_left_out_is_carried_once(self):
        assert not self.stale(spacing=10_000, age=10_000)
        assert self.stale(spacing=10_000, age=20_000)

    def test_five_minute_ticks_are_not_stale_as_such(self):
        assert not self.stale(spacing=BAR_MS, age=0)
        assert not self.stale(spacing=BAR_MS, age=BAR_MS)
        assert self.stale(spacing=BAR_MS, age=2 * BAR_MS)

    def test_after_an_outage_old_books_are_old(self):
        assert self.stale(spacing=HOUR_MS, age=HOUR_MS)


class TestExpiry:
    def test_long_holdings_need_a_longer_life(self):
        scene = scenes.buying("Yes").with_terms(end_at=scenes.buying("Yes").tick.at + 30 * HOUR_MS)
        panel = scene.panel()

        def shut(hours: int) -> bool:
            horizon = np.full(6, hours * HOUR_MS)
            return bool(gates.expiry(panel, Thresholds(), horizon)[scene.column])

        assert [shut(hours) for hours in (1, 7, 8, 12)] == [False, False, True, True]


class TestRestart:
    @pytest.mark.parametrize(
        ("when", "expected"),
        [
            ("2026-01-06 12:00:00", True),
            ("2026-01-06 12:01:29", True),
            ("2026-01-06 12:01:30", False),
            ("2026-01-06 11:59:59", False),
            ("2026-01-07 12:00:00", False),
            ("2026-07-07 11:00:30", True),
            ("2026-07-07 12:00:30", False),
        ],
    )
    def test_it_is_tuesday_at_seven_in_new_york(self, when, expected):
        instant = datetime.fromisoformat(when).replace(tzinfo=UTC)

        assert gates.restarting(int(instant.timestamp() * 1000)) is expected


class TestWarming:
    def test_it_says_have_need_and_ready_at(self):
        scene = replace(scenes.buying("Yes"), bars=scenes.buying("Yes").bars[-120:])
        panel = scene.panel()

        text = gates.warming(panel, Thresholds(), scene.column)

        ready = datetime.fromtimestamp((panel.features.at + 120 * BAR_MS) / 1000, UTC)
        assert text == f"have 120 / need 240 bars / ready at {ready:%Y-%m-%d %H:%M} UTC"
        assert scene.opinion().detail[scene.column] == text

    def test_gaps_are_named(self):
        scene = SHUT["gaps"][1](scenes.buying("Yes"))

        assert " missing, at most 10%" in scene.opinion().detail[scene.column]

    def test_imported_bars_are_told_apart_and_do_not_replace_a_quote(self):
        world, panel = b.universe(b.market("m-1")), gates.Panel()
        past = tuple(
            PastBar("m-1", b.NOON - number * BAR_MS, 410_000 + number % 3 * 10_000)
            for number in range(300)
        )
        panel.advance(replace(b.tick(world, at=b.NOON), past=past))

        text = gates.warming(panel, Thresholds(), 0)

        assert gates.warmup(panel, Thresholds(), np.zeros(1, dtype=np.int64))[0]
        assert text == "have 288 (288 imported) / need 240 bars, none seen in the last 15 minutes"

        panel.advance(b.tick(world, at=b.NOON + BAR_MS))
        assert not gates.warmup(panel, Thresholds(), np.zeros(1, dtype=np.int64))[0]


class TestFees:
    def test_a_free_market_is_not_one_whose_fee_is_unknown(self):
        assert scenes.buying("Yes").with_terms(fee=FeeSchedule(0)).bet() is not None
