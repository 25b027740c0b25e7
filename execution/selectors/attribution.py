"""Where each account's result came from, cut by strategy, event, category, price and more."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, Sum, Value, When

from execution.core.attribution import Attribution
from execution.core.eras import Imported
from execution.core.types import AccountName, Liquidity, Side
from execution.models import Account, Change, JournalEntry, Position, Trade
from markets.core.types import ONE
from markets.selectors import catalogue
from markets.selectors.conditions import given

OPEN = "open"
"""`liquidity` of what is still held."""
EDGES = (100_000, 300_000, 700_000, 900_000)
BUCKETS = ("below 0.10", "0.10 to 0.30", "0.30 to 0.70", "0.70 to 0.90", "0.90 and above")
"""Price buckets, by what a share cost when it was bought."""
COLUMNS = {
    "signal": "signal_gain",
    "settlement": "settlement_gain",
    "spread": "spread_cost",
    "latency": "latency_cost",
    "slippage": "slippage_cost",
    "fees": "fee",
}
UNDIVIDED = Q(
    fair_value=0, spread_cost=0, latency_cost=0, slippage_cost=0, signal_gain=0, settlement_gain=0
)
"""Trades from before trades were divided into parts; a new one like that moved no money."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one strategy came to in one market, in one way and price bucket.

    `result` is its P&L in micro-dollars, `rebate` the estimated maker rebate (not in `parts`).
    """

    strategy: str
    market: str
    liquidity: str
    bucket: int
    trades: int
    result: int
    rebate: int
    parts: Attribution


def cells(*, account: str = AccountName.BASE, strategy: str = "") -> list[Cell]:
    """The finest cut, from which every other one is summed: trades, then what is held."""
    rows = (
        trades(account, strategy)
        .annotate(paid=_paid())
        .annotate(bucket=_bucket())
        .values("strategy", "market", "liquidity", "bucket")
        .annotate(
            **{f"sum_{name}": Sum(column) for name, column in COLUMNS.items()},
            sum_undivided=Sum(_undivided()),
            count=Count("id"),
            pnl=Sum("realized_pnl"),
            rebates=Sum("rebate"),
        )
        .order_by("strategy", "market", "liquidity", "bucket")
    )
    return [*map(_traded, rows), *map(_held, held(account, strategy))]


def trades(account: str, strategy: str = "") -> QuerySet[Trade]:
    """An account's trades since it began, of one strategy or all."""
    since = _began(account)[0]
    return Trade.objects.filter(given(strategy=strategy), account=account, at__gte=since)


def held(account: str, strategy: str = "") -> QuerySet[Position]:
    """What an account holds, of one strategy or all."""
    rows = Position.objects.filter(given(strategy=strategy), account=account, size__gt=0)
    return rows.order_by("strategy", "token")


def whole(row: Account, found: Iterable[Cell]) -> Attribution:
    """An account's whole result: all its cells, rebates that were booked, what it began with."""
    _, brought, rebates = _began(row.name)
    rest = Attribution(rebates=row.rebates - rebates, undivided=brought)
    return total(found) + rest


def total(found: Iterable[Cell]) -> Attribution:
    """All cells together."""
    return sum((cell.parts for cell in found), Attribution())


def cut(found: Iterable[Cell], key: Callable[[Cell], str]) -> Mapping[str, Attribution]:
    """The cells summed by what `key` says of each, the greatest result first."""
    sums: dict[str, Attribution] = {}
    for cell in found:
        sums[key(cell)] = sums.get(key(cell), Attribution()) + cell.parts
    return dict(sorted(sums.items(), key=lambda item: (-item[1].result, item[0])))


def cuts(found: list[Cell]) -> dict[str, Mapping[str, Attribution]]:
    """Every cut people ask for, by name."""
    known = catalogue.belongings(cell.market for cell in found)
    return {
        "strategy": cut(found, lambda cell: cell.strategy),
        "event": cut(found, lambda cell: event_of(cell.market, known)),
        "category": cut(found, lambda cell: _category(cell.market, known)),
        "price": cut(found, lambda cell: BUCKETS[cell.bucket]),
        "liquidity": cut(found, lambda cell: cell.liquidity),
    }


