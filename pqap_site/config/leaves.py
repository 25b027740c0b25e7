"""What one value may be: each reader returns a clean value or raises, and says what is allowed."""

import ipaddress
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic_core import PydanticCustomError, core_schema

from pqap_site.config.document import Plain
from pqap_site.config.faults import suggestion

NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*(_[0-9]+)*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
LONGEST = 40
"""Characters of a number; more than any money, price or parameter needs."""
DECIMALS = 6
RICHEST = 1_000_000_000
"""Dollars; a thousandfold below what the database's 64-bit micro-dollars hold."""
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
BOOLS = {"true", "false", "yes", "no", "on", "off"}
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Wrong(Exception):
    """The value is not allowed; its text may add a hint."""


@dataclass(frozen=True)
class Leaf:
    """A reader of one value and the words for what it takes: "it must be {must}"."""

    must: str
    read: Callable[[object], object]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> object:
        """Let pydantic call `read` on the raw value and report `must` when it refuses."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: object) -> object:
        try:
            return self.read(value)
        except Wrong as wrong:
            told = {"must": self.must, "hint": str(wrong)}
            raise PydanticCustomError("allowed", "{must}{hint}", told) from None


def number(value: object) -> Decimal:
    """An exact number, quoted or not; never a boolean, nan or infinity."""
    if not isinstance(value, str) or len(value) > LONGEST or not NUMBER.fullmatch(value):
        raise Wrong
    return Decimal(value)


def micro(value: Decimal) -> int:
    """A decimal in millionths, exactly."""
    sign, digits, exponent = value.as_tuple()
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    shift = int(exponent) + DECIMALS
    if shift < 0 and whole % 10**-shift:
        raise Wrong(f"; {DECIMALS} decimals at most")
    return whole * int(10**shift) if shift >= 0 else whole // int(10**-shift)


def money(*, positive: bool = False) -> Leaf:
    """Dollars, to micro-dollars."""
    start = "more than 0" if positive else "0 or more"

    def read(value: object) -> object:
        amount = number(value)
        if amount < 0 or amount > RICHEST or (positive and not amount):
            raise Wrong
        return micro(amount)

    return Leaf(f"{start} (dollars, at most {RICHEST}, {DECIMALS} decimals)", read)


def fraction(low: str, high: str, *, above: bool = False) -> Leaf:
    """A share of one, to micro; `above` leaves `low` itself out."""
    bottom, top = Decimal(low), Decimal(high)

    def read(value: object) -> object:
        share = number(value)
        if share < bottom or share > top or (above and share == bottom):
            raise Wrong(f"; write {share / 100} for {share} %" if 1 < share <= 100 * top else "")
        return micro(share)

    words = f"above {low}, at most {high}" if above else f"from {low} to {high}"
    return Leaf(f"a fraction {words} (0.10 is 10 %)", read)


def whole(low: int, high: int, unit: str = "") -> Leaf:
    """A whole number in a range."""

    def read(value: object) -> object:
        amount = number(value)
        if not low <= amount <= high or amount != amount.to_integral_value():
            raise Wrong
        return int(amount)

    return Leaf(f"a whole number from {low} to {high}" + (f" ({unit})" if unit else ""), read)


def factor(low: str, high: str) -> Leaf:
    """A plain number in a range, as a float."""

    def read(value: object) -> object:
        amount = number(value)
        if not Decimal(low) <= amount <= Decimal(high):
            raise Wrong
        return float(amount)

    return Leaf(f"a number from {low} to {high}", read)


def flag() -> Leaf:
    """true or false, unquoted."""

    def read(value: object) -> object:
        if not isinstance(value, bool):
            quoted = isinstance(value, str) and value.lower() in BOOLS
            raise Wrong("; without quotes" if quoted else "")
        return value

    return Leaf("true or false", read)


def one_of(*words: str) -> Leaf:
    """One of a few words."""

    def read(value: object) -> object:
        if isinstance(value, str) and value in words:
            return str(value)
        raise Wrong(suggestion(value, words) if isinstance(value, str) else "")

    return Leaf(f"one of {', '.join(words)}" if len(words) > 1 else words[0], read)


def nullable(leaf: Leaf) -> Leaf:
    """The same, or null."""
    return Leaf(f"{leaf.must}, or null", lambda value: None if value is None else leaf.read(value))


def text(longest: int = 200) -> Leaf:
    """A short text; null is the empty one."""

    def read(value: object) -> object:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > longest:
            raise Wrong
        if isinstance(value, Plain):
            raise Wrong("; put it in quotes")
        return value

    return Leaf(f"text of at most {longest} characters, or null", read)


def url(*schemes: str, empty: bool = False) -> Leaf:
    """An address without credentials; trailing slashes are dropped."""

    def read(value: object) -> object:
        if value is None and empty:
            return ""
        if not isinstance(value, str) or re.search(r"[\s\\]", value) or len(value) > 500:
            raise Wrong
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and HOST.fullmatch(parts.hostname or "")
            port_fits = parts.port is None or parts.port > 0
        except ValueError:
            raise Wrong from None
        if "@" in parts.netloc:
            raise Wrong("; without user name and password")
        if not (fits or _address(parts.hostname)) or parts.scheme not in schemes or not port_fits:
            raise Wrong
        if parts.query or parts.fragment:
            raise Wrong("; without ? and #")
        return str(value).rstrip("/")

    forms = " or ".join(f"{scheme}://..." for scheme in schemes)
    return Leaf(f"an address {forms}" + (", or null" if empty else ""), read)


def _address(value: str | None) -> bool:
    try:
        ipaddress.ip_address(value or "")
    except ValueError:
        return False
    return True


def bind() -> Leaf:
    """An address of this machine to listen on."""

    def read(value: object) -> object:
        if isinstance(value, str) and (value == "localhost" or _address(value)):
            return str(value)
        raise Wrong

    return Leaf("an IP address of this machine, such as 127.0.0.1, or localhost", read)


def clock() -> Leaf:
    """A time of day."""

    def read(value: object) -> object:
        match = CLOCK.fullmatch(value) if isinstance(value, str) else None
        if not match:
            raise Wrong
        return time(int(match[1]), int(match[2]))

    return Leaf('a time from "00:00" to "23:59"', read)


def span() -> Leaf:
    """Two times of day; the span may cross midnight."""
    one = clock()

    def read(value: object) -> object:
        start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
        if not dash or start == end:
            raise Wrong
        return (one.read(start), one.read(end))

    return nullable(Leaf('two times such as "22:00-07:00"', read))


@cache
def zones() -> frozenset[str]:
    """The names of every time zone this machine knows."""
    return frozenset(available_timezones() | {"UTC"})


def zone() -> Leaf:
    """A time zone by its name."""

    def read(value: object) -> object:
        if isinstance(value, str) and value in zones():
            return value
        raise Wrong(suggestion(value, sorted(zones())) if isinstance(value, str) else "")

    return Leaf("the name of a time zone, such as UTC or Europe/Berlin", read)


def word(what: str, longest: int = 300) -> Leaf:
    """A name without spaces; a number or a date written without quotes is taken as written."""

    def read(value: object) -> object:
        if isinstance(value, str) and 0 < len(value) <= longest and not re.search(r"\s", value):
            return str(value)
        raise Wrong

    return Leaf(what, read)


def finite(value: Decimal) -> float:
    """A number as a float; refuses one that overflows."""
    result = float(value)
    if not math.isfinite(result):
        raise Wrong
    return result


def names_or_all() -> Leaf:
    """Strategy names, or the word all; the names themselves are checked against the registry."""

    def read(value: object) -> object:
        if value == "all":
            return "all"
        if not isinstance(value, list):
            raise Wrong
        return tuple(str(item) for item in value)

    return Leaf("a list of strategy names, [] for monitoring only, or all", read)
