"""Signals held against what came, traded or not: each measure once, when it is due.

`Signal.due_at` is the queue: entry at once, then the markouts, then WAITING until its market is
resolved, null when all is scored. A measure that cannot be known is stored as such, with why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from django.db import transaction

from markets.core import venue
from markets.core.types import ONE, FeeSchedule
from markets.selectors import catalogue, mids, ticks
from markets.selectors.mids import Ended, Mid
from strategies.core import scoring
from strategies.core.scoring import HORIZONS, Measure, Score
from strategies.core.types import Bet
from strategies.models import Signal, SignalScore

WAITING = 1 << 62
"""`due_at` of a signal that only its market's outcome can score."""
AT_ONCE = 100
CLOSING_MS = 86_400_000
"""The last mid before the end may be this old."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What scoring a batch needs besides its signals, by market or token."""

    fees: Mapping[str, FeeSchedule | None]
    events: Mapping[str, str]
    sides: Mapping[str, int]
    ended: Mapping[str, Ended]


def run(*, seconds: float = 5) -> int:
    """Score what is due by the newest tick, for about `seconds`; the number of rows written."""
    newest = ticks.last_tick()
    if newest is None:
        return 0
    until, written = monotonic() + seconds, 0
    while monotonic() < until:
        due = Signal.objects.filter(due_at__lte=newest.at).order_by("due_at", "pk")
        batch = list(due[:AT_ONCE])
        if not batch:
            break
        written += _score(batch, newest.at)
    while monotonic() < until:
        batch = _resolved()
        if not batch:
            break
        written += _score(batch, newest.at)
    return written


def _resolved() -> list[Signal]:
    """Signals that waited for an outcome which has come."""
    waiting = Signal.objects.filter(due_at=WAITING)
    known = mids.ended(waiting.values_list("market", flat=True).distinct())
    return list(waiting.filter(market__in=list(known)).order_by("pk")[:AT_ONCE])


@transaction.atomic
def _score(batch: Sequence[Signal], now: int) -> int:
    markets = {row.market for row in batch}
    belongs = catalogue.belongings(markets)
    known = _Known(
        fees=mids.fees(markets),
        events={name: found.event or name for name, found in belongs.items()},
        sides={
            token: found.index
            for token, found in catalogue.outcomes(row.token for row in batch if row.token).items()
        },
        ended=mids.ended(markets),
    )
    entries = {
        row.signal: row
        for row in SignalScore.objects.filter(
            signal__in=[row.pk for row in batch], measure=Measure.ENTRY
        )
    }
    fresh: list[SignalScore] = []
    for row in batch:
        fresh += _advance(row, entries.get(row.pk), known, now)
    SignalScore.objects.bulk_create(fresh, ignore_conflicts=True)
    Signal.objects.bulk_update(batch, ["due_at"])
    return len(fresh)


def _advance(
    row: Signal, entry: SignalScore | None, known: _Known, now: int
) -> Iterator[SignalScore]:
    """Every measure of one signal that is due by `now`; moves its `due_at` on."""
    if entry is None:
        entry = _row(row, Measure.ENTRY, _entry(row, known), known)
        yield entry
    if row.kind == Bet.kind and row.due_at != WAITING:
        for measure, after in HORIZONS.items():
            if row.at + after > now:
                row.due_at = row.at + after
                return
            if row.due_at <= row.at + after:
                yield _row(row, measure, _markout(row, entry, known, row.at + after), known)
    row.due_at = WAITING
    if row.market in known.ended:
        yield _row(row, Measure.CLOSING, _closing(row, entry, known), known)
        yield _row(row, Measure.BRIER, _brier(row, entry, known), known)
        row.due_at = None


def _row(row: Signal, measure: Measure, score: Score, known: _Known) -> SignalScore:
    return SignalScore(
        signal=row.pk,
        measure=measure,
        strategy=row.strategy,
        kind=row.kind,
        market=row.market,
        event=known.events.get(row.market, row.market),
        at=row.at,
        value=score.value,
        other=score.other,
        unknown=score.unknown,
    )


def _entry(row: Signal, known: _Known) -> Score:
    seen = mids.mid_at(row.market, row.at)
    if seen.unknown:
        return Score(None, row.limit if row.kind == Bet.kind else None, seen.unknown)
    if row.kind != Bet.kind:
        return Score(seen.mid)
    no = _is_no(row, known)
    ask = ONE - seen.bid if no else seen.ask
    return scoring.entry(_of_token(seen.mid, no), ask, row.limit)


def _markout(row: Signal, entry: SignalScore, known: _Known, at: int) -> Score:
    """The later mid against what a share cost; after the outcome its payout is what it is worth."""
    ended = known.ended.get(row.market)
    over = ended is not None and ended.at <= at
    seen = Mid(ended.paid, ended.paid) if ended and over else mids.mid_at(row.market, at)
    if seen.unknown:
        return Score(None, None, seen.unknown)
    worth = _of_token(seen.mid, _is_no(row, known))
    return scoring.gain(worth, entry.other or row.limit, _fee(row, entry, known))


def _closing(row: Signal, entry: SignalScore, known: _Known) -> Score:
    ended = known.ended[row.market]
    last = min(ended.at, ended.end_at or ended.at)
    if last <= row.at:
        return Score(None, None, "it was signalled after the market's end")
    seen = mids.mid_at(row.market, last - 1, fresh_ms=CLOSING_MS)
    if seen.unknown:
        return Score(None, None, seen.unknown)
    if row.kind == Bet.kind:
        worth = _of_token(seen.mid, _is_no(row, known))
        return scoring.gain(worth, entry.other or row.limit, _fee(row, entry, known))
    if entry.value is None:
        return Score(abs(seen.mid - row.fair), None, entry.unknown)
    return scoring.distance(row.fair, entry.value, seen.mid)


def _brier(row: Signal, entry: SignalScore, known: _Known) -> Score:
    came = _of_token(known.ended[row.market].paid, _is_no(row, known))
    if entry.value is None:
        return Score(scoring.squared(row.fair, came), None, entry.unknown)
    return scoring.against(row.fair, entry.value, came)


def _is_no(row: Signal, known: _Known) -> bool:
    return known.sides.get(row.token, 0) == 1


def _of_token(yes: int, no: bool) -> int:
    return ONE - yes if no else yes


def _fee(row: Signal, entry: SignalScore, known: _Known) -> int | None:
    """The taker's fee a share at what it would have cost, micro-dollars; None where unknown."""
    schedule = known.fees.get(row.market)
    if schedule is None or not row.size:
        return None
    paid = entry.other or row.limit
    return venue.taker_fee(row.size, paid, schedule) * ONE // row.size
