"""Outcomes that were wrong: put right before and after the payment, and what was spent is owed."""

from dataclasses import replace

import pytest

from execution.core.payouts import REMEMBERED_MS
from execution.core.types import (
    Change,
    ChangeKind,
    Fill,
    JournalEntry,
    Order,
    Portfolio,
    Position,
    Refusal,
)
from markets.core.types import Resolution, Status
from strategies.core.types import LEAVE_YES
from tests.builders import NOON, micro
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
from tests.trading import PLAN, bet


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

    @pytest.mark.parametrize(("late", "corrected"), [(0, True), (1, False)])
    def test_is_possible_for_thirty_days(self, late, corrected):
        done, _ = self.paid()
        end = WAIT + REMEMBERED_MS + late

        _, facts = after(done, moment(end, final(NO, 1), status=Status.RESOLVED))

        assert bool(pick(facts, Fill)) == corrected

    def test_forgets_what_is_older_when_something_else_is_paid(self):
        done, first = self.paid()
        other = replace(holding().positions[KEY], market="m-2", token="yes-2")
        later = replace(done, positions={("tester", "yes-2"): other})
        word = Resolution("m-2", Status.RESOLVED, NOON, YES)

        paid, facts = run(later, moment(WAIT + REMEMBERED_MS + 1, word), redeem_ms=0)

        assert list(paid.settled) == [pick(facts, Fill)[0].id]
        assert first.id not in paid.settled


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
