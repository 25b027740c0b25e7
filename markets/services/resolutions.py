"""What exchanges say of outcomes, taken once: a repeated statement is no news."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from markets import models
from markets.core.ports import Source
from markets.core.tick import Universe
from markets.core.types import Resolution, Status
from markets.selectors import learnt

EVERY_MS = {"polymarket": 60_000}
"""How long to wait between two questions to a source, ms of `at`; others are asked each tick."""

SETTLED_EVERY_MS = 600_000
SETTLED_FOR_MS = 86_400_000
"""A settled outcome is asked for again this often and this long: it may be corrected."""


@dataclass(slots=True)
class Said:
    """What is known of the outcomes of the markets asked about so far."""

    newest: dict[str, Resolution | None] = field(default_factory=dict)
    stored: set[tuple[str, str, int]] = field(default_factory=set)
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
            self.stored.add((fact.market, fact.status, fact.at))

    def load(self, markets: Iterable[str]) -> None:
        """Read what is stored of markets not asked about before."""
        unknown = [market for market in markets if market not in self.newest]
        if not unknown:
            return
        self.newest.update(dict.fromkeys(unknown))
        rows = models.Resolution.objects.filter(market__condition_id__in=unknown)
        found = rows.order_by("tick_id", "at", "id").values_list(*learnt.OUTCOME)
        self.learn(learnt.outcome(*row) for row in found)


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
    """Facts that differ from the newest known; none twice.

    A market never spoken of that just trades is no news. A source may tell a market's whole past,
    so only its last word can contradict what is known under the same time: another payout, the
    old one after something else was said, or another proposal. That is dated when we heard of it.
    """
    newest, taken = dict(said.newest), set(said.stored)
    facts = sorted(told, key=lambda fact: (fact.market, fact.at, fact.status))
    last = {fact.market: place for place, fact in enumerate(facts)}
    for place, fact in enumerate(facts):
        known = newest.get(fact.market)
        if fact.market not in asked or (known is None and fact.status is Status.OPEN):
            continue
        if known and _same(known, fact):
            continue
        key = (fact.market, fact.status, fact.at)
        if known and key in taken and place == last[fact.market] and _contradicts(known, fact):
            fact = replace(fact, at=max(at, known.at + 1))
            key = (fact.market, fact.status, fact.at)
        if key not in taken:
            newest[fact.market] = fact
            taken.add(key)
            yield fact


def _same(known: Resolution, fact: Resolution) -> bool:
    """Whether a fact says nothing new; not to say which way a proposal goes takes nothing back."""
    if (known.status, known.payouts) != (fact.status, fact.payouts):
        return False
    return fact.proposed in (None, known.proposed)


def _contradicts(known: Resolution, fact: Resolution) -> bool:
    return fact.payouts is not None or (known.status is fact.status and fact.proposed is not None)
