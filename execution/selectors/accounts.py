"""What the accounts are worth and hold, as values for pages, API and messages."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Max, Min, Q, Sum

from execution.core import state as exact
from execution.core.types import AccountName, HoldingState
from execution.core.types import Position as Decided
from execution.models import Account, Archive, Equity, Position, Trade
from markets.core.types import ONE
from markets.selectors import catalogue
from markets.selectors.conditions import between, given
from markets.selectors.keyset import Page, Place, page

ORDER = (AccountName.BASE, AccountName.PESSIMISTIC, AccountName.OPTIMISTIC)
"""The base account is the one people mean; the others bound it."""


@dataclass(frozen=True, slots=True)
class Capital:
    """One account's figures in micro-dollars at liquidation value; `drawdown` in micro.

    `pnl` is equity minus deposits; `marked_at` ms UTC, 0 before the first tick. `locked` is the
    cost of holdings that cannot just be sold, `owed` what was paid out wrongly and spent.
    """

    account: str
    initial: int
    cash: int
    reserved: int
    equity: int
    pnl: int
    deposits: int
    realized_pnl: int
    unrealized_pnl: int
    fees: int
    drawdown: int
    high_water: int
    day_pnl: int
    stopped: str
    opened_at: int
    marked_at: int
    locked: int = 0
    owed: int = 0
    era: int = 1

    @property
    def pnl_percent(self) -> int:
        """P&L in percent of what was paid in, micro (1_250_000 is 1.25 %)."""
        return self.pnl * 100 * ONE // self.deposits if self.deposits else 0


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one outcome; money micro-dollars, `mark`, `average_price` and `payout` a share.

    `state` is a HoldingState, "" while it can be sold; `payout` and `redeem_at` (ms UTC) are None
    until its market is decided.
    """

    account: str
    strategy: str
    market: str
    question: str
    token_id: str
    outcome: str
    size: int
    average_price: int
    cost: int
    mark: int
    value: int
    unrealized_pnl: int
    opened_at: int
    end_date: int | None
    state: str = ""
    payout: int | None = None
    redeem_at: int | None = None


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """An account's worth at one tick, micro-dollars; `drawdown` in micro, `at` ms UTC."""

    account: str
    at: int
    cash: int
    equity: int
    drawdown: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one strategy came to in one account: its trades and P&L in micro-dollars."""

    trades: int = 0
    realized_pnl: int = 0
    unrealized_pnl: int = 0

    @property
    def pnl(self) -> int:
        """Realized and unrealized together."""
        return self.realized_pnl + self.unrealized_pnl


@dataclass(frozen=True, slots=True)
class Era:
    """An account that was put away, micro-dollars; times ms UTC."""

    account: str
    era: int
    opened_at: int
    closed_at: int
    equity: int
    deposits: int
    realized_pnl: int
    fees: int
    who: str
    why: str
    trades: int

    @property
    def pnl(self) -> int:
        """What it came to: its last equity less what was paid in."""
        return self.equity - self.deposits


def capital() -> tuple[Capital, ...]:
    """Every account's figures, base first; empty before the accounts are opened."""
    held = {
        name: (gain, locked or 0)
        for name, gain, locked in Position.objects.filter(size__gt=0)
        .values_list("account")
        .annotate(gain=Sum(F("value") - F("cost")), locked=Sum("cost", filter=~Q(state="")))
    }
    rows = {row.name: _capital(row, *held.get(row.name, (0, 0))) for row in Account.objects.all()}
    return tuple(rows[name] for name in ORDER if name in rows)


def locked_capital(*, account: str = AccountName.BASE) -> Mapping[str, int]:
    """Cost (micro-dollars) of an account's holdings that cannot just be sold, by HoldingState."""
    rows = Position.objects.filter(account=account, size__gt=0).exclude(state="")
    return dict(rows.values_list("state").annotate(Sum("cost")))


def begun(account: str = "") -> int:
    """When an account began (ms UTC), or the first of them; 0 before they are open."""
    rows = Account.objects.filter(given(name=account))
    return rows.aggregate(at=Min("opened_at"))["at"] or 0


def eras(*, account: str = "") -> tuple[Era, ...]:
    """Accounts that were put away, the latest closed first."""
    rows = Archive.objects.filter(given(account=account)).order_by("-closed_at", "account")
    return tuple(
        Era(
            account=row.account,
            era=row.era,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            equity=row.equity,
            deposits=row.deposits,
            realized_pnl=row.realized,
            fees=row.fees,
            who=row.who,
            why=row.why,
            trades=Trade.objects.filter(
                account=row.account, at__gte=row.opened_at, at__lt=row.closed_at
            ).count(),
        )
        for row in rows
    )


