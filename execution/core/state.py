"""A portfolio as plain JSON and back, exactly: what a restart goes on from."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from execution.core.types import Portfolio, Trial


def dump(portfolio: Portfolio) -> dict[str, Any]:
    """The portfolio as JSON-able values, canonical: equal portfolios give equal JSON."""
    found: dict[str, Any] = plain(portfolio)
    return found


def load(state: Mapping[str, Any]) -> Portfolio:
    """The portfolio that `dump` wrote; a field it did not know yet has its default."""
    found: Portfolio = made(Portfolio, state)
    return found


def load_trials(state: Any) -> Mapping[str, Trial]:
    """The trials alone, from what `dump` wrote of them."""
    found: Mapping[str, Trial] = made(Mapping[str, Trial], state)
    return found


def plain(value: Any) -> Any:
    """Dataclasses as objects, mappings as sorted lists of pairs, since JSON knows no other keys."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return [[plain(key), plain(value[key])] for key in sorted(value)]
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def made(kind: Any, plain: Any) -> Any:
    """The value of type `kind` that `plain` flattened."""
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{n: made(hints[n], plain[n]) for n in _names(kind) if n in plain})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        some = next(each for each in inner if each is not NoneType)
        return None if plain is None else made(some, plain)
    if origin is tuple and inner[-1] is ...:
        return tuple([made(inner[0], item) for item in plain])
    if origin is tuple:
        return tuple([made(each, item) for each, item in zip(inner, plain, strict=True)])
    if origin is not None and issubclass(origin, Mapping):
        return {made(inner[0], key): made(inner[1], item) for key, item in plain}
    return kind(plain) if isinstance(kind, type) and issubclass(kind, StrEnum) else plain


@lru_cache(maxsize=64)
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
