"""What rules are told beyond the panel, fitted anew from what is stored by an instant."""

import logging
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings

from markets.selectors import hourly, looks
from markets.selectors.hourly import Move
from markets.selectors.looks import Look
from strategies.core import calibration, forecasts, learnt, seasons
from strategies.core.calibration import Calibration
from strategies.core.forecasts import ForecastFault, Forecasts
from strategies.core.seasons import Season, Seasons
from strategies.models import Learnt

log = logging.getLogger("pqap.strategies")

DAY_MS = 86_400_000
SEASON_DAYS = 120
"""Days of hourly moves that seasons rest on; whole UTC days, so they change once a day."""
LOOKED_AT = (0.5, 3.0, 15.0, 60.0, 135.0)
"""How many days before its end a market is looked at, in each bucket of the calibration."""

Fitted = tuple[learnt.Knowledge, Mapping[str, int]]


def fit(now_ms: int) -> Iterator[tuple[str, str]]:
    """Fit and store everything that can be learnt by `now_ms`; each name with its digest.

    One at a time, the cheapest first. What has no data is left out, and so is what cannot be read:
    the last good one stays. Forecasts that are no longer configured, or are none, have the digest
    "".
    """
    for name, learn in (
        ("forecasts", _forecasts),
        ("calibration", _calibration),
        ("seasons", _seasons),
    ):
        fitted = learn(now_ms)
        if fitted is not None:
            yield name, _kept(name, fitted, now_ms)


def _kept(name: str, fitted: Fitted, now_ms: int) -> str:
    known, sources = fitted
    if known.digest:
        fresh = {"name": name, "fitted_at": now_ms, "body": learnt.dump(known)}
        Learnt.objects.get_or_create(
            digest=known.digest, defaults={**fresh, "sources": dict(sources)}
        )
    return known.digest


def _calibration(now_ms: int) -> Fitted | None:
    """From resolved markets, one look at each in each bucket of time to its end."""
    seen = list(looks.looks(until=now_ms, days=LOOKED_AT, bounds=calibration.DAYS))
    if not seen:
        return None
    return _curve(seen), {"looks": len(seen), "events": len({each.event for each in seen})}


def _curve(seen: list[Look]) -> Calibration:
    return calibration.fit(
        np.array([each.price for each in seen], dtype=np.int64),
        np.array([each.paid for each in seen]) / 1e6,
        np.array([each.days for each in seen]),
        event=[each.event for each in seen],
        category=[each.category for each in seen],
        fitted_at=max(each.resolved_at for each in seen),
    )


@dataclass(slots=True)
class _Moves:
    """Hourly moves of one category in columns, an event by its number."""

    event: "array[int]" = field(default_factory=lambda: array("q"))
    at: "array[int]" = field(default_factory=lambda: array("q"))
    move: "array[float]" = field(default_factory=lambda: array("d"))


def _seasons(now_ms: int) -> Fitted | None:
    """From hourly closes of all markets; those of today were fitted once and do not change."""
    until = now_ms // DAY_MS * DAY_MS
    rows = Learnt.objects.filter(name="seasons", fitted_at__gte=until, fitted_at__lte=now_ms)
    for body, sources in rows.order_by("-pk").values_list("body", "sources")[:1]:
        return learnt.load("seasons", body), sources
    events: dict[str, int] = {}
    found = hourly.moves(since=until - SEASON_DAYS * DAY_MS, until=until)
    columns = _columns(found, events)
    if not columns:
        return None
    cells = tuple(cell for name in sorted(columns) for cell in _cells(name, columns[name], until))
    moves = sum(len(each.at) for each in columns.values())
    return Seasons(cells, fitted_at=until), {"moves": moves, "events": len(events)}


def _columns(found: Iterable[Move], events: dict[str, int]) -> dict[str, _Moves]:
    columns: dict[str, _Moves] = defaultdict(_Moves)
    for each in found:
        mine = columns[each.category]
        mine.event.append(events.setdefault(each.event, len(events)))
        mine.at.append(each.at)
        mine.move.append(each.move)
    return columns


def _cells(name: str, moves: _Moves, until: int) -> tuple[Season, ...]:
    """A category's cells depend on no other's, so that one at a time needs to be in memory."""
    fitted = seasons.fit(
        np.frombuffer(moves.move, dtype=np.float64),
        np.frombuffer(moves.at, dtype=np.int64),
        event=np.frombuffer(moves.event, dtype=np.int64).astype(np.str_).tolist(),
        category=[name] * len(moves.at),
        fitted_at=until,
    )
    return fitted.cells


def _forecasts(_: int) -> Fitted | None:
    """From the configured file; a fault in it is a warning, and nothing is learnt."""
    path = settings.PQAP.forecasts
    if path is None:
        return Forecasts(), {}
    try:
        found = forecasts.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, ForecastFault) as fault:
        log.warning("Forecasts in %s are not read, the last good ones stay: %s", path, fault)
        return None
    return found, {"claims": len(found.claims)}
