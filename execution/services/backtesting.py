"""A backtest put together: ticks from the database or a file, the configured rules, fresh books."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from execution.core import backtest
from execution.core.backtest import Tally
from execution.core.controls import Controls
from execution.core.desk import Desk
from execution.core.types import Change, Portfolio
from execution.selectors import lapses
from execution.services import changes, configured
from markets.core.panel import Panel
from markets.core.tick import Tick
from markets.core.window import WEEK
from markets.selectors import spans, warmth
from markets.selectors.ticks import WEEK_MS
from markets.sources.recording import Recording
from strategies.core.ports import Strategy
from strategies.library import REGISTRY
from strategies.selectors import learnt

READS = re.compile(r"\s*(SELECT|WITH|EXPLAIN)\b", re.IGNORECASE)
ENDLESS = 1 << 62


class Impossible(Exception):
    """A backtest that cannot be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to run over: ticks with `since` <= at < `until` (ms UTC) of the database or a `file`.

    `strategies` are those that trade, whatever the configuration says of them; none named means
    those it enables. `decisions` also applies what people decided in the recorded session.
    """

    since: int = 0
    until: int = ENDLESS
    file: Path | None = None
    strategies: tuple[str, ...] = ()
    decisions: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The sums of a run, the accounts at its end, and how many bars were there before it."""

    tally: Tally
    portfolios: Mapping[str, Portfolio]
    bars: int
    traded: frozenset[str]


def run(asked: Asked, told: Callable[[Tick], None] = lambda _: None) -> Done:
    """Run it; `told` hears each tick. Raises Impossible, and NotARecording for a damaged file.

    The database is only read: any statement that would change something raises.
    """
    traded = _chosen(asked.strategies)
    with _reading(asked):
        panel, ticks = _data(asked)
        desk, bars = _desk(asked, traded, panel), _bars(panel)
        tally = Tally()
        late = lapses.lapsed() if asked.file is None else frozenset()
        decided = _decided(asked)
        for turn in backtest.run(ticks, desk, changes=decided, lapsed=late):
            tally.add(turn)
            tally.data.lapsed += turn.tick.id in late
            told(turn.tick)
    if not tally.data.ticks:
        raise Impossible("There are no ticks in this span.")
    tally.close(desk.portfolios)
    return Done(tally, desk.portfolios, bars, traded)


def _chosen(names: Sequence[str]) -> frozenset[str]:
    """The names of the strategies that may trade."""
    if not names:
        return configured.enabled()
    for name in names:
        state, reason = configured.states().get(name, ("", ""))
        if not state:
            raise Impossible(f"No strategy is named '{name}'; there are {', '.join(REGISTRY)}.")
        if state in ("unavailable", "invalid"):
            raise Impossible(f"{name} is {state}: {reason}.")
    return frozenset(names)


def _rules(names: Sequence[str], digests: Mapping[str, str]) -> Sequence[Strategy]:
    """The rules to ask, told what is known: those named, or all."""
    return [rule for rule in configured.strategies(digests) if not names or rule.name in names]


def _desk(asked: Asked, traded: frozenset[str], panel: Panel) -> Desk:
    """Its rules know what was fitted by the beginning: later knowledge has seen what follows."""
    known = learnt.known_by(asked.since) if asked.file is None else {}
    teach = partial(_rules, asked.strategies)
    return backtest.opened(
        teach(known),
        capital=settings.PQAP.initial_capital,
        control=Controls.of(traded, settings.PQAP.risk_limits),
        venues=configured.venues(),
        setting=configured.setting(),
        panel=panel,
        learnt=known,
        teach=teach,
    )


def _data(asked: Asked) -> tuple[Panel, Iterator[Tick]]:
    """The panel as warm as what lies before the span makes it, and the ticks of the span."""
    if asked.file is None:
        panel = warmth.panel_before(asked.since)
        return panel, spans.ticks_between(asked.since, asked.until)
    recording, panel = Recording(asked.file), Panel()
    for tick in recording.between(asked.since - WEEK_MS, asked.since, depth=False):
        panel.skip(tick)
    return panel, recording.between(asked.since, asked.until)


def _decided(asked: Asked) -> Mapping[int, Sequence[Change]]:
    return changes.applied() if asked.decisions and asked.file is None else {}


def _bars(panel: Panel) -> int:
    """Five-minute bars known of any market before the first tick."""
    if not panel.started:
        return 0
    rows = panel.window.rows(panel.tick.universe)
    return int(panel.window.valid(rows, WEEK).any(axis=0).sum())


def _reading(asked: Asked) -> AbstractContextManager[Any]:
    """A file needs no database; where there is one it must stay as it is."""
    return connection.execute_wrapper(_only_read) if asked.file is None else nullcontext()


def _only_read(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if not READS.match(sql):
        raise Impossible(f"A backtest only reads, and this is no reading: {sql[:80]}")
    return execute(sql, params, many, context)
