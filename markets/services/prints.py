"""Trades the exchange reports, taken once: asked with an overlap, told apart from those stored."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markets import models
from markets.core.ports import Source, SourceDown
from markets.core.tick import Universe
from markets.core.types import Print

EVERY_MS = {"polymarket": 60_000}
"""How long to wait between two questions about a market, ms of `at`; others are asked each tick."""

AT_ONCE = {"polymarket": 20}
"""Markets in one question; others take all at once."""

OVERLAP_MS = 900_000
"""How far each question reaches back behind the one before. The exchange may hand out an answer
that is five minutes old, and its trades appear late."""

REACH_MS = 6 * 3_600_000
"""The furthest a question reaches back after a time in which nothing ran."""

AHEAD_MS = 60_000
"""A trade dated further ahead than this is a fault, not news."""


@dataclass(frozen=True, slots=True)
class Told:
    """New trades, and which markets answered the question due at `at` (ms UTC)."""

    at: int
    prints: tuple[Print, ...] = ()
    markets: tuple[str, ...] = ()


@dataclass(slots=True)
class Heard:
    """When each market was last asked about with success, and the trades known since then.

    `since` is how far back the first question about a market must reach.
    """

    since: int = 0
    asked: dict[str, int] = field(default_factory=dict)
    known: dict[str, set[Print]] = field(default_factory=dict)

    def load(self, markets: Sequence[str], at: int) -> None:
        """Read the stored trades of markets not asked about before."""
        unknown = [market for market in markets if market not in self.known]
        if not unknown:
            return
        self.known.update((market, set()) for market in unknown)
        rows = models.Print.objects.filter(
            market__condition_id__in=unknown, at__gte=at - REACH_MS - OVERLAP_MS
        ).order_by()
        fields = ("market_id", "outcome", "side", "price", "size", "at", "transaction")
        names = _names(unknown)
        for key, outcome, *rest in rows.values_list(*fields):
            market, tokens = names[key]
            self.known[market].add(Print(market, tokens[outcome], *rest))

    def reach(self, market: str, at: int) -> int:
        """From when on (ms UTC) trades of a market are asked for at `at`."""
        last = self.asked.get(market, self.since or at)
        return max(min(last, at) - OVERLAP_MS, at - REACH_MS)

    def learn(self, told: Told) -> None:
        """Take what was stored with a tick, and let go of what no question reaches any more."""
        for fact in told.prints:
            self.known.setdefault(fact.market, set()).add(fact)
        for market in told.markets:
            kept = self.reach(market, told.at) - OVERLAP_MS
            self.asked[market] = told.at
            held = self.known.get(market, set())
            if any(fact.at < kept for fact in held):
                self.known[market] = {fact for fact in held if fact.at >= kept}


def news(
    source: Source,
    at: int,
    universe: Universe,
    heard: Heard,
    *,
    read: Sequence[str],
    left: Callable[[], float],
) -> Told:
    """New trades of the markets `read` that are due at `at`, longest unasked first.

    Stops when `left()` seconds are spent or the source is down; markets not reached are due again
    next time. Raises SourceDown only when nothing was answered.
    """
    due = [market for market in read if _is_due(source, market, at, heard)]
    due.sort(key=lambda market: heard.asked.get(market, 0))
    size = AT_ONCE.get(source.name, len(due)) or 1
    answered: list[str] = []
    found: dict[Print, None] = {}
    for start in range(0, len(due), size):
        if left() <= 0:
            break
        asked = due[start : start + size]
        heard.load(asked, at)
        try:
            said = source.prints(asked, min(heard.reach(market, at) for market in asked), at)
            found |= dict.fromkeys(_fresh(said, at, universe, set(asked), heard))
        except SourceDown:
            if not answered:
                raise
            break
        answered += asked
    return Told(at, tuple(found), tuple(answered))


def _is_due(source: Source, market: str, at: int, heard: Heard) -> bool:
    """Whether a market should be asked about at `at`; a clock set back asks at once."""
    asked = heard.asked.get(market)
    return asked is None or not 0 <= at - asked < EVERY_MS.get(source.name, 0)


def _fresh(
    said: Iterable[Print], at: int, universe: Universe, asked: set[str], heard: Heard
) -> Iterable[Print]:
    """Trades of the markets asked about, in their own tokens, that are not known.

    A question reaches as far back as the market asked longest ago needs; of the others only their
    own reach counts, for what is known of them goes no further back.
    """
    reach = {market: heard.reach(market, at) for market in asked}
    for fact in said:
        column, _ = universe.token.get(fact.token, (-1, 0))
        if fact.market not in asked or column != universe.column.get(fact.market):
            continue
        timely = reach[fact.market] < fact.at <= at + AHEAD_MS
        if timely and fact not in heard.known[fact.market]:
            yield fact


def _names(markets: Iterable[str]) -> dict[int, tuple[str, dict[int, str]]]:
    """Local key -> condition id and its tokens by side."""
    rows = models.Token.objects.filter(market__condition_id__in=list(markets))
    found: dict[int, tuple[str, dict[int, str]]] = {}
    fields = ("market_id", "market__condition_id", "index", "token_id")
    for key, market, index, token in rows.values_list(*fields):
        found.setdefault(key, (market, {}))[1][index] = token
    return found
