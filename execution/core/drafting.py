"""A new order as it leaves the desk: its id, its arrival, and what its decision saw."""

from dataclasses import dataclass

from execution.core import costs, queueing, taking
from execution.core.ports import Venue
from execution.core.types import AccountName, Order, OrderType, Purpose, Side
from markets.core import venue as rules
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule, Market
from strategies.core.types import Plan, digest


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants done: everything about an order that is a decision.

    `claimed`, `edge` and `deviation` are the signal's fair value, its expected gain and how far
    from that it may end, a share in micro-dollars.
    """

    strategy: str
    token: str
    side: Side
    type: OrderType
    price: int
    size: int
    purpose: Purpose
    leg: int = 0
    signal: str = ""
    reason: str = ""
    plan: Plan | None = None
    post_only: bool = False
    expires_at: int = 0
    group: str = ""
    claimed: int = 0
    edge: int = 0
    deviation: int = 0


def order(draft: Draft, account: str, tick: Tick, venue: Venue) -> Order:
    """The order made of a draft at a tick: reserved, dated, and with what was displayed then."""
    column, index = tick.universe.token[draft.token]
    market = tick.universe.markets[column]
    buy = draft.side is Side.BUY
    bid, ask = tick.touch(draft.token)
    key = (draft.strategy, market.id, draft.token, draft.purpose, tick.at, draft.leg)
    made = Order(
        id=digest(account, *key),
        account=account,
        strategy=draft.strategy,
        market=market.id,
        token=draft.token,
        outcome=market.tokens[index].outcome,
        side=draft.side,
        type=draft.type,
        price=draft.price,
        size=draft.size,
        purpose=draft.purpose,
        placed_at=tick.at,
        arrives_at=0,
        leg=draft.leg,
        signal=draft.signal,
        reserved=_reservation(draft, market),
        reason=draft.reason,
        plan=draft.plan,
        index=index,
        event=market.event.id,
        post_only=draft.post_only,
        expires_at=draft.expires_at,
        group=draft.group,
        tick_size=market.terms.tick_size,
        fair=fair(draft.token, tick),
        touch=(ask if buy else bid) or 0,
        expected=taking.average(draft.token, buy, draft.size, tick),
        claimed=draft.claimed,
        edge=draft.edge,
        deviation=draft.deviation,
        seen=queueing.displayed(draft.token, draft.side, draft.price, tick),
        seen_at=int(tick.observed_at[column]),
    )
    return replace(made, arrives_at=venue.arrival(made, market.terms.taker_delay_ms))


def twins(order: Order) -> frozenset[str]:
    """The ids that one decision's order has in the three accounts."""
    key = (order.strategy, order.market, order.token, order.purpose, order.placed_at, order.leg)
    return frozenset(digest(name, *key) for name in AccountName)


def fair(token: str, tick: Tick) -> int:
    """A token's microprice at a tick, micro-dollars; NO's is one less YES's.

    Half a dollar for a token the tick does not show.
    """
    if token not in tick.universe.token:
        return ONE // 2
    column, side = tick.universe.token[token]
    yes = costs.microprice(
        int(tick.bid[column]), int(tick.bid_size[column]),
        int(tick.ask[column]), int(tick.ask_size[column]),
    )  # fmt: skip
    return yes if side == 0 else ONE - yes


def reservation(size: int, limit: int, fee: FeeSchedule) -> int:
    """Cash a buy holds back: its notional at the limit, the largest fee, and level rounding."""
    worst = min(limit, ONE // 2)
    rounding = taking.MAX_LEVELS * (rules.FEE_STEP + 1)
    return rules.cost(size, limit) + rules.taker_fee(size, worst, fee) + rounding


def _reservation(draft: Draft, market: Market) -> int:
    if draft.side is Side.SELL:
        return draft.size
    if draft.post_only:
        return rules.cost(draft.size, draft.price) + draft.size // rules.SIZE_STEP
    assert market.terms.fee is not None
    return reservation(draft.size, draft.price, market.terms.fee)
