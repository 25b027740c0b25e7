"""A small world for the desk: collected ticks, open accounts, a strategy that trades often."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.utils import timezone

from execution.core.types import ChangeKind
from execution.services import changes, desk, opening
from markets.services import collect, universe
from markets.sources.synthetic import SyntheticSource
from strategies.library import REGISTRY
from tests.flows import taker

START = 1_767_225_600_000


@contextmanager
def trading(settings: Any, ticks: int = 30, spacing: int = 10_000) -> Iterator[None]:
    """Collected ticks, open accounts, and the taker enabled; nothing decided yet."""
    taker.register()
    settings.PQAP = replace(
        settings.PQAP,
        enabled_strategies=("taker",),
        strategies={**settings.PQAP.strategies, "taker": taker.Params()},
    )
    opening.open_accounts(START)
    source = SyntheticSource(seed=1)
    universe.sync_markets(source, START)
    collect.collect_many(source, [START + spacing * n for n in range(ticks)])
    yield
    REGISTRY.pop("taker", None)


def go(batch: int = 10) -> int:
    """Take the desk through the next ticks, however late."""
    return desk.advance(now=timezone.now(), late_allowed=True, batch=batch)


def decide(kind: ChangeKind, scope: str = "", value: str = "") -> int:
    """A person's decision."""
    return changes.record(kind=kind, scope=scope, value=value, who="ann", why="a test")
