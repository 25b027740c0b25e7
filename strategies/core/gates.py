"""When to stay silent: every gate, its numbers and its code, for all markets at once.

A gate is a function that marks the columns it shuts. Where several shut a market the first in
GATES names the silence, so the order of that table is the order of priority.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.core.tick import Flags, Ints, Universe
from markets.core.types import ONE, Market, Status
from markets.core.window import HOUR
from strategies.core.types import Silence, silence_code

HOUR_MS = 3_600_000
ENDING = (Status.PROPOSED, Status.DISPUTED, Status.RESOLVED, Status.CLOSED)
NEW_YORK = ZoneInfo("America/New_York")
RESTART_MS = 90_000
"""The exchange restarts on Tuesdays at 07:00 in New York, for about 90 seconds."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of the gates; money and prices in micro, times in ms."""

    stale_spacings: float = 1.5
    """A book may be this many tick spacings old ..."""
    stale_least: int = 15_000
    """... but always this old ..."""
    stale_most: int = 450_000
    """... and never older, whatever the spacing: after an outage old books are old."""
    spread_ticks: int = 4
    spread_most: int = 30_000
    spread_share: float = 0.15
    """Largest spread as a share of the cheaper token's price."""
    depth_least: int = 100 * ONE
    """Dollars within a cent of every touch, in the cheaper token's money."""
    depth_orders: int = 5
    """The same in orders of the market's smallest size, at a dollar a share."""
    band_low: int = 100_000
    band_high: int = 900_000
    time_least: int = 24 * HOUR_MS
    time_holdings: int = 4
    """The market must go on for this many holding horizons."""
    live_ahead: int = 0
    """So long before it begins a game counts as on."""
    changes_least: int = 20
    volume_least: int = 1_000 * ONE
    quiet_most: float = 0.80
    """Largest share of a day's bars in which the mid did not move."""
    jump_most: float = 4.0
    """Largest 15-minute move, in standard deviations, ..."""
    jump_bars: int = HOUR
    """... of those that ended within so many bars; at most an hour."""
    bars_least: int = 240
    """Bars observed in the last 24 hours (of 288)."""
    gaps_most: float = 0.10
    """Largest share of bars missing since the first of those 24 hours."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What the universe says about each market, as columns."""

    ending: Flags
    halted: Flags
    unclear: Flags
    live_from: Ints


Gate = Callable[[Panel, Thresholds, Ints], Flags]
"""(panel, numbers, holding horizon of each market in ms) -> the columns it shuts."""


