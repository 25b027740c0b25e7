"""Noticing that a reply no longer looks as agreed: a field gone, renamed or of another type.

One odd item is that item's own affair, its parser refuses it. Drift is what a whole reply shows:
read with defaults it would look like an exchange on which nothing happens.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

JSON = (dict, list, str, int, float, Decimal)
"""What JSON is decoded to; anything else a decoder has already read, and found whole."""

SAMPLE = 60
"""Items of one reply that are looked at, spread evenly over it."""

ENOUGH = 20
"""Items in a row without a field that only some have, after which it is missed."""


class Presence(Enum):
    """In how many items of a reply a field is agreed to stand."""

    EVERY = "every"
    SOME = "some"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type a value may have, by its name; `holds` takes any JSON value and never raises."""

    name: str
    holds: Callable[[Any], bool]


def always(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """The field is agreed for every item."""
    return True


@dataclass(frozen=True, slots=True)
class Field:
    """One agreed field; `when` says of which items, `null` that an explicit null is a value."""

    name: str
    kind: Kind
    presence: Presence = Presence.EVERY
    when: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] = always
    null: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of the items found along a path of keys; "*" stands for every key.

    An empty path means the reply itself, or each item of it where the reply is a list.
    """

    path: tuple[str, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a route's reply is made of, as far as we rely on it."""

    is_list: bool
    parts: tuple[Part, ...]


class Watch:
    """Holds replies against their contracts; a broken one stays broken until seen whole again."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self.contracts = contracts
        self._broken: dict[str, dict[str, str]] = {}
        self._without: Counter[tuple[str, str]] = Counter()

    def see(self, name: str, reply: Any, asked: Mapping[str, Any]) -> None:
        """Judge one decoded reply of a route (or message of a kind); never raises.

        `asked` are the parameters of the request. Names without a contract are not judged.
        """
        contract = self.contracts.get(name)
        if contract is None:
            return
        broken = self._broken.setdefault(name, {})
        if isinstance(reply, list) is not contract.is_list or not isinstance(reply, list | dict):
            wanted = "a list" if contract.is_list else "an object"
            broken[""] = f"the reply is {_told(reply)} instead of {wanted}"
            return
        broken.pop("", None)
        reply = _unread(reply)
        if reply is None:
            broken.clear()
            return
        for part in contract.parts:
            items = _sample(gather(reply, part.path))
            for field in part.fields if items else ():
                where = ".".join((*part.path, field.name))
                said = self._judge(field, items, asked, (name, where))
                if said is None:
                    continue
                if said:
                    broken[where] = f"{where} {said}"
                else:
                    broken.pop(where, None)

    def faults(self, name: str) -> Mapping[str, str]:
        """What is broken about a route, by path and field ("" is the reply as a whole)."""
        return self._broken.get(name, {})

    def reason(self, name: str) -> str:
        """What is broken about a route, in one line; "" when all is as agreed."""
        faults = list(self.faults(name).values())
        if not faults:
            return ""
        more = f", and {len(faults) - 1} more fields" if len(faults) > 1 else ""
        return f"{name} changed: {faults[0]}{more}"

    def _judge(
        self, field: Field, items: Sequence[Any], asked: Mapping[str, Any], key: tuple[str, str]
    ) -> str | None:
        """What is wrong with a field in a reply: "" for nothing, None when it cannot be told."""
        held = [item for item in items if isinstance(item, dict)]
        due = [item for item in held if field.when(item, asked)]
        strange = len(items) - len(held)
        given = [
            item[field.name]
            for item in due
            if field.name in item and (field.null or item[field.name] is not None)
        ]
        wrong = [value for value in given if not _fits(field, value)]
        if len(wrong) * 2 > len(given):
            return f"is {_told(wrong[0])} instead of {field.kind.name}"
        if field.presence is Presence.SOME:
            return self._sought(key, len(due), len(given))
        missing = len(due) - len(given) + strange
        total = len(due) + strange
        if missing * 2 > total:
            return f"is missing in {missing} of {total} items"
        return "" if total else None

    def _sought(self, key: tuple[str, str], due: int, given: int) -> str | None:
        """The verdict on a field that only some items have; replies in a row count together."""
        if given:
            self._without.pop(key, None)
            return ""
        self._without[key] += due
        many = self._without[key]
        return f"is missing in {many} items in a row" if many >= ENOUGH else None


def _unread(reply: Any) -> Any:
    """The reply without what a decoder has read in full already; None when that was most of it."""
    if not isinstance(reply, list):
        return reply
    raw = [item for item in reply if item is None or isinstance(item, JSON)]
    return None if len(raw) * 2 < len(reply) else raw


def _fits(field: Field, value: Any) -> bool:
    return value is None or field.kind.holds(value)


def gather(reply: Any, path: Sequence[str]) -> list[Any]:
    """Everything a path leads to, lists flattened."""
    found = reply if isinstance(reply, list) else [reply]
    for step in path:
        found = [child for item in found for child in _children(item, step)]
    return found


def _children(item: Any, step: str) -> list[Any]:
    if not isinstance(item, dict):
        return []
    values = list(item.values()) if step == "*" else [item.get(step)]
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found += value
        elif isinstance(value, dict):
            found.append(value)
    return found


def _sample(items: list[Any]) -> list[Any]:
    """At most SAMPLE items, spread evenly, the first among them."""
    return items[:: -(-len(items) // SAMPLE)] if len(items) > SAMPLE else items


def _told(value: Any) -> str:
    """A value's type in a reader's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return f"the text {value[:20]!r}"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return "a number"
