"""What is worth writing down of a tick's opinions: signals and silences when they change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from markets.core.tick import Tick, Universe
from strategies.core.quotes import Quoted, quoted
from strategies.core.types import SILENCES, Basket, Bet, Opinion, Quote, Signal, Silence, bet_id

Key = tuple[str, str]
"""(strategy, token) of a bet, (strategy, market) of a quote or a silence."""


@dataclass(frozen=True, slots=True)
class Run:
    """A strategy silent about one market for one reason since a tick."""

    strategy: str
    market: str
    reason: str
    detail: str
    from_tick: int
    from_at: int


EVALUATED = (Silence.REGIME, Silence.NO_SIGNAL, Silence.EDGE)
"""Silences of a market that passed every gate: the rule looked at it and found nothing."""


@dataclass(frozen=True, slots=True)
class Count:
    """One strategy's tick in numbers; `inputs` digests what it was told beyond the panel."""

    strategy: str
    version: str
    seen: int
    signalled: int
    silent: tuple[tuple[str, int], ...]
    error: str = ""
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class Came:
    """What a strategy's signals came to in one tick of the base account.

    `refused` counts refusals by code, `sized_to_zero` signals of which nothing was left to order;
    `ordered` are orders made to open or to quote, `filled` orders of any kind that filled.
    """

    refused: tuple[tuple[str, int], ...] = ()
    sized_to_zero: int = 0
    ordered: int = 0
    filled: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What one tick adds to the journal; `standing` are all signals open after it.

    `opened` are bets and `quoted` quotes that are new or have new prices, `closed` ids of both.
    """

    opened: tuple[Bet, ...]
    quoted: tuple[Quoted, ...]
    closed: tuple[str, ...]
    started: tuple[Run, ...]
    ended: tuple[Run, ...]
    counts: tuple[Count, ...]
    standing: tuple[Signal, ...]


@dataclass(slots=True)
class Journal:
    """The open signals and silence runs, so that only what changes is written."""

    bets: dict[Key, Bet] = field(default_factory=dict)
    runs: dict[Key, Run] = field(default_factory=dict)
    quotes: dict[Key, Quoted] = field(default_factory=dict)
    _codes: dict[str, NDArray[np.int8]] = field(default_factory=dict)
    _universe: Universe | None = None

    def write(self, tick: Tick, opinions: Sequence[Opinion]) -> Page:
        """Turn one tick's opinions into the page to store."""
        ended = self._follow(tick.universe)
        started: list[Run] = []
        for opinion in opinions:
            ended += self._silences(tick, opinion, started)
        opened, closed = self._signals(opinions)
        stated, withdrawn = self._quotes(opinions, tick)
        counts = tuple(_count(opinion) for opinion in opinions)
        standing = tuple(self._standing(opinions))
        closed += withdrawn
        return Page(opened, stated, closed, tuple(started), tuple(ended), counts, standing)

    def _follow(self, universe: Universe) -> list[Run]:
        """Line the silence columns up with a new universe; runs of markets that left end."""
        if universe is self._universe:
            return []
        gone = [key for key in self.runs if key[1] not in universe.column]
        ended = [self.runs.pop(key) for key in gone]
        self._universe, self._codes = universe, {}
        return ended

    def _codes_of(self, strategy: str, universe: Universe) -> NDArray[np.int8]:
        if strategy not in self._codes:
            names = [reason.value for reason in SILENCES]
            found = [self.runs.get((strategy, market.id)) for market in universe.markets]
            codes = [names.index(run.reason) + 1 if run else 0 for run in found]
            self._codes[strategy] = np.array(codes, dtype=np.int8)
        return self._codes[strategy]

    def _silences(self, tick: Tick, opinion: Opinion, started: list[Run]) -> list[Run]:
        before = self._codes_of(opinion.strategy, tick.universe)
        ended = []
        for column in np.flatnonzero(before != opinion.silence).tolist():
            key = (opinion.strategy, tick.universe.markets[column].id)
            if key in self.runs:
                ended.append(self.runs.pop(key))
            code = int(opinion.silence[column])
            if code:
                detail = opinion.detail.get(column, "")
                run = Run(*key, SILENCES[code - 1].value, detail, tick.id, tick.at)
                self.runs[key] = run
                started.append(run)
        self._codes[opinion.strategy] = opinion.silence
        return ended

    def _signals(self, opinions: Sequence[Opinion]) -> tuple[tuple[Bet, ...], tuple[str, ...]]:
        now = {(bet.strategy, bet.token): bet for bet in _bets(opinions)}
        opened, closed = [], []
        for key, bet in self.bets.items():
            if key not in now or now[key].limit != bet.limit:
                closed.append(bet_id(bet))
        for key, bet in now.items():
            standing = self.bets.get(key)
            if standing is None or standing.limit != bet.limit:
                opened.append(bet)
        kept = {key: self.bets[key] for key in now if key in self.bets}
        fresh = {(bet.strategy, bet.token): bet for bet in opened}
        self.bets = {**kept, **fresh}
        return tuple(opened), tuple(closed)

    def _quotes(
        self, opinions: Sequence[Opinion], tick: Tick
    ) -> tuple[tuple[Quoted, ...], tuple[str, ...]]:
        """Quotes that are new or moved on the grid, and the ids of those that stand no more.

        They are dated here: a rule may state one it has stated before, and that is another signal.
        """
        opened, now = [], dict[Key, Quoted]()
        for quote in _stated(opinions):
            key = (quote.strategy, quote.market)
            found = quoted(quote, _grid(tick.universe, quote.market))
            known = self.quotes.get(key)
            if known is None or (known.bid, known.ask) != (found.bid, found.ask):
                known = replace(found, quote=replace(quote, at=tick.at))
                opened.append(known)
            now[key] = known
        closed = tuple(was.id for key, was in self.quotes.items() if now.get(key) is not was)
        self.quotes = now
        return tuple(opened), closed

    def _standing(self, opinions: Sequence[Opinion]) -> Iterator[Signal]:
        """The open signals as first stated; a basket's legs only as the basket.

        A quote is the one of this tick, dated when its prices were first stated.
        """
        in_baskets = {
            (leg.strategy, leg.token)
            for opinion in opinions
            for signal in opinion.signals
            if isinstance(signal, Basket)
            for leg in signal.legs
        }
        yield from (bet for key, bet in sorted(self.bets.items()) if key not in in_baskets)
        for opinion in opinions:
            for signal in opinion.signals:
                if isinstance(signal, Basket):
                    legs = tuple(self.bets[leg.strategy, leg.token] for leg in signal.legs)
                    yield replace(signal, at=legs[0].at, legs=legs)
                elif isinstance(signal, Quote):
                    known = self.quotes[signal.strategy, signal.market]
                    yield replace(signal, at=known.quote.at)


