"""What outcomes do to an account: shown while argued about, paid when final and redeemed."""

from dataclasses import replace

import pytest

from execution.core import portfolio
from execution.core.types import Fill, Operation, Order, OrderType, Portfolio, Side
from markets.core import venue
from markets.core.types import ONE, FeeSchedule, Resolution, Status
from strategies.core.types import LEAVE_YES
from tests.builders import NOON, market, micro, universe
from tests.core.execution.outcomes import (
    HALF,
    KEY,
    NO,
    WAIT,
    YES,
    after,
    closes,
    final,
    holding,
    kinds,
    moment,
    pick,
    run,
    said,
)
from tests.trading import account, bet


class TestPayment:
    @pytest.mark.parametrize(("pays", "paid"), [(YES, 100), (NO, 0), (HALF, 50)])
    def test_waits_until_the_shares_are_redeemed(self, pays, paid):
        told, facts = run(holding(), moment(0, final(pays)))

        assert told.cash == micro(930)
        assert not pick(facts, Fill)
        assert told.positions[KEY].payout == pays[0]
        assert told.positions[KEY].redeem_at == NOON + WAIT
        assert told.equity == micro(930 + paid)

        early, facts = after(told, moment(WAIT - 10_000, status=Status.RESOLVED))
        assert early.positions
        assert not pick(facts, Fill)

        late, facts = after(early, moment(WAIT + 5_000, status=Status.RESOLVED))
        assert late.positions == {}
        assert late.cash == micro(930 + paid)
        assert kinds(facts) == ["settle"]
        (fill,) = pick(facts, Fill)
        assert (fill.liquidity, fill.price, fill.fee) == ("settlement", pays[0], 0)
        assert closes(late)

    def test_a_hundred_yes_at_70_that_end_half_and_half(self):
        fee = venue.taker_fee(micro(100), micro("0.70"), FeeSchedule(50_000))
        placed, _ = run(account(), moment(0, bid="0.68"), bet(limit="0.70", fair="0.90", size=100))
        held, _ = run(placed, moment(10_000, bid="0.68"))
        assert held.positions[KEY].cost == micro(70)

        done, facts = after(
            held, moment(20_000, final(HALF)), moment(20_000 + WAIT, status=Status.RESOLVED)
        )

        (fill,) = pick(facts, Fill)
        assert (fill.notional, fill.realized_pnl) == (micro(50), micro(-20))
        assert done.equity - done.deposits == micro(-20) - fee

    @pytest.mark.parametrize("token", ["yes-1", "no-1"])
    def test_half_pays_both_sides(self, token):
        done, _ = after(holding(token), moment(0, final(HALF)), moment(WAIT))

        assert done.cash == micro(980)

    def test_no_wait_pays_at_once(self):
        done, _ = run(holding(), moment(0, final(YES)), redeem_ms=0)

        assert (done.positions, done.cash) == ({}, micro(1030))

    def test_a_lapsed_tick_learns_and_pays_too(self):
        done, facts = after(
            holding(), moment(0, final(YES)), moment(WAIT, status=Status.RESOLVED), lapsed=True
        )

        assert done.cash == micro(1030)
        assert kinds(facts) == ["settle"]

    def test_a_market_nobody_tracks_any_more_is_paid(self):
        elsewhere = replace(moment(WAIT), universe=universe(market("m-2")))
        told, _ = run(holding(), moment(0, final(YES)))

        done, _ = run(told, elsewhere)

        assert done.cash == micro(1030)

    def test_the_whole_gain_is_the_settlements(self):
        _, facts = after(holding(), moment(0, final(YES)), moment(WAIT))

        (fill,) = pick(facts, Fill)
        assert (fill.settlement_gain, fill.realized_pnl, fill.fair_value) == (
            micro(30), micro(30), micro(100),
        )  # fmt: skip

    def test_of_two_words_in_one_tick_the_last_counts(self):
        told, _ = run(holding(), moment(0, final(YES), final(NO, at=5)))

        assert told.positions[KEY].payout == 0


