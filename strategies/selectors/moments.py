"""What each strategy thought of one market at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from strategies.models import Evaluation, Signal, SilenceRun
from strategies.selectors.journal import (
    SignalLine,
    SilenceLine,
    signal_lines,
    silence_lines,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A strategy's silence or open signals in a market; neither where it did not look at it.

    `evaluated_at` is when it was last asked (ms UTC), None where that is no longer kept; `error`
    and `inputs` are of that tick.
    """

    strategy: str
    silence: SilenceLine | None
    signals: tuple[SignalLine, ...]
    evaluated_at: int | None = None
    error: str = ""
    inputs: str = ""


def moments(market: str, *, tick: int) -> Mapping[str, Moment]:
    """By strategy, as the tick `tick` left them."""
    signals = _signals(market, tick)
    silences = _silences(market, tick)
    asked = _asked(tick)
    names = sorted({*signals, *silences, *asked})
    return {
        name: Moment(
            name, silences.get(name), tuple(signals.get(name, ())), *asked.get(name, (None, "", ""))
        )
        for name in names
    }


def _signals(market: str, tick: int) -> dict[str, list[SignalLine]]:
    open_ = Q(closed_tick_id=None) | Q(closed_tick_id__gt=tick)
    rows = Signal.objects.filter(open_, market=market, tick_id__lte=tick).order_by("at", "id")
    found: dict[str, list[SignalLine]] = {}
    for line in signal_lines(list(rows)):
        found.setdefault(line.strategy, []).append(line)
    return found


def _silences(market: str, tick: int) -> dict[str, SilenceLine]:
    on = Q(to_tick=None) | Q(to_tick__gt=tick)
    rows = SilenceRun.objects.filter(on, market=market, from_tick__lte=tick).order_by("from_tick")
    return {line.strategy: line for line in silence_lines(list(rows))}


def _asked(tick: int) -> dict[str, tuple[int | None, str, str]]:
    rows = Evaluation.objects.filter(tick_id=tick)
    return {row.strategy: (row.at, row.error, row.inputs) for row in rows}
