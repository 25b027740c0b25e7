"""What becomes of a basket whose legs have met their books: done, mended, or taken apart."""

from collections.abc import Iterable

from execution.core import drafting, exits, operations, portfolio, risk
from execution.core.controls import Controls
from execution.core.drafting import Draft
from execution.core.portfolio import put
from execution.core.ports import Venue
from execution.core.types import (
    Assembly,
    EndReason,
    Fact,
    Leg,
    Order,
    OrderState,
    OrderType,
    Portfolio,
    Purpose,
    Side,
)
from markets.core import venue as rules
from markets.core.frozen import replace
from markets.core.tick import Tick


def tend(
    account: Portfolio,
    tick: Tick,
    facts: Iterable[Fact],
    *,
    control: Controls,
    venue: Venue,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """Carry every basket on by what its orders met on this tick (`facts`)."""
    ended = {fact.id: fact for fact in facts if isinstance(fact, Order) and fact.group}
    news: list[Fact] = []
    for assembly in [account.baskets[key] for key in sorted(account.baskets)]:
        assembly = replace(assembly, legs=tuple(_seen(leg, ended) for leg in assembly.legs))
        account = replace(account, baskets=put(account.baskets, assembly.id, assembly))
        if any(leg.open for leg in assembly.legs):
            continue
        account, done = _next(account, assembly, tick, control, venue, lapsed)
        news += done
    return account, news


def _seen(leg: Leg, ended: dict[str, Order]) -> Leg:
    order = ended.get(leg.order)
    if order is None or order.state in (OrderState.PLACED, OrderState.RESTING):
        return leg
    return replace(leg, open=False, filled=leg.filled or order.state is OrderState.FILLED)


def _next(
    account: Portfolio,
    assembly: Assembly,
    tick: Tick,
    control: Controls,
    venue: Venue,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """The basket's next step once none of its orders is open."""
    had = [leg for leg in assembly.legs if leg.filled]
    missing = [leg for leg in assembly.legs if not leg.filled]
    if not missing and not assembly.unwinding:
        return _finish(account, assembly, tick)
    if not had:
        return _forget(account, assembly), []
    if lapsed or any(control.halted(assembly.strategy, leg.market) for leg in assembly.legs):
        return account, []  # Nothing is ordered now; the next tick that may goes on.
    if not assembly.unwinding and not assembly.repaired and assembly.ticks_left > 0:
        repaired = _repair(account, assembly, missing, tick, control, venue)
        if repaired is not None:
            return repaired
    return _unwind(account, replace(assembly, unwinding=True), had, tick, venue)


def _forget(account: Portfolio, assembly: Assembly) -> Portfolio:
    return replace(account, baskets=put(account.baskets, assembly.id, None))


def _finish(account: Portfolio, assembly: Assembly, tick: Tick) -> tuple[Portfolio, list[Fact]]:
    """All legs were had: pairs merge by themselves, NO shares of an event are converted."""
    account = _forget(account, assembly)
    if not assembly.convert or any(leg.market not in tick.universe.column for leg in assembly.legs):
        return account, []
    markets = [tick.universe.markets[tick.universe.column[leg.market]] for leg in assembly.legs]
    here = [portfolio.free(account, assembly.strategy, leg.token) for leg in assembly.legs]
    size = rules.floor_size(min(assembly.size, *here))
    if size <= 0:
        return account, []
    return operations.convert(
        account, assembly.strategy, tuple(markets), size, assembly.plan, tick.at
    )


def _repair(
    account: Portfolio,
    assembly: Assembly,
    missing: list[Leg],
    tick: Tick,
    control: Controls,
    venue: Venue,
) -> tuple[Portfolio, list[Fact]] | None:
    """The missing legs once more, each dearer by its part of the edge; None where that cannot be.

    Risk may refuse it, and a market that was decided meanwhile may be tracked no more.
    """
    if any(leg.market not in tick.universe.column for leg in missing):
        return None
    extra = max(0, assembly.edge) // len(missing)
    facts: list[Fact] = []
    legs = {leg.place: leg for leg in assembly.legs}
    for leg in missing:
        order = _again(assembly, leg, extra, account, tick, venue)
        if risk.refuse(order, account, control.limits, tick, halts=control.halts) is not None:
            return None
        account, news = portfolio.place(account, order)
        facts += news
        legs[leg.place] = replace(leg, order=order.id, open=True)
    mended = replace(
        assembly,
        legs=tuple(legs[place] for place in sorted(legs)),
        repaired=True,
        ticks_left=assembly.ticks_left - 1,
    )
    return replace(account, baskets=put(account.baskets, mended.id, mended)), facts


def _again(
    assembly: Assembly, leg: Leg, extra: int, account: Portfolio, tick: Tick, venue: Venue
) -> Order:
    tick_size = tick.universe.markets[tick.universe.column[leg.market]].terms.tick_size
    draft = Draft(
        strategy=assembly.strategy,
        token=leg.token,
        side=Side.BUY,
        type=OrderType.FOK,
        price=rules.floor_price(leg.limit + extra, tick_size),
        size=assembly.size,
        purpose=Purpose.REPAIR,
        leg=leg.place,
        signal=leg.signal,
        plan=assembly.plan,
        group=assembly.id,
        claimed=leg.limit,
    )
    return drafting.order(draft, account.account, tick, venue)


def _unwind(
    account: Portfolio, assembly: Assembly, had: list[Leg], tick: Tick, venue: Venue
) -> tuple[Portfolio, list[Fact]]:
    """Sell what was had, tick after tick, until nothing is left that anybody bids a dollar for."""
    facts: list[Fact] = []
    for leg in had:
        held = account.positions.get((assembly.strategy, leg.token))
        order = None
        if held and exits.sellable(held, tick):
            order = exits.sale(account, held, EndReason.LEG_FAILED, tick, venue)
        if order:
            order = replace(order, purpose=Purpose.REPAIR)
            account, news = portfolio.place(account, order)
            facts += news
    selling = any(
        order.strategy == assembly.strategy and order.side is Side.SELL
        for order in account.orders.values()
        if order.token in {leg.token for leg in had}
    )
    if not selling:
        return _forget(account, assembly), facts
    return replace(account, baskets=put(account.baskets, assembly.id, assembly)), facts
