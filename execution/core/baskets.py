"""Baskets: bets that make sense only together, and what to do when a leg cannot be had.

All legs go out on one tick, each fill-or-kill. When some were had and some were not, the missing
ones are tried once more at what the edge left allows; then what was had is sold again, and the
difference is the legging cost.
"""

from collections.abc import Sequence

from execution.core import acceptance, drafting, exposure, portfolio, risk, sizing
from execution.core.controls import Controls
from execution.core.entries import No, barred, draft, refused, say, too_small
from execution.core.portfolio import put
from execution.core.ports import Venue
from execution.core.sizing import Sizing
from execution.core.types import (
    Assembly,
    Disposition,
    Fact,
    Leg,
    Order,
    OrderType,
    Portfolio,
    RefusalCode,
)
from markets.core import venue as rules
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE
from strategies.core.types import Basket, Bet, bet_id, digest

WHATEVER_SIZE = (RefusalCode.ORDER_RATE, RefusalCode.SELF_CROSS)
"""Refusals that a smaller basket would meet as well."""


def enter(
    account: Portfolio,
    tick: Tick,
    baskets: Sequence[Basket],
    *,
    control: Controls,
    venue: Venue,
    sizing: Sizing,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """Send every basket's legs out together, or refuse the whole of it for one reason."""
    facts: list[Fact] = []
    for basket in sorted(baskets, key=lambda each: (each.strategy, each.legs[0].market)):
        if _known(basket, account):
            continue
        answer = _answer(basket, account, tick, control, venue, sizing, lapsed)
        if isinstance(answer, No):
            for leg in basket.legs:
                account, news = refused(account, leg, tick.at, answer)
                facts += news
        else:
            account, news = _send(account, basket, answer, tick.at)
            facts += news
    return account, facts


def _known(basket: Basket, account: Portfolio) -> bool:
    """Whether this opinion is being acted on: something of it is held or on its way."""
    busy = any(exposure.held_or_open(account, leg.strategy, leg.market) for leg in basket.legs)
    said = account.said.get((basket.strategy, basket.legs[0].token), ("", ""))[1]
    return busy and said in (Disposition.RESTING, RefusalCode.HOLDING)


def _answer(
    basket: Basket,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
    lapsed: bool,
) -> list[Order] | No:
    """The legs' orders, all of one size, or why there are none."""
    if len(basket.legs) > acceptance.BATCH:
        return No(RefusalCode.BATCH_LIMIT, acceptance.BATCH, len(basket.legs))
    if any(exposure.held_or_open(account, leg.strategy, leg.market) for leg in basket.legs):
        return No(RefusalCode.HOLDING, disposition=Disposition.SUPERSEDED)
    for leg in basket.legs:
        no = barred(leg, account, tick, control, lapsed)
        if no:
            return no
    return _sized(basket, account, tick, control, venue, fractions)


def _sized(
    basket: Basket,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
) -> list[Order] | No:
    """The largest size at which every leg, sent one after the other, passes every limit."""
    bold = risk.boldness(account, control.limits)
    low, high = 0, min(leg.size for leg in basket.legs) * bold // ONE // rules.SIZE_STEP
    best: list[Order] | No = _legs(basket, high, account, tick, control, venue, fractions)
    if not isinstance(best, No) or best.code in WHATEVER_SIZE:
        return best
    while high - low > 1:
        middle = (low + high) // 2
        found = _legs(basket, middle, account, tick, control, venue, fractions)
        if isinstance(found, No):
            high = middle
            best = found if isinstance(best, No) else best
        else:
            low, best = middle, found
    return best


def _legs(
    basket: Basket,
    steps: int,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
) -> list[Order] | No:
    """Every leg's order at a size of so many steps, or what one of them breaks."""
    orders: list[Order] = []
    for leg in basket.legs:
        size = steps * rules.SIZE_STEP
        made = _leg(leg, size, account, tick, control, venue, fractions)
        if isinstance(made, No):
            return made
        made = replace(made, group=_id(basket))
        orders.append(made)
        account, _ = portfolio.place(account, made)
    return orders


def _leg(
    leg: Bet,
    size: int,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
) -> Order | No:
    market = tick.universe.markets[tick.universe.column[leg.market]]
    sure = replace(leg, size=size, variance=sizing.SURE)
    depth = venue.usable(leg.token, True, leg.limit, tick, account.depleted)
    found = sizing.size_entry(
        sure, account, tick, depth=depth, limits=control.limits, sizing=fractions
    )
    _, ask = tick.touch(leg.token)
    small = too_small(found, market, ask or 0)
    if small:
        return small
    if found.size < size:
        code = found.bound_by or RefusalCode.DEPTH
        return No(code, found.limit, found.value, Disposition.SIZED_TO_ZERO)
    made = replace(draft(leg, size), type=OrderType.FOK)
    order = drafting.order(made, account.account, tick, venue)
    breach = risk.refuse(order, account, control.limits, tick, halts=control.halts)
    return No(breach.code, breach.limit, breach.value) if breach else order


def _send(
    account: Portfolio, basket: Basket, orders: list[Order], at: int
) -> tuple[Portfolio, list[Fact]]:
    facts: list[Fact] = []
    legs = []
    for place, (bet, order) in enumerate(zip(basket.legs, orders, strict=True)):
        account, news = portfolio.place(account, order)
        account, told = say(account, bet, at, Disposition.RESTING, "")
        facts += [*news, *told]
        legs.append(Leg(order.id, bet_id(bet), bet.market, bet.token, bet.limit, place))
    assembly = Assembly(
        id=_id(basket),
        strategy=basket.strategy,
        legs=tuple(legs),
        size=orders[0].size,
        edge=min(bet.edge for bet in basket.legs),
        ticks_left=basket.timeout_ticks,
        plan=basket.legs[0].plan,
        convert=basket.convert,
    )
    return replace(account, baskets=put(account.baskets, assembly.id, assembly)), facts


def _id(basket: Basket) -> str:
    return digest("basket", basket.strategy, basket.at, *(leg.token for leg in basket.legs))
