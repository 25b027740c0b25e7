"""A stage: a cursor moved by compare-and-set and the rows it claims, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.utils import timezone

from markets.models import Cursor

committed = Signal()
"""Sent with `name=` after a stage has committed; the site wires it to the next task."""


class Overtaken(Exception):
    """Another worker moved the cursor first; nothing of this attempt was kept."""


def position(name: str) -> int:
    """How far a stage has come, 0 before its first commit; for ticks this is the newest tick id."""
    found = Cursor.objects.filter(name=name).values_list("position", flat=True).first()
    return found or 0


@contextmanager
def advance(name: str, *, from_: int, to: int) -> Iterator[None]:
    """Claim (from_, to] for this transaction: its rows and the cursor commit together or not.

    Read and compute before entering; of two workers that read one position, one commits and the
    other gets Overtaken. `committed` follows the outermost commit, and a ring that fails harms
    nothing.
    """
    with transaction.atomic():
        if not _moved(name, from_, to) and not (_opened(name, from_) and _moved(name, from_, to)):
            raise Overtaken(f"stage {name} is no longer at {from_}")
        yield
        transaction.on_commit(partial(committed.send_robust, sender=None, name=name), robust=True)


def tally(name: str, by: int) -> None:
    """Add to a running total; totals survive thinning. Inside `advance` it counts exactly once."""
    now = timezone.now()
    moved = Cursor.objects.filter(name=name).update(position=F("position") + by, moved_at=now)
    if not moved:
        first = [Cursor(name=name, position=0, moved_at=now)]
        Cursor.objects.bulk_create(first, ignore_conflicts=True)
        Cursor.objects.filter(name=name).update(position=F("position") + by)


def _moved(name: str, from_: int, to: int) -> bool:
    claimed = Cursor.objects.filter(name=name, position=from_)
    return claimed.update(position=to, moved_at=timezone.now()) == 1


def _opened(name: str, from_: int) -> bool:
    """Make the row of a stage that has never run; a rival's insert is waited for, not repeated."""
    if from_:
        return False
    row = Cursor(name=name, position=0, moved_at=timezone.now())
    Cursor.objects.bulk_create([row], ignore_conflicts=True)
    return True
