"""Writes of what the strategies believed; called by the desk inside its one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import connection

from markets.core.tick import Tick
from strategies.core.journal import Came, Journal, Page, Run
from strategies.core.quotes import Quoted
from strategies.core.types import Bet, Plan, Quote, bet_id
from strategies.models import Evaluation, Signal, SilenceRun

NOTHING = Came()

_RUN = ("strategy", "market", "reason", "detail", "from_tick", "from_at", "to_tick", "to_at")
"""Columns of a silence run in the order in which `_run` tells them."""

_START_RUN = (
    f"INSERT INTO strategies_silencerun ({', '.join(_RUN)}) "
    f"VALUES ({', '.join(['%s'] * len(_RUN))})"
)
_END_RUN = (
    "UPDATE strategies_silencerun SET to_tick = %s, to_at = %s "
    "WHERE strategy = %s AND market = %s AND from_tick = %s"
)
_END_SIGNAL = "UPDATE signals SET closed_tick_id = %s WHERE id = %s"
_DISPOSE = "UPDATE signals SET disposition = %s, reason = %s WHERE id = %s"


def record(
    pages: Sequence[tuple[Tick, Page]], came: Sequence[Mapping[str, Came]] | None = None
) -> None:
    """Store the journal pages of several ticks: new signals, silence runs, counts.

    `came` says for each page what the strategies came to on its tick, by name.
    """
    Signal.objects.bulk_create(_signal(tick, bet) for tick, page in pages for bet in page.opened)
    Signal.objects.bulk_create(_quoted(tick, one) for tick, page in pages for one in page.quoted)
    closed = [(tick.id, key) for tick, page in pages for key in page.closed]
    ended = {
        (run.strategy, run.market, run.from_tick): (tick.id, tick.at)
        for tick, page in pages
        for run in page.ended
    }
    started = [run for _, page in pages for run in page.started]
    fresh = {(run.strategy, run.market, run.from_tick) for run in started}
    older = [(*end, *key) for key, end in ended.items() if key not in fresh]
    _execute(_END_SIGNAL, closed)
    _execute(_END_RUN, older)
    _execute(_START_RUN, [_run(run, ended) for run in started])
    pairs = zip(pages, came or [{}] * len(pages), strict=True)
    Evaluation.objects.bulk_create(
        row for (tick, page), known in pairs for row in _counts(tick, page, known)
    )


def dispose(disposals: Iterable[tuple[str, str, str]]) -> None:
    """Store what became of signals: (signal, disposition, reason)."""
    _execute(_DISPOSE, [(what, reason, signal) for signal, what, reason in disposals])


def restore_journal() -> Journal:
    """The open signals and silence runs as last stored."""
    rows = Signal.objects.filter(closed_tick_id=None)
    bets = [_bet(row) for row in rows.filter(kind=Bet.kind)]
    quotes = [_standing(row) for row in rows.filter(kind=Quote.kind)]
    runs = [
        Run(row.strategy, row.market, row.reason, row.detail, row.from_tick, row.from_at)
        for row in SilenceRun.objects.filter(to_tick=None)
    ]
    return Journal(
        {(bet.strategy, bet.token): bet for bet in bets},
        {(run.strategy, run.market): run for run in runs},
        {(one.quote.strategy, one.quote.market): one for one in quotes},
    )


def _execute(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


PLAIN = (
    *("at", "strategy", "version", "market", "token", "outcome", "fair", "limit", "edge", "size"),
    "why",
)
"""Fields of a Bet that its row holds under the same name."""


def _signal(tick: Tick, bet: Bet) -> Signal:
    plan = {**asdict(bet.plan), "variance": bet.variance, "leg": bet.leg}
    columns = {name: getattr(bet, name) for name in PLAIN}
    return Signal(id=bet_id(bet), tick_id=tick.id, due_at=bet.at, plan=plan, **columns)


def _bet(row: Signal) -> Bet:
    plan = dict(row.plan)
    variance, leg = plan.pop("variance"), plan.pop("leg")
    columns = {name: getattr(row, name) for name in PLAIN}
    return Bet(variance=variance, leg=leg, plan=Plan(**plan), **columns)


STATED = ("fair", "half_width", "skew_per_share", "max_inventory", "split", "max_age_ms")
"""Fields of a Quote that its row keeps in the plan, under "quote": logits do not fit columns."""


def _quoted(tick: Tick, found: Quoted) -> Signal:
    quote = found.quote
    stated = {name: getattr(quote, name) for name in STATED}
    return Signal(
        id=found.id,
        tick_id=tick.id,
        at=quote.at,
        due_at=quote.at,
        kind=quote.kind,
        strategy=quote.strategy,
        version=quote.version,
        market=quote.market,
        fair=found.fair,
        limit=found.bid,
        ask=found.ask,
        edge=(found.ask - found.bid) // 2,
        size=quote.size,
        plan={**asdict(quote.plan), "quote": stated},
    )


def _standing(row: Signal) -> Quoted:
    plan = dict(row.plan)
    stated = plan.pop("quote")
    quote = Quote(
        row.strategy, row.version, row.at, row.market, size=row.size, plan=Plan(**plan), **stated
    )
    return Quoted(quote, row.limit, row.ask, row.fair)


def _run(run: Run, ended: dict[tuple[str, str, int], tuple[int, int]]) -> tuple[object, ...]:
    """A run's row; runs are many, and a model for each would cost more than storing it."""
    begun = run.strategy, run.market, run.reason, run.detail, run.from_tick, run.from_at
    return *begun, *ended.get((run.strategy, run.market, run.from_tick), (None, None))


def _counts(tick: Tick, page: Page, came: Mapping[str, Came]) -> Iterable[Evaluation]:
    for count in page.counts:
        result = came.get(count.strategy, NOTHING)
        yield Evaluation(
            tick_id=tick.id,
            at=tick.at,
            strategy=count.strategy,
            version=count.version,
            seen=count.seen,
            signalled=count.signalled,
            silent=dict(count.silent),
            error=count.error,
            inputs=count.inputs,
            refused=dict(result.refused),
            sized_to_zero=result.sized_to_zero,
            ordered=result.ordered,
            filled=result.filled,
        )
