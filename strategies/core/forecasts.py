"""Probabilities from elsewhere: a person's, a model's or another venue's, each with its error."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from markets.core.tick import Universe
from markets.core.types import ONE
from strategies.core.types import digest

COLUMNS = ("market", "probability", "error", "at", "until")
MOST_FAULTS = 20


class ForecastFault(ValueError):
    """A file of forecasts that cannot be believed; the text names each row and what is wrong."""


@dataclass(frozen=True, slots=True)
class Claim:
    """YES of a market (condition id or slug) comes with `probability`, give or take `error`.

    Both in micro, `error` a standard error. Known from `at` on, void from `until` on (ms UTC).
    """

    market: str
    probability: int
    error: int
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class Forecasts:
    """What was claimed elsewhere; empty, it knows nothing."""

    claims: tuple[Claim, ...] = ()

    @property
    def digest(self) -> str:
        """The id of this knowledge, "" where there is none."""
        return digest(*self.claims) if self.claims else ""

    def mirrored(self) -> "Forecasts":
        """The same claims about markets whose YES and NO are swapped."""
        turned = (
            Claim(each.market, ONE - each.probability, each.error, each.at, each.until)
            for each in self.claims
        )
        return Forecasts(tuple(turned))

    def standing(self, universe: Universe, at: int) -> Mapping[int, Claim]:
        """Column -> the newest claim that is known and not void at an instant."""
        if not self.claims:
            return {}
        slugs = {market.slug: column for column, market in enumerate(universe.markets)}
        found: dict[int, Claim] = {}
        for claim in sorted(self.claims, key=lambda each: each.at):
            column = universe.column.get(claim.market, slugs.get(claim.market))
            if column is not None and claim.at <= at < claim.until:
                found[column] = claim
        return found


def parse(text: str) -> Forecasts:
    """Read forecasts from CSV text with the columns market, probability, error, at, until.

    `at` and `until` are ISO 8601 times with a zone. ForecastFault names every row (the header is
    row 1) with the field, the value found and what is allowed.
    """
    rows = list(csv.reader(text.splitlines()))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if sorted(header) != sorted(COLUMNS):
        wanted = ", ".join(COLUMNS)
        raise ForecastFault(f"row 1: the columns must be {wanted}; found {', '.join(header)}")
    claims, faults = [], []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            if len(row) != len(header):
                raise ForecastFault(f"must have {len(header)} fields; found {len(row)}")
            claims.append(_claim(dict(zip(header, (cell.strip() for cell in row), strict=True))))
        except ForecastFault as fault:
            faults.append(f"row {number}: {fault}")
    if faults:
        raise ForecastFault("\n".join(_cut(faults)))
    return Forecasts(tuple(claims))


def _cut(faults: list[str]) -> Iterable[str]:
    yield from faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        yield f"and {len(faults) - MOST_FAULTS} more"


def _claim(row: dict[str, str]) -> Claim:
    if not row["market"]:
        raise ForecastFault("market must be a condition id or a slug; found nothing")
    probability, error = _share(row, "probability"), _share(row, "error")
    at, until = _time(row, "at"), _time(row, "until")
    if until <= at:
        raise ForecastFault(f"until must be after at; found {row['until']}")
    return Claim(row["market"], probability, error, at, until)


def _share(row: dict[str, str], name: str) -> int:
    wrong = f"{name} must be a number between 0 and 1, both exclusive; found {row[name]!r}"
    try:
        value = Decimal(row[name])
    except InvalidOperation:
        raise ForecastFault(wrong) from None
    if not value.is_finite() or not 0 < (found := int(value * ONE)) < ONE:
        raise ForecastFault(wrong)
    return found


def _time(row: dict[str, str], name: str) -> int:
    try:
        found = datetime.fromisoformat(row[name])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        wanted = "an ISO 8601 time with a zone, such as 2026-01-31T12:00:00Z"
        raise ForecastFault(f"{name} must be {wanted}; found {row[name]!r}")
    return round(found.timestamp() * 1000)
