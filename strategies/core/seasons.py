"""Hours of the week at which prices drift: fitted with every caution, for most of them are chance.

A cell is a category and an hour of the week in one zone. Hundreds of cells are looked at, all
markets of an event move together, and one night of news makes an hour look special: hence one
return an event, cell and week, days drawn whole, and false discoveries controlled over all cells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from zoneinfo import ZoneInfo

import numpy as np

from markets.core import features
from markets.core.bars import BAR_MS
from markets.core.panel import LONG, Panel
from markets.core.tick import Flags, Ints
from markets.core.window import HOUR, Floats
from strategies.core.draws import uniforms
from strategies.core.types import digest

HOURS = 168
"""Hours of a week, from Monday 0:00."""

HOUR_MS = 3_600_000
ROUNDS = 400
"""How often a cell's days are drawn anew for its standard error."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Season:
    """One cell: the mean logit return of the hour, shrunk, and what it rests on.

    `p` is the chance of a mean so far from 0 where there is none (two-sided); `days` the days of
    the whole category, `stable` whether both halves of the weeks agree in sign.
    """

    category: str
    hour: int
    mean: float
    t: float
    p: float
    events: int
    weeks: int
    days: int
    stable: bool


@dataclass(frozen=True, slots=True)
class Seasons:
    """All cells, in the zone they were fitted in; `fitted_at` is when the newest data ended (ms).

    Empty, it knows nothing.
    """

    cells: tuple[Season, ...] = ()
    zone: str = "America/New_York"
    fitted_at: int = 0

    @property
    def digest(self) -> str:
        """The id of this knowledge, "" where there is none."""
        return digest(self.zone, self.fitted_at, *self.cells) if self.cells else ""

    def mirrored(self) -> "Seasons":
        """The same knowledge of markets whose YES and NO are swapped."""
        turned = (replace(cell, mean=-cell.mean, t=-cell.t) for cell in self.cells)
        return replace(self, cells=tuple(turned))

    def standing(
        self, *, rate: float, min_days: float, min_events: float, min_weeks: float
    ) -> tuple[Season, ...]:
        """The cells that rest on enough, agree in both halves, and are no false discoveries.

        Benjamini-Hochberg over all cells that rest on enough.
        """
        enough = np.array(
            [
                cell.days >= min_days and cell.events >= min_events and cell.weeks >= min_weeks
                for cell in self.cells
            ],
            dtype=np.bool_,
        )
        found = features.discoveries(np.array([cell.p for cell in self.cells]), enough, rate)
        kept = zip(self.cells, found.tolist(), strict=True)
        return tuple(cell for cell, real in kept if real and cell.stable)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The mean spread of each hour of the week, micro-dollars, -1 where none was seen."""

    width: tuple[int, ...]

    def cheapest(self, count: int = 3) -> tuple[int, ...]:
        """The hours at which trading costs least, cheapest first."""
        seen = [(width, hour) for hour, width in enumerate(self.width) if width >= 0]
        return tuple(hour for _, hour in sorted(seen)[:count])


def hour_of_week(at: int, zone: ZoneInfo) -> int:
    """The hour of the week, from Monday 0:00, in a zone at an instant (ms UTC)."""
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
    return local.weekday() * 24 + local.hour


def switches(at: int, zone: ZoneInfo) -> bool:
    """Whether the zone's clocks change on the local day of an instant: it has not 24 hours."""
    day = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()
    start, end = (_midnight(each, zone) for each in (day, day + timedelta(days=1)))
    return end - start != timedelta(hours=24)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def named(hour: int) -> str:
    """An hour of the week for people: "Tue 03:00"."""
    return f"{DAYS[hour // 24]} {hour % 24:02d}:00"


