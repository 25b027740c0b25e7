"""Resting orders: their place in the queue, prints of both tokens, books that go through."""

from dataclasses import replace

import pytest

from execution.core import queueing
from execution.core.latency import Latency
from execution.core.paper import FillModel, PaperVenue
from execution.core.queueing import Queue
from execution.core.types import EndReason, Order, OrderState, OrderType, Purpose, Side
from markets.core.types import ONE
from tests.builders import NOON, book, market, micro, printed, tick, universe

STEP = 10_000
BIDS = (("0.40", 100), ("0.39", 50))
ASKS = (("0.44", 100),)


def venue(queue: Queue = Queue.BASE, phantom: int = 0) -> PaperVenue:
    return PaperVenue(Latency(250, 1200, 1), FillModel(phantom, queue))


def order(price: str = "0.40", size: int = 50, **changes: object) -> Order:
    """A post-only bid for YES at the touch, behind the 100 displayed there when it was decided."""
    made = Order(
        "o-1", "base", "maker", "m-1", "yes-1", "Yes", Side.BUY, OrderType.GTC, micro(price),
        micro(size), Purpose.QUOTE, NOON, NOON + 250, post_only=True, tick_size=micro("0.01"),
        touch=micro("0.44"), ahead=0, seen=micro(100), seen_at=NOON, reserved=micro(50),
    )  # fmt: skip
    return replace(made, **changes)


def world(**terms: object):
    return universe(market(fee_rate="0.05", **terms))


def at(number: int, bids=BIDS, asks=ASKS, prints=(), shown=None):
    """The tick `number` steps after noon."""
    when = NOON + number * STEP
    return tick(
        shown or world(), {"yes-1": book(bids=bids, asks=asks, at=when)}, at=when, id=number + 1,
        prints=prints,
    )  # fmt: skip


def run(*ticks, start: Order | None = None, queue: Queue = Queue.BASE):
    """The order after the given ticks, and everything it took."""
    resting, takes = start or order(), []
    for now in ticks:
        if resting.state not in (OrderState.PLACED, OrderState.RESTING):
            break
        match = venue(queue).match([resting], now, {})[0][0]
        resting = match.order
        takes += match.takes
    return resting, takes


class TestJoining:
    def test_waits_behind_what_was_displayed_when_it_was_decided(self):
        resting, takes = run(at(1))

        assert resting.state is OrderState.RESTING
        assert resting.ahead == micro(100)
        assert takes == []

    def test_the_conservative_model_waits_behind_what_came_since_too(self):
        more = at(1, bids=(("0.40", 170),))

        assert run(more, queue=Queue.BASE)[0].ahead == micro(100)
        assert run(more, queue=Queue.CONSERVATIVE)[0].ahead == micro(170)

    def test_does_not_join_before_a_book_seen_after_its_arrival(self):
        resting, _ = run(at(1), start=order(arrives_at=NOON + 2 * STEP))

        assert resting.state is OrderState.PLACED

    def test_a_price_better_than_the_touch_has_nobody_ahead(self):
        alone = order("0.42", seen=0)

        assert run(at(1), start=alone)[0].ahead == 0


