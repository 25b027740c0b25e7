"""Conditions that lists of rows share, here and in the apps to the right."""

from django.db.models import Q


def given(**columns: str) -> Q:
    """The columns for which a value was asked."""
    return Q(**{name: value for name, value in columns.items() if value})


def between(column: str, since: int | None, until: int | None) -> Q:
    """From `since` on and before `until`, each only when given (ms UTC)."""
    bounds = {f"{column}__gte": since, f"{column}__lt": until}
    return Q(**{name: value for name, value in bounds.items() if value is not None})
