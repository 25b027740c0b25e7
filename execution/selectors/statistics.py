"""How good a track record is: results, their parts, and statistics with their uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from django.db.models import F, Max, Min, QuerySet, Sum

from execution.core import metrics
from execution.core.attribution import Attribution
from execution.core.metrics import Figure
from execution.core.types import AccountName, Liquidity, Side
from execution.models import Account, Equity, Posting, Trade
from execution.selectors import attribution
from execution.selectors import trials as evidence
from execution.selectors.attribution import OPEN
from execution.selectors.trials import TrialLine
from markets.core.types import ONE

DAY_MS = 86_400_000
COUNTED = "counted, not estimated"


@dataclass(frozen=True, slots=True)
class Performance:
    """One account's track record, or one strategy's in it; money in micro-dollars, times ms UTC.

    `days` counts the daily returns behind `statistics`; `clusters` the closed events, and
    `open_clusters` those in which something is held. `cuts` are the parts by strategy, event and
    more. `trial` is the base account's; None for a whole account or before anything was traded.
    """

    account: str
    strategy: str
    since: int | None
    until: int | None
    days: int
    deposits: int
    pnl: int
    realized_pnl: int
    unrealized_pnl: int
    fees: int
    rebates: int
    estimated_rebates: int
    trades: int
    clusters: int
    open_clusters: int
    attribution: Attribution
    cuts: Mapping[str, Mapping[str, Attribution]]
    statistics: Mapping[str, Figure]
    trial: TrialLine | None


def performance(*, account: str = AccountName.BASE, strategy: str = "") -> Performance | None:
    """The track record of an account, or of one strategy in it; None before it was opened."""
    row = Account.objects.filter(name=account).first()
    if row is None:
        return None
    cells = attribution.cells(account=account, strategy=strategy)
    parts = attribution.total(cells) if strategy else attribution.whole(row, cells)
    came, open_ = attribution.events(cells)
    closed = [result for event, result in came.items() if event not in open_]
    unrealized = sum(cell.result for cell in cells if cell.liquidity == OPEN)
    realized = sum(cell.result for cell in cells if cell.liquidity != OPEN)
    returns, deepest = _returns(row, strategy)
    since, until = _span(row, strategy)
    years = (until - since) / DAY_MS / metrics.YEAR if since and until else 0.0
    return Performance(
        account=account,
        strategy=strategy,
        since=since,
        until=until,
        days=len(returns),
        deposits=row.deposits,
        pnl=realized + unrealized if strategy else row.equity - row.deposits,
        realized_pnl=realized,
        unrealized_pnl=unrealized,
        fees=parts.fees,
        rebates=parts.rebates,
        estimated_rebates=sum(cell.rebate for cell in cells),
        trades=sum(cell.trades for cell in cells),
        clusters=len(closed),
        open_clusters=len(open_),
        attribution=parts,
        cuts=attribution.cuts(cells),
        statistics={
            **_by_day(account, strategy, returns, len(closed)),
            **_by_event(closed, f"{account}|{strategy}", years),
            **_by_share(account, strategy),
            "drawdown": deepest,
        },
        trial=evidence.trials().get(strategy) if account == AccountName.BASE else None,
    )


def _span(row: Account, strategy: str) -> tuple[int | None, int | None]:
    """From the first trade of a strategy, or the account's opening, to the newest mark."""
    began = row.opened_at
    if strategy:
        began = attribution.trades(row.name, strategy).aggregate(at=Min("at"))["at"]
    return began, row.marked_at or None


def _returns(row: Account, strategy: str) -> tuple[list[float], Figure]:
    """Daily returns and the deepest drawdown, as a fraction."""
    if strategy:
        return _of_strategy(row, strategy)
    return _of_account(row)