def schedule(panel: Panel, zone: ZoneInfo) -> Schedule:
    """The mean spread by hour of week over the panel's week: one bar an hour, all markets seen."""
    rows, window = panel.window.rows(panel.tick.universe), panel.window
    total, count = [0] * HOURS, [0] * HOURS
    for ago in range(panel.fitted_ago, panel.fitted_ago + LONG, HOUR):
        seen = window.seen(rows, 1, ago)[:, 0]
        spread = window.ints("ask", rows, 1, ago)[:, 0] - window.ints("bid", rows, 1, ago)[:, 0]
        hour = hour_of_week(panel.features.at - ago * BAR_MS - 1, zone)
        total[hour] += int(spread[seen].sum())
        count[hour] += int(seen.sum())
    pairs = zip(total, count, strict=True)
    return Schedule(tuple(width // markets if markets else -1 for width, markets in pairs))


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """One mean return an event, hour of week and week, in columns."""

    category: Ints
    hour: Ints
    week: Ints
    day: Ints
    event: Ints
    move: Floats

    def of(self, chosen: Flags) -> "_Units":
        return _Units(
            *(
                getattr(self, name)[chosen]
                for name in ("category", "hour", "week", "day", "event", "move")
            )
        )


def fit(
    move: Floats,
    at: Ints,
    *,
    event: Sequence[str],
    category: Sequence[str],
    fitted_at: int,
    zone: str = "America/New_York",
) -> Seasons:
    """Fit every cell from hourly logit returns: `at` is the hour's start, ms UTC.

    Days on which the clocks change are left out. The same input gives the same cells, draws
    included. ValueError where a return is no finite number.
    """
    if not np.isfinite(move).all():
        raise ValueError("returns must be finite numbers")
    names, kinds = np.unique(np.array(category, dtype=np.str_), return_inverse=True)
    events = np.unique(np.array(event, dtype=np.str_), return_inverse=True)[1]
    units = _units(move, at, events.astype(np.int64), kinds.astype(np.int64), ZoneInfo(zone))
    cells: list[Season] = []
    for number, name in enumerate(names.tolist()):
        mine = units.of(units.category == number)
        cells += _shrunk(list(_cells(name, mine)), mine)
    return Seasons(tuple(cells), zone, fitted_at)


def _units(move: Floats, at: Ints, event: Ints, category: Ints, zone: ZoneInfo) -> _Units:
    hours, place = np.unique(at, return_inverse=True)
    local = [datetime.fromtimestamp(each / 1000, UTC).astimezone(zone) for each in hours.tolist()]
    skipped = np.array([switches(each, zone) for each in hours.tolist()], dtype=np.bool_)
    hour = np.array([each.weekday() * 24 + each.hour for each in local], dtype=np.int64)
    day = np.array([each.toordinal() for each in local], dtype=np.int64)
    kept = ~skipped[place]
    table = np.stack((category, hour[place], (day[place] - 1) // 7, day[place], event), axis=1)[
        kept
    ]
    unique, owner = np.unique(table.reshape(-1, 5), axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    mean = np.bincount(owner, weights=move[kept], minlength=len(unique)) / np.maximum(
        np.bincount(owner, minlength=len(unique)), 1
    )
    kind, clock, week, date_, owner_event = unique.T
    return _Units(kind, clock, week, date_, owner_event, mean)


def _cells(name: str, units: _Units) -> Iterator[tuple[Season, float]]:
    """Each cell of a category, not shrunk yet, with its standard error."""
    days = len(np.unique(units.day))
    for hour in np.unique(units.hour).tolist():
        mine = units.of(units.hour == hour)
        mean, error, dates = _bootstrap(mine, seed=f"{name} {hour}")
        t = mean / error if error > 0 else 0.0
        weeks = np.unique(mine.week)
        early = mine.week < weeks[len(weeks) // 2]
        halves = [float(mine.move[half].sum()) for half in (early, ~early)]
        cell = Season(
            category=name,
            hour=hour,
            mean=mean,
            t=t,
            p=_two_sided(t, dates - 1),
            events=len(np.unique(mine.event)),
            weeks=len(weeks),
            days=days,
            stable=all(half * mean > 0 for half in halves),
        )
        yield cell, error


def _bootstrap(units: _Units, seed: str) -> tuple[float, float, int]:
    """Mean, its standard error with days drawn whole (0 where there is one day only), and days."""
    days, owner = np.unique(units.day, return_inverse=True)
    total, count = np.bincount(owner, weights=units.move), np.bincount(owner)
    mean, n = float(units.move.mean()), len(days)
    if n < 2:
        return mean, 0.0, n
    drawn = (uniforms(seed, ROUNDS * n) * n).astype(np.int64).reshape(ROUNDS, n)
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return mean, float(np.std(means)) * sqrt(n / (n - 1)), n


def _two_sided(t: float, freedom: int) -> float:
    """Chance of a Student t at least so far from 0 (Abramowitz, Stegun 26.7.8); 1 without any."""
    if freedom < 1:
        return 1.0
    z = abs(t) * (1 - 1 / (4 * freedom)) / sqrt(1 + t * t / (2 * freedom))
    return 2 * float(features.lower_tail(np.array([-z]))[0])


def _shrunk(cells: list[tuple[Season, float]], units: _Units) -> Iterator[Season]:
    """Cells drawn towards their category's mean, as far as their errors explain their spread.

    The category's mean itself is drawn towards 0 in the same way (James, Stein 1961).
    """
    if not cells:
        return
    whole, error, _ = _bootstrap(units, seed=cells[0][0].category)
    centre = whole * max(0.0, 1 - (error / whole) ** 2) if whole else 0.0
    means = np.array([cell.mean for cell, _ in cells])
    noise = np.array([own for _, own in cells]) ** 2
    between = max(0.0, float(((means - centre) ** 2).mean() - noise.mean()))
    for cell, own in cells:
        kept = between / (between + own * own) if own > 0 else 0.0
        yield replace(cell, mean=centre + kept * (cell.mean - centre))
