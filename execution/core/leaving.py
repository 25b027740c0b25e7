"""Holdings a person wants out of: remembered until nothing of them can be sold any more."""

from execution.core import drafting, operations, portfolio
from execution.core.controls import ALL, Controls
from execution.core.types import (
    AccountName,
    Assembly,
    Disposed,
    Disposition,
    EndReason,
    Fact,
    HoldingKey,
    OperationKind,
    Order,
    Portfolio,
    Position,
    Purpose,
    Side,
)
from markets.core import venue
from markets.core.frozen import replace
from markets.core.tick import Tick

BY_HAND = "by hand"
FLATTEN = "flatten"
"""Reasons of exits: a person closed the holding, or halted and wants out."""


def covers(scope: str, thing: Position | Order) -> bool:
    """Whether a scope means this holding or order.

    Scopes: "all", "strategy:<name>", "market:<id>", "token:<id>", "order:<id>"; an order's id in
    any account means the same decision's order in all three.
    """
    kind, _, name = scope.partition(":")
    match kind:
        case "all" | "":
            return True
        case "strategy":
            return thing.strategy == name
        case "market":
            return thing.market == name
        case "token":
            return thing.token == name
        case "order":
            return isinstance(thing, Order) and name in {thing.id, *drafting.twins(thing)}
    return False


def begin(account: Portfolio, scope: str, at: int) -> tuple[Portfolio, list[Fact]]:
    """Want out of every holding in a scope; what is on order there and no exit is taken back.

    A basket with a leg there is taken apart.
    """
    kept = {o.id for o in account.orders.values() if o.purpose is Purpose.EXIT}
    apart = {key for key, assembly in account.baskets.items() if _has_leg(assembly, scope)}
    account, facts = cancel(account, scope, at, keep=frozenset(kept), groups=frozenset(apart))
    account, news = _unsplit(account, scope, at)
    baskets = {
        key: replace(assembly, unwinding=True) if key in apart else assembly
        for key, assembly in account.baskets.items()
    }
    return _wanted_out(replace(account, baskets=baskets), scope, under=""), facts + news


def flatten(account: Portfolio, scope: str, at: int) -> tuple[Portfolio, list[Fact]]:
    """Want out of every holding in a halt's scope, under that halt; every order there goes.

    Its baskets are none any more: no halt lets a leg be bought.
    """
    account, facts = cancel(account, scope, at, reason=EndReason.HALTED)
    account, news = _unsplit(account, scope, at)
    baskets = {
        key: assembly for key, assembly in account.baskets.items() if not _has_leg(assembly, scope)
    }
    return _wanted_out(replace(account, baskets=baskets), scope, under=scope), facts + news


def stop(account: Portfolio, scope: str) -> Portfolio:
    """Sell no further under the halt of this scope: it was lifted, or halts without flattening."""
    kept = {key: under for key, under in account.closing.items() if under != scope}
    return replace(account, closing=kept) if len(kept) < len(account.closing) else account


def cancel(
    account: Portfolio,
    scope: str,
    at: int,
    *,
    reason: EndReason = EndReason.BY_HAND,
    keep: frozenset[str] = frozenset(),
    groups: frozenset[str] = frozenset(),
) -> tuple[Portfolio, list[Fact]]:
    """Take back every open order in a scope, or of these baskets, but those to keep."""
    facts: list[Fact] = []
    for order in list(account.orders.values()):
        if order.id not in keep and (order.group in groups or covers(scope, order)):
            account, news = portfolio.cancel(account, order, reason, at)
            facts += news + _told(account, order, reason, at)
    return account, facts


def reason(account: Portfolio, key: HoldingKey) -> str:
    """Why a person wants this holding sold, '' where nobody does."""
    if key not in account.closing:
        return ""
    return FLATTEN if account.closing[key] else BY_HAND


def barred(account: Portfolio, strategy: str, market: str) -> bool:
    """Whether a strategy may buy nothing in a market because its holding there is leaving."""
    return any(
        holder == strategy and (strategy, token) in account.positions
        and account.positions[strategy, token].market == market
        for holder, token in account.closing
    )  # fmt: skip


def may_sell(account: Portfolio, control: Controls, key: HoldingKey, market: str) -> bool:
    """Whether no halt forbids an exit: only that which wants the holding sold lets it go."""
    scopes = control.scopes(key[0], market)
    return not scopes or scopes == (account.closing.get(key, ""),)


def spared(account: Portfolio, control: Controls, order: Order) -> bool:
    """Whether an open order is an exit made under the very halt that is in force."""
    key = (order.strategy, order.token)
    flattening = order.purpose is Purpose.EXIT and order.reason == FLATTEN
    return flattening and may_sell(account, control, key, order.market)


def forget(account: Portfolio, tick: Tick) -> Portfolio:
    """The account without the holdings that are gone, or of which nothing can be sold any more."""
    kept = {
        key: under
        for key, under in account.closing.items()
        if key in account.positions and not _stuck(account, key, tick)
    }
    return replace(account, closing=kept) if len(kept) < len(account.closing) else account


def _told(account: Portfolio, order: Order, reason: EndReason, at: int) -> list[Fact]:
    """What the end of an order means for its signal, in the base account."""
    if account.account != AccountName.BASE or not order.signal:
        return []
    if order.filled:
        return [Disposed(order.signal, Disposition.TRADED, "", at)]
    if order.purpose is Purpose.QUOTE:
        return []
    return [Disposed(order.signal, Disposition.REFUSED, reason, at)]


def _has_leg(assembly: Assembly, scope: str) -> bool:
    kind, _, name = scope.partition(":")
    names = {
        "strategy": {assembly.strategy},
        "market": {leg.market for leg in assembly.legs},
        "token": {leg.token for leg in assembly.legs},
    }
    return kind == ALL or name in names.get(kind, set())


def _unsplit(account: Portfolio, scope: str, at: int) -> tuple[Portfolio, list[Fact]]:
    """Take back the splits in a scope: their shares would only have to be sold again."""
    kind, _, name = scope.partition(":")
    facts: list[Fact] = []
    for operation in list(account.operations.values()):
        names = {"strategy": {operation.strategy}, "market": set(operation.markets)}
        meant = kind == ALL or name in names.get(kind, set())
        if meant and operation.kind is OperationKind.SPLIT:
            account, news = operations.cancel(account, operation, EndReason.BY_HAND, at)
            facts += news
    return account, facts


def _wanted_out(account: Portfolio, scope: str, *, under: str) -> Portfolio:
    wanted = {
        key: under
        for key, held in account.positions.items()
        if not held.resolved and covers(scope, held)
    }
    return replace(account, closing={**account.closing, **wanted})


def _stuck(account: Portfolio, key: HoldingKey, tick: Tick) -> bool:
    """Decided already, or worth less than the exchange's smallest sale on a book to go by.

    A market that is closed for now, or whose bids are gone, is waited for.
    """
    held = account.positions[key]
    if held.resolved:
        return True
    selling = any(
        o.side is Side.SELL and (o.strategy, o.token) == key for o in account.orders.values()
    ) or any(o.strategy == key[0] and key[1] in o.given for o in account.operations.values())
    column = tick.universe.column.get(held.market)
    if selling or column is None or not tick.coherent[column]:
        return False
    bid, _ = tick.touch(held.token)
    size = venue.floor_size(portfolio.free(account, *key))
    return bid is not None and venue.proceeds(size, bid) < venue.MIN_NOTIONAL
