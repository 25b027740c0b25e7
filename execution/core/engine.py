"""`step`: one account through one tick. Paper, backtest and live all run this function.

Order within a tick: people's changes, rebates of the day before, resolutions, operations that are
due, arrivals and fills, what they say of each strategy, marks and breakers, baskets in the making,
exits, quotes, then baskets and bets by (strategy, market, token), pairs to merge, debts to repay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from execution.core import (
    arrivals,
    baskets,
    breakers,
    controls,
    corrections,
    decisions,
    entries,
    exits,
    legging,
    marks,
    operations,
    quoting,
    rebates,
    risk,
    settlement,
    shadows,
    trials,
)
from execution.core.controls import Controls
from execution.core.ports import Venue
from execution.core.sizing import Sizing
from execution.core.types import Change, Equity, Fact, Portfolio
from markets.core.frozen import replace
from markets.core.tick import Tick
from strategies.core.types import Basket, Bet, Opinion, Quote, Signal

BAR_MS = 300_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from tick to tick.

    Sizing, the zone of the trading day, whether maker rebates are paid out, and how long after
    its outcome a holding becomes cash (`redeem_ms`).
    """

    sizing: Sizing
    zone: tzinfo
    rebates: bool = False
    redeem_ms: int = 900_000


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
    before = account
    account, news = rebates.pay(account, tick.at, paid=setting.rebates)
    facts += news
    account, news = settlement.advance(account, tick, setting.redeem_ms)
    facts += news
    account, news = operations.complete(account, tick)
    facts += news
    account, met = arrivals.meet(account, tick, control, venue)
    account = rebates.accrue(account, met)
    facts += met
    account, ended = trials.learn(before, account, facts, at=tick.at, control=control)
    for suspension in ended:
        control = controls.suspend(control, suspension)
    facts += ended
    account = shadows.follow(account, tick, signals, opinions, control=control, lapsed=lapsed)
    account, halt = breakers.judge(marks.mark(account, tick), control.limits, tick.at, setting.zone)
    if halt:
        facts.append(halt)
        control = controls.latch(control, halt.scope, halt.reason)
        account, news = arrivals.cancel_halted(account, control, tick.at)
        facts += news
    account, news = legging.tend(account, tick, facts, control=control, venue=venue, lapsed=lapsed)
    facts += news
    quotes = [signal for signal in signals if isinstance(signal, Quote)]
    if not lapsed:
        account, news = exits.leave(account, tick, opinions, control=control, venue=venue)
        facts += news
        account, news = quoting.stand(account, tick, quotes, control=control, venue=venue)
        facts += news
    account, news = _open(account, tick, signals, control, venue, setting, lapsed)
    facts += news
    account, news = operations.merge_pairs(account, tick, quoting.kept_sets(quotes))
    facts += news
    account, news = corrections.repay(account, tick.at)
    return _record_equity(account, tick, facts + news)


def _open(
    account: Portfolio,
    tick: Tick,
    signals: Sequence[Signal],
    control: Controls,
    venue: Venue,
    setting: Setting,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """Bets and baskets that are open, baskets first: their legs must find the same books."""
    account = _remembering(account, signals)
    baskets_ = [signal for signal in signals if isinstance(signal, Basket)]
    account, facts = baskets.enter(
        account, tick, baskets_, control=control, venue=venue, sizing=setting.sizing, lapsed=lapsed
    )
    bets = [signal for signal in signals if isinstance(signal, Bet)]
    account, news = entries.enter(
        account, tick, bets, control=control, venue=venue, sizing=setting.sizing, lapsed=lapsed
    )
    return account, facts + news


def _remembering(account: Portfolio, signals: Sequence[Signal]) -> Portfolio:
    """The account without what was said of signals that are no longer open."""
    keys = set()
    for signal in signals:
        if isinstance(signal, Quote):
            keys |= {key for key in account.said if key[0] == signal.strategy}
        else:
            legs = signal.legs if isinstance(signal, Basket) else (signal,)
            keys |= {(leg.strategy, leg.token) for leg in legs}
    return replace(account, said={k: words for k, words in account.said.items() if k in keys})


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