class TestPrints:
    def test_prints_at_its_price_use_the_queue_first(self):
        resting, takes = run(at(1), at(2, prints=[printed("0.40", 120, NOON + STEP + 1)]))

        assert [take.size for take in takes] == [micro(20)]
        assert takes[0].price == micro("0.40")
        assert takes[0].fee == 0
        assert takes[0].liquidity == "maker"
        assert takes[0].evidence == (
            "queue consumed: 120 printed at our price, 100 were ahead of us"
        )
        assert resting.filled == micro(20)

    def test_a_print_through_its_price_fills_it(self):
        resting, takes = run(at(1), at(2, prints=[printed("0.39", 30, NOON + STEP + 1)]))

        assert [take.size for take in takes] == [micro(30)]
        assert takes[0].price == micro("0.40"), "at our price, never better"
        assert takes[0].evidence == "traded through: 30 printed at 0.39"
        assert resting.ahead == 0

    def test_no_more_than_was_printed(self):
        resting, _ = run(at(1), at(2, prints=[printed("0.39", 500, NOON + STEP + 1)]))

        assert resting.state is OrderState.FILLED
        assert resting.filled == micro(50)

    def test_buying_no_consumes_yes_bids_at_the_mirrored_price(self):
        mirrored = printed("0.60", 130, NOON + STEP + 1, token="no-1", side="buy")

        assert run(at(1), at(2, prints=[mirrored]))[0].filled == micro(30)

    @pytest.mark.parametrize(
        ("token", "side", "price"), [("yes-1", "buy", "0.40"), ("no-1", "sell", "0.60")]
    )
    def test_takers_of_our_own_side_do_not_touch_us(self, token, side, price):
        same = printed(price, 500, NOON + STEP + 1, token=token, side=side)

        assert run(at(1), at(2, prints=[same]))[1] == []

    def test_a_print_made_before_the_order_arrived_is_not_ours(self):
        old = printed("0.39", 500, NOON + 250)

        assert run(at(1, prints=[old]))[1] == []
        assert run(at(1), at(2, prints=[old]))[1] == []

    def test_a_print_that_arrives_with_the_joining_tick_counts_when_made_after_arrival(self):
        early = printed("0.39", 20, NOON + 251)

        assert [take.size for take in run(at(1, prints=[early]))[1]] == [micro(20)]

    def test_two_orders_of_ours_share_one_print(self):
        first, second = order(), order(id="o-2", strategy="other")
        joined = [m.order for m in venue().match([first, second], at(1), {})[0]]

        matches, _ = venue().match(
            joined, at(2, prints=[printed("0.40", 170, NOON + STEP + 1)]), {}
        )

        assert [m.order.filled for m in matches] == [micro(50), micro(20)]


class TestCancels:
    """Displayed size that goes without a trade: whose was it?"""

    @pytest.mark.parametrize(
        ("queue", "ahead"),
        [
            (Queue.CONSERVATIVE, 100),
            (Queue.OPTIMISTIC, 0),
        ],
    )
    def test_bounds(self, queue, ahead):
        joined, _ = run(at(1, bids=(("0.40", 400),)), start=order(seen=micro(400)), queue=queue)
        joined = replace(joined, ahead=micro(100))

        moved = venue(queue).match([joined], at(2, bids=(("0.40", 300),)), {})[0][0].order

        assert moved.ahead == micro(ahead)

    def test_the_golden_vector_of_the_base_model(self):
        assert round(queueing.behind(micro(300), micro(100)) / ONE, 4) == 0.9643

    def test_the_base_model_moves_by_the_chance_that_they_stood_ahead(self):
        joined, _ = run(at(1, bids=(("0.40", 400),)), start=order(seen=micro(400)))
        joined = replace(joined, ahead=micro(100))

        moved = venue().match([joined], at(2, bids=(("0.40", 300),)), {})[0][0].order

        gone_ahead = micro(100) * (ONE - queueing.behind(micro(300), micro(100))) // ONE
        assert moved.ahead == micro(100) - gone_ahead
        assert micro("96.4") < moved.ahead < micro("96.5")

    @pytest.mark.parametrize("queue", list(Queue))
    def test_what_was_traded_is_not_counted_as_cancelled(self, queue):
        joined, _ = run(at(1), queue=queue)
        traded = at(2, bids=(("0.40", 40),), prints=[printed("0.40", 60, NOON + STEP + 1)])

        moved = venue(queue).match([joined], traded, {})[0][0].order

        assert moved.ahead == micro(40)

    def test_nobody_ahead_beyond_what_is_displayed(self):
        joined, _ = run(at(1), queue=Queue.CONSERVATIVE)

        moved = venue(Queue.CONSERVATIVE).match([joined], at(2, bids=(("0.40", 30),)), {})

        assert moved[0][0].order.ahead == micro(30)

    def test_nothing_behind_and_nothing_ahead_counts_as_ahead(self):
        assert queueing.behind(0, 0) == 0


