"""The journal kept small: evaluations become sums of days, silences that ended long ago go.

Evaluations of single ticks stay for `collection.keep_raw_hours`, silences and quotes that ended
for `collection.retention_days`. Day sums, bets and their scores stay for good.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

from django.conf import settings
from django.db import transaction

from markets.services import thinning
from strategies.core.types import Quote
from strategies.models import Evaluation, EvaluationDay, Signal, SilenceRun

DAY_MS = 86_400_000
AT_ONCE = 2_000
"""Rows a transaction folds or deletes."""


@dataclass(slots=True)
class Pruned:
    """Rows that went, by kind."""

    evaluations: int = 0
    silences: int = 0
    quotes: int = 0


@dataclass(slots=True)
class _Sum:
    """One strategy's day."""

    plain: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


PLAIN = ("seen", "signalled", "sized_to_zero", "ordered", "filled")


def run(at: int, *, seconds: float = 5) -> Pruned:
    """Fold and delete what has outlived its time, for about `seconds`; `at` is now (ms UTC)."""
    until, done = monotonic() + seconds, Pruned()
    fresh = thinning.horizon(at, settings.PQAP.collection.keep_raw_hours)
    kept = thinning.horizon(at, settings.PQAP.collection.retention_days * 24)
    while monotonic() < until and (folded := _fold(fresh)):
        done.evaluations += folded
    while monotonic() < until and (gone := _end_silences(kept)):
        done.silences += gone
    while monotonic() < until and (gone := _end_quotes(kept)):
        done.quotes += gone
    return done


@transaction.atomic
def _fold(before: int) -> int:
    """Add the oldest evaluations before an instant to their days and delete them; how many."""
    oldest = list(Evaluation.objects.order_by("tick_id")[:AT_ONCE])
    due = [row for row in oldest if row.at < before]
    if not due:
        return 0
    for (day, strategy), rows in _by_day(due).items():
        _add(day, strategy, rows)
    Evaluation.objects.filter(pk__in=[row.pk for row in due])._raw_delete(Evaluation.objects.db)
    return len(due)


def _by_day(rows: Iterable[Evaluation]) -> dict[tuple[int, str], list[Evaluation]]:
    found: dict[tuple[int, str], list[Evaluation]] = {}
    for row in rows:
        found.setdefault((row.at // DAY_MS * DAY_MS, row.strategy), []).append(row)
    return found


def _add(day: int, strategy: str, rows: list[Evaluation]) -> None:
    known, _ = EvaluationDay.objects.get_or_create(
        day=day, strategy=strategy, defaults={"seen": 0, "signalled": 0}
    )
    sums = _Sum(silent=Counter(known.silent), refused=Counter(known.refused))
    for row in rows:
        sums.silent.update(row.silent)
        sums.refused.update(row.refused)
        sums.plain.update({name: getattr(row, name) for name in PLAIN})
    for name in PLAIN:
        setattr(known, name, getattr(known, name) + sums.plain[name])
    known.silent, known.refused = dict(sums.silent), dict(sums.refused)
    known.ticks += len(rows)
    known.errors += sum(bool(row.error) for row in rows)
    known.save()


def _end_silences(before: int) -> int:
    ended = SilenceRun.objects.filter(to_at__lt=before).order_by("to_at")
    keys = list(ended.values_list("pk", flat=True)[:AT_ONCE])
    return SilenceRun.objects.filter(pk__in=keys)._raw_delete(ended.db) if keys else 0


def _end_quotes(before: int) -> int:
    old = Signal.objects.filter(at__lt=before, kind=Quote.kind).exclude(closed_tick_id=None)
    keys = list(old.order_by("at").values_list("pk", flat=True)[:AT_ONCE])
    return Signal.objects.filter(pk__in=keys)._raw_delete(old.db) if keys else 0