def stale(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """The book was last confirmed too long before the tick.

    Judged by the spacing of the newest two ticks, so five-minute ticks are not stale as such; a
    market that one read left out is carried once, not twice.
    """
    shut: Flags = panel.tick.at - panel.tick.observed_at > oldest(panel, limits)
    return shut


def oldest(panel: Panel, limits: Thresholds) -> float:
    """How old a book may be at the newest tick, ms."""
    tick, previous = panel.tick, panel.previous
    spacing = tick.at - previous.at if previous is not None else 0
    return max(limits.stale_least, min(limits.stale_spacings * spacing, limits.stale_most))


def incoherent(panel: Panel, _: Thresholds, __: Ints) -> Flags:
    """The two tokens' books do not show one instant, a side is empty, or prices make no sense."""
    tick = panel.tick
    grid = tick.universe.tick_size
    crossed: Flags = (tick.bid >= tick.ask) | (tick.bid % grid != 0) | (tick.ask % grid != 0)
    return crossed | ~tick.coherent | ~tick.two_sided


def spread(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """The spread is too wide in ticks, in cents or for the price."""
    tick = panel.tick
    width, total = tick.ask - tick.bid, tick.ask + tick.bid
    most = np.minimum(limits.spread_ticks * tick.universe.tick_size, limits.spread_most)
    cheaper = np.minimum(total, 2 * ONE - total)
    shut: Flags = (width > most) | (2 * width > limits.spread_share * cheaper)
    return shut


def depth(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """Too little rests near a touch, to enter or to leave, on either token."""
    near = panel.depth
    least = np.minimum(np.minimum(near.bid, near.ask), np.minimum(near.no_bid, near.no_ask))
    return least < np.maximum(
        limits.depth_least, limits.depth_orders * panel.tick.universe.min_size
    )


def band(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """The price is so near 0 or 1 that costs and jumps rule it."""
    total = panel.tick.bid + panel.tick.ask
    return (total < 2 * limits.band_low) | (total > 2 * limits.band_high)


def expiry(panel: Panel, limits: Thresholds, horizon: Ints) -> Flags:
    """The market ends too soon for the holding, has no end, is live, or its outcome is proposed."""
    tick = panel.tick
    world, terms = tick.universe, _terms(panel)
    needed = np.maximum(limits.time_least, limits.time_holdings * horizon)
    shut: Flags = ~world.end_known | (world.end_at - tick.at < needed)
    shut = shut | terms.ending | (tick.at >= terms.live_from - limits.live_ahead)
    for resolution in tick.resolutions:
        if resolution.market in world.column:
            shut[world.column[resolution.market]] = True
    return shut


def activity(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """Nobody trades here: too few mid changes, too little volume, or too many still bars."""
    shown = panel.features
    still = shown.quiet > limits.quiet_most * shown.bars
    thin = panel.tick.universe.volume_24h < limits.volume_least
    return (shown.changes < limits.changes_least) | thin | still


def jump(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """The price leapt just now: that is news, not noise."""
    recent = panel.features.jumps[:, -limits.jump_bars :]
    shut: Flags = np.any(recent > limits.jump_most, axis=1)
    return shut


def warmup(panel: Panel, limits: Thresholds, _: Ints) -> Flags:
    """Too few bars yet, or too many missing, for the statistics to mean something."""
    shown = panel.features
    gaps = shown.gaps > limits.gaps_most * (shown.bars + shown.gaps)
    return (shown.bars < limits.bars_least) | gaps | ~shown.valid


def fee(panel: Panel, _: Thresholds, __: Ints) -> Flags:
    """The fee schedule is unknown, so no cost can be told."""
    return ~panel.tick.universe.fee_known


def rules(panel: Panel, _: Thresholds, __: Ints) -> Flags:
    """It is not certain what a share pays: ambiguous rules or an unnamed outcome."""
    return _terms(panel).unclear


def venue(panel: Panel, _: Thresholds, __: Ints) -> Flags:
    """The exchange takes no orders, is restarting, or has just changed the price grid."""
    tick, previous = panel.tick, panel.previous
    shut = ~tick.universe.accepting | _terms(panel).halted
    if restarting(tick.at):
        return np.ones_like(shut)
    if previous is not None and previous.universe is not tick.universe:
        before = previous.universe
        for column, market in enumerate(tick.universe.markets):
            was = before.column.get(market.id)
            if was is not None and before.tick_size[was] != market.terms.tick_size:
                shut[column] = True
    return shut


GATES: Mapping[Silence, Gate] = {
    Silence.STALE: stale,
    Silence.INCOHERENT: incoherent,
    Silence.SPREAD: spread,
    Silence.DEPTH: depth,
    Silence.BAND: band,
    Silence.EXPIRY: expiry,
    Silence.ACTIVITY: activity,
    Silence.JUMP: jump,
    Silence.WARMUP: warmup,
    Silence.FEE: fee,
    Silence.RULES: rules,
    Silence.VENUE: venue,
}

OF_BARS = (Silence.ACTIVITY, Silence.JUMP, Silence.WARMUP, Silence.FEE, Silence.RULES)
"""Gates that can change only when a bar closes or the universe does."""


def silences(
    panel: Panel,
    limits: Thresholds,
    *,
    horizon: Ints,
    exempt: Collection[Silence] = (),
) -> NDArray[np.int8]:
    """The code of the first gate that shuts each market, 0 where all are open.

    `horizon` is how long each market would be held, in ms.
    """
    codes = np.zeros(len(panel.tick.universe), dtype=np.int8)
    for reason in reversed(list(GATES)):
        if reason not in exempt:
            codes[_shut(reason, panel, limits, horizon)] = silence_code(reason)
    return codes


def ending(panel: Panel, limits: Thresholds) -> Flags:
    """Where holders leave whatever the price: the market's last day, or its rules became unclear.

    How long they meant to hold does not matter here: a plan's own time stop covers that.
    """
    at_once = np.zeros(len(panel.tick.universe), dtype=np.int64)
    return expiry(panel, limits, at_once) | rules(panel, limits, at_once)


def warming(panel: Panel, limits: Thresholds, column: int) -> str:
    """What WARMUP still waits for, for people."""
    shown, need = panel.features, limits.bars_least
    have, gaps = int(shown.bars[column]), int(shown.gaps[column])
    imported = int(shown.imported[column])
    told = f"have {have} ({imported} imported)" if imported else f"have {have}"
    if gaps > limits.gaps_most * (have + gaps):
        share, most = gaps / (have + gaps), limits.gaps_most
        return f"{told} / need {need} bars; {share:.0%} missing, at most {most:.0%}"
    if have >= need and not shown.valid[column]:
        return f"{told} / need {need} bars, none seen in the last 15 minutes"
    ready = shown.at + max(0, need - have) * BAR_MS
    when = datetime.fromtimestamp(ready / 1000, UTC)
    return f"{told} / need {need} bars / ready at {when:%Y-%m-%d %H:%M} UTC"


def restarting(at: int) -> bool:
    """Whether an instant (ms UTC) lies in the exchange's weekly restart."""
    since = (datetime.fromtimestamp(at / 1000, UTC)).astimezone(NEW_YORK)
    start = since.replace(hour=7, minute=0, second=0, microsecond=0)
    return since.weekday() == 1 and 0 <= (since - start).total_seconds() * 1000 < RESTART_MS


def _shut(reason: Silence, panel: Panel, limits: Thresholds, horizon: Ints) -> Flags:
    """Columns a gate shuts; rules with the same numbers share them, but for the horizon's gate."""
    if reason is Silence.EXPIRY:
        return GATES[reason](panel, limits, horizon)
    shared = panel.once if reason in OF_BARS else panel.once_a_tick
    return shared((reason, limits), lambda: GATES[reason](panel, limits, horizon))


def _terms(panel: Panel) -> Terms:
    return _read_terms(panel.tick.universe)


@lru_cache(maxsize=4)
def _read_terms(universe: Universe) -> Terms:
    """Read once: a universe and its markets never change, and its hash is its identity."""
    markets, never = universe.markets, np.iinfo(np.int64).max
    return Terms(
        ending=np.array([m.terms.status in ENDING for m in markets], dtype=np.bool_),
        halted=np.array([m.terms.status is Status.HALTED for m in markets], dtype=np.bool_),
        unclear=np.array([unclear(m) for m in markets], dtype=np.bool_),
        live_from=np.array([m.game_start_at or never for m in markets], dtype=np.int64),
    )


def unclear(market: Market) -> bool:
    """Whether the payout hangs on rules a machine should not guess.

    The placeholder and "Other" outcomes of an augmented event change meaning while they trade.
    """
    words = {word.strip("?!.,\"'").lower() for word in market.question.split()}
    unnamed = market.event.augmented and bool({"other", "another"} & words)
    return unnamed or bool({"ambiguous", "neg_risk_other"} & set(market.tags))
