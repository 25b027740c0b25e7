"""Where a fill's price came from: parts that add up exactly, and results that close to zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.core import costs, engine
from execution.core.types import Fill, Liquidity, Side
from markets.core.types import ONE
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import CONTROLS, SETTING, VENUE, account, bet, opinions

CENTS = st.integers(1, 99).map(lambda cents: cents * 10_000)
WORLD = universe(market(fee_rate="0.05"))


def fill(side: Side, price: int, size: int, liquidity: Liquidity = Liquidity.TAKER) -> Fill:
    notional = -(-size * price // ONE) if side is Side.BUY else size * price // ONE
    return Fill(
        "f", "o", "base", "tester", "m-1", "yes-1", "Yes", side, price, size, notional, 0,
        liquidity, "", NOON, NOON,
    )  # fmt: skip


class TestMicroprice:
    def test_leans_to_the_thinner_side(self):
        assert costs.microprice(micro("0.40"), micro(300), micro("0.44"), micro(100)) == micro(
            "0.43"
        )

    def test_a_lone_side_speaks_for_both(self):
        assert costs.microprice(0, 0, micro("0.44"), micro(9)) == micro("0.44")
        assert costs.microprice(micro("0.40"), micro(9), ONE, 0) == micro("0.40")

    @given(CENTS, st.integers(0, 10**9), CENTS, st.integers(0, 10**9))
    def test_yes_and_no_add_up_to_a_dollar(self, bid, bids, ask, asks):
        yes = costs.microprice(bid, bids, ask, asks)

        assert yes + costs.microprice(ONE - ask, asks, ONE - bid, bids) == ONE


@pytest.mark.parametrize("side", list(Side))
@given(CENTS, CENTS, CENTS, CENTS, st.integers(1, 10**12))
def test_the_parts_add_up_to_the_price(side, fair, touch, met, price, size):
    parted = costs.parted(fill(side, price, size), fair=fair, touch=touch, met=met)

    parts = parted.spread_cost + parted.latency_cost + parted.slippage_cost
    sign = 1 if side is Side.BUY else -1
    assert parted.notional == parted.fair_value + sign * parts


def test_a_maker_earns_the_spread():
    made = costs.parted(
        fill(Side.BUY, micro("0.40"), micro(100), Liquidity.MAKER), fair=micro("0.42"),
        touch=micro("0.44"), met=micro("0.44"),
    )  # fmt: skip

    assert (made.spread_cost, made.latency_cost, made.slippage_cost) == (-micro(2), 0, 0)


def play(*asks_and_bids, leave_last: bool = True):
    """Bought on the second tick, sold after the last; every fill on the way."""
    held, fills = account(), []
    last = len(asks_and_bids) - 2
    for number, (bids, asks) in enumerate(asks_and_bids):
        at = NOON + number * 10_000
        now = tick(WORLD, {"yes-1": book(bids=bids, asks=asks, at=at)}, at=at, id=number + 1)
        bets = [bet(size=100, limit="0.48", at=at)] if number == 0 else []
        leaving = {0: 1} if leave_last and number == last else None
        held, facts = engine.step(
            held, now, bets, opinions(now, leaving), control=CONTROLS, venue=VENUE, setting=SETTING
        )  # fmt: skip
        fills += [fact for fact in facts if isinstance(fact, Fill)]
    return held, fills


EVEN = ((("0.40", 500),), (("0.44", 500),))


class TestARoundTrip:
    def test_says_what_each_part_cost(self):
        moved = ((("0.42", 500),), (("0.45", 40), ("0.46", 500)))
        _, (first, second) = play(EVEN, moved, EVEN, leave_last=False)

        assert first.spread_cost == micro("0.8"), "40 at 0.44 against a microprice of 0.42"
        assert first.latency_cost == micro("0.4")
        assert first.slippage_cost == 0
        assert (second.latency_cost, second.slippage_cost) == (micro("0.6"), micro("0.6"))

    def test_the_signal_is_what_the_fair_value_gained(self):
        higher = ((("0.50", 500),), (("0.54", 500),))
        held, (buy, sale) = play(EVEN, EVEN, higher, higher, higher)

        assert sale.signal_gain == micro(10), "from 0.42 to 0.52"
        total = sale.signal_gain - sum(
            f.spread_cost + f.latency_cost + f.slippage_cost + f.fee for f in (buy, sale)
        )
        assert held.cash - micro(1000) == total
        assert held.realized == total

    def test_part_of_a_holding_takes_its_part_of_the_cost(self):
        thin = ((("0.50", 40),), (("0.54", 500),))
        held, (buy, *sales) = play(EVEN, EVEN, thin, thin, leave_last=True)

        (position,) = held.positions.values()
        assert position.size == micro(60)
        assert position.cost == buy.notional * 60 // 100
        assert sum(s.signal_gain for s in sales) == sum(s.fair_value for s in sales) - (
            buy.fair_value * 40 // 100
        )