def _of_account(row: Account) -> tuple[list[float], Figure]:
    """Equity at the last tick of each UTC day against the day before; deposits earn nothing.

    A day without a tick is left out. What is paid in counts as there from the day's beginning.
    """
    rows = Equity.objects.filter(account=row.name, at__gte=row.opened_at)
    last = rows.annotate(day=F("at") / DAY_MS).values("day").annotate(last=Max("at"))
    ends = dict(
        Equity.objects.filter(account=row.name, at__in=last.values("last")).values_list(
            "at", "equity"
        )
    )
    days = [(at // DAY_MS, ends[at]) for at in sorted(ends)]
    flows = _flows(row.name)
    returns = []
    for (before, start), (day, end) in pairwise(days):
        paid = sum(amount for on, amount in flows.items() if before < on <= day)
        if start + paid > 0:
            returns.append((end - start - paid) / (start + paid))
    deepest = rows.aggregate(worst=Max("drawdown"))["worst"]
    return returns, Figure(None if deepest is None else deepest / ONE, note=COUNTED)


def _flows(account: str) -> Mapping[int, int]:
    """What was paid in or taken out, by UTC day."""
    found: dict[int, int] = {}
    rows = Posting.objects.filter(entry__account=account, entry__kind__in=("deposit", "withdraw"))
    for at, kind, amount in rows.values_list("entry__at", "entry__kind", "amount"):
        day = at // DAY_MS
        found[day] = found.get(day, 0) + (amount if kind == "deposit" else -amount)
    return found


def _of_strategy(row: Account, strategy: str) -> tuple[list[float], Figure]:
    """What its trades realized each UTC day, over the account's deposits: holdings stand aside."""
    rows = attribution.trades(row.name, strategy).annotate(day=F("at") / DAY_MS).values("day")
    by_day = dict(rows.annotate(sum=Sum("realized_pnl")).values_list("day", "sum"))
    if not by_day or row.deposits <= 0:
        return [], Figure(None, note="nothing was traded yet")
    until = max(row.marked_at // DAY_MS, *by_day)
    days = [by_day.get(day, 0) for day in range(min(by_day), until + 1)]
    curve = list(accumulate(days, initial=row.deposits))
    deepest = float(metrics.drawdowns(curve).max())
    return [day / row.deposits for day in days], Figure(deepest, note=COUNTED)


def _by_day(account: str, strategy: str, returns: list[float], clusters: int) -> dict[str, Figure]:
    """Sharpe and its kin; hidden together until there are enough days and events."""
    found = {
        "sharpe": metrics.sharpe(returns, clusters),
        "sharpe_corrected": metrics.sharpe(returns, clusters, corrected=True),
    }
    moments = metrics.moments(returns)
    if found["sharpe"].value is None or moments is None:
        missing = Figure(None, note=found["sharpe"].note)
        return {**found, "psr": missing, "dsr": missing, "days_needed": missing}
    needed = metrics.least_track_record(moments)
    return {
        **found,
        "psr": Figure(metrics.psr(moments)[1], note="a probability: it is the uncertainty"),
        "dsr": _deflated(account, moments),
        "days_needed": Figure(
            needed and float(needed),
            note=COUNTED if needed else "the Sharpe ratio is not above zero",
        ),
    }


def _deflated(account: str, found: metrics.Moments) -> Figure:
    """PSR against the best of as many worthless strategies as were tried in this account."""
    row = Account.objects.get(name=account)
    names = attribution.trades(account).values_list("strategy", flat=True).distinct()
    samples = [metrics.moments(_of_strategy(row, name)[0]) for name in names.order_by("strategy")]
    ratios = [sample.sharpe for sample in samples if sample]
    if len(ratios) < 2:
        return Figure(None, note="one strategy alone was tried: see psr")
    deflated = metrics.dsr(found, float(np.std(ratios, ddof=1)), len(ratios))
    return Figure(deflated, note=f"a probability, {len(ratios)} strategies tried")


def _by_event(closed: Sequence[int], seed: str, years: float) -> dict[str, Figure]:
    dollars = [result / ONE for result in closed]
    t, ratio = metrics.event_t(dollars, years)
    return {
        "event_mean": metrics.mean_result(dollars, seed=seed),
        "event_t": t,
        "event_ratio": ratio,
        "concentration": metrics.concentration(list(closed)),
    }


def _by_share(account: str, strategy: str) -> dict[str, Figure]:
    """Of shares held to their end: which part paid, beside the part that had to."""
    rows = attribution.trades(account, strategy)
    ended = rows.filter(liquidity=Liquidity.SETTLEMENT)
    traded = rows.filter(side=Side.BUY).exclude(liquidity=Liquidity.SETTLEMENT)
    bought = traded.aggregate(cost=Sum("notional"), fees=Sum("fee"))
    size, paid = (_net(ended, column) for column in ("size", "notional"))
    cost = paid - (ended.aggregate(sum=Sum("realized_pnl"))["sum"] or 0)
    fees = cost * (bought["fees"] or 0) // bought["cost"] if bought["cost"] else 0
    won = Figure(paid / size, note=COUNTED) if size else metrics.breakeven(0, 0)
    return {"win_rate": won, "breakeven": metrics.breakeven(cost + fees, size)}


def _net(rows: QuerySet[Trade], column: str) -> int:
    """The sum of payouts less those that were taken back."""
    sums = dict(rows.values_list("side").annotate(sum=Sum(column)))
    return int(sums.get(Side.SELL, 0)) - int(sums.get(Side.BUY, 0))
