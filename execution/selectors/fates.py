"""What became of signals: refusals with their figures, orders, and fills, in every account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from execution.core.types import RefusalCode
from execution.models import Order, Refusal, Trade
from execution.selectors.orders import OrderLine, TradeLine, order_lines, trade_lines
from markets.core.amounts import plain

IN_MICRO = frozenset(RefusalCode) - {
    RefusalCode.HALTED,
    RefusalCode.AUTO_DISABLED,
    RefusalCode.COOLDOWN,
    RefusalCode.ORDER_RATE,
    RefusalCode.STALE,
}
"""Codes whose figures are dollars, shares or shares of one, in micro-units."""


@dataclass(frozen=True, slots=True)
class RefusalLine:
    """One refusal: `limit` and `value` as people write them, with the limit's unit as in docs."""

    account: str
    code: str
    limit: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one signal, in the accounts' order and then in time's."""

    refusals: Sequence[RefusalLine] = ()
    orders: Sequence[OrderLine] = ()
    trades: Sequence[TradeLine] = ()


def fates(signals: Iterable[str], *, until: int) -> Mapping[str, Fate]:
    """By signal id, what had happened to it up to an instant (ms UTC)."""
    ids = list(signals)
    refusals = Refusal.objects.filter(signal__in=ids, at__lte=until).order_by("account", "at")
    placed = Order.objects.filter(signal_id__in=ids, placed_at__lte=until)
    orders = order_lines(list(placed.order_by("account", "placed_at", "pk")))
    made = Trade.objects.filter(order_id__in=[order.id for order in orders], at__lte=until)
    trades = trade_lines(list(made.order_by("account", "at", "pk")))
    signal_of = {order.id: order.signal for order in orders}
    told = [(row.signal, _line(row)) for row in refusals]
    return {
        id: Fate(
            [line for signal, line in told if signal == id],
            [order for order in orders if order.signal == id],
            [trade for trade in trades if signal_of[trade.order] == id],
        )
        for id in ids
    }


def _line(row: Refusal) -> RefusalLine:
    limit, value = (_told(row.code, text) for text in (row.limit, row.value))
    return RefusalLine(row.account, row.code, limit, value, row.at)


def _told(code: str, text: str) -> str:
    whole = text.removeprefix("-").isdecimal()
    return plain(int(text)) if whole and code in IN_MICRO else text