class TestBooksThatGoThrough:
    def test_asks_strictly_below_our_bid_fill_at_our_price(self):
        through = at(2, bids=(("0.37", 10),), asks=(("0.38", 20), ("0.39", 15), ("0.40", 99)))

        resting, takes = run(at(1), through)

        assert [(take.price, take.size) for take in takes] == [
            (micro("0.40"), micro(20)),
            (micro("0.40"), micro(15)),
        ]
        assert resting.filled == micro(35)
        assert takes[0].evidence == (
            "book through us: 20 displayed at 0.38, 0 already taken by us, 20 believed"
        )

    def test_an_ask_at_our_price_is_not_through(self):
        locked = at(2, bids=(("0.39", 10),), asks=(("0.40", 500),))

        assert run(at(1), locked)[1] == []

    def test_a_carried_book_never_fills(self):
        joined, _ = run(at(1))
        through = at(2, bids=(("0.37", 10),), asks=(("0.38", 20),))
        carried = replace(through, observed_at=through.observed_at * 0 + joined.seen_at)

        assert venue().match([joined], carried, {})[0][0].takes == ()

    def test_an_incoherent_book_never_fills(self):
        through = at(2, bids=(("0.37", 10),), asks=(("0.38", 20),))

        assert run(at(1), replace(through, coherent=through.coherent & False))[1] == []

    def test_what_went_through_is_taken_once(self):
        first, second = order(), order(id="o-2", strategy="other")
        joined = [m.order for m in venue().match([first, second], at(1), {})[0]]
        through = at(2, bids=(("0.37", 10),), asks=(("0.38", 60),))

        matches, left = venue().match(joined, through, {})

        assert [m.order.filled for m in matches] == [micro(50), micro(10)]
        assert left["yes-1", True, micro("0.38")].taken == micro(60)

    def test_part_of_the_touch_is_not_believed(self):
        joined, _ = run(at(1))
        through = at(2, bids=(("0.37", 10),), asks=(("0.38", 40),))

        pessimistic = venue(phantom=ONE).match([joined], through, {})[0][0]

        assert pessimistic.order.filled == micro(8)


class TestSales:
    def test_a_sale_rests_among_the_asks(self):
        selling = order("0.44", side=Side.SELL, touch=micro("0.40"), seen=micro(100))
        up = printed("0.44", 110, NOON + STEP + 1, side="buy")

        resting, takes = run(at(1), at(2, prints=[up]), start=selling)

        assert [take.size for take in takes] == [micro(10)]
        assert resting.ahead == 0

    def test_bids_strictly_above_a_sale_fill_it_at_its_price(self):
        selling = order("0.44", side=Side.SELL, touch=micro("0.40"), seen=micro(100))
        through = at(2, bids=(("0.46", 30),), asks=(("0.47", 10),))

        _, takes = run(at(1), through, start=selling)

        assert [(take.price, take.size) for take in takes] == [(micro("0.44"), micro(30))]


class TestEnds:
    def test_good_till_a_date_ends_a_minute_early(self):
        dated = order(type=OrderType.GTD, expires_at=NOON + 190_000 + 60_000)

        resting, _ = run(*(at(n) for n in range(1, 25)), start=dated)

        assert (resting.state, resting.reason) == (OrderState.EXPIRED, EndReason.EXPIRED)
        assert run(at(1), at(18), start=dated)[0].state is OrderState.RESTING

    def test_prints_after_its_date_are_not_ours(self):
        dated = order(type=OrderType.GTD, expires_at=NOON + 200_000 + 60_000)
        late = printed("0.39", 50, NOON + 200_001)

        resting, takes = run(at(1), at(21, prints=[late]), start=dated)

        assert takes == []
        assert resting.state is OrderState.EXPIRED

    def test_the_start_of_a_game_clears_the_book(self):
        sports = replace(market(fee_rate="0.05"), game_start_at=NOON + 15_000)
        shown = universe(sports)
        before = printed("0.39", 10, NOON + 14_000)
        after = printed("0.39", 10, NOON + 15_000)

        resting, takes = run(at(1, shown=shown), at(2, shown=shown, prints=[before, after]))

        assert [take.size for take in takes] == [micro(10)]
        assert (resting.state, resting.reason) == (
            OrderState.PARTLY_FILLED,
            EndReason.GAME_START,
        )

    def test_a_new_price_grid_clears_the_book(self):
        finer = world(tick_size="0.001")

        resting, takes = run(at(1), at(2, shown=finer, prints=[printed("0.39", 9, NOON + 19_000)]))

        assert (resting.state, resting.reason) == (OrderState.CANCELLED, EndReason.TICK_CHANGED)
        assert takes == []


class TestTakingOrders:
    def test_what_a_marketable_gtc_cannot_take_rests(self):
        taker = order(
            "0.44", 130, post_only=False, touch=micro("0.44"), reserved=micro(60), seen=0
        )  # fmt: skip

        resting, takes = run(at(1), start=taker)

        assert [(take.price, take.size) for take in takes] == [(micro("0.44"), micro(100))]
        assert takes[0].liquidity == "taker"
        assert resting.state is OrderState.RESTING
        assert (resting.ahead, resting.left) == (0, micro(30))
