"""The door: JSON as the exchange writes it, turned into exact numbers and times or refused.

Nothing here knows a route; `wire_gamma`, `wire_clob` and `wire_data` do. JSON is read with
Decimal for every fraction, so no price, size or rate ever passes through a float.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from markets.core.types import ONE

LARGEST = 10**13
"""No price, size or volume on the exchange comes near this; above it a number is garbage."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_YEAR, LATEST_YEAR = 2000, 2200
"""Times outside these years are placeholders such as 0001-01-01, hence unknown."""

_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
_DIGITS = re.compile(r"\d{1,78}", re.ASCII)
_CONDITION = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_EXACT = Context(prec=60, rounding=ROUND_DOWN)


class Unreadable(ValueError):
    """One item of a reply cannot be used; the text names the field and what was wrong with it."""


class Wire(BaseModel):
    """A payload as sent: needed fields are strict, unknown ones are ignored."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, strict=True, arbitrary_types_allowed=True
    )


Payload = TypeVar("Payload", bound=Wire)


def decode(body: bytes) -> Any:
    """The JSON of a reply, fractions as Decimal; raises ValueError on anything else."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except InvalidOperation:
        return json.loads(body, parse_float=_fraction, parse_constant=Decimal)
    except RecursionError as e:
        raise ValueError("nested too deeply") from e


def _fraction(text: str) -> Decimal:
    """A fraction as sent; no number at all where its exponent is beyond every Decimal."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def read(model: type[Payload], item: object) -> Payload:
    """One item as a payload model, or Unreadable naming the first field at fault."""
    try:
        return model.model_validate(item)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "item"
        raise Unreadable(f"{where}: {fault['msg']}") from e


def exact(value: Any) -> Decimal:
    """A JSON number or a string holding one (also ".48"), finite and of sane size."""
    if isinstance(value, str):
        readable = len(value) <= 40 and _NUMBER.fullmatch(value) is not None
    else:
        readable = isinstance(value, Decimal | int) and not isinstance(value, bool)
    if not readable:
        raise ValueError("is not a number")
    number = Decimal(value)
    if not number.is_finite() or (number and number.adjusted() >= 13):
        raise ValueError("is not a sensible number")
    return number


def micro(value: object) -> int:
    """A wire number in micro-units, exactly; more than six decimals are refused."""
    scaled = exact(value).scaleb(6, _EXACT)
    whole = int(scaled)
    if whole != scaled or len(scaled.as_tuple().digits) >= _EXACT.prec:
        raise ValueError("has more than six decimals")
    return whole


def micro_down(value: object) -> int:
    """A wire number in micro-units, rounded down: for volumes and sizes, never for prices."""
    return int(exact(value).scaleb(6, _EXACT))


@lru_cache(maxsize=4_096, typed=True)
def price_of(value: object) -> int:
    """A price strictly between 0 and 1, in micro; cached, for a tick repeats its predecessor."""
    price = micro(value)
    if not 0 < price < ONE:
        raise ValueError("price is not between 0 and 1")
    return price


@lru_cache(maxsize=8_192, typed=True)
def size_of(value: object) -> int:
    """A positive number of shares in micro, rounded down to a millionth."""
    size = micro_down(value)
    if size <= 0:
        raise ValueError("size is not positive")
    return size


@lru_cache(maxsize=256, typed=True)
def grid_of(value: object) -> int:
    """A price grid or smallest order in micro; 0 where none, or nothing sensible, is stated."""
    try:
        return max(micro(value), 0)
    except ValueError:
        return 0


def iso_ms(value: object) -> int | None:
    """ISO 8601, or the notation "2026-07-24 00:00:16+00", in ms UTC; None when none is stated."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("is not a time")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("is a time without a zone")
    if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
        return None
    return (at - EPOCH) // timedelta(milliseconds=1)


def unix_ms(value: object, *, unit_ms: int = 1) -> int:
    """Unix time as an integer or a string of digits, in ms; `unit_ms` is 1000 for seconds."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("is not a Unix time")
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("is not a Unix time")
    at = int(value) * unit_ms
    if not 0 <= at < (LATEST_YEAR - 1970) * 366 * 86_400_000:
        raise ValueError("is not a Unix time in this unit")
    return at


def any_ms(value: object) -> int | None:
    """The mixed notation of Data v2: ISO, or Unix seconds as a number or string; ms UTC."""
    if isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        return unix_ms(value, unit_ms=1000)
    return iso_ms(value)


def _lenient_time(value: object) -> int | None:
    try:
        return iso_ms(value)
    except ValueError:
        return None


def _lenient_micro(value: object) -> int | None:
    try:
        return micro_down(value)
    except ValueError:
        return None


def _token(value: object) -> str:
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError("is not a token id (a string of up to 78 digits)")
    return value


def is_condition(value: str) -> bool:
    """Whether a text is a market's condition id."""
    return _CONDITION.fullmatch(value) is not None


def _condition(value: str) -> str:
    if not is_condition(value):
        raise ValueError("is not a condition id (0x and 64 hex digits)")
    return value


def _json_array(value: object) -> object:
    """Gamma writes some arrays as a string holding JSON; real arrays pass too."""
    if not isinstance(value, str):
        return value
    try:
        return decode(value.encode())
    except ValueError as e:
        raise ValueError("is not a JSON array in a string") from e


Micro = Annotated[int, BeforeValidator(micro)]
MicroDown = Annotated[int, BeforeValidator(micro_down)]
Number = Annotated[Decimal, BeforeValidator(exact)]
TokenId = Annotated[str, BeforeValidator(_token)]
ConditionId = Annotated[str, AfterValidator(_condition)]
IsoMs = Annotated[int | None, BeforeValidator(iso_ms)]
LenientMs = Annotated[int | None, BeforeValidator(_lenient_time)]
"""For times we can do without: garbage is unknown, not a reason to lose the market."""
LenientMicro = Annotated[int | None, BeforeValidator(_lenient_micro)]
"""For figures that only help to choose markets: garbage is unknown."""
TokenIds = Annotated[tuple[TokenId, ...], BeforeValidator(lambda v: _tuple(_json_array(v)))]
Texts = Annotated[tuple[str, ...], BeforeValidator(lambda v: _tuple(_json_array(v)))]
Numbers = Annotated[tuple[Number, ...], BeforeValidator(lambda v: _tuple(_json_array(v)))]


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def items(body: object, key: str) -> list[Any]:
    """The list under `key` of a reply (or the reply itself for ""); Unreadable when absent."""
    found = body.get(key) if key and isinstance(body, Mapping) else body
    if not isinstance(found, list):
        raise Unreadable(f"{key or 'the reply'} is not a list")
    return found


def text(item: object, key: str) -> str:
    """A string field of an unchecked item, for naming it in a log line; "" when there is none."""
    found = item.get(key) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else ""
