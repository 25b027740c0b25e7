"""Foreign prices into the database: imported bars of markets that the catalogue knows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from markets import models
from markets.core.bars import BAR_MS
from markets.core.types import ONE
from markets.services import pastbars
from markets.sources.priced import Series

UNKNOWN_MARKET, FUTURE, HELD = "UNKNOWN_MARKET", "FUTURE", "HELD"
"""Why a bar was left out: nobody knows its market, it has not closed yet, or one is there."""

AT_ONCE = 2_016
"""Bars in one transaction: the collector never waits long for the database."""


@dataclass(slots=True)
class Stored:
    """What an import brought: markets and bars stored, and what was left out, by reason."""

    markets: int = 0
    bars: int = 0
    flaws: Counter[str] = field(default_factory=Counter)


def store(found: Series, now: int) -> Stored:
    """Store the closes (micro) of every market known by condition id, slug or token.

    Bars of which one is there already are left alone, and so are those after `now` (ms UTC).
    """
    keys, done = _keys(found), Stored()
    until = now // BAR_MS * BAR_MS
    for name, line in found.items():
        if name not in keys:
            done.flaws[UNKNOWN_MARKET] += len(line)
            continue
        key, mirrored = keys[name]
        closed = {at: ONE - p if mirrored else p for at, p in line.items() if at <= until}
        done.flaws[FUTURE] += len(line) - len(closed)
        added = _in_parts(key, closed)
        done.flaws[HELD] += len(closed) - added
        done.bars += added
        done.markets += bool(added)
    done.flaws = +done.flaws
    return done


def _in_parts(key: int, closes: Mapping[int, int]) -> int:
    ordered = sorted(closes.items())
    parts = (ordered[first : first + AT_ONCE] for first in range(0, len(ordered), AT_ONCE))
    return sum(pastbars.store(key, dict(part)) for part in parts)


def _keys(names: Iterable[str]) -> dict[str, tuple[int, bool]]:
    """Foreign key -> local key, and whether it names the NO token; a condition id comes first."""
    wanted = list(names)
    found: dict[str, tuple[int, bool]] = {}
    for first in range(0, len(wanted), 500):
        some = wanted[first : first + 500]
        tokens = models.Token.objects.filter(token_id__in=some)
        sides = tokens.values_list("token_id", "market_id", "index")
        found |= {token: (key, index == 1) for token, key, index in sides}
        for column in ("slug", "condition_id"):
            rows = models.Market.objects.filter(**{f"{column}__in": some})
            found |= {name: (key, False) for name, key in rows.values_list(column, "pk")}
    return found
