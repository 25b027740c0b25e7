"""How much of an account is bound, and what it can lose at worst: by event, cluster, in all."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from weakref import WeakKeyDictionary

from execution.core.types import Order, Portfolio, Position, Purpose, Side
from markets.core.tick import Universe
from markets.core.types import ONE, Market

HALF = ONE // 2


def used(portfolio: Portfolio, *, market: str = "", strategy: str = "") -> int:
    """Capital bound in a market or by a strategy: holdings at cost plus reserved buys with fees."""
    held = sum(
        p.cost
        for p in portfolio.positions.values()
        if (not market or p.market == market) and (not strategy or p.strategy == strategy)
    )
    return held + sum(
        o.reserved
        for o in portfolio.orders.values()
        if (not market or o.market == market)
        and (not strategy or o.strategy == strategy)
        and o.side is Side.BUY
    )


def held_or_open(portfolio: Portfolio, strategy: str, market: str) -> bool:
    """Whether a strategy holds or is buying anything in a market."""
    return any(
        p.strategy == strategy and p.market == market for p in portfolio.positions.values()
    ) or any(
        o.strategy == strategy and o.market == market and o.purpose is Purpose.ENTRY
        for o in portfolio.orders.values()
    )


@dataclass(frozen=True, slots=True)
class Stake:
    """Shares of one token and what they cost, micro-dollars; `index` 0 is YES, 1 NO.

    An open buy is not `sure`: it counts as filled wherever that makes things worse, and as not
    filled wherever its fill would help.
    """

    market: str
    index: int
    size: int
    cost: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """One way an event may end: what a YES share of each market pays, micro-dollars, else 0."""

    yes: Mapping[str, int]

    def pays(self, market: str, index: int) -> int:
        """The payout of one share: what YES does not get, NO gets."""
        paid = self.yes.get(market, 0)
        return paid if index == 0 else ONE - paid


def exclusive(markets: Iterable[str]) -> tuple[State, ...]:
    """The states of a neg-risk event: each market named, and none. It cannot end half and half."""
    return (*(State({market: ONE}) for market in sorted(set(markets))), State({}))


def ordinary(market: str) -> tuple[State, ...]:
    """The states of a market by itself: YES, NO, and half each."""
    return State({market: ONE}), State({}), State({market: HALF})


def event_loss(stakes: Iterable[Stake], states: Sequence[State]) -> int:
    """Cost of the holdings less their smallest payoff over the states, never below 0."""
    return max(0, _at_worst(tuple(stakes), states))


@lru_cache(maxsize=8192)
def _together(stakes: tuple[Stake, ...], outcomes_exclude: bool) -> int:
    """The worst case of an event; below 0 a certain gain. Most events stay as they were."""
    markets = dict.fromkeys(stake.market for stake in stakes)
    if outcomes_exclude:
        return _at_worst(stakes, exclusive(markets))
    return sum(
        _at_worst(tuple(stake for stake in stakes if stake.market == market), ordinary(market))
        for market in markets
    )


def _at_worst(stakes: tuple[Stake, ...], states: Sequence[State]) -> int:
    """The same where it may be negative: what is certain to be gained."""
    return max(lost(stakes, state) for state in states)


def lost(stakes: Iterable[Stake], state: State) -> int:
    """What the stakes lose in one state, micro-dollars; negative is a gain."""
    total = 0
    for stake in stakes:
        loss = stake.cost - stake.size * state.pays(stake.market, stake.index) // ONE
        total += loss if stake.sure else max(0, loss)
    return total


@dataclass(frozen=True, slots=True)
class Place:
    """Where a market belongs: its event, whether that is exclusive, its cluster and category."""

    event: str
    exclusive: bool
    cluster: str
    category: str


_PLACES: WeakKeyDictionary[Universe, Mapping[str, Place]] = WeakKeyDictionary()
"""Worked out once for each universe: every order of every tick asks."""


def place(universe: Universe, market: str, event: str = "") -> Place:
    """Where a market belongs; one no longer tracked stands alone, or with its `event`."""
    known = _PLACES.get(universe)
    if known is None:
        known = _PLACES[universe] = {m.id: _place(universe, m) for m in universe.markets}
    key = event or market
    return known.get(market) or Place(key, False, key, "")


def _place(universe: Universe, market: Market) -> Place:
    event = market.event
    cluster = universe.cluster[market.id]
    return Place(event.id or market.id, event.neg_risk, cluster, market.category)


@dataclass(frozen=True)
class Group:
    """Everything at stake in one event."""

    place: Place
    stakes: tuple[Stake, ...]

    @cached_property
    def loss(self) -> int:
        """The event's worst case: markets of an ordinary event are independent of each other."""
        return max(0, _together(self.stakes, self.place.exclusive))

    def states(self, market: str) -> tuple[State, ...]:
        """The states in which a share of `market` must be looked at."""
        if not self.place.exclusive:
            return ordinary(market)
        return exclusive([market, *(stake.market for stake in self.stakes)])

    def beside(self, market: str) -> tuple[Stake, ...]:
        """The stakes that stand or fall together with a market's."""
        if self.place.exclusive:
            return self.stakes
        return tuple(stake for stake in self.stakes if stake.market == market)

    def having(self, stake: Stake) -> "Group":
        """The group with one more stake."""
        return Group(self.place, (*self.stakes, stake))

    def room(self, stake: Stake, allowed: int) -> int:
        """Micro-shares at `stake.cost` a share that keep the event's loss at or below `allowed`.

        In states in which the share pays what it costs it takes no room; so a hedge has more room
        than its cost. `stake.size` is not looked at.
        """
        beside = self.beside(stake.market)
        states = self.states(stake.market)
        whole = _together(self.stakes, self.place.exclusive)
        apart = whole - (_at_worst(beside, states) if beside else 0)
        most = UNBOUNDED
        for state in states:
            risked = stake.cost - state.pays(stake.market, stake.index)
            if risked > 0:
                left = allowed - apart - lost(beside, state)
                most = min(most, max(0, left) * ONE // risked)
        return most


UNBOUNDED = 10**18
"""More micro-shares than any cap leaves: no state limits the size."""


@dataclass(frozen=True)
class Exposure:
    """An account's stakes by event, each with its worst case; sums give no credit for variety."""

    universe: Universe
    groups: Mapping[str, Group] = field(default_factory=dict)
    of_what: tuple[object, ...] = ()
    """The positions and orders it was reckoned from: they change only by being replaced."""

    @classmethod
    def of(cls, account: Portfolio, universe: Universe) -> "Exposure":
        """What is at stake: holdings not decided yet, and open buys with their fees.

        Every signal and every order of a tick asks, and most change nothing: the newest answers
        are kept as long as nobody holds or orders anything else.
        """
        things = account.positions, account.orders
        for held in _NEWEST:
            same = all(new is old for new, old in zip(things, held.of_what, strict=True))
            if same and held.universe is universe:
                return held
        held = cls(universe, _groups(account, universe), things)
        _NEWEST.appendleft(held)
        return held

    @staticmethod
    def alone(account: Portfolio, universe: Universe, market: str) -> Group:
        """Only the group of one market's event: what most questions are about.

        What names its event is not looked up: this is asked for every order.
        """
        where = place(universe, market)
        things: list[Position | Order] = [*account.positions.values(), *account.orders.values()]
        stakes = [
            at_stake(thing)
            for thing in things
            if (thing.event or place(universe, thing.market).event) == where.event
        ]
        return Group(where, tuple(stake for stake in stakes if stake is not None))

    def group(self, market: str, event: str = "") -> Group:
        """The group a market belongs to, empty where nothing of its event is at stake."""
        where = place(self.universe, market, event)
        return self.groups.get(where.event) or Group(where, ())

    def cluster(self, key: str) -> int:
        """What a cluster loses if everything in it goes wrong at once."""
        return self._by_cluster[key]

    def category(self, key: str) -> int:
        """The same for a category."""
        return self._by_category[key]

    @cached_property
    def total(self) -> int:
        """The sum of all events' worst cases."""
        return sum(group.loss for group in self.groups.values())

    @cached_property
    def _by_cluster(self) -> Counter[str]:
        return self._summed(lambda where: where.cluster)

    @cached_property
    def _by_category(self) -> Counter[str]:
        return self._summed(lambda where: where.category)

    def clusters(self) -> frozenset[str]:
        """The clusters in which something is at stake."""
        return frozenset(group.place.cluster for group in self.groups.values())

    def _summed(self, key: Callable[[Place], str]) -> Counter[str]:
        losses: Counter[str] = Counter()
        for group in self.groups.values():
            losses[key(group.place)] += group.loss
        return losses


_NEWEST: deque[Exposure] = deque(maxlen=4)
"""What was reckoned last, a little more than one for each of the three accounts."""


def _groups(account: Portfolio, universe: Universe) -> dict[str, Group]:
    found: dict[str, tuple[Place, list[Stake]]] = {}
    things: list[Position | Order] = [*account.positions.values(), *account.orders.values()]
    for thing in things:
        where, stake = place(universe, thing.market, thing.event), at_stake(thing)
        if stake is not None:
            known = found.setdefault(where.event, (where, []))
            if where.exclusive and not known[0].exclusive:
                known = found[where.event] = (where, known[1])
            known[1].append(stake)
    return {key: Group(at, tuple(all_)) for key, (at, all_) in found.items()}


def at_stake(thing: Position | Order) -> Stake | None:
    """A holding or an open buy as a stake; None for a sale, and where the outcome is known."""
    if isinstance(thing, Position):
        if thing.resolved:
            return None
        return Stake(thing.market, thing.index, thing.size, thing.cost)
    if thing.side is Side.SELL:
        return None
    return Stake(thing.market, thing.index, thing.left, thing.reserved, sure=False)
