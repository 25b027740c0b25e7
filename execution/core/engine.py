"""`step`: one account through one tick. Paper, backtest and live all run this function.

Order within a tick: people's changes, resolutions, arrivals and fills, marks and breakers, exits,
entries by (strategy, market, token).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from execution.core import (
    arrivals,
    breakers,
    controls,
    decisions,
    entries,
    exits,
    marks,
    risk,
    settlement,
)
from execution.core.controls import Controls
from execution.core.ports import Venue
from execution.core.sizing import Sizing
from execution.core.types import Change, Equity, Fact, Portfolio
from markets.core.tick import Tick
from strategies.core.types import Opinion, Signal

BAR_MS = 300_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from tick to tick: sizing and the zone of the trading day."""

    sizing: Sizing
    zone: tzinfo


def step(
    account: Portfolio,
    tick: Tick,
    signals: Sequence[Signal],
    opinions: Mapping[str, Opinion],
    *,
    control: Controls,
    venue: Venue,
    setting: Setting,
    changes: Iterable[Change] = (),
    lapsed: bool = False,
) -> tuple[Portfolio, list[Fact]]:
    """The account after one tick, and everything that happened to it as facts, in order.

    `control` already holds what `changes` decided; of the changes only money and resumes are
    applied here. A lapsed tick fills, settles and marks, but makes no order.
    """
    facts: list[Fact] = []
    account = replace(account, placed=risk.recent(account.placed, tick.at))
    for change in changes:
        account, news = decisions.apply(account, change, tick)
        facts += news
    account, news = settlement.advance(account, tick)
    facts += news
    account, news = arrivals.meet(account, tick, control, venue)
    facts += news
    account, halt = breakers.judge(marks.mark(account, tick), control.limits, tick.at, setting.zone)
    if halt:
        facts.append(halt)
        control = controls.latch(control, halt.scope, halt.reason)
        account, news = arrivals.cancel_halted(account, control, tick.at)
        facts += news
    if not lapsed:
        account, news = exits.leave(account, tick, opinions, control=control, venue=venue)
        facts += news
    account, news = entries.enter(
        account, tick, signals, control=control, venue=venue, sizing=setting.sizing, lapsed=lapsed
    )
    facts += news
    return _record_equity(account, tick, facts)


def _record_equity(
    account: Portfolio, tick: Tick, facts: list[Fact]
) -> tuple[Portfolio, list[Fact]]:
    """One equity fact a bar, and one for every tick in which something was booked."""
    bar = tick.at // BAR_MS
    if bar == account.equity_bar and not facts:
        return account, facts
    account = replace(account, equity_bar=bar)
    equity = Equity(
        account.account, tick.at, account.cash, account.reserved, account.equity, account.drawdown
    )
    return account, [*facts, equity]
