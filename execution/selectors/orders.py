"""Orders, trades and refusals, as values for pages, API and messages."""

from dataclasses import dataclass

from django.db.models import Count

from execution.core.types import OPEN_STATES, AccountName
from execution.models import Order, Refusal, Trade
from execution.selectors import accounts
from markets.selectors import catalogue
from markets.selectors.conditions import between, given
from markets.selectors.keyset import Page, Place, page


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order: price in micro-dollars, sizes in micro-shares, `placed_at` ms UTC."""

    id: str
    account: str
    strategy: str
    market: str
    question: str
    token_id: str
    outcome: str
    side: str
    type: str
    price: int
    size: int
    filled: int
    state: str
    placed_at: int
    reason: str
    purpose: str
    signal: str


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One fill or settlement: money in micro-dollars, size in micro-shares, times ms UTC."""

    id: str
    account: str
    order: str
    strategy: str
    market: str
    question: str
    token_id: str
    outcome: str
    side: str
    price: int
    size: int
    notional: int
    fee: int
    liquidity: str
    evidence: str
    book_at: int
    at: int
    realized_pnl: int


def orders(
    *,
    account: str = "",
    strategy: str = "",
    market: str = "",
    state: str = "",
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[OrderLine]:
    """Orders, the latest placed first."""
    rows = Order.objects.filter(
        given(account=account, strategy=strategy, market=market, state=state),
        between("placed_at", since, until),
    )
    return page(rows, order_lines, by=("placed_at", "id"), place=place, limit=limit)


def open_in(scope: str) -> tuple[OrderLine, ...]:
    """Open orders that a cancel of this scope means; one order's twins are not looked up."""
    rows = Order.objects.filter(accounts.scoped(scope, "order"), state__in=OPEN_STATES)
    return tuple(order_lines(list(rows.order_by("account", "placed_at", "pk"))))


def trades(
    *,
    account: str = "",
    strategy: str = "",
    market: str = "",
    liquidity: str = "",
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[TradeLine]:
    """Trades, the latest first."""
    rows = Trade.objects.filter(
        given(account=account, strategy=strategy, market=market, liquidity=liquidity),
        between("at", since, until),
    )
    return page(rows, trade_lines, by=("at", "id"), place=place, limit=limit)


def trade_count(*, account: str = AccountName.BASE) -> int:
    """Trades of an account since it began; archived eras are not counted."""
    return Trade.objects.filter(account=account, at__gte=accounts.begun(account)).count()


def refusal_counts(*, since: int, account: str = AccountName.BASE) -> tuple[tuple[str, int], ...]:
    """(code, count) of an account's refusals after `since` (ms UTC), most frequent first."""
    rows = Refusal.objects.filter(account=account, at__gt=since).values_list("code")
    return tuple(rows.annotate(n=Count("id")).order_by("-n", "code"))


def order_lines(found: list[Order]) -> list[OrderLine]:
    """Rows of orders as values, their markets named in one query."""
    names = catalogue.names(row.market for row in found)
    return [
        OrderLine(
            id=row.id,
            account=row.account,
            strategy=row.strategy,
            market=row.market,
            question=names[row.market].question if row.market in names else "",
            token_id=row.token,
            outcome=row.outcome,
            side=row.side,
            type=row.type,
            price=row.price,
            size=row.size,
            filled=row.filled,
            state=row.state,
            placed_at=row.placed_at,
            reason=row.reason,
            purpose=row.purpose,
            signal=row.signal_id or "",
        )
        for row in found
    ]


def trade_lines(found: list[Trade]) -> list[TradeLine]:
    """Rows of trades as values, their markets named in one query."""
    names = catalogue.names(row.market for row in found)
    return [
        TradeLine(
            id=row.id,
            account=row.account,
            order=row.order_id or "",
            strategy=row.strategy,
            market=row.market,
            question=names[row.market].question if row.market in names else "",
            token_id=row.token,
            outcome=row.outcome,
            side=row.side,
            price=row.price,
            size=row.size,
            notional=row.notional,
            fee=row.fee,
            liquidity=row.liquidity,
            evidence=row.evidence,
            book_at=row.book_at,
            at=row.at,
            realized_pnl=row.realized_pnl,
        )
        for row in found
    ]