def holdings(
    *,
    account: str = "",
    strategy: str = "",
    market: str = "",
    state: str = "",
    place: Place | None = None,
    limit: int = 100,
) -> Page[Holding]:
    """What is held now, the latest opened first."""
    rows = Position.objects.filter(
        given(account=account, strategy=strategy, market=market, state=state), size__gt=0
    )
    return page(rows, _holdings, by=("opened_at", "id"), place=place, limit=limit)


def held_in(scope: str) -> tuple[Holding, ...]:
    """Holdings that a close of this scope means, in every account."""
    rows = Position.objects.filter(scoped(scope, "token"), size__gt=0)
    return tuple(_holdings(list(rows.order_by("account", "strategy", "pk"))))


def scoped(scope: str, finest: str) -> Q:
    """The rows a decision's scope means: "all", "strategy:<name>", "market:<id>", or a finest."""
    kind, _, name = scope.partition(":")
    columns = {"strategy": "strategy", "market": "market", "token": "token", "order": "id"}
    return Q(**{columns[kind]: name}) if kind in ("strategy", "market", finest) else Q()


def holding_count(*, account: str = AccountName.BASE) -> int:
    """How many positions an account holds."""
    return Position.objects.filter(account=account, size__gt=0).count()


def equity(
    *,
    account: str = "",
    since: int | None = None,
    until: int | None = None,
    every_ms: int = 0,
    place: Place | None = None,
    limit: int = 100,
) -> Page[EquityPoint]:
    """The equity curve, newest first; with `every_ms` the last point of each interval.

    Without `since` it begins where the accounts do; earlier eras are there for who asks.
    """
    since = begun(account) if since is None else since
    rows = Equity.objects.filter(given(account=account), between("at", since, until))
    if every_ms:
        slots = rows.annotate(slot=F("at") / every_ms).values("account", "slot")
        rows = Equity.objects.filter(pk__in=slots.annotate(last=Max("id")).values("last"))
    return page(rows, _points, by=("at", "id"), place=place, limit=limit)


def results(*, account: str = AccountName.BASE) -> Mapping[str, Result]:
    """What each strategy came to in an account since it began, by name."""
    traded = {
        name: (count, pnl)
        for name, count, pnl in Trade.objects.filter(account=account, at__gte=begun(account))
        .values_list("strategy")
        .annotate(count=Count("id"), pnl=Sum("realized_pnl"))
    }
    held = dict(
        Position.objects.filter(account=account, size__gt=0)
        .values_list("strategy")
        .annotate(gain=Sum(F("value") - F("cost")))
    )
    return {name: Result(*traded.get(name, (0, 0)), held.get(name, 0)) for name in {*traded, *held}}


def _capital(row: Account, unrealized: int, locked: int) -> Capital:
    return Capital(
        account=row.name,
        initial=row.initial,
        cash=row.cash,
        reserved=row.reserved,
        equity=row.equity,
        pnl=row.equity - row.deposits,
        deposits=row.deposits,
        realized_pnl=row.realized,
        unrealized_pnl=unrealized,
        fees=row.fees,
        drawdown=row.drawdown,
        high_water=row.high_water,
        day_pnl=row.equity - row.day_open if row.marked_at else 0,
        stopped=row.stopped,
        opened_at=row.opened_at,
        marked_at=row.marked_at,
        locked=locked,
        owed=row.state.get("owed", 0),
        era=row.era,
    )


def _holdings(found: list[Position]) -> list[Holding]:
    names = catalogue.names(row.market for row in found)
    decided = _decided(found)
    return [
        _holding(row, names.get(row.market), decided.get((row.account, row.strategy, row.token)))
        for row in found
    ]


def _decided(found: list[Position]) -> Mapping[tuple[str, str, str], Decided]:
    """What the resolved ones among `found` pay: kept in the accounts' exact state."""
    names = {row.account for row in found if row.state == HoldingState.RESOLVED}
    rows = Account.objects.filter(name__in=names) if names else ()
    return {
        (row.name, *key): held
        for row in rows
        for key, held in exact.load(row.state).positions.items()
        if held.resolved
    }


def _holding(row: Position, name: catalogue.Name | None, decided: Decided | None) -> Holding:
    return Holding(
        account=row.account,
        strategy=row.strategy,
        market=row.market,
        question=name.question if name else "",
        token_id=row.token,
        outcome=row.outcome,
        size=row.size,
        average_price=(row.cost * ONE + row.size // 2) // row.size,
        cost=row.cost,
        mark=row.mark,
        value=row.value,
        unrealized_pnl=row.value - row.cost,
        opened_at=row.opened_at,
        end_date=name.end_at if name else None,
        state=row.state,
        payout=decided.payout if decided else None,
        redeem_at=decided.redeem_at if decided else None,
    )


def _points(found: list[Equity]) -> list[EquityPoint]:
    return [EquityPoint(row.account, row.at, row.cash, row.equity, row.drawdown) for row in found]
