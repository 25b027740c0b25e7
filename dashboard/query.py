"""What a list may be asked: declared once, checked at the door, shown in the schema."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.utils.urls import replace_query_param

from dashboard import wire
from dashboard.errors import Bad
from markets.selectors.keyset import Page, Place

LIMIT, LARGEST_PAGE = 100, 1000
LONGEST_TEXT = 200
ALWAYS = ("format",)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: `parse` raises ValueError with what is allowed."""

    name: str
    parse: Callable[[str], Any]
    description: str
    type: type = str
    enum: tuple[str, ...] | None = None
    default: Any = None

    def documented(self) -> OpenApiParameter:
        """The same for the schema."""
        return OpenApiParameter(
            self.name, self.type, OpenApiParameter.QUERY, description=self.description,
            enum=self.enum,
        )  # fmt: skip


def text(name: str, description: str) -> Parameter:
    """Free text to compare with; '' when absent."""
    return Parameter(name, _text, description, default="")


def choice(name: str, description: str, values: Iterable[str]) -> Parameter:
    """One of the given words; '' when absent."""
    allowed = tuple(str(value) for value in values)

    def parse(given: str) -> str:
        if given not in allowed:
            raise ValueError(f"one of {', '.join(allowed)} is allowed")
        return given

    return Parameter(name, parse, description, enum=allowed, default="")


def instant(name: str, description: str) -> Parameter:
    """A time, as ms UTC; None when absent."""
    return Parameter(name, _instant, description)


def flag(name: str, description: str) -> Parameter:
    """true or false; None when absent."""
    return Parameter(name, _flag, description, type=bool)


def number(name: str, description: str, *, low: int, high: int, default: int) -> Parameter:
    """A whole number in a range."""

    def parse(given: str) -> int:
        if not (given.isascii() and given.isdigit() and len(given) <= 12):
            raise ValueError(f"a whole number from {low} to {high} is allowed")
        value = int(given)
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is allowed")
        return value

    return Parameter(name, parse, description, type=int, default=default)


PAGE_LIMIT = number(
    "limit", f"Rows a page, at most {LARGEST_PAGE}.", low=1, high=LARGEST_PAGE, default=LIMIT
)


def cursor(key: type) -> Parameter:
    """The place a page begins at, as `next` and `previous` gave it."""
    return Parameter(
        "cursor",
        lambda given: decode(given, key),
        "Where the page begins; taken from next or previous.",
    )


def read(given: Mapping[str, str], parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The values asked for, with defaults; raises Bad naming the first parameter that is wrong."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known and name not in ALWAYS:
            raise Bad("unknown_parameter", name, _did_you_mean(name, known))
    found = {}
    for name, parameter in known.items():
        try:
            found[name] = parameter.parse(given[name]) if name in given else parameter.default
        except ValueError as fault:
            raise Bad("invalid", name, f"{name}: {fault}.") from fault
    return found


def encode(place: Place) -> str:
    """A place as opaque text."""
    plain = f"{'p' if place.backwards else 'n'}:{place.order}:{place.key}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(given: str, key: type) -> Place:
    """The inverse of `encode`; raises ValueError for anything else."""
    try:
        plain = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        way, order, value = plain.decode().split(":", 2)
        place = Place(int(order), key(_text(value)), way == "p")
    except (ValueError, binascii.Error) as fault:
        raise ValueError("this is not a cursor of this list") from fault
    keys = [place.order, *([place.key] if isinstance(place.key, int) else [])]
    if way not in ("n", "p") or any(abs(value) > wire.LARGEST for value in keys):
        raise ValueError("this is not a cursor of this list")
    return place


def envelope(page: Page[Any], url: str, results: list[Any]) -> dict[str, Any]:
    """The shape of every list: neighbours' addresses and the rows between them."""
    return {
        "next": _at(url, page.next),
        "previous": _at(url, page.previous),
        "results": results,
    }


def onward(url: str, since: int, until: int) -> str:
    """The same list from another time on."""
    url = replace_query_param(url, "from", wire.instant(since))
    return replace_query_param(url, "to", wire.instant(until))


def _at(url: str, place: Place | None) -> str | None:
    return None if place is None else replace_query_param(url, "cursor", encode(place))


def _text(given: str) -> str:
    if "\x00" in given or len(given) > LONGEST_TEXT:
        raise ValueError(f"text of at most {LONGEST_TEXT} characters is allowed")
    return given


def _instant(given: str) -> int:
    try:
        # a plus sign in a query means a space unless it was encoded
        return wire.at(given.replace(" ", "+"))
    except (ValueError, OverflowError) as fault:
        raise ValueError(
            "a time such as 2026-01-01T12:00:00Z or a date such as 2026-01-01 is allowed"
        ) from fault


def _flag(given: str) -> bool:
    if given not in ("true", "false"):
        raise ValueError("true or false is allowed")
    return given == "true"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"There is no parameter {name}; did you mean {near[0]}?"
    return f"There is no parameter {name}; known are {', '.join(known) or 'none'}."
