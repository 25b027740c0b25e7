"""The desk's state rebuilt from rows: what a start, a crash or an overtaken batch goes on from."""

import logging
from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError

from execution.core import state
from execution.core.controls import ALL, Controls, is_scope
from execution.core.desk import Desk
from execution.models import Account, HaltState, LimitState, StrategyState
from execution.services import changes, configured
from markets.core.panel import Panel
from markets.selectors import ticks
from strategies.services import journal

log = logging.getLogger("pqap.desk")


class NotOpened(Exception):
    """The accounts do not exist yet; `runpqap` opens them."""


def restore(position: int) -> Desk:
    """The desk as it stood after the tick at `position`."""
    accounts = {row.name: state.load(row.state) for row in Account.objects.all()}
    if not accounts:
        raise NotOpened("the accounts are not open yet: start with runpqap")
    seen, known = ticks.window(position), changes.in_force(position)
    return Desk(
        panel=Panel.rebuild(seen.bars, seen.ticks, seen.past),
        journal=journal.restore_journal(),
        portfolios=accounts,
        control=control(),
        strategies=configured.strategies(known),
        venues=configured.venues(),
        setting=configured.setting(),
        learnt=known,
        teach=configured.strategies,
    )


def control() -> Controls:
    """Switches, limits, halts and suspensions in force: effective = override or configuration.

    What cannot be read counts as killed: then everything is halted, and the reason says so.
    """
    fresh = Controls.of(configured.enabled(), settings.PQAP.risk_limits)
    try:
        return _overridden(fresh)
    except (DatabaseError, TypeError, ValueError) as fault:
        reason = f"the kill switch's state cannot be read: {fault}"
        log.critical("Kill switch latched for all: %s", reason)
        return replace(fresh, halts={ALL: reason}, unreadable=reason)


def _overridden(fresh: Controls) -> Controls:
    enabled = set(fresh.enabled)
    for row in StrategyState.objects.exclude(override=None):
        (enabled.add if row.override else enabled.discard)(row.name)
    limits = dict(LimitState.objects.exclude(override=None).values_list("name", "override"))
    halts = dict(HaltState.objects.values_list("scope", "reason"))
    odd = [scope for scope in halts if not is_scope(scope)]
    if odd:
        raise ValueError(f"{odd[0]!r} is no scope")
    return replace(
        fresh,
        enabled=frozenset(enabled),
        limits=replace(fresh.limits, **limits),
        halts=halts,
        suspended=dict(
            StrategyState.objects.exclude(suspended="").values_list("name", "suspended")
        ),
    )