class TestOrders:
    def test_an_order_in_flight_comes_back(self):
        placed, _ = run(account(), moment(0), bet(limit="0.70", fair="0.90"))
        assert placed.reserved

        done, facts = run(placed, moment(10_000, final(YES)))

        assert (done.orders, done.cash) == ({}, micro(1000))
        assert [o.reason for o in pick(facts, Order)] == ["RESOLVED"]

    def test_shares_of_a_resting_sale_are_paid_with_the_rest(self):
        held = holding()
        sale = Order(
            "o-1", "base", "tester", "m-1", "yes-1", "Yes", Side.SELL, OrderType.GTC,
            micro("0.90"), micro(40), "exit", NOON, NOON, reserved=micro(40), state="resting",
        )  # fmt: skip
        resting, _ = portfolio.place(held, sale)

        told, facts = run(resting, moment(0, final(YES)))
        assert told.orders == {}
        assert kinds(facts) == ["release"]

        done, facts = run(told, moment(WAIT, status=Status.RESOLVED))
        assert done.cash == micro(1030)
        assert pick(facts, Fill)[0].size == micro(100)

    def test_a_sale_on_its_way_does_not_fill_on_the_tick_of_the_outcome(self):
        selling, _ = run(holding(), moment(0), leave={0: LEAVE_YES})
        assert selling.orders

        told, facts = run(selling, moment(10_000, final(NO)))

        assert not pick(facts, Fill)
        assert told.positions[KEY].size == micro(100)

    def test_an_order_that_still_came_goes_before_the_payment(self):
        told, _ = run(holding(), moment(0, final(YES)))
        sale = Order(
            "o-1", "base", "tester", "m-1", "yes-1", "Yes", Side.SELL, OrderType.GTC,
            micro("0.90"), micro(40), "exit", NOON, NOON, reserved=micro(40), state="resting",
        )  # fmt: skip
        resting, _ = portfolio.place(told, sale)

        _, facts = run(resting, moment(WAIT, status=Status.OPEN))

        assert kinds(facts) == ["release", "settle"]

    def pairs(self) -> Portfolio:
        """100 YES and 100 NO, of which a merge of all was begun a tick before."""
        one, other = holding(), holding("no-1", price="0.20")
        both = {**one.positions, **other.positions}
        cash = one.cash - micro(20)
        merging, facts = run(replace(one, positions=both, cash=cash), moment(0))
        assert kinds(facts) == ["set aside"]
        return merging

    def test_a_merge_on_its_way_is_given_up_and_begun_anew(self):
        told, facts = run(self.pairs(), moment(10_000, final(YES)))

        states = [operation.state for operation in pick(facts, Operation)]
        assert states == ["cancelled", "pending"]
        done, facts = run(told, moment(40_000, status=Status.RESOLVED))
        assert done.positions == {}
        assert done.cash == micro(1010)
        assert closes(done)

    def test_shares_that_a_merge_still_wants_are_paid_all_the_same(self):
        done, facts = run(self.pairs(), moment(10_000, final(YES)), redeem_ms=0)

        assert kinds(facts) == ["returned", "settle", "settle"]
        assert (done.positions, done.operations) == ({}, {})
        assert done.cash == micro(1010)

    def test_nothing_decided_is_sold(self):
        told, _ = run(holding(), moment(0, final(YES)))

        _, facts = run(told, moment(10_000), leave={0: LEAVE_YES})

        assert not pick(facts, Order)


