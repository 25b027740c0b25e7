"""How good a strategy's signals were, traded or not, with how sure that is."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum

from strategies.core.scoring import Measure, Summary, summary
from strategies.models import SignalScore


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure over one kind of signal, in micro.

    `unknown` counts signals of which it cannot be told. `lead` is `other` less `value`, by how much
    the market was further off; only where that means something.
    """

    kind: str
    measure: str
    unknown: int
    value: Summary
    other: Summary
    lead: Summary | None


def scores(strategy: str) -> tuple[MeasureLine, ...]:
    """Every measure of a strategy's signals, bets first, in the order they are taken."""
    rows = SignalScore.objects.filter(strategy=strategy)
    unknown = {
        (kind, measure): count
        for kind, measure, count in rows.filter(value=None)
        .values_list("kind", "measure")
        .annotate(n=Count("id"))
    }
    kinds = sorted(set(rows.values_list("kind", flat=True).distinct()))
    return tuple(
        _line(rows, kind, measure, unknown.get((kind, measure), 0))
        for kind in kinds
        for measure in Measure
        if kind == "bet" or not measure.startswith("markout")
    )


def _line(rows: QuerySet[SignalScore], kind: str, measure: Measure, unknown: int) -> MeasureLine:
    mine = rows.filter(kind=kind, measure=measure)
    compared = measure is Measure.BRIER or (measure is Measure.CLOSING and kind == "quote")
    both = mine.filter(Q(value__isnull=False) & Q(other__isnull=False))
    return MeasureLine(
        kind,
        measure,
        unknown,
        _summed(mine.filter(value__isnull=False), Sum("value")),
        _summed(mine.filter(other__isnull=False), Sum("other")),
        _summed(both, Sum(F("other") - F("value"))) if compared else None,
    )


def _summed(rows: QuerySet[SignalScore], total: Sum) -> Summary:
    return summary(
        rows.values_list("event").annotate(n=Count("id"), sum=total).values_list("n", "sum")
    )
