"""A backtest: recorded ticks through the very turn that the desk takes, and its sums kept."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from execution.core import desk as desks
from execution.core import portfolio
from execution.core.controls import Controls
from execution.core.desk import ACCOUNTS, Desk, Teach, Turn
from execution.core.engine import Setting
from execution.core.ports import Venue
from execution.core.types import Change, Equity, Fact, Fill, Halt, Portfolio, Refusal, Suspension
from markets.core.panel import Panel
from markets.core.tick import Tick, Universe
from strategies.core.journal import Journal
from strategies.core.ports import Strategy

CONFIRMED_MS = 60_000
"""A book read this long before its tick, or later, counts as confirmed there."""


def opened(
    strategies: Sequence[Strategy],
    *,
    capital: int,
    control: Controls,
    venues: Mapping[str, Venue],
    setting: Setting,
    panel: Panel | None = None,
    learnt: Mapping[str, str] | None = None,
    teach: Teach | None = None,
) -> Desk:
    """A desk with fresh accounts of `capital` micro-dollars, its panel as warm as the one given.

    The strategies were told what is `learnt`, and `teach` tells them more.
    """
    fresh: dict[str, Portfolio] = {
        name: portfolio.deposit(Portfolio(name), capital, 0, "opening")[0] for name in ACCOUNTS
    }
    return Desk(
        panel=panel or Panel(),
        journal=Journal(),
        portfolios=fresh,
        control=control,
        strategies=strategies,
        venues=venues,
        setting=setting,
        learnt=learnt or {},
        teach=teach,
    )


def run(
    ticks: Iterable[Tick],
    desk: Desk,
    *,
    changes: Mapping[int, Sequence[Change]] | None = None,
    lapsed: Collection[int] = (),
) -> Iterator[Turn]:
    """Take the desk through the ticks, one at a time; nothing of a turn is kept here.

    `changes` and `lapsed` are what a recorded session was handed, by tick id: with them the same
    ticks give the same facts.
    """
    decided = changes or {}
    for tick in ticks:
        changed = decided.get(tick.id, ())
        yield desks.turn(desk, tick, changes=changed, lapsed=tick.id in lapsed)


@dataclass(slots=True)
class Data:
    """What a run was fed: its span (ms UTC), and how much of it was confirmed.

    `confirmed` of `seen` market-ticks had a book at most CONFIRMED_MS old; `bare` ticks hold
    touches only, on which nothing can fill; `pause` is the longest time between two ticks (ms) and
    `paused_at` when it began.
    """

    ticks: int = 0
    first: int = 0
    last: int = 0
    seen: int = 0
    confirmed: int = 0
    bare: int = 0
    pause: int = 0
    paused_at: int = 0
    lapsed: int = 0
    markets: set[str] = field(default_factory=set)

    def add(self, tick: Tick) -> None:
        """Count a tick."""
        if self.ticks and tick.at - self.last > self.pause:
            self.pause, self.paused_at = tick.at - self.last, self.last
        self.first = self.first if self.ticks else tick.at
        self.last = tick.at
        self.ticks += 1
        self.seen += len(tick.universe)
        self.confirmed += int((tick.at - tick.observed_at <= CONFIRMED_MS).sum())
        self.bare += not any(tick.depth)


@dataclass(slots=True)
class Result:
    """What one strategy came to in one account, money in micro-dollars; `events` is its P&L by
    event, holdings at what they would fetch included once `close` was called."""

    trades: int = 0
    fees: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    held: int = 0

    @property
    def pnl(self) -> int:
        """Everything realized, and what is held at what it would fetch, micro-dollars."""
        return sum(self.events.values())


@dataclass(slots=True)
class Voice:
    """What one strategy said: markets looked at, signals opened, silences by reason."""

    looks: int = 0
    signals: int = 0
    silent: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """The running sums of a run: turns are added, none is kept.

    `notes` are halts and rules that switched a strategy off, (ms UTC, sentence); `falls` the
    deepest drawdown of each account, micro.
    """

    data: Data = field(default_factory=Data)
    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    voices: dict[str, Voice] = field(default_factory=dict)
    falls: Counter[str] = field(default_factory=Counter)
    notes: list[tuple[int, str]] = field(default_factory=list)
    _events: dict[str, str] = field(default_factory=dict)
    _universe: Universe | None = None

    def add(self, turn: Turn) -> None:
        """Count one turn."""
        self.data.add(turn.tick)
        self._learn(turn.tick.universe)
        for count in turn.page.counts:
            voice = self.voices.setdefault(count.strategy, Voice())
            voice.looks += count.seen
            voice.silent.update(dict(count.silent))
        for bet in turn.page.opened:
            self.voices.setdefault(bet.strategy, Voice()).signals += 1
        for quoted in turn.page.quoted:
            self.voices.setdefault(quoted.quote.strategy, Voice()).signals += 1
        for fact in turn.facts:
            self._count(fact)

    def close(self, portfolios: Mapping[str, Portfolio]) -> None:
        """Count what is still held, at what it would fetch at the last tick."""
        for account, held in portfolios.items():
            for position in held.positions.values():
                result = self.result(account, position.strategy)
                event = self._events.get(position.market, position.market)
                result.events[event] += position.value - position.cost
                result.held += 1

    def result(self, account: str, strategy: str) -> Result:
        """What a strategy came to in an account."""
        return self.results.setdefault((account, strategy), Result())

    def _learn(self, universe: Universe) -> None:
        if universe is self._universe:
            return
        self._universe = universe
        self.data.markets.update(universe.column)
        self._events |= {market.id: market.event.id or market.id for market in universe.markets}

    def _count(self, fact: Fact) -> None:
        match fact:
            case Fill():
                result = self.result(fact.account, fact.strategy)
                result.trades += 1
                result.fees += fact.fee
                result.events[self._events.get(fact.market, fact.market)] += fact.realized_pnl
            case Refusal():
                self.result(fact.account, fact.strategy).refused[str(fact.code)] += 1
            case Equity():
                self.falls[fact.account] = max(self.falls[fact.account], fact.drawdown)
            case Halt():
                said = f"{fact.account} account halted {fact.scope}: {fact.reason}"
                self.notes.append((fact.at, said))
            case Suspension():
                self.notes.append((fact.at, f"{fact.strategy} switched off: {fact.reason}"))