def events(found: Iterable[Cell]) -> tuple[Mapping[str, int], frozenset[str]]:
    """What came of each event, micro-dollars, and in which events something is still held."""
    found = list(found)
    known = catalogue.belongings(cell.market for cell in found)
    sums: dict[str, int] = {}
    for cell in found:
        event = event_of(cell.market, known)
        sums[event] = sums.get(event, 0) + cell.result
    open_ = (event_of(cell.market, known) for cell in found if cell.liquidity == OPEN)
    return dict(sorted(sums.items())), frozenset(open_)


def gaps() -> Mapping[str, int]:
    """By how much each account's result differs from its parts, micro-dollars; 0 is right."""
    found = {}
    for row in Account.objects.order_by("name"):
        parts = whole(row, cells(account=row.name))
        found[row.name] = row.equity - row.deposits - parts.result
    return found


def event_of(market: str, known: Mapping[str, catalogue.Belonging]) -> str:
    """The event a market belongs to; one nobody knows any more stands for itself."""
    return (known[market].event if market in known else "") or market


def _category(market: str, known: Mapping[str, catalogue.Belonging]) -> str:
    return known[market].category if market in known else ""


def _began(account: str) -> tuple[int, int, int]:
    """When an account began (ms UTC), what it brought along then, and its rebates (micro-dollars).

    One taken over from a file began with what had been realized before, and with the difference
    between the fair values and the costs of its holdings.
    """
    opened = Account.objects.filter(name=account).values_list("opened_at", flat=True).first() or 0
    taken = JournalEntry.objects.filter(account=account, kind="import", at__gte=opened)
    newest = taken.order_by("-at", "-tick_id").first()
    change = newest and Change.objects.filter(pk=newest.cause.rpartition(" ")[2]).first()
    if newest is None or change is None:
        return opened, 0, 0
    file = Imported.load(change.value)
    shifted = sum(held.fair_cost - held.cost for held in file.positions)
    return newest.at, file.realized + file.rebates + shifted, file.rebates


def _paid() -> Case:
    """What a share cost; of one that was sold or paid out, what it had been bought for."""
    reversed_ = Q(side=Side.BUY, liquidity=Liquidity.SETTLEMENT)
    return Case(
        When(size=0, then=Value(0)),
        When(reversed_, then=(F("notional") + F("realized_pnl")) * ONE / F("size")),
        When(side=Side.BUY, then=F("price")),
        default=(F("notional") - F("fee") - F("realized_pnl")) * ONE / F("size"),
        output_field=BigIntegerField(),
    )


def _bucket() -> Case:
    below = [When(paid__lt=edge, then=Value(place)) for place, edge in enumerate(EDGES)]
    return Case(*below, default=Value(len(EDGES)))


def _undivided() -> Case:
    return Case(
        When(UNDIVIDED & Q(side=Side.BUY), then=-F("notional")),
        When(UNDIVIDED & Q(side=Side.SELL), then=F("notional")),
        default=Value(0),
        output_field=BigIntegerField(),
    )


def _place(paid: int) -> int:
    return next((place for place, edge in enumerate(EDGES) if paid < edge), len(EDGES))


def _traded(row: Mapping[str, Any]) -> Cell:
    sums = {name: row[f"sum_{name}"] for name in (*COLUMNS, "undivided")}
    return Cell(
        row["strategy"], row["market"], row["liquidity"], row["bucket"], row["count"],
        row["pnl"], row["rebates"], Attribution(**sums),
    )  # fmt: skip


def _held(row: Position) -> Cell:
    bucket = _place(row.cost * ONE // row.size)
    parts = Attribution(open=row.value - row.fair_cost)
    return Cell(row.strategy, row.market, OPEN, bucket, 0, row.value - row.cost, 0, parts)