class TestStates:
    STORY = (
        (Status.PROPOSED, "proposed"),
        (Status.DISPUTED, "disputed"),
        (Status.PROPOSED, "proposed"),
        (Status.OPEN, ""),
        (Status.HALTED, "closed"),
        (Status.CLOSED, "closed"),
    )

    def test_are_those_the_tick_tells_and_its_terms_confirm(self):
        held = holding()
        for number, (status, shown) in enumerate(self.STORY):
            word = [said(status, number)] if status is not Status.HALTED else []
            first, _ = run(held, moment(number * 20_000, *word, status=Status.OPEN))
            if word:
                assert first.locked.get("m-1", "") == shown
            held, _ = after(first, moment(number * 20_000 + 10_000, status=status))
            assert held.locked.get("m-1", "") == shown

    def test_stay_while_nobody_looks_at_the_market(self):
        disputed, _ = run(holding(), moment(0, said(Status.DISPUTED)))
        elsewhere = replace(moment(10_000), universe=universe(market("m-2")))

        kept, _ = run(disputed, elsewhere)

        assert kept.locked == {"m-1": "disputed"}

    def test_go_with_the_holding(self):
        disputed, _ = run(holding(), moment(0, said(Status.DISPUTED)))

        gone, _ = run(replace(disputed, positions={}), moment(10_000, status=Status.DISPUTED))

        assert gone.locked == {}

    @pytest.mark.parametrize("status", [Status.PROPOSED, Status.DISPUTED, Status.CLOSED])
    def test_none_of_them_pays(self, status):
        word = said(status, proposed=YES)
        done, facts = after(
            holding(),
            moment(0, word),
            moment(WAIT, status=status),
            moment(10 * WAIT, status=status),
        )

        assert done.positions[KEY].size == micro(100)
        assert not done.positions[KEY].resolved
        assert not pick(facts, Fill)
        assert done.cash == micro(930)

    def test_a_market_closed_at_frozen_prices_stays_locked(self):
        held, _ = after(
            holding(),
            moment(0, said(Status.CLOSED)),
            moment(WAIT * 100, status=Status.CLOSED, bid="0.48"),
        )

        assert held.locked == {"m-1": "closed"}
        assert held.positions[KEY].mark == micro("0.48")

    def test_a_final_word_without_payouts_settles_nothing(self):
        word = Resolution("m-1", Status.RESOLVED, NOON)

        held, _ = after(holding(), moment(0, word), moment(WAIT, status=Status.RESOLVED))

        assert held.locked == {"m-1": "closed"}
        assert held.positions

    def test_proposed_disputed_flipped_and_then_paid_the_other_way(self):
        done, facts = after(
            holding(),
            moment(0, said(Status.PROPOSED, 0, YES)),
            moment(10_000, said(Status.DISPUTED, 1), status=Status.PROPOSED),
            moment(20_000, said(Status.PROPOSED, 2, NO), status=Status.DISPUTED),
            moment(30_000, final(NO, 3), status=Status.PROPOSED),
            moment(30_000 + WAIT, status=Status.RESOLVED),
        )

        assert done.cash == micro(930)
        assert kinds(facts) == ["settle"]
        assert closes(done)


class TestMarks:
    def test_a_disputed_share_is_worth_a_half_at_most(self):
        held, _ = run(holding(), moment(0, said(Status.DISPUTED), bid="0.90"))

        share = micro("0.5") - venue.taker_fee(ONE, micro("0.5"), FeeSchedule(50_000))
        assert held.positions[KEY].mark == micro("0.5")
        assert held.positions[KEY].value == 100 * share
        assert held.equity == held.cash + held.positions[KEY].value

    def test_a_disputed_share_that_is_bid_less_is_worth_that(self):
        held, _ = run(holding(), moment(0, said(Status.DISPUTED), bid="0.30"))

        assert held.positions[KEY].mark == micro("0.30")

    def test_a_disputed_share_nobody_looks_at_is_worth_a_half_at_most(self):
        rich = holding()
        dear = replace(rich.positions[KEY], mark=micro("0.9"), value=micro(90))
        disputed = replace(rich, positions={KEY: dear}, locked={"m-1": "disputed"})
        elsewhere = replace(moment(10_000), universe=universe(market("m-2")))

        held, _ = run(disputed, elsewhere)

        assert held.positions[KEY].value == micro(50)
        assert held.positions[KEY].mark == micro("0.5")

    def test_shares_beyond_the_bids_are_worth_nothing_while_locked(self):
        held, _ = run(holding(), moment(0, said(Status.PROPOSED), size=10))

        assert held.positions[KEY].value < micro("6.0")

    @pytest.mark.parametrize(("pays", "worth"), [(YES, 100), (NO, 0), (HALF, 50)])
    def test_a_decided_share_is_worth_its_payout_whatever_is_bid(self, pays, worth):
        held, _ = run(holding(), moment(0, final(pays), bid="0.96"))

        assert held.positions[KEY].value == micro(worth)
        assert held.positions[KEY].mark == pays[0]
        assert closes(held)
