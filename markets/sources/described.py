"""What a recording says beside its rows, as JSON: markets, universes, and what came with ticks.

Markets are written once each; a universe names them by place, with the figures of its listing,
which change with every ranking.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple
from typing import Any

from markets.core.tick import Tick, Universe
from markets.core.types import (
    Event,
    FeeSchedule,
    Market,
    PastBar,
    Print,
    Resolution,
    Status,
    Terms,
    Token,
)

LISTED = ("volume_24h", "liquidity", "spread")
"""Fields of a market that its listing says anew; kept with the universe."""


class Description:
    """Gathers what the ticks of one file refer to."""

    def __init__(self) -> None:
        self._universes: list[Universe] = []
        self._markets: dict[str, int] = {}
        self._resolutions: dict[int, list[dict[str, Any]]] = {}
        self._prints: dict[int, list[tuple[Any, ...]]] = {}
        self._past: dict[int, list[tuple[Any, ...]]] = {}

    def place(self, universe: Universe) -> int:
        """The place of a universe among those met, equal ones counting as one."""
        for place, known in enumerate(self._universes):
            same = known.version == universe.version and known.markets == universe.markets
            if known is universe or same:
                return place
        self._universes.append(universe)
        return len(self._universes) - 1

    def learn(self, tick: Tick) -> None:
        """Take what came with a tick."""
        if tick.resolutions:
            self._resolutions[tick.at] = [asdict(each) for each in tick.resolutions]
        if tick.prints:
            self._prints[tick.at] = [astuple(each) for each in tick.prints]
        if tick.past:
            self._past[tick.at] = [astuple(each) for each in tick.past]

    def document(self, number: int) -> str:
        """Everything as JSON under the given format number."""
        universes = [
            {"version": each.version, "markets": [self._member(m) for m in each.markets]}
            for each in self._universes
        ]
        described = {
            "format": number,
            "markets": [json.loads(text) for text in self._markets],
            "universes": universes,
            "resolutions": self._resolutions,
            "prints": self._prints,
            "past": self._past,
        }
        return json.dumps(described, separators=(",", ":"))

    def _member(self, market: Market) -> list[int | None]:
        fields = asdict(market)
        listed = [fields.pop(name) for name in LISTED]
        text = json.dumps(fields, separators=(",", ":"))
        return [self._markets.setdefault(text, len(self._markets)), *listed]


class Described:
    """The same read back; `resolutions`, `prints` and `past` go by the `at` of their tick."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        if document["format"] == 1:
            found = [
                Universe(each["version"], tuple(market_from(one) for one in each["markets"]))
                for each in document["universes"]
            ]
        else:
            found = _universes(document)
        self.universes = tuple(found)
        self.resolutions: dict[int, tuple[Resolution, ...]] = {
            int(at): tuple(resolution_from(each) for each in said)
            for at, said in document["resolutions"].items()
        }
        self.prints: dict[int, tuple[Print, ...]] = {
            int(at): tuple(Print(*each) for each in made)
            for at, made in document.get("prints", {}).items()
        }
        self.past: dict[int, tuple[PastBar, ...]] = {
            int(at): tuple(PastBar(*each) for each in bars)
            for at, bars in document.get("past", {}).items()
        }


def _universes(document: Mapping[str, Any]) -> Iterable[Universe]:
    """Each market is built once for each listing it was shown with."""
    known: dict[tuple[Any, ...], Market] = {}

    def member(place: int, *listed: int | None) -> Market:
        key = (place, *listed)
        if key not in known:
            fields = document["markets"][place] | dict(zip(LISTED, listed, strict=True))
            known[key] = market_from(fields)
        return known[key]

    for each in document["universes"]:
        yield Universe(each["version"], tuple(member(*one) for one in each["markets"]))


def market_from(found: Mapping[str, Any]) -> Market:
    """A market from its JSON form (`dataclasses.asdict` of it)."""
    terms = dict(found["terms"])
    fee = terms.pop("fee")
    status = Status(terms.pop("status"))
    values = dict(found)
    values |= {
        "event": Event(**found["event"]),
        "yes": Token(**found["yes"]),
        "no": Token(**found["no"]),
        "terms": Terms(**terms, fee=FeeSchedule(**fee) if fee else None, status=status),
        "tags": tuple(found["tags"]),
    }
    return Market(**values)


def resolution_from(found: Mapping[str, Any]) -> Resolution:
    """A resolution from its JSON form."""
    return Resolution(
        found["market"],
        Status(found["status"]),
        found["at"],
        _pair(found["payouts"]),
        _pair(found.get("proposed")),
    )


def _pair(found: Sequence[int] | None) -> tuple[int, int] | None:
    return (found[0], found[1]) if found else None
