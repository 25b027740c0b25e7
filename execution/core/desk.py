"""`turn`: one tick through opinions and all accounts, in the desk stage and in a replay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from execution.core import controls, engine
from execution.core.controls import Controls
from execution.core.engine import Setting
from execution.core.ports import Venue
from execution.core.types import (
    AccountName,
    Change,
    ChangeKind,
    Fact,
    Halt,
    Portfolio,
    Suspension,
)
from markets.core.panel import Panel
from markets.core.tick import Tick
from strategies.core.evaluate import evaluate
from strategies.core.journal import Journal, Page
from strategies.core.ports import Strategy

ACCOUNTS = (AccountName.BASE, AccountName.OPTIMISTIC, AccountName.PESSIMISTIC)


Teach = Callable[[Mapping[str, str]], Sequence[Strategy]]
"""The rules as they are once told what each kind of knowledge is now, by its digest."""


@dataclass(slots=True)
class Desk:
    """Everything that carries over from tick to tick, and what stays the same.

    `learnt` is the digest of each kind of knowledge the strategies were told, `teach` makes them
    anew; without it they stay as they are.
    """

    panel: Panel
    journal: Journal
    portfolios: dict[str, Portfolio]
    control: Controls
    strategies: Sequence[Strategy]
    venues: Mapping[str, Venue]
    setting: Setting
    learnt: Mapping[str, str] = field(default_factory=dict)
    teach: Teach | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one tick led to: the journal's page, then every account's facts in account order."""

    tick: Tick
    page: Page
    facts: tuple[Fact, ...]


def turn(desk: Desk, tick: Tick, *, changes: Sequence[Change] = (), lapsed: bool = False) -> Turn:
    """Advance the desk by one tick: panel, opinions, then one `step` for each account.

    A drawdown halt or a suspension of the base account stops the others from the next tick on.
    """
    _learn(desk, changes)
    desk.panel.advance(tick)
    opinions = evaluate(desk.strategies, desk.panel)
    page = desk.journal.write(tick, opinions)
    for change in changes:
        desk.control = controls.apply(desk.control, change)
    facts: list[Fact] = []
    for name in ACCOUNTS:
        desk.portfolios[name], news = engine.step(
            desk.portfolios[name],
            tick,
            page.standing,
            {opinion.strategy: opinion for opinion in opinions},
            control=desk.control,
            venue=desk.venues[name],
            setting=desk.setting,
            changes=changes,
            lapsed=lapsed,
        )
        facts += news
    for fact in facts:
        if isinstance(fact, Halt):
            desk.control = controls.latch(desk.control, fact.scope, fact.reason)
        elif isinstance(fact, Suspension):
            desk.control = controls.suspend(desk.control, fact)
    return Turn(tick, page, tuple(facts))


def _learn(desk: Desk, changes: Sequence[Change]) -> None:
    """Tell the strategies what was learnt, before they are asked."""
    news = {each.scope: each.value for each in changes if each.kind is ChangeKind.LEARNT}
    if news and desk.teach:
        desk.learnt = {**desk.learnt, **news}
        desk.strategies = desk.teach(desk.learnt)
