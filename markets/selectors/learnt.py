"""What came with ticks besides quotes: outcomes, trades, and bars of the past."""

from collections import defaultdict
from dataclasses import dataclass, field

from markets import models
from markets.core.assembly import by_past, by_print, by_resolution
from markets.core.types import PastBar, Print, Resolution, Status

OUTCOME = (
    *("market__condition_id", "status", "at", "yes_payout", "no_payout"),
    *("yes_proposed", "no_proposed"),
)  # fmt: skip
"""The columns of a Resolution's row that `outcome` takes."""
_PRINT = ("tick_id", "market_id", "outcome", "side", "price", "size", "at", "transaction")


@dataclass(frozen=True, slots=True)
class News:
    """What one tick brought, in the order assembly gives."""

    resolutions: tuple[Resolution, ...] = ()
    prints: tuple[Print, ...] = ()
    past: tuple[PastBar, ...] = ()


@dataclass(slots=True)
class Learnt:
    """News of a span of ticks, by tick id."""

    resolutions: dict[int, list[Resolution]] = field(default_factory=lambda: defaultdict(list))
    prints: dict[int, list[Print]] = field(default_factory=lambda: defaultdict(list))
    past: dict[int, list[PastBar]] = field(default_factory=lambda: defaultdict(list))

    def on(self, tick_id: int) -> News:
        """The news of one tick."""
        return News(
            tuple(sorted(self.resolutions.get(tick_id, ()), key=by_resolution)),
            tuple(sorted(self.prints.get(tick_id, ()), key=by_print)),
            tuple(sorted(self.past.get(tick_id, ()), key=by_past)),
        )


def between(first: int, last: int) -> Learnt:
    """Everything learnt on the ticks from `first` to `last`, both included."""
    found, span = Learnt(), {"tick_id__gte": first, "tick_id__lte": last}
    said = models.Resolution.objects.filter(**span).values_list("tick_id", *OUTCOME)
    for tick_id, *row in said:
        found.resolutions[tick_id].append(outcome(*row))
    for tick_id, fact in _prints(span):
        found.prints[tick_id].append(fact)
    bars = models.Bar.objects.filter(learnt_tick_id__gte=first, learnt_tick_id__lte=last)
    past = bars.values_list("learnt_tick_id", "market__condition_id", "at", "micro")
    for tick_id, market, at, price in past:
        found.past[tick_id].append(PastBar(market, at, price))
    return found


def outcome(
    market: str,
    status: str,
    at: int,
    yes: int | None,
    no: int | None,
    yes_proposed: int | None,
    no_proposed: int | None,
) -> Resolution:
    """A Resolution from the columns OUTCOME of its row."""
    payouts = None if yes is None or no is None else (yes, no)
    proposed = None if yes_proposed is None or no_proposed is None else (yes_proposed, no_proposed)
    return Resolution(market, Status(status), at, payouts, proposed)


def _prints(span: dict[str, int]) -> list[tuple[int, Print]]:
    rows = list(models.Print.objects.filter(**span).values_list(*_PRINT))
    tokens = models.Token.objects.filter(market_id__in={row[1] for row in rows})
    fields = ("market_id", "index", "market__condition_id", "token_id")
    side = {(key, index): names for key, index, *names in tokens.values_list(*fields)}
    return [
        (tick_id, Print(*side[market, outcome], *rest)) for tick_id, market, outcome, *rest in rows
    ]
