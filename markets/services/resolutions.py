"""What exchanges say of outcomes, taken once: a repeated statement is no news."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from markets import models
from markets.core.ports import Source
from markets.core.tick import Universe
from markets.core.types import Resolution, Status

EVERY_MS = {"polymarket": 60_000}
"""How long to wait between two questions to a source, ms of `at`; others are asked each tick."""

SETTLED_EVERY_MS = 600_000
SETTLED_FOR_MS = 86_400_000
"""A settled outcome is asked for again this often and this long: it may be corrected."""


Payouts = tuple[int, int] | None


@dataclass(slots=True)
class Said:
    """What is known of the outcomes of the markets asked about so far."""

    newest: dict[str, Resolution | None] = field(default_factory=dict)
    stored: dict[tuple[str, str, int], Payouts] = field(default_factory=dict)
    asked_at: int | None = None
    settled_asked_at: int | None = None

    def final(self, market: str) -> bool:
        """Whether the market's outcome is settled."""
        known = self.newest.get(market)
        return known is not None and known.status is Status.RESOLVED

    def learn(self, facts: Iterable[Resolution]) -> None:
        """Take facts that were stored with a tick."""
        for fact in facts:
            self.newest[fact.market] = fact
            self.stored[fact.market, fact.status, fact.at] = fact.payouts

    def load(self, markets: Iterable[str]) -> None:
        """Read what is stored of markets not asked about before."""
        unknown = [market for market in markets if market not in self.newest]
        if not unknown:
            return
        self.newest.update(dict.fromkeys(unknown))
        rows = models.Resolution.objects.filter(market__condition_id__in=unknown)
        fields = ("market__condition_id", "status", "at", "yes_payout", "no_payout")
        for market, status, at, yes, no in rows.order_by("tick_id", "at").values_list(*fields):
            payouts = None if yes is None or no is None else (yes, no)
            self.learn([Resolution(market, Status(status), at, payouts)])


def markets_to_ask(universe: Universe, at: int) -> list[str]:
    """Tracked markets, those kept for another reason, and those settled not long before `at`."""
    pinned = set(models.Pin.objects.values_list("condition_id", flat=True))
    outside = pinned - universe.column.keys()
    if outside:
        rows = models.Market.objects.filter(condition_id__in=outside)
        outside = set(rows.values_list("condition_id", flat=True))
    recent = models.Resolution.objects.filter(status=Status.RESOLVED, at__gt=at - SETTLED_FOR_MS)
    outside |= set(recent.values_list("market__condition_id", flat=True)) - universe.column.keys()
    return [*universe.column, *sorted(outside)]


def due(source: Source, at: int, said: Said) -> bool:
    """Whether the source should be asked at `at`; a clock set back asks at once."""
    return _passed(at, said.asked_at, EVERY_MS.get(source.name, 0))


def news(source: Source, at: int, markets: list[str], said: Said) -> tuple[Resolution, ...]:
    """What the source says of the given markets at `at` that was not known.

    Settled ones are asked about now and then: another payout is a new fact.
    """
    again = _passed(at, said.settled_asked_at, SETTLED_EVERY_MS)
    asked = [market for market in markets if again or not said.final(market)]
    told = source.resolutions(asked, at) if asked else ()
    if again:
        said.settled_asked_at = at
    return tuple(_fresh(told, set(asked), said, at))


def _passed(at: int, before: int | None, every: int) -> bool:
    return before is None or not 0 <= at - before < every


def _fresh(
    told: Iterable[Resolution], asked: set[str], said: Said, at: int
) -> Iterable[Resolution]:
    """Facts whose status or payouts differ from the newest known; none twice.

    A market never spoken of that just trades is no news. Another payout under the time of the
    first one is dated when we heard of it.
    """
    newest, taken = dict(said.newest), dict(said.stored)
    for fact in sorted(told, key=lambda fact: (fact.market, fact.at, fact.status)):
        known = newest.get(fact.market)
        if fact.market not in asked or (known is None and fact.status is Status.OPEN):
            continue
        if known and (known.status, known.payouts) == (fact.status, fact.payouts):
            continue
        key = (fact.market, fact.status, fact.at)
        if key in taken and fact.payouts and known and known.payouts:
            fact = replace(fact, at=max(at, known.at + 1))
            key = (fact.market, fact.status, fact.at)
        if key not in taken:
            newest[fact.market] = fact
            taken[key] = fact.payouts
            yield fact
