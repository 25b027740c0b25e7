"""Pages of rows by key, so that a list stays exact and cheap while rows arrive on top of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: just after the row with these two keys, or just before it."""

    order: int
    key: int | str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, greatest key first, and where the pages beside it begin."""

    rows: tuple[T, ...]
    next: Place | None = None
    previous: Place | None = None


def page(
    rows: QuerySet[Any],
    make: Callable[[list[Any]], list[T]],
    *,
    by: tuple[str, str],
    place: Place | None,
    limit: int,
) -> Page[T]:
    """One page of `rows` ordered by the two columns `by`, both descending.

    `make` turns the page's rows into values in one go, so that it can fetch what they refer to
    with one query.
    """
    backwards = place is not None and place.backwards
    signs = ("", "") if backwards else ("-", "-")
    ordered = rows.order_by(*(sign + column for sign, column in zip(signs, by, strict=True)))
    found = list(_beyond(ordered, by, place)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return Page(())
    first, last = _keys(found[0], by), _keys(found[-1], by)
    onward = more or backwards
    return Page(
        rows=tuple(make(found)),
        next=Place(*last) if onward else None,
        previous=_back(first) if (more if backwards else place is not None) else None,
    )


def _beyond(rows: QuerySet[Any], by: tuple[str, str], place: Place | None) -> QuerySet[Any]:
    if place is None:
        return rows
    order, key = by
    than = "gt" if place.backwards else "lt"
    return rows.filter(
        Q(**{f"{order}__{than}": place.order})
        | Q(**{order: place.order, f"{key}__{than}": place.key}),
        # the same bound once more, in a form every database answers from the index
        **{f"{order}__{than}e": place.order},
    )


def _keys(row: Any, by: tuple[str, str]) -> tuple[int, int | str]:
    order, key = by
    return getattr(row, order), getattr(row, key)


def _back(keys: tuple[int, int | str]) -> Place:
    return Place(*keys, backwards=True)
