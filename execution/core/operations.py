"""Splits, merges and conversions: begun with what they take set aside, booked when they are due."""

from collections.abc import Iterator, Mapping

from execution.core import drafting, ledger, portfolio
from execution.core.portfolio import Origin, put
from execution.core.types import (
    Fact,
    Fill,
    Liquidity,
    Operation,
    OperationKind,
    OperationState,
    Portfolio,
    Side,
)
from markets.core import sets, venue
from markets.core.frozen import replace
from markets.core.sets import Exchanged
from markets.core.tick import Tick
from markets.core.types import ONE, Market
from strategies.core.types import Plan, digest

LATENCY_MS = 30_000
"""How long the chain takes: strategies are told so, and capital is bound that long."""


def split(
    account: Portfolio, strategy: str, market: Market, size: int, plan: Plan, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Set `size` dollars aside, to become as many YES and NO shares."""
    operation = _operation(account, strategy, OperationKind.SPLIT, (market.id,), size, at)
    return _begin(account, replace(operation, reserved=size, plan=plan))


def merge(
    account: Portfolio, strategy: str, market: Market, size: int, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Set `size` pairs aside, to become dollars."""
    operation = _operation(account, strategy, OperationKind.MERGE, (market.id,), size, at)
    return _begin(account, replace(operation, given=(market.yes.id, market.no.id)))


def convert(
    account: Portfolio, strategy: str, markets: tuple[Market, ...], size: int, plan: Plan, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Set NO shares of several outcomes aside, to become dollars and YES shares of the others."""
    ids = tuple(market.id for market in markets)
    operation = _operation(account, strategy, OperationKind.CONVERT, ids, size, at)
    given = tuple(market.no.id for market in markets)
    return _begin(account, replace(operation, given=given, plan=plan))


def merge_pairs(
    account: Portfolio, tick: Tick, kept: Mapping[tuple[str, str], int]
) -> tuple[Portfolio, list[Fact]]:
    """Merge every pair a strategy holds beyond the sets it keeps, by (strategy, market).

    A merge brings a dollar a pair, and selling both never more: their bids add up to less.
    """
    facts: list[Fact] = []
    for strategy, market in sorted({(p.strategy, p.market) for p in account.positions.values()}):
        column = tick.universe.column.get(market)
        if column is None:
            continue
        known = tick.universe.markets[column]
        pairs = min(portfolio.free(account, strategy, token.id) for token in known.tokens)
        size = venue.floor_size(pairs - kept.get((strategy, market), 0))
        if size > 0:
            account, news = merge(account, strategy, known, size, tick.at)
            facts += news
    return account, facts


def complete(account: Portfolio, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """Book every operation that is due."""
    facts: list[Fact] = []
    for operation in list(account.operations.values()):
        if operation.due_at <= tick.at:
            account, news = _book(account, operation, tick)
            facts += news
    return account, facts


def cancel(
    account: Portfolio, operation: Operation, reason: str, at: int
) -> tuple[Portfolio, list[Fact]]:
    """Give an operation up before it is booked; what it set aside returns."""
    ended = replace(operation, state=OperationState.CANCELLED, reason=reason, reserved=0)
    account = replace(
        account,
        cash=account.cash + operation.reserved,
        operations=put(account.operations, operation.id, None),
    )
    return account, [ended, ledger.unset_aside(operation, at)]


def _operation(
    account: Portfolio,
    strategy: str,
    kind: OperationKind,
    markets: tuple[str, ...],
    size: int,
    at: int,
) -> Operation:
    id_ = digest(account.account, strategy, kind, *markets, at)
    return Operation(id_, account.account, strategy, kind, markets, size, at, at + LATENCY_MS)


def _begin(account: Portfolio, operation: Operation) -> tuple[Portfolio, list[Fact]]:
    account = replace(
        account,
        cash=account.cash - operation.reserved,
        operations=put(account.operations, operation.id, operation),
    )
    return account, [operation, ledger.set_aside(operation)]


def _book(account: Portfolio, operation: Operation, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    exchanged = _exchanged(operation, tick)
    if exchanged is None:
        return cancel(account, operation, "the event's outcomes are not all known", tick.at)
    account = replace(account, operations=put(account.operations, operation.id, None))
    cash = account.cash + exchanged.cash + operation.reserved
    facts: list[Fact] = []
    for fill, origin in _fills(operation, exchanged, tick):
        if origin is None:
            account, booked = portfolio.sold(account, fill, reason=operation.kind)
        else:
            account, booked = portfolio.bought(account, fill, origin)
        facts.append(booked)
    done = replace(operation, state=OperationState.DONE, reserved=0)
    entry = ledger.operation(operation, exchanged, tick.at)
    return replace(account, cash=cash), [*facts, done, entry]


def _exchanged(operation: Operation, tick: Tick) -> Exchanged | None:
    """What the operation moves, None where its markets are not all in the tick."""
    columns = [tick.universe.column.get(market) for market in operation.markets]
    if None in columns:
        return None
    markets = [tick.universe.markets[column] for column in columns if column is not None]
    if operation.kind is OperationKind.CONVERT:
        event = [m for m in tick.universe.markets if m.event.id == markets[0].event.id]
        return sets.convert(event, operation.markets, operation.size)
    change = sets.split if operation.kind is OperationKind.SPLIT else sets.merge
    return change(markets[0], operation.size)


def _fills(
    operation: Operation, exchanged: Exchanged, tick: Tick
) -> Iterator[tuple[Fill, Origin | None]]:
    """One fill a token, at the fair values of the moment, shifted so that they sum to the cash.

    What is received has an origin; what is given has none.
    """
    tokens = sorted(exchanged.shares, key=lambda token: (exchanged.shares[token] > 0, token))
    worth = {token: operation.size * drafting.fair(token, tick) // ONE for token in tokens}
    moved = sum(w if exchanged.shares[t] < 0 else -w for t, w in worth.items())
    gap = exchanged.cash - moved
    worth[tokens[0]] += gap if exchanged.shares[tokens[0]] < 0 else -gap
    for level, token in enumerate(tokens):
        given = exchanged.shares[token] < 0
        fill = _fill(operation, token, worth[token], Side.SELL if given else Side.BUY, level, tick)
        column, index = tick.universe.token[token]
        event = tick.universe.markets[column].event.id
        assert given or operation.plan is not None
        yield (
            fill,
            None if given or operation.plan is None else Origin(index, event, operation.plan),
        )


def _fill(operation: Operation, token: str, worth: int, side: Side, level: int, tick: Tick) -> Fill:
    column, index = tick.universe.token[token]
    market = tick.universe.markets[column]
    return Fill(
        id=digest(operation.id, tick.at, level),
        order="",
        account=operation.account,
        strategy=operation.strategy,
        market=market.id,
        token=token,
        outcome=market.tokens[index].outcome,
        side=side,
        price=worth * ONE // operation.size,
        size=operation.size,
        notional=worth,
        fee=0,
        liquidity=Liquidity.OPERATION,
        evidence=f"{operation.kind}: no trade, no fee, begun 30 s before",
        book_at=tick.at,
        at=tick.at,
        level=level,
        fair_value=worth,
    )
