"""Why there was a trade in a market at some time, or none: one answer for command and API."""

from collections.abc import Mapping
from dataclasses import dataclass

from execution.selectors import control, fates
from execution.selectors.fates import Fate
from markets.selectors import catalogue, naming, ticks
from strategies.selectors import moments
from strategies.selectors.journal import SignalLine, SilenceLine
from strategies.selectors.moments import Moment

SILENT, SIGNALLED, UNSEEN = "silent", "signalled", "unseen"


class NothingKnown(LookupError):
    """No tick is kept from that time; the text says so."""


@dataclass(frozen=True, slots=True)
class SignalWhy:
    """An open signal and what had become of it."""

    signal: SignalLine
    fate: Fate


@dataclass(frozen=True, slots=True)
class StrategyWhy:
    """One strategy: its switch and halt as they are now, and what it thought then."""

    name: str
    state: str
    switch: str
    switch_reason: str
    halted: str
    halt_reason: str
    evaluated_at: int | None
    error: str
    inputs: str
    silence: SilenceLine | None
    signals: tuple[SignalWhy, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """One market at one tick (`tick`, `at` ms UTC), and what each strategy made of it."""

    market: str
    slug: str
    question: str
    market_state: str
    tick: int
    at: int
    strategies: tuple[StrategyWhy, ...]


def why(text: str, *, at: int, strategy: str = "") -> Why:
    """The answer as of the newest tick not later than `at` (ms UTC) that the desk has done.

    Raises `naming.Unclear` where no one market is meant, NothingKnown before the first tick kept.
    """
    meant = naming.meant(text)
    done = next((stage.position for stage in catalogue.stages() if stage.name == "desk"), 0)
    found = ticks.tick_before(at, done)
    if found is None:
        raise NothingKnown("No tick from that time or before it is kept in the database.")
    tick, instant = found
    then = moments.moments(meant.id, tick=tick)
    ids = [line.id for moment in then.values() for line in moment.signals]
    became = fates.fates(ids, until=instant)
    names = [switch for switch in control.switches() if strategy in ("", switch.name)]
    named = catalogue.names([meant.id])[meant.id]
    return Why(
        meant.id, meant.slug, meant.question, named.state, tick, instant,
        tuple(_strategy(switch, then.get(switch.name), became, meant.id) for switch in names),
    )  # fmt: skip


def _strategy(
    switch: control.Switch, moment: Moment | None, became: Mapping[str, Fate], market: str
) -> StrategyWhy:
    scopes = ("all", f"strategy:{switch.name}", f"market:{market}")
    halts = {halt.scope: halt.reason for halt in control.halts()}
    halted = next((scope for scope in scopes if scope in halts), "")
    moment = moment or Moment(switch.name, None, ())
    signals = tuple(SignalWhy(line, became[line.id]) for line in moment.signals)
    return StrategyWhy(
        name=switch.name,
        state=SIGNALLED if signals else SILENT if moment.silence else UNSEEN,
        switch=switch.state,
        switch_reason=switch.reason,
        halted=halted,
        halt_reason=halts.get(halted, ""),
        evaluated_at=moment.evaluated_at,
        error=moment.error,
        inputs=moment.inputs,
        silence=moment.silence,
        signals=signals,
    )
