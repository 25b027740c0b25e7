"""Noting what a process has seen of the exchange's doors: at news, else twice a minute."""

import logging
from collections.abc import Iterable

from django.db import DatabaseError

from markets.services import feeds
from markets.sources.doors import Door

log = logging.getLogger(__name__)

EVERY_MS = 30_000

_noted: dict[str, tuple[int, Door]] = {}
"""When each door was noted last, and how it stood then."""


def note(doors: Iterable[Door], at: int) -> None:
    """Store the doors that have news at `at` (ms UTC): another state, another pause, or requests
    since half a minute ago. Totals are added, so every process may note the same door.

    A database that fails here costs a report, not the cycle: the news is kept for the next one.
    """
    for door in doors:
        if not _has_news(door, at):
            continue
        before = _counted_before(door)
        try:
            feeds.note(
                door.name,
                door.state,
                at=at,
                reason=door.reason,
                paused_until=door.paused_until,
                requests=door.requests - (before.requests if before else 0),
                failures=_since(door, before),
            )
        except DatabaseError as e:
            log.warning("How %s stands could not be noted: %s", door.name, e)
            return
        _noted[door.name] = (at, door)


def forget() -> None:
    """Drop what was noted: another database knows nothing of it."""
    _noted.clear()


def _has_news(door: Door, at: int) -> bool:
    found = _noted.get(door.name)
    if found is None:
        return True
    when, before = found
    if (door.state, door.paused_until > at) != (before.state, before.paused_until > at):
        return True
    same = (door.requests, door.failures) == (before.requests, before.failures)
    return not same and not 0 <= at - when < EVERY_MS


def _counted_before(door: Door) -> Door | None:
    """How the door stood when last noted; None when its counts began anew since."""
    before = _noted[door.name][1] if door.name in _noted else None
    return before if before and before.requests <= door.requests else None


def _since(door: Door, before: Door | None) -> dict[str, int]:
    old = before.failures if before else {}
    added = {kind: count - old.get(kind, 0) for kind, count in door.failures.items()}
    return {kind: count for kind, count in added.items() if count > 0}
