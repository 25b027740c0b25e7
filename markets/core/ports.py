"""Where market data comes from: the one port behind which every source stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from markets.core.book import Anomaly
from markets.core.types import Book, Market, PricePoint, Print, Resolution


class SourceDown(Exception):
    """The source could not answer at all; `reason` is one clear sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Listing:
    """How much of its list a source has shown with the last `markets` call.

    `complete` is false while some of it was never read. `left_out` counts, by reason, what is
    listed and is no market to trade; `unreadable` what made no sense. `unpriced` are markets (by
    condition id) whose fee could not be asked for yet: unknown for now is not none.
    """

    complete: bool = True
    left_out: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    unpriced: frozenset[str] = frozenset()


class Source(Protocol):
    """Reads of the exchange at a tick's scheduled time `at` (ms UTC; live adapters ignore it).

    Calling twice with one `at` gives the same answer. A token whose book is missing or absurd is
    absent from `books` and named in `refused`, so one market's bad data costs only that market.
    """

    name: str
    refused: Mapping[str, Anomaly]
    """Tokens refused by the last `books` call, with the reason."""
    listing: Listing
    """What the last `markets` call could and could not show."""

    def markets(self, at: int) -> Sequence[Market]:
        """Every tradable market the source knows, with its current terms."""
        ...

    def lookup(self, names: Sequence[str], at: int) -> Sequence[Market]:
        """The markets that the given condition ids, slugs and event slugs name, ended ones too.

        What the source does not know is absent; SourceDown when it could not be asked.
        """
        ...

    def books(self, tokens: Sequence[str], at: int) -> Mapping[str, Book]:
        """The books of the given tokens, by token id."""
        ...

    def prints(self, markets: Sequence[str], since: int, at: int) -> Iterable[Print]:
        """Trades of the given markets made after `since`."""
        ...

    def resolutions(self, markets: Sequence[str], at: int) -> Iterable[Resolution]:
        """What is known of the given markets' outcomes; silent or OPEN on those that just trade."""
        ...

    def history(self, tokens: Sequence[str], since: int, until: int) -> Iterable[PricePoint]:
        """Past prices of the given tokens, oldest first."""
        ...

    def checkpoint(self) -> bytes:
        """What the source must be handed to go on from here; empty when it keeps no state."""
        ...
