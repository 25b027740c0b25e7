"""What exchanges say of outcomes, taken once: a repeated statement is no news."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from markets import models
from markets.core.ports import Source
from markets.core.tick import Universe
from markets.core.types import Resolution, Status

EVERY_MS = {"polymarket": 60_000}
"""How long to wait between two questions to a source, ms of `at`; others are asked each tick."""


@dataclass(slots=True)
class Said:
    """What is known of the outcomes of the markets asked about so far."""

    newest: dict[str, Resolution | None] = field(default_factory=dict)
    stored: set[tuple[str, str, int]] = field(default_factory=set)
    asked_at: int | None = None

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
        fields = ("market__condition_id", "status", "at", "yes_payout", "no_payout")
        for market, status, at, yes, no in rows.order_by("tick_id", "at").values_list(*fields):
            payouts = None if yes is None or no is None else (yes, no)
            self.learn([Resolution(market, Status(status), at, payouts)])


def markets_to_ask(universe: Universe) -> list[str]:
    """Tracked markets and those kept for another reason, as far as the catalogue knows them."""
    pinned = set(models.Pin.objects.values_list("condition_id", flat=True))
    outside = pinned - universe.column.keys()
    if outside:
        rows = models.Market.objects.filter(condition_id__in=outside)
        outside = set(rows.values_list("condition_id", flat=True))
    return [*universe.column, *sorted(outside)]


def due(source: Source, at: int, said: Said) -> bool:
    """Whether the source should be asked at `at`; a clock set back asks at once."""
    if said.asked_at is None:
        return True
    return not 0 <= at - said.asked_at < EVERY_MS.get(source.name, 0)


def news(source: Source, at: int, markets: list[str], said: Said) -> tuple[Resolution, ...]:
    """What the source says of the given markets at `at` that was not known."""
    open_ = [market for market in markets if not said.final(market)]
    told = source.resolutions(open_, at) if open_ else ()
    return tuple(_fresh(told, set(open_), said))


def _fresh(told: Iterable[Resolution], asked: set[str], said: Said) -> Iterable[Resolution]:
    """Facts whose status or payouts differ from the newest known; none twice."""
    newest, taken = dict(said.newest), set(said.stored)
    for fact in sorted(told, key=lambda fact: (fact.market, fact.at, fact.status)):
        known = newest.get(fact.market)
        key = (fact.market, fact.status, fact.at)
        same = known and (known.status, known.payouts) == (fact.status, fact.payouts)
        if fact.market in asked and not same and key not in taken:
            newest[fact.market] = fact
            taken.add(key)
            yield fact
