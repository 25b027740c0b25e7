"""The paper venue: fills orders against later recorded books and prints, as the exchange would.

Polling makes latency nearly moot: an order meets the next tick, whatever its 250 ms. What counts
is that the book it meets was observed after it arrived, that only displayed depth we have not
taken before is taken, that part of the touch is not believed (phantom depth), and that an order
which rests waits behind what was there before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from execution.core import acceptance, queueing, taking
from execution.core.latency import Latency
from execution.core.ports import Match
from execution.core.queueing import Flow, Queue
from execution.core.types import (
    AccountName,
    Depletion,
    EndReason,
    LevelKey,
    Order,
    OrderState,
    OrderType,
)
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE
from strategies.core.types import digest

MAX_WAITS = 3
"""Ticks an arrived order waits for a fresh coherent book before it expires."""


@dataclass(frozen=True, slots=True)
class FillModel:
    """How kindly an account's orders are filled.

    `phantom` is the share of the touch beyond its first fifth that is not believed (micro);
    `queue` says whose leaving moved a resting order forward.
    """

    phantom: int
    queue: Queue


MODELS = {
    AccountName.PESSIMISTIC: FillModel(ONE, Queue.CONSERVATIVE),
    AccountName.BASE: FillModel(ONE // 2, Queue.BASE),
    AccountName.OPTIMISTIC: FillModel(0, Queue.OPTIMISTIC),
}


@dataclass(frozen=True, slots=True)
class PaperVenue:
    """One account's venue: its latency and its fill model."""

    latency: Latency
    model: FillModel

    def arrival(self, order: Order, delay_ms: int) -> int:
        """When an order placed now reaches the book: three accounts share one draw."""
        key = digest(
            order.strategy, order.market, order.token, order.purpose, order.placed_at, order.leg
        )
        return order.placed_at + self.latency.draw(key) + delay_ms

    def usable(
        self, token: str, buy: bool, limit: int, tick: Tick,
        depleted: Mapping[LevelKey, Depletion],
    ) -> int:  # fmt: skip
        """Shares believed takable now at `limit` or better."""
        found = taking.offers(
            token, buy, limit, tick, depleted=depleted, phantom=self.model.phantom
        )
        return sum(offer.usable for offer in found)

    def match(
        self, orders: Iterable[Order], tick: Tick, depleted: Mapping[LevelKey, Depletion]
    ) -> tuple[list[Match], dict[LevelKey, Depletion]]:
        """Match in the order given; each order sees what the ones before it took."""
        left, flow = dict(depleted), Flow.of(tick)
        return [self._match_one(order, tick, flow, left) for order in orders], left

    def _match_one(
        self, order: Order, tick: Tick, flow: Flow, left: dict[LevelKey, Depletion]
    ) -> Match:
        reason = acceptance.turned_away(order, tick)
        if reason is not None:
            resting = order.state is OrderState.RESTING
            state = _ended(order) if resting else OrderState.REJECTED
            return Match(replace(order, state=state, reason=reason), ())
        if order.state is OrderState.RESTING:
            return self._rest(order, tick, flow, left)
        column, _ = tick.universe.token[order.token]
        if tick.observed_at[column] < order.arrives_at or not tick.coherent[column]:
            return Match(_wait(order), ())
        if acceptance.rests(order):
            order = queueing.join(order, tick, self.model.queue)
            return self._rest(order, tick, flow, left)
        return self._take(order, tick, left)

    def _take(self, order: Order, tick: Tick, left: dict[LevelKey, Depletion]) -> Match:
        """An order that takes: what its type says happens to what it cannot have at once."""
        takes = tuple(taking.walk(order, tick, depleted=left, phantom=self.model.phantom))
        got = sum(take.size for take in takes)
        whole = got == order.size
        if order.type is OrderType.FOK and not whole:
            takes, got = (), 0
        taking.deplete(order, takes, tick, left)
        order = replace(order, filled=got)
        if whole:
            return Match(replace(order, state=OrderState.FILLED), takes)
        if order.type in (OrderType.FOK, OrderType.FAK):
            reason = order.reason if got else EndReason.NO_FILL
            return Match(replace(order, state=_ended(order), reason=reason), takes)
        column, _ = tick.universe.token[order.token]
        shown = queueing.displayed(order.token, order.side, order.price, tick)
        seen_at = int(tick.observed_at[column])
        rest = replace(order, state=OrderState.RESTING, ahead=shown, seen=shown, seen_at=seen_at)
        return Match(rest, takes)

    def _rest(self, order: Order, tick: Tick, flow: Flow, left: dict[LevelKey, Depletion]) -> Match:
        column, _ = tick.universe.token[order.token]
        market = tick.universe.markets[column]
        rested = queueing.rest(
            order,
            tick,
            flow,
            queue=self.model.queue,
            phantom=self.model.phantom,
            depleted=left,
            until=acceptance.ends_at(order, market),
        )
        order = rested.order
        if order.left == 0:
            return Match(replace(order, state=OrderState.FILLED), rested.takes)
        reason = acceptance.over(order, market, tick.at)
        if reason is None:
            return Match(order, rested.takes)
        state = OrderState.EXPIRED if reason is EndReason.EXPIRED else OrderState.CANCELLED
        state = OrderState.PARTLY_FILLED if order.filled else state
        return Match(replace(order, state=state, reason=reason), rested.takes)


def _ended(order: Order) -> OrderState:
    return OrderState.PARTLY_FILLED if order.filled else OrderState.CANCELLED


def _wait(order: Order) -> Order:
    """An order that met no fresh coherent book: it waits a little, then expires."""
    if order.waits + 1 >= MAX_WAITS:
        return replace(order, state=OrderState.EXPIRED, reason=EndReason.STALE)
    return replace(order, waits=order.waits + 1)
