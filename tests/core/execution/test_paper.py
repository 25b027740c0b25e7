"""The paper venue: walks a later book, believes part of the touch, remembers what it took."""

from dataclasses import replace

import pytest

from execution.core import depletion, paper, taking
from execution.core.latency import Latency
from execution.core.paper import FillModel
from execution.core.queueing import Queue
from execution.core.types import Depletion, Order, OrderState, OrderType, Purpose, Side
from markets.core.types import ONE
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import VENUE

GOLDEN = (("0.41", 50), ("0.42", 40), ("0.44", 100))


def order(size: str | int = 120, price: str = "0.45", **changes: object) -> Order:
    made = Order(
        "o-1", "base", "tester", "m-1", "yes-1", "Yes", Side.BUY, OrderType.FAK, micro(price),
        micro(size), Purpose.ENTRY, NOON, NOON + 250, reserved=micro(100),
    )  # fmt: skip
    return replace(made, **changes)


def later(asks=GOLDEN, bids=(("0.40", 1000),), fee_rate: str = "0.04", after: int = 10_000):
    world = universe(market(fee_rate=fee_rate))
    return tick(world, {"yes-1": book(bids=bids, asks=asks, at=NOON + after)}, at=NOON + after)


class TestWalk:
    def test_matches_the_golden_vector(self):
        match = VENUE.match([order()], later(), {})[0][0]

        cost = sum(take.size * take.price // ONE for take in match.takes)
        fee = sum(take.fee for take in match.takes)

        assert cost == micro("50.50")
        assert fee == micro("1.16924")
        assert round((cost + fee) / 120) == 430_577

    def test_stops_at_its_limit(self):
        match = VENUE.match([order(price="0.42")], later(), {})[0][0]

        assert [take.price for take in match.takes] == [micro("0.41"), micro("0.42")]
        assert match.order.filled == micro(90)
        assert match.order.state is OrderState.PARTLY_FILLED

    def test_sells_into_the_bids(self):
        selling = order(50, "0.38", side=Side.SELL)

        match = VENUE.match([selling], later(bids=(("0.40", 20), ("0.39", 100))), {})[0][0]

        assert [(t.price, t.size) for t in match.takes] == [
            (micro("0.40"), micro(20)),
            (micro("0.39"), micro(30)),
        ]

    def test_buying_no_takes_the_yes_bids(self):
        buying = order(30, "0.65", token="no-1", outcome="No")

        match = VENUE.match([buying], later(bids=(("0.40", 20), ("0.38", 100))), {})[0][0]

        assert [take.price for take in match.takes] == [micro("0.60"), micro("0.62")]


class TestArrival:
    def test_never_fills_on_a_book_observed_before_it_arrived(self):
        match = VENUE.match([order(arrives_at=NOON + 20_000)], later(), {})[0][0]

        assert match.takes == ()
        assert match.order.state is OrderState.PLACED

    def test_expires_after_three_ticks_without_a_fresh_book(self):
        waiting = order(arrives_at=NOON + 10**9)
        for _ in range(paper.MAX_WAITS):
            waiting = VENUE.match([waiting], later(), {})[0][0].order

        assert waiting.state is OrderState.EXPIRED

    def test_never_fills_on_an_incoherent_book(self):
        torn = later()
        torn = replace(torn, coherent=torn.coherent & False)

        assert VENUE.match([order()], torn, {})[0][0].takes == ()

    def test_latency_is_a_function_of_seed_and_key(self):
        latency = Latency(250, 1200, 7)
        draws = sorted(latency.draw(str(number)) for number in range(2001))

        assert latency.draw("x") == Latency(250, 1200, 7).draw("x")
        assert 220 < draws[1000] < 280
        assert 1000 < draws[1900] < 1450

    def test_three_accounts_share_one_draw(self):
        assert VENUE.arrival(order(), 0) == VENUE.arrival(order(account="optimistic"), 0)


class TestFokAndFak:
    def test_fok_takes_all_or_nothing(self):
        match = VENUE.match([order(500, type=OrderType.FOK)], later(), {})[0][0]

        assert match.takes == ()
        assert match.order.state is OrderState.CANCELLED
        assert match.order.reason == "NO_FILL"

    def test_fak_with_nothing_in_reach_is_cancelled(self):
        match = VENUE.match([order(price="0.40")], later(), {})[0][0]

        assert match.order.state is OrderState.CANCELLED


class TestPhantomDepth:
    @pytest.mark.parametrize(("phantom", "believed"), [(0, 100), (ONE // 2, 60), (ONE, 20)])
    def test_only_the_first_fifth_of_the_touch_is_sure(self, phantom, believed):
        assert taking.believed(micro(100), phantom) == micro(believed)

    def test_applies_at_the_touch_only(self):
        believing_half = replace(VENUE, model=FillModel(ONE // 2, Queue.BASE))

        match = believing_half.match([order()], later(), {})[0][0]

        assert [take.size for take in match.takes] == [micro(30), micro(40), micro(50)]


class TestDepletion:
    def test_what_we_took_stays_taken(self):
        _, left = VENUE.match([order(50)], later(), {})

        match = VENUE.match([order(50)], later(), left)[0][0]

        assert match.takes[0].price == micro("0.42")

    def test_orders_of_one_tick_share_the_depth(self):
        first, second = VENUE.match([order(45), order(45, id="o-2")], later(), {})[0]

        assert [t.size for t in second.takes] == [micro(5), micro(40)]
        assert first.order.filled == micro(45)

    def test_the_mirror_level_is_the_same_level(self):
        _, left = VENUE.match([order(50)], later(), {})
        selling_no = order(50, "0.10", token="no-1", outcome="No", side=Side.SELL)

        match = VENUE.match([selling_no], later(), left)[0][0]

        assert match.takes[0].price == ONE - micro("0.42")

    def test_a_refreshed_level_is_whole_again(self):
        key = ("yes-1", True, micro("0.41"))
        taken = {key: Depletion(micro(50), micro(50))}

        assert depletion.refresh(taken, later()) == taken
        assert depletion.refresh(taken, later(asks=(("0.41", 51),))) == {}
        assert depletion.refresh(taken, later(asks=(("0.42", 51),))) == {}

    def test_a_shrinking_level_keeps_what_is_left_of_ours(self):
        key = ("yes-1", True, micro("0.41"))
        shrunk = depletion.refresh(
            {key: Depletion(micro(50), micro(50))}, later(asks=(("0.41", 20),))
        )

        assert shrunk == {key: Depletion(micro(20), micro(20))}


class TestRejects:
    def test_off_grid_prices_are_turned_away(self):
        match = VENUE.match([order(price="0.415")], later(), {})[0][0]

        assert (match.order.state, match.order.reason) == (OrderState.REJECTED, "OFF_GRID")

    def test_an_unknown_fee_is_no_trade(self):
        match = VENUE.match([order()], later(fee_rate=None), {})[0][0]

        assert match.order.reason == "FEE_UNKNOWN"