def _stated(opinions: Sequence[Opinion]) -> Iterator[Quote]:
    """The quotes of a tick; of two on one market the last counts, as it does for the desk."""
    found = {
        (signal.strategy, signal.market): signal
        for opinion in opinions
        for signal in opinion.signals
        if isinstance(signal, Quote)
    }
    yield from found.values()


def _grid(universe: Universe, market: str) -> int:
    return universe.markets[universe.column[market]].terms.tick_size


def _bets(opinions: Sequence[Opinion]) -> Iterator[Bet]:
    for opinion in opinions:
        for signal in opinion.signals:
            if isinstance(signal, Bet):
                yield signal
            elif isinstance(signal, Basket):
                yield from signal.legs


def _count(opinion: Opinion) -> Count:
    signalled, *numbers = np.bincount(opinion.silence, minlength=1).tolist()
    named = zip(SILENCES, numbers, strict=False)
    silent = tuple((reason.value, number) for reason, number in named if number)
    error = _error(opinion.detail) if any(name == "ERROR" for name, _ in silent) else ""
    return Count(
        opinion.strategy, opinion.version, len(opinion.silence), signalled, silent, error,
        opinion.inputs,
    )  # fmt: skip


def _error(detail: Mapping[int, str]) -> str:
    return next(iter(detail.values()), "")
