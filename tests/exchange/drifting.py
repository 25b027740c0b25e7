"""Replies that change their shape: each field of a contract removed, renamed or retyped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markets.sources.contracts import CONTRACTS
from markets.sources.drift import ENOUGH, Contract, Field, Part, Presence, gather

OTHERS: tuple[Any, ...] = ("?", 7, Decimal("0.5"), True, None, [], {})
"""One value of every type."""


@dataclass(frozen=True)
class Change:
    """One way in which a field of a route may change; `where` is as a reason names it."""

    route: str
    part: Part
    field: Field
    how: str
    value: Any = None

    @property
    def where(self) -> str:
        return ".".join((*self.part.path, self.field.name))

    def __str__(self) -> str:
        return f"{self.route} {self.where} {self.how}"

    @property
    def contract(self) -> Contract:
        """The route's contract narrowed to this field."""
        narrowed = Part(self.part.path, (self.field,))
        return Contract(CONTRACTS[self.route].is_list, (narrowed,))

    def apply(self, reply: Any) -> Any:
        """A copy of the reply in which every item shows the change."""
        changed = copied(reply)
        for item in gather(changed, self.part.path):
            if self.field.name in item:
                before = item.pop(self.field.name)
                if self.how == "renamed":
                    item[f"{self.field.name}V9"] = before
                elif self.how != "removed":
                    item[self.field.name] = self.value
        return changed


def copied(reply: Any) -> Any:
    """A copy of decoded JSON that shares nothing which can be changed."""
    if isinstance(reply, dict):
        return {key: copied(value) for key, value in reply.items()}
    return [copied(value) for value in reply] if isinstance(reply, list) else reply


def changes(route: str) -> Iterator[Change]:
    """Every change of every field of a route's contract."""
    for part in CONTRACTS[route].parts:
        for field in part.fields:
            yield Change(route, part, field, "removed")
            yield Change(route, part, field, "renamed")
            for value in OTHERS:
                if not (field.kind.holds(value) or (value is None and field.null)):
                    yield Change(route, part, field, f"now {value!r}", value)


def holds(change: Change, reply: Any, asked: dict[str, Any]) -> bool:
    """Whether the reply has an item of which the field is agreed, and has it."""
    return any(_has(change.field, item, asked) for item in gather(reply, change.part.path))


def pages(change: Change, reply: Any, asked: dict[str, Any]) -> list[Any]:
    """Replies of one cycle that hold the field often enough to be missed.

    One for a field that every item has; for one that only some have, a page of items that have
    it, or as many replies as it takes where a reply is a single item.
    """
    if change.field.presence is Presence.EVERY:
        return [reply]
    kept = copied(reply)
    if not change.part.path and not isinstance(kept, list):
        return [kept] * ENOUGH
    _keep_only(kept, change.part.path, change.field, asked)
    rows = kept if isinstance(kept, list) else kept.get(change.part.path[0])
    if not isinstance(rows, list):
        return [kept] * ENOUGH
    rows[:] = [row for row in rows if gather(row, _rest(kept, change.part.path))]
    rows *= ENOUGH
    return [kept]


def _rest(reply: Any, path: Sequence[str]) -> Sequence[str]:
    return path if isinstance(reply, list) else path[1:]


def _keep_only(reply: Any, path: Sequence[str], field: Field, asked: dict[str, Any]) -> None:
    """Drop the last list's items that do not hold the field."""
    for item in gather(reply, path[:-1]):
        rows = item.get(path[-1]) if path else None
        if isinstance(rows, list):
            rows[:] = [row for row in rows if _has(field, row, asked)]


def _has(field: Field, item: Any, asked: dict[str, Any]) -> bool:
    held = item.get(field.name) is not None or (field.null and field.name in item)
    return held and field.when(item, asked)
