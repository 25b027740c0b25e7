"""Random orders against random limits: nothing ever stands above a limit, to the micro-dollar.

Every order that passes the gate is placed, filled, sold or taken back at random. Beside the gate
stands another count of what may be lost, which tries every way the events can end and every way
the open orders can be filled. Some limits are set one micro-dollar below, at or above what an
order would lead to: below it must be refused for that limit, from there on it must pass.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from execution.core import drafting, portfolio, risk
from execution.core.drafting import Draft
from execution.core.ports import Match, Take
from execution.core.risk import Limits
from execution.core.types import (
    EndReason,
    Order,
    OrderState,
    OrderType,
    Portfolio,
    Purpose,
    Side,
)
from markets.core import venue
from markets.core.types import ONE, Event
from tests.builders import NOON, market, micro, tick, universe
from tests.trading import LIMITS, PLAN, VENUE, account

MONTHLY = ("bitcoin-above-on-march-11", "bitcoin-above-on-march-12")
WORLD = universe(
    market("m-1", event="race", neg_risk=True),
    market("m-2", event="race", neg_risk=True, fee_rate="0"),
    market("m-3", event="race", neg_risk=True),
    replace(market("m-4"), event=Event("up-11", MONTHLY[0], "")),
    replace(market("m-5", fee_rate="0.07"), event=Event("up-12", MONTHLY[1], "")),
    market("m-6", event="pair"),
    market("m-7", event="pair"),
)
CLUSTERS = {"up-11": "bitcoin", "up-12": "bitcoin"}
MONEY = (
    "max_capital_per_market",
    "max_capital_per_strategy",
    "max_event_loss",
    "max_cluster_loss",
    "max_total_exposure",
)
CODES = dict(
    zip(MONEY, ("MARKET_CAP", "STRATEGY_CAP", "EVENT_CAP", "CLUSTER_CAP", "TOTAL_CAP"), strict=True)
)
STRATEGIES = ("one", "two")


def spent(account: Portfolio, name: str, value: str) -> int:
    """Cost of holdings and reserved buys of one market or one strategy."""
    held = sum(p.cost for p in account.positions.values() if getattr(p, name) == value)
    return held + sum(
        o.reserved
        for o in account.orders.values()
        if o.side is Side.BUY and getattr(o, name) == value
    )


def endings(event: str) -> Iterator[dict[str, int]]:
    """Every way an event can end: what a YES share of each of its markets pays."""
    names = [m.id for m in WORLD.markets if m.event.id == event]
    if event == "race":
        yield from ({name: ONE * (name == winner) for name in names} for winner in (*names, ""))
        return
    for paid in product((0, ONE // 2, ONE), repeat=len(names)):
        yield dict(zip(names, paid, strict=True))


ENDINGS = {m.event.id: tuple(endings(m.event.id)) for m in WORLD.markets}
EVENT = {m.id: m.event.id for m in WORLD.markets}


def worst(account: Portfolio, event: str) -> int:
    """The most an event can lose, over every ending and every set of orders that fill."""
    held = [p for p in account.positions.values() if EVENT[p.market] == event]
    open_ = [o for o in account.orders.values() if EVENT[o.market] == event and o.side is Side.BUY]
    most = 0
    for ending in ENDINGS[event] if held or open_ else ():
        lost = sum(p.cost - p.size * pays(ending, p.market, p.index) // ONE for p in held)
        for order in open_:
            lost += max(
                0, order.reserved - order.left * pays(ending, order.market, order.index) // ONE
            )
        most = max(most, lost)
    return most


def pays(ending: dict[str, int], name: str, index: int) -> int:
    return ending[name] if index == 0 else ONE - ending[name]


def uses(account: Portfolio, order: Order, losses: dict[str, int]) -> dict[str, int]:
    """What each limit would have to allow for the account as it stands, seen from one order."""
    event = EVENT[order.market]
    cluster = CLUSTERS.get(event, event)
    return {
        "max_capital_per_market": spent(account, "market", order.market),
        "max_capital_per_strategy": spent(account, "strategy", order.strategy),
        "max_event_loss": losses[event],
        "max_cluster_loss": sum(
            loss for name, loss in losses.items() if CLUSTERS.get(name, name) == cluster
        ),
        "max_total_exposure": sum(losses.values()),
    }


def drafted(luck: random.Random, number: int, now) -> Order:
    """A random buy of a random token, with what it would reserve."""
    found = WORLD.markets[luck.randrange(len(WORLD))]
    draft = Draft(
        strategy=luck.choice(STRATEGIES),
        token=luck.choice(found.tokens).id,
        side=Side.BUY,
        type=luck.choice((OrderType.FAK, OrderType.FOK, OrderType.GTC)),
        price=luck.randrange(1, 100) * 10_000,
        size=luck.randrange(1, 6_000) * venue.SIZE_STEP,
        purpose=luck.choice((Purpose.ENTRY, Purpose.QUOTE)),
        leg=number,
        plan=PLAN,
    )
    return drafting.order(draft, "base", now, VENUE)


def lived(luck: random.Random, account: Portfolio, at: int) -> Portfolio:
    """The account after one of its orders filled, partly or wholly, or was taken back."""
    if not account.orders:
        return account
    order = account.orders[luck.choice(sorted(account.orders))]
    if luck.random() < 0.3:
        return portfolio.cancel(account, order, EndReason.BY_HAND, at)[0]
    size = order.left if luck.random() < 0.6 else venue.floor_size(order.left // 2)
    price = luck.randrange(10_000, order.price + 1, 10_000)
    fee = WORLD.markets[WORLD.column[order.market]].terms.fee
    assert fee is not None
    whole = size == order.left
    state = OrderState.FILLED if whole else OrderState.RESTING
    done = replace(order, filled=order.filled + size, state=state)
    take = Take(order.filled, price, size, venue.taker_fee(size, price, fee), "test", at)
    return portfolio.apply(account, Match(done, (take,) if size else ()), at)[0]


def sold(luck: random.Random, account: Portfolio) -> Portfolio:
    """The account with one holding gone: nothing of it is at stake any more."""
    if not account.positions:
        return account
    key = luck.choice(sorted(account.positions))
    gone = account.positions[key]
    return replace(
        account,
        cash=account.cash + gone.cost,
        positions=portfolio.put(account.positions, key, None),
    )


def random_limits(luck: random.Random) -> Limits:
    money = {name: luck.randrange(micro(1), micro(200)) for name in MONEY}
    return replace(LIMITS, **money, max_orders_per_minute=micro(10**6))


def prove(seed: int, orders: int) -> Counter:
    """Place, fill and drop so many random orders; every breach of a limit fails at once."""
    luck = random.Random(seed)
    counted: Counter[str] = Counter()
    held, limits = account(cash=10**6), random_limits(luck)
    for number in range(orders):
        if number % 200 == 0:
            held, limits = account(cash=10**6), random_limits(luck)
        now = tick(WORLD, at=NOON + number) if number % 50 == 0 else now  # noqa: F821
        order = drafted(luck, number, now)
        losses = {event: worst(held, event) for event in ENDINGS}
        before = uses(held, order, losses)
        after = portfolio.place(held, order)[0]
        event = EVENT[order.market]
        would = uses(after, order, {**losses, event: worst(after, event)})
        edge = luck.choice((None, None, *MONEY))
        if edge:
            limits = replace(limits, **{edge: max(0, would[edge] + luck.choice((-1, 0, 1)))})
        breach = risk.refuse(order, held, limits, now)
        wanted = expected(before, would, limits)
        assert (breach.code if breach else None) == wanted or crossed(breach), (
            f"seed {seed}, order {number}: {breach}, expected {wanted}\n{before}\n{would}\n{limits}"
        )
        counted[str(breach.code) if breach else "placed"] += 1
        if breach is None:
            for name in MONEY:
                assert would[name] <= max(limits_of(limits, name), before[name]), (
                    seed,
                    number,
                    name,
                )
            held = after
        held = replace(held, placed=())
        for _ in range(luck.choice((0, 1, 1, 2))):
            held = lived(luck, held, now.at)
        if luck.random() < 0.05:
            held = sold(luck, held)
    return counted


def limits_of(limits: Limits, name: str) -> int:
    return int(getattr(limits, name))


def crossed(breach: risk.Breach | None) -> bool:
    return breach is not None and breach.code == "SELF_CROSS"


def expected(before: dict[str, int], would: dict[str, int], limits: Limits) -> str | None:
    """The first limit that the order breaks, by the other count."""
    for name in MONEY:
        worse = name.startswith("max_capital") or would["max_event_loss"] > before["max_event_loss"]
        if worse and would[name] > limits_of(limits, name):
            return CODES[name]
    return None


def test_nothing_passes_a_limit_in_twenty_thousand_random_orders():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    counted = prove(seed, 20_000)

    print(dict(counted))
    assert counted["placed"] > 1_000
    assert all(counted[code] > 100 for code in CODES.values())


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_nothing_passes_a_limit_in_a_million_random_orders():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    counted = prove(seed, 1_000_000)

    print(dict(counted))
    assert counted["placed"] > 50_000
