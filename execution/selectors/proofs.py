"""The accounts' figures computed again from trades, orders and postings, each another way."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from execution.core import state
from execution.core.eras import Imported
from execution.core.types import CASH_ASSET, OPEN_STATES, Liquidity, Portfolio, Side
from execution.models import Account, Change, JournalEntry, Order, Position, Trade
from markets.core.types import ONE

Balances = Mapping[tuple[str, str, str, str], int]
"""(account, strategy, kind, asset) -> debits less credits."""

BOOKED = ("fill", "settle")
"""Kinds of journal entry that book one trade, whose id is their cause."""

REVERSAL = Q(liquidity=Liquidity.SETTLEMENT, side=Side.BUY)
"""The trade that undoes a settlement; its entry names the one it undoes."""

SHOWN = ("cash", "reserved", "equity", "deposits", "realized", "fees")


@dataclass(slots=True)
class _Tally:
    """What an account's trades come to since it began, or since a file was taken over."""

    realized: int = 0
    size: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    cost: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def accounts(balances: Balances) -> Iterator[str]:
    """Capital, fees, realized profit, holdings and equity of every account."""
    for row in Account.objects.order_by("name"):
        held = list(Position.objects.filter(account=row.name))
        yield from _money(row, balances)
        yield from _trades(row, held)
        yield from _equity(row, held, balances)
        yield from _state(row, held)


def bookings() -> Iterator[str]:
    """Every entry moves something, every trade is booked once, and nothing else as a trade."""
    for id_ in JournalEntry.objects.filter(posting__isnull=True).values_list("pk", flat=True)[:1]:
        yield f"journal entry {id_[:12]} moves nothing"
    entries = JournalEntry.objects.filter(kind__in=BOOKED).order_by()
    trades = Trade.objects.order_by()
    causes, ids = entries.values_list("cause"), trades.values_list("id")
    direct = trades.exclude(REVERSAL | Q(liquidity=Liquidity.OPERATION)).values_list("id")
    for (id_,) in list(direct.difference(causes))[:1]:
        yield f"trade {id_[:12]} is booked by no journal entry"
    for (id_,) in list(causes.difference(ids))[:1]:
        yield f"a journal entry books trade {id_[:12]}, which does not exist"
    reversals = (JournalEntry.objects.filter(kind="reverse"), trades.filter(REVERSAL))
    if len({rows.count() for rows in reversals}) > 1:
        yield "corrected settlements and the entries that reverse them differ in number"
    twice = entries.values("cause").annotate(n=Count("pk")).filter(n__gt=1)
    for id_ in twice.values_list("cause", flat=True)[:1]:
        yield f"trade {id_[:12]} is booked more than once"


def orders() -> Iterator[str]:
    """An order is filled by its trades and by no more than its size, at possible prices."""
    summed = Order.objects.annotate(got=Coalesce(Sum("trade__size"), 0))
    wrong = summed.filter(~Q(got=F("filled")) | Q(got__gt=F("size")))
    for row in wrong.order_by("pk")[:1]:
        yield (
            f"order {row.pk[:12]} of size {row.size} says {row.filled} are filled, "
            f"its trades make {row.got}"
        )
    priced = Q(price__gt=0, price__lt=ONE, size__gt=0)
    for row in Order.objects.exclude(priced).order_by("pk")[:1]:
        yield f"order {row.pk[:12]} has a price of {row.price} and a size of {row.size}"
    market = Trade.objects.filter(liquidity__in=(Liquidity.TAKER, Liquidity.MAKER))
    for trade in market.exclude(priced).order_by("pk")[:1]:
        yield f"trade {trade.pk[:12]} has a price of {trade.price} and a size of {trade.size}"


def ended_markets() -> Iterator[str]:
    """Nothing is held and nothing on order in a market that was settled and not taken back."""
    standing: dict[tuple[str, str], int] = defaultdict(int)
    settled: dict[tuple[str, str], int] = {}
    rows = Trade.objects.filter(liquidity=Liquidity.SETTLEMENT)
    begun = dict(Account.objects.values_list("name", "opened_at"))
    for account, market, side, at in rows.values_list("account", "market", "side", "at"):
        if at < begun.get(account, 0):
            continue  # of an account that was put away
        standing[account, market] += 1 if side == Side.SELL else -1
        settled[account, market] = max(at, settled.get((account, market), 0))
    settled = {key: at for key, at in settled.items() if standing[key] > 0}
    for held in Position.objects.exclude(state="resolved").order_by("pk"):
        if settled.get((held.account, held.market), -1) >= held.opened_at:
            yield f"{held.account}/{held.strategy} holds {held.size} in settled {held.market}"
    for order in Order.objects.filter(state__in=OPEN_STATES).order_by("pk"):
        if settled.get((order.account, order.market), -1) >= order.placed_at:
            yield f"order {order.pk[:12]} is open in settled {order.market}"


