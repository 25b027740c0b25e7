"""What rules are told beyond the panel, as plain JSON and back: the same knowledge, bit by bit."""

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from types import MappingProxyType
from typing import Any

from strategies.core.calibration import Calibration, Cell
from strategies.core.forecasts import Claim, Forecasts
from strategies.core.seasons import Season, Seasons

Knowledge = Calibration | Seasons | Forecasts

KINDS: Mapping[str, tuple[type[Any], str, type[Any]]] = MappingProxyType(
    {
        "calibration": (Calibration, "cells", Cell),
        "seasons": (Seasons, "cells", Season),
        "forecasts": (Forecasts, "claims", Claim),
    }
)
"""What can be learnt, by the name rules ask for: its type, and the field and type of its rows."""


class Unreadable(ValueError):
    """A stored body that is no knowledge of its kind; the text says what is wrong."""


def dump(known: Knowledge) -> str:
    """JSON of it: the columns' names once, then one list a row; floats come back exactly."""
    _, many, row = next(kind for kind in KINDS.values() if isinstance(known, kind[0]))
    plain = {each.name: getattr(known, each.name) for each in fields(known)}
    rows = [list(astuple(each)) for each in plain[many]]
    whole = {**plain, "columns": [each.name for each in fields(row)], many: rows}
    return json.dumps(whole, separators=(",", ":"), allow_nan=False)


def load(name: str, body: str) -> Knowledge:
    """The knowledge that `dump` wrote under a name of KINDS; Unreadable where it is not that."""
    if name not in KINDS:
        raise Unreadable(f"name must be one of {', '.join(KINDS)}; found {name!r}")
    whole, many, row = KINDS[name]
    try:
        given = json.loads(body)
        columns = given.pop("columns")
        rows = (dict(zip(columns, each, strict=True)) for each in given[many])
        given[many] = tuple(row(**each) for each in rows)
        found: Knowledge = whole(**given)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise Unreadable(f"{name}: the stored body cannot be read: {fault!r}") from None
    return found
