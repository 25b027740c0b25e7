"""What outcomes do to an account: shown while argued, paid when final, put right when wrong."""

from dataclasses import replace

import pytest

from execution.core import engine, portfolio, state
from execution.core.controls import Controls
from execution.core.corrections import REMEMBERED_MS
from execution.core.types import (
    Change,
    ChangeKind,
    Fill,
    JournalEntry,
    Operation,
    OperationKind,
    Order,
    OrderType,
    Portfolio,
    Position,
    Refusal,
    Side,
)
from markets.core import venue
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, FeeSchedule, Resolution, Status
from strategies.core.types import LEAVE_YES
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import LIMITS, PLAN, SETTING, VENUE, account, bet, opinions

YES, NO, HALF = (ONE, 0), (0, ONE), (ONE // 2, ONE // 2)
MINUTE = 60_000
WAIT = 15 * MINUTE
KEY = ("tester", "yes-1")
WORLD = universe(market(), market("m-2"))
PATIENT = Controls.of(
    frozenset({"tester"}), replace(LIMITS, daily_loss_limit=micro(9999), max_drawdown=micro(99))
)
"""Breakers out of the way: a corrected payout is a loss like any other."""


def world(status: Status) -> Universe:
    """Both markets, the first one in the given state."""
    first = WORLD.markets[0]
    taking = status not in (Status.CLOSED, Status.RESOLVED, Status.HALTED)
    terms = replace(first.terms, status=status, accepting_orders=taking)
    return universe(replace(first, terms=terms), WORLD.markets[1], version=2)


def moment(
    at: int, *words: Resolution, status: Status = Status.OPEN, bid: str = "0.60", size: int = 500
) -> Tick:
    """The tick `at` ms after noon that tells `words`; every token is bid for."""
    low = ((bid, size),)
    ask = ((str(round(float(bid) + 0.02, 2)), 500),)
    where = world(status)
    books = {m.yes.id: book(m.yes.id, low, ask, NOON + at) for m in where.markets}
    return tick(where, books, at=NOON + at, id=at // 1000 + 1, resolutions=words)


def final(pays: tuple[int, int], at: int = 0) -> Resolution:
    return Resolution("m-1", Status.RESOLVED, NOON + at, pays)


def said(status: Status, at: int = 0, proposed: tuple[int, int] | None = None) -> Resolution:
    return Resolution("m-1", status, NOON + at, proposed=proposed)


def run(held: Portfolio, now: Tick, *bets, leave=None, **options) -> tuple[Portfolio, list]:
    setting = replace(SETTING, redeem_ms=options.pop("redeem_ms", WAIT))
    said_by = opinions(now, leave)
    said_by["other"] = said_by["tester"]
    return engine.step(
        held, now, bets, said_by, control=PATIENT, venue=VENUE, setting=setting,
        **options,
    )  # fmt: skip


def holding(
    token: str = "yes-1", size: int = 100, price: str = "0.70", cash: str | int = 1000
) -> Portfolio:
    """An account that holds shares of m-1, bought at `price` out of `cash`."""
    index = 0 if token.startswith("yes") else 1
    cost = micro(price) * size
    bought = Position(
        "tester", "m-1", token, "Yes", index, micro(size), cost, NOON, PLAN, fair_cost=cost
    )
    opened = account(cash=cash)
    return replace(opened, cash=opened.cash - cost, positions={("tester", token): bought})


def after(held: Portfolio, *ticks: Tick, **options) -> tuple[Portfolio, list]:
    """The account after several ticks, with a restart before each, and all facts."""
    facts: list = []
    for now in ticks:
        held = state.load(state.dump(held))
        held, news = run(held, now, **options)
        facts += news
    return held, facts


def pick(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


def kinds(facts) -> list[str]:
    return [entry.kind for entry in pick(facts, JournalEntry)]


def closes(held: Portfolio) -> bool:
    """Whether the account's gain is exactly what was realized and what is still held."""
    unrealized = sum(p.value - p.cost for p in held.positions.values())
    return held.equity - held.deposits == held.realized + unrealized


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

    def test_waits_for_an_operation_that_needs_the_shares(self):
        merge = Operation(
            "op", "base", "tester", OperationKind.MERGE, ("m-1",), micro(5), NOON, NOON + 2 * WAIT
        )
        busy = replace(holding(), operations={"op": merge})
        told, _ = after(busy, moment(0, final(YES)), moment(WAIT, status=Status.RESOLVED))
        assert told.positions

        done, _ = run(replace(told, operations={}), moment(WAIT + 10_000, status=Status.RESOLVED))
        assert done.cash == micro(1030)


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


class TestCorrection:
    def test_before_the_payment_changes_the_holding_and_books_nothing(self):
        told, _ = run(holding(), moment(0, final(YES)))

        held, facts = run(told, moment(60_000, final(NO, 1), status=Status.RESOLVED))

        assert held.positions[KEY].payout == 0
        assert held.positions[KEY].redeem_at == NOON + WAIT
        assert not pick(facts, JournalEntry)
        done, _ = run(held, moment(WAIT, status=Status.RESOLVED))
        assert done.cash == micro(930)

    def test_on_the_tick_of_the_payment_pays_the_right_one(self):
        told, _ = run(holding(), moment(0, final(YES)))

        done, facts = run(told, moment(WAIT, final(NO, 1), status=Status.RESOLVED))

        assert done.cash == micro(930)
        assert kinds(facts) == ["settle"]

    def paid(self, pays=YES, **options) -> tuple[Portfolio, Fill]:
        done, facts = after(
            holding(**options),
            moment(0, final(pays)),
            moment(WAIT, status=Status.RESOLVED),
        )
        return done, pick(facts, Fill)[0]

    def test_after_the_payment_reverses_it_and_pays_anew(self):
        done, first = self.paid()

        right, facts = after(done, moment(WAIT + 60_000, final(NO, 1), status=Status.RESOLVED))

        back, anew = pick(facts, Fill)
        assert (back.side, back.liquidity, back.notional) == ("buy", "settlement", micro(100))
        assert back.evidence == f"corrected: pays 0 instead of 1, reverses {first.id}"
        assert (back.realized_pnl, back.settlement_gain) == (micro(-30), micro(-30))
        assert (anew.side, anew.notional, anew.realized_pnl) == ("sell", 0, micro(-70))
        entries = pick(facts, JournalEntry)
        assert [(e.kind, e.cause) for e in entries] == [("reverse", first.id), ("settle", anew.id)]
        assert right.cash == micro(930)
        assert right.positions == {}
        assert closes(right)

    def test_twice_ends_where_it_began(self):
        done, _ = self.paid()

        right, facts = after(
            done,
            moment(WAIT + 60_000, final(NO, 1), status=Status.RESOLVED),
            moment(WAIT + 120_000, final(YES, 2), status=Status.RESOLVED),
        )

        assert right.cash == micro(1030)
        assert right.realized == micro(30)
        assert kinds(facts) == ["reverse", "settle"] * 2
        ids = [entry.id for entry in pick(facts, JournalEntry)]
        assert len(set(ids)) == 4
        assert closes(right)

    def test_of_a_lost_holding_pays_it(self):
        done, _ = self.paid(NO)

        right, _ = after(done, moment(WAIT + 60_000, final(YES, 1), status=Status.RESOLVED))

        assert right.cash == micro(1030)

    def test_the_same_payout_again_is_no_correction(self):
        done, _ = self.paid()

        same, facts = after(done, moment(WAIT + 60_000, final(YES, 1), status=Status.RESOLVED))

        assert not pick(facts, JournalEntry)
        assert same.cash == done.cash

    def test_a_closed_market_takes_no_payment_back(self):
        done, _ = self.paid()

        same, facts = after(done, moment(WAIT + 60_000, said(Status.CLOSED, 1)))

        assert not pick(facts, JournalEntry)
        assert same.cash == done.cash

    def test_is_possible_for_thirty_days(self):
        done, first = self.paid()
        end = WAIT + REMEMBERED_MS

        known, _ = after(done, moment(end, status=Status.RESOLVED))
        assert list(known.settled) == [first.id]

        gone, facts = after(
            known, moment(end + 1000), moment(end + 2000, final(NO, 1), status=Status.RESOLVED)
        )
        assert gone.settled == {}
        assert not pick(facts, Fill)


class TestTakenBack:
    @pytest.mark.parametrize("status", [Status.OPEN, Status.PROPOSED, Status.DISPUTED])
    def test_before_the_payment_the_holding_waits_again(self, status):
        told, _ = run(holding(), moment(0, final(YES)))

        open_again, facts = after(
            told, moment(60_000, said(status, 1)), moment(2 * WAIT, status=status)
        )

        assert not open_again.positions[KEY].resolved
        assert not pick(facts, Fill)
        done, _ = after(
            open_again,
            moment(3 * WAIT, final(NO, 2), status=status),
            moment(4 * WAIT, status=Status.RESOLVED),
        )
        assert done.cash == micro(930)

    def test_after_the_payment_the_shares_come_back_until_it_is_decided_anew(self):
        done, facts = after(holding(), moment(0, final(YES)), moment(WAIT, status=Status.RESOLVED))
        first = pick(facts, Fill)[0]

        again, facts = after(
            done, moment(WAIT + 60_000, said(Status.DISPUTED, 1), status=Status.RESOLVED)
        )

        (back,) = pick(facts, Fill)
        assert back.evidence == (
            f"taken back: paid 1, the outcome is open again, reverses {first.id}"
        )
        assert again.cash == micro(930)
        held = again.positions[KEY]
        assert (held.size, held.cost, held.resolved) == (micro(100), micro(70), False)
        assert again.locked == {"m-1": "disputed"}
        assert again.realized == 0
        assert closes(again)

        paid, _ = after(
            again,
            moment(3 * WAIT, final(HALF, 2), status=Status.DISPUTED),
            moment(4 * WAIT, status=Status.RESOLVED),
        )
        assert paid.cash == micro(980)
        assert closes(paid)


class TestDebt:
    """A payout that was spent before it turned out wrong."""

    def spent(self) -> Portfolio:
        """Paid 100, of which 20 are left beside m-2 shares bought for the rest."""
        done, _ = after(
            holding(cash=70), moment(0, final(YES)), moment(WAIT, status=Status.RESOLVED)
        )
        assert done.cash == micro(100)
        other = Position(
            "other", "m-2", "yes-2", "Yes", 0, micro(200), micro(80), NOON, PLAN,
            fair_cost=micro(80),
        )  # fmt: skip
        return replace(done, cash=micro(20), positions={("other", "yes-2"): other})

    def owing(self) -> tuple[Portfolio, list]:
        return run(self.spent(), moment(WAIT + 60_000, final(NO, 1), status=Status.RESOLVED))

    def test_is_owed_and_shown_in_equity(self):
        held, facts = self.owing()

        assert (held.cash, held.owed) == (0, micro(80))
        value = sum(p.value for p in held.positions.values())
        assert held.equity == value - micro(80)
        assert closes(held)
        (entry,) = [e for e in pick(facts, JournalEntry) if e.kind == "reverse"]
        moved = {(p.debit.kind, p.credit.kind): p.amount for p in entry.postings}
        assert moved["TRADING", "OWED"] == micro(80)
        assert moved["TRADING", "CASH"] == micro(20)

    def test_opens_nothing_meanwhile(self):
        held, _ = self.owing()

        again, facts = run(
            held,
            moment(WAIT + 70_000, status=Status.RESOLVED),
            bet("yes-2", market="m-2", limit="0.70", fair="0.90"),
        )

        assert not pick(facts, Order)
        assert [(r.code, r.limit, r.value) for r in pick(facts, Refusal)] == [
            ("CASH", "0", str(micro(80)))
        ]
        assert again.owed == micro(80)

    def test_is_repaid_from_the_next_cash(self):
        held, _ = self.owing()

        part, facts = run(
            held,
            moment(WAIT + 70_000, status=Status.RESOLVED),
            changes=[Change(ChangeKind.DEPOSIT, "", str(micro(30)), "ann", "more", 1)],
        )
        assert (part.cash, part.owed) == (0, micro(50))
        assert kinds(facts) == ["deposit", "repay"]

        whole, facts = after(
            part,
            moment(WAIT + 80_000, status=Status.RESOLVED),
            moment(WAIT + 90_000, status=Status.RESOLVED),
            leave={1: LEAVE_YES},
        )
        assert whole.owed == 0
        assert whole.cash > 0
        assert kinds(facts)[-1] == "repay"
        assert closes(whole)

    def test_the_right_payout_goes_against_it_at_once(self):
        held, facts = run(
            self.spent(), moment(WAIT + 60_000, final(HALF, 1), status=Status.RESOLVED)
        )

        assert (held.cash, held.owed) == (0, micro(30))
        assert kinds(facts) == ["reverse", "settle", "repay"]

    def test_cannot_be_withdrawn_around(self):
        held, _ = self.owing()

        after_all, _ = run(
            held,
            moment(WAIT + 70_000, status=Status.RESOLVED),
            changes=[
                Change(ChangeKind.DEPOSIT, "", str(micro(30)), "ann", "in", 1),
                Change(ChangeKind.WITHDRAW, "", str(micro(30)), "ann", "out", 2),
            ],
        )

        assert after_all.owed == micro(50)
        assert after_all.deposits == held.deposits + micro(30)
