"""Foreign history as ticks: what every importer shares, whatever the file looks like."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from markets.core.assembly import assemble
from markets.core.tick import Tick, Universe, empty
from markets.core.types import Book, Event, FeeSchedule, Market, Terms, Token

UNPAIRED = "UNPAIRED"
"""Why a book was left out: the other token's was not read with it."""
_CONDITION = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
GRIDS = (10_000, 1_000, 100)


class Refused(ValueError):
    """The file cannot be imported; the text says which column or row and what was expected."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the person importing says of the markets, because the file does not.

    `tick_size` None is found from the prices; `fee` and `end_at` (ms UTC) None are unknown, and
    then strategies stay silent there.
    """

    fee: FeeSchedule | None
    end_at: int | None
    min_size: int
    tick_size: int | None
    depth_levels: int

    def terms(self, tick_size: int) -> Terms:
        """The stated terms on the given grid."""
        return Terms(self.end_at, tick_size, self.min_size, self.fee)


@dataclass(frozen=True, slots=True)
class Read:
    """The books one look at the exchange brought, by token; `at` in ms UTC."""

    at: int
    books: Mapping[str, Book]


@dataclass(slots=True)
class Findings:
    """What an import left out, by reason, and what a person should know; filled while reading."""

    flaws: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


class Reader(Protocol):
    """A format: the file's markets, then its reads in order of time."""

    def __call__(
        self, path: Path, stated: Stated, findings: Findings
    ) -> tuple[Sequence[Market], Iterable[Read]]: ...


def ticks(
    markets: Sequence[Market], reads: Iterable[Read], *, depth_levels: int, findings: Findings
) -> Iterator[Tick]:
    """One tick a read, books carried in between; absurd books are left out and counted."""
    universe = Universe(1, tuple(markets))
    tick = empty(universe)
    for read in reads:
        made, flaws = assemble(
            universe, tick, books=read.books, refused={}, depth_levels=depth_levels
        )
        findings.flaws.update(flaw.code.value for flaw in flaws)
        if made is not None:
            tick = made
            yield tick


def condition_id(key: str) -> str:
    """A market id made from the file's own key, so that a second import gives the same one.

    A key that is a condition id already stays what it is.
    """
    if _CONDITION.fullmatch(key):
        return key
    return "0x" + hashlib.sha256(key.encode()).hexdigest()


def foreign_market(key: str, category: str, stated: Stated, tick_size: int) -> Market:
    """A market of which only the file's own key is known: ids of both tokens are made from it."""
    yes, no = (str(int(condition_id(f"{key} {side}")[2:], 16)) for side in ("yes", "no"))
    return Market(
        id=condition_id(key),
        slug=key,
        question=f"{key}: does YES win?",
        category=category,
        event=Event(condition_id(f"event {key}")[2:14], key, key),
        yes=Token(yes, "Yes"),
        no=Token(no, "No"),
        terms=stated.terms(tick_size),
    )


def check_columns(found: Sequence[str], known: Sequence[str], path: Path) -> None:
    """Refuse a file with a column too many or too few, by name."""
    for name in found:
        if name not in known:
            raise Refused(f"{path}: column '{name}' is not known; known are {', '.join(known)}.")
    for name in known:
        if name not in found:
            raise Refused(f"{path}: column '{name}' is missing; needed are {', '.join(known)}.")


def grid(prices: Iterable[int], key: str) -> int:
    """The coarsest grid all prices (micro) of a market lie on."""
    seen = set(prices)
    for size in GRIDS:
        if not any(price % size for price in seen):
            return size
    raise Refused(f"{key}: prices lie on no grid of 0.01, 0.001 or 0.0001.")
