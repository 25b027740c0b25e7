"""Foreign prices: lines of a price over time, judged row by row, made five-minute closes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markets.core.past import closes
from markets.core.types import ONE
from markets.sources import tables
from markets.sources.foreign import Findings, Refused

NO_MARKET, BAD_TIME, NO_PRICE = "NO_MARKET", "BAD_TIME", "NO_PRICE"
BAD_PRICE, NOT_ONE, CERTAIN = "BAD_PRICE", "NOT_ONE", "CERTAIN"
"""Why a row was left out; what each means is in `docs/recordings.md`."""

APART = 20_000
"""YES and NO of one instant that miss a dollar by more than two cents are not one instant."""

EVER = 1 << 62

Series = Mapping[str, Mapping[int, int]]
"""The file's own key of a market -> close (ms UTC) -> price of YES in micro."""

PriceReader = Callable[[Path, Findings], Series]


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the file has it: anything may be missing or absurd."""

    market: object
    at: object
    yes: object = None
    no: object = None


def series(rows: Iterable[Row], findings: Findings, path: Path) -> Series:
    """The closes of every market; what cannot be used is left out and counted by reason.

    YES counts where it is given, else one minus NO. Refused when not a single row can be used.
    """
    lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        judged = _judged(row)
        if isinstance(judged, str):
            findings.flaws[judged] += 1
        else:
            key, at, price = judged
            lines[key].append((at, price))
    if not lines:
        why = ", ".join(f"{n} x {code}" for code, n in sorted(findings.flaws.items())) or "empty"
        raise Refused(f"{path}: no row holds a price that can be used ({why}).")
    return {key: closes(lines[key], since=0, until=EVER) for key in sorted(lines)}


def _judged(row: Row) -> tuple[str, int, int] | str:
    """Market, instant (ms UTC) and YES price of a row, or the reason to leave it out."""
    if row.market is None or row.market == "":
        return NO_MARKET
    at = tables.instant(row.at)
    if at is None:
        return BAD_TIME
    given = [value for value in (row.yes, row.no) if value is not None and value == value]
    if not given:
        return NO_PRICE
    read = [tables.price(value) for value in given]
    if None in read:
        return BAD_PRICE
    yes, no = _sides(row, read)
    if yes is not None and no is not None and abs(yes + no - ONE) > APART:
        return NOT_ONE
    found = yes if yes is not None else ONE - (no or 0)
    return (str(row.market), at, found) if 0 < found < ONE else CERTAIN


def _sides(row: Row, read: list[int | None]) -> tuple[int | None, int | None]:
    if len(read) == 2:
        return read[0], read[1]
    missing = row.yes is None or row.yes != row.yes
    return (None, read[0]) if missing else (read[0], None)