def _money(row: Account, balances: Balances) -> Iterator[str]:
    for name, kind, sign in (("deposits", "CAPITAL", -1), ("fees", "FEES", 1)):
        booked = sign * _total(balances, row.name, kind)
        if getattr(row, name) != booked:
            shown = getattr(row, name)
            yield f"account {row.name} shows {name} of {shown}, the ledger holds {booked}"


def _trades(row: Account, held: list[Position]) -> Iterator[str]:
    tally = _tally(row)
    if tally.realized != row.realized:
        yield (
            f"account {row.name} shows a realized profit of {row.realized}, its trades make "
            f"{tally.realized}"
        )
    shown = {(p.strategy, p.token): (p.size, p.cost) for p in held}
    for key in sorted({*shown, *tally.size}):
        size, cost = shown.get(key, (0, 0))
        made = tally.size[key], tally.cost[key]
        if (size, cost) != made:
            yield (
                f"{row.name}/{key[0]} shows {size} of token {key[1][:12]} for {cost}, its trades "
                f"make {made[0]} for {made[1]}"
            )


def _tally(row: Account) -> _Tally:
    """A sale takes away what it brought less its fee and profit: its part of the cost.

    A purchase costs its notional, for its profit is its fee; a settlement undone brings back what
    the shares had cost.
    """
    tally, since = _baseline(row)
    sums = Trade.objects.filter(account=row.name, at__gte=since).order_by()
    grouped = sums.values_list("strategy", "token", "side").annotate(
        Sum("size"), Sum("notional"), Sum("fee"), Sum("realized_pnl")
    )
    for strategy, token, side, size, notional, fee, realized in grouped:
        bought = side == Side.BUY
        tally.realized += realized
        tally.size[strategy, token] += size if bought else -size
        worth = notional if bought else -notional
        tally.cost[strategy, token] += worth + fee + realized
    return tally


def _baseline(row: Account) -> tuple[_Tally, int]:
    """What the account began with and since when: nothing, or the newest file taken over."""
    tally = _Tally()
    taken = JournalEntry.objects.filter(account=row.name, kind="import", at__gte=row.opened_at)
    newest = taken.order_by("-at", "-tick_id").first()
    change = newest and Change.objects.filter(pk=newest.cause.rpartition(" ")[2]).first()
    if newest is None or change is None:
        return tally, row.opened_at
    wanted = Imported.load(change.value)
    tally.realized = wanted.realized
    for held in wanted.positions:
        tally.size[held.strategy, held.token] = held.size
        tally.cost[held.strategy, held.token] = held.cost
    return tally, newest.at


def _equity(row: Account, held: list[Position], balances: Balances) -> Iterator[str]:
    """Equity is money and what is held; money is what was paid in and won, less what is held."""
    value, cost = sum(p.value for p in held), sum(p.cost for p in held)
    money = row.cash + row.reserved + _total(balances, row.name, "OWED")
    if row.equity != money + value:
        yield (
            f"account {row.name} shows equity of {row.equity}, money and holdings make "
            f"{money + value}"
        )
    rebates = -_total(balances, row.name, "REBATES")
    won = row.deposits + row.realized + rebates - cost
    if money != won:
        yield (
            f"account {row.name} has money of {money}, deposits and profit less what is held "
            f"make {won}"
        )


def _state(row: Account, held: list[Position]) -> Iterator[str]:
    """What the desk goes on from must be what is shown."""
    try:
        kept = state.load(row.state)
    except (KeyError, TypeError, ValueError) as fault:
        yield f"account {row.name}: the desk's state cannot be read: {fault}"
        return
    for name in SHOWN:
        if getattr(kept, name) != getattr(row, name):
            yield (
                f"account {row.name} shows {name} of {getattr(row, name)}, the desk goes on "
                f"from {getattr(kept, name)}"
            )
    yield from _work(row, kept, held)


def _work(row: Account, kept: Portfolio, held: list[Position]) -> Iterator[str]:
    shown = {(p.strategy, p.token): (p.size, p.cost) for p in held}
    if shown != {key: (p.size, p.cost) for key, p in kept.positions.items()}:
        yield f"account {row.name} shows other holdings than the desk goes on from"
    open_rows = Order.objects.filter(account=row.name, state__in=OPEN_STATES)
    if set(open_rows.values_list("pk", flat=True)) != set(kept.orders):
        yield f"account {row.name} shows other open orders than the desk goes on from"


def _total(balances: Balances, account: str, kind: str) -> int:
    return sum(
        amount
        for (name, _, booked, asset), amount in balances.items()
        if (name, booked, asset) == (account, kind, CASH_ASSET)
    )
