"""Worlds in which a rule has something to say, and the first moment at which it does."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from markets.core.bars import BAR_MS, OpenBar
from markets.core.panel import Panel
from markets.core.tick import Tick, Universe
from markets.core.types import ONE
from strategies.core.types import LEAVE_BOTH, LEAVE_NO, LEAVE_YES, STOP, Bet, Opinion
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies.scenes import Scene


def worlds_apart(count: int, **world: Any) -> Universe:
    """Markets of as many events, with long lives."""
    terms = {"end_at": histories.START + 200 * b.DAY, **world}
    return b.universe(*(b.market(f"m-{i}", event=f"e-{i}", **terms) for i in range(count)))


def trending_ticks(
    seed: int = 5, *, count: int = 900, markets: int = 16, drifting: float = 1.0, **world: Any
) -> list[Tick]:
    """Five-minute ticks of prices with drifts that last for days, on a fine grid."""
    rng = np.random.default_rng(seed)
    drift = histories.ornstein(rng, ticks=count, markets=markets, half_life=400, size=0.001)
    noise = rng.normal(0, 0.003, (count, markets))
    return fine_ticks(np.cumsum(drifting * drift + noise, axis=0), **world)


def walking_ticks(
    seed: int = 5, *, count: int = 900, markets: int = 16, size: float = 0.006, **world: Any
) -> list[Tick]:
    """The same without any drift: nothing can be known of them."""
    rng = np.random.default_rng(seed)
    return fine_ticks(np.cumsum(rng.normal(0, size, (count, markets)), axis=0), **world)


def fine_ticks(x: NDArray[np.float64], **world: Any) -> list[Tick]:
    """A tick for each line of logits, quoted a tenth of a cent apart, at a low fee."""
    markets = worlds_apart(x.shape[1], **{"tick_size": "0.001", "fee_rate": "0.02", **world})
    ticks = []
    for step, line in enumerate(x):
        bid, ask, bids, asks = histories.around(line, tick_size=1_000)
        at = histories.START + step * BAR_MS
        ticks.append(
            histories.make_tick(markets, bid, ask, at=at, id=step + 1, bid_size=bids, ask_size=asks)
        )
    return ticks


def opinions(rule: Any, ticks: Sequence[Tick], start: int = 0) -> Iterator[Opinion]:
    """What a rule believes at each tick from `start` on."""
    panel = Panel()
    for position, tick in enumerate(ticks):
        panel.advance(tick)
        if position >= start:
            yield rule.evaluate(panel)


def first(rule: Any, ticks: Sequence[Tick], outcome: str = "Yes", start: int = 300) -> Scene:
    """The first moment from tick `start` on at which the rule buys that outcome."""
    panel, collector, bars = Panel(), OpenBar.after(None), []
    for position, tick in enumerate(ticks):
        panel.advance(tick)
        closed = collector.add(tick)
        if closed is not None:
            bars.append(closed)
        for bet in rule.evaluate(panel).signals if position >= start else ():
            if isinstance(bet, Bet) and bet.outcome == outcome:
                column = tick.universe.column[bet.market]
                return Scene(tuple(bars), ticks[position - 1], tick, column)
    raise AssertionError(f"the world never makes the rule buy {outcome}")


def assert_mirrored(one: Opinion, other: Opinion) -> int:
    """Two opinions are the mirror of one another, exactly; returns how many bets they hold."""
    assert {replace(bet, why="") for bet in one.signals} == {
        replace(bet, why="") for bet in other.signals
    }
    assert one.silence.tobytes() == other.silence.tobytes()
    known = one.fair > 0
    assert (known == (other.fair > 0)).all()
    assert (one.fair + other.fair)[known].tolist() == [ONE] * int(known.sum())
    swapped = np.array([0, LEAVE_NO, LEAVE_YES, LEAVE_BOTH])[one.close & LEAVE_BOTH]
    assert (swapped + (one.close & STOP)).tolist() == other.close.tolist()
    return len(one.signals)


def by_fee(scene: Scene, rule: Any) -> Iterator[Bet | None]:
    """The scene's bet as the fee rate rises from 0 to 0.25."""
    for rate in range(0, 250_000, 10_000):
        yield scene.with_terms(fee=replace(_fee(scene), rate=rate)).bet(rule)


def by_spread(scene: Scene, rule: Any) -> Iterator[Bet | None]:
    """The scene's bet as the newest bar's spread widens on both sides."""
    newest = scene.bars[-1].number
    for wider in range(0, 100_000, 10_000):
        changed = scene.with_bars(
            lambda bar, by=wider: (
                replace(bar, bid=bar.bid - by, ask=bar.ask + by) if bar.number == newest else bar
            )
        )
        yield changed.bet(rule)


def assert_costs_only_take_away(bets: Sequence[Bet | None]) -> None:
    """As costs rise no bet appears, no limit rises and the edge falls, until nothing is left."""
    assert bets[0] is not None
    for cheaper, dearer in pairwise(bets):
        if dearer is not None:
            assert cheaper is not None
            assert dearer.limit <= cheaper.limit
            assert dearer.edge < cheaper.edge
    assert bets[-1] is None


def _fee(scene: Scene) -> Any:
    return scene.tick.universe.markets[scene.column].terms.fee


def at(ticks: Sequence[Tick], text: str) -> list[Tick]:
    """The same ticks with the last one at an instant (ISO 8601), to a whole hour."""
    moved = int(datetime.fromisoformat(text).timestamp() * 1000) - ticks[-1].at
    moved -= moved % 3_600_000
    return [
        replace(tick, at=tick.at + moved, observed_at=tick.observed_at + moved) for tick in ticks
    ]


def last(ticks: Sequence[Tick]) -> Panel:
    """The panel after all of these ticks."""
    panel = Panel()
    for tick in ticks:
        panel.advance(tick)
    return panel
