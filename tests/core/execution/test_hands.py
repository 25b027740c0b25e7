"""What a person's hands do to an account: close, cancel, flatten, money, and new beginnings."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.core import engine, leaving
from execution.core.controls import Controls, apply
from execution.core.eras import Imported
from execution.core.portfolio import deposit
from execution.core.types import (
    Archived,
    Change,
    ChangeKind,
    Disposed,
    Fill,
    JournalEntry,
    Operation,
    OperationKind,
    Order,
    Portfolio,
    Position,
    Refusal,
)
from markets.core.types import Resolution, Status
from strategies.core.types import LEAVE_BOTH, LEAVE_YES
from tests.builders import NOON, book, micro, tick
from tests.core.execution.test_engine import WORLD, bought, pick, run, world_tick
from tests.core.execution.test_properties import agree, ledger, turns
from tests.trading import CONTROLS, LIMITS, PLAN, SETTING, VENUE, account, bet, opinions

OFF = Controls.of(frozenset(), LIMITS)


def change(kind: ChangeKind, scope: str = "all", value: str = "", id: int = 7) -> Change:
    return Change(kind, scope, value, "ann", "because", id)


def halted(scope: str = "all", value: str = "", control: Controls = CONTROLS) -> Controls:
    return apply(control, change(ChangeKind.HALT, scope, value))


def decided(portfolio, number, kind, scope="all", value="", **options):
    return run(portfolio, world_tick(number), changes=[change(kind, scope, value)], **options)


class TestClose:
    @pytest.mark.parametrize("scope", ["all", "strategy:tester", "market:m-1", "token:yes-1"])
    def test_sells_what_is_held_in_its_scope(self, scope):
        selling, facts = decided(bought(), 2, ChangeKind.CLOSE, scope)
        closed, _ = run(selling, world_tick(3))
        later, _ = run(closed, world_tick(4))

        assert [o.reason for o in pick(facts, Order)] == [leaving.BY_HAND]
        assert closed.positions == later.closing == {}

    @pytest.mark.parametrize("scope", ["strategy:other", "market:m-2", "token:no-1", "order:x"])
    def test_leaves_alone_what_is_not(self, scope):
        kept, facts = decided(bought(), 2, ChangeKind.CLOSE, scope)

        assert not pick(facts, Order)
        assert kept.closing == {}

    def test_works_while_the_strategy_is_off(self):
        selling, _ = decided(bought(), 2, ChangeKind.CLOSE, control=OFF)

        assert len(selling.orders) == 1

    def test_goes_on_until_nothing_is_left_that_can_be_sold(self):
        held = bought(500)
        thin = {"bids": (("0.40", 60),)}
        now, sold = held, []
        for number in range(2, 20):
            changes = [change(ChangeKind.CLOSE)] if number == 2 else []
            now, facts = run(now, world_tick(number, **thin), changes=changes)
            sold += [fill.size for fill in pick(facts, Fill)]
            # our own sales used the level up; a new one is displayed
            thin = {"bids": ((f"0.{40 - number % 2}", 60),)}

        assert len(sold) > 3
        assert now.positions == {}
        assert now.closing == {}

    def test_takes_orders_to_buy_back_and_lets_nothing_be_bought_meanwhile(self):
        held, _ = run(bought(), world_tick(2), bet("yes-2", market="m-2"))
        selling, facts = run(held, world_tick(3), bet("yes-1"), changes=[change(ChangeKind.CLOSE)])

        assert [o.side for o in selling.orders.values()] == ["sell"]
        assert [f.reason for f in pick(facts, Disposed)] == ["BY_HAND", "CLOSING"]
        assert [f.code for f in pick(facts, Refusal)] == ["CLOSING"]

    def test_waits_for_a_market_that_is_closed_for_now(self):
        shut = replace(WORLD.markets[0].terms, accepting_orders=False)
        closed = replace(WORLD.markets[0], terms=shut)
        away = replace(WORLD, markets=(closed, WORLD.markets[1]), version=2)
        now = replace(world_tick(2), universe=away)
        waiting, facts = run(bought(), now, changes=[change(ChangeKind.CLOSE)])

        assert not pick(facts, Order)
        assert waiting.closing == {("tester", "yes-1"): ""}

        selling, _ = run(waiting, world_tick(3))

        assert [o.reason for o in selling.orders.values()] == [leaving.BY_HAND]

    def test_forgets_dust_that_the_exchange_would_not_take(self):
        held = bought(5)
        dust = world_tick(2, bids=(("0.02", 500),), asks=(("0.42", 500),))
        kept, facts = run(held, dust, changes=[change(ChangeKind.CLOSE)])

        assert not pick(facts, Order)
        assert kept.closing == {}
        assert kept.positions

    def test_a_lapsed_tick_sells_nothing_and_forgets_nothing(self):
        kept, facts = decided(bought(), 2, ChangeKind.CLOSE, lapsed=True)

        assert not pick(facts, Order)
        assert kept.closing

    def test_waits_under_a_halt_until_it_is_lifted(self):
        stopped = halted("market:m-1")
        kept, facts = decided(bought(), 2, ChangeKind.CLOSE, control=stopped)

        assert not pick(facts, Order)

        selling, _ = run(kept, world_tick(3))

        assert len(selling.orders) == 1


class TestCancel:
    @pytest.mark.parametrize("scope", ["all", "strategy:tester", "market:m-1"])
    def test_takes_orders_back_and_their_money(self, scope):
        placed, _ = run(account(), world_tick(0), bet())
        after, facts = decided(placed, 1, ChangeKind.CANCEL, scope)

        assert (after.orders, after.cash) == ({}, micro(1000))
        assert pick(facts, Order)[0].reason == "BY_HAND"
        assert not pick(facts, Fill)

    def test_one_order_by_its_id_in_any_account(self):
        placed = {
            name: run(account(name), world_tick(0), bet(), bet("yes-2", market="m-2"))[0]
            for name in ("base", "optimistic")
        }
        first = next(iter(placed["base"].orders))

        for each in placed.values():
            after, facts = decided(each, 1, ChangeKind.CANCEL, f"order:{first}")

            ended = [o.market for o in pick(facts, Order) if o.reason == "BY_HAND"]
            assert ended == ["m-1"]
            assert list(after.positions) == [("tester", "yes-2")]

    @pytest.mark.parametrize("scope", ["market:m-2", "strategy:other", "order:x"])
    def test_other_orders_stay(self, scope):
        placed, _ = run(account(), world_tick(0), bet())
        after, _ = decided(placed, 1, ChangeKind.CANCEL, scope)

        assert after.positions


class TestFlatten:
    @pytest.mark.parametrize("scope", ["all", "strategy:tester", "market:m-1"])
    def test_sells_under_its_own_halt_and_buys_nothing(self, scope):
        control = halted(scope, "flatten")
        held, _ = run(bought(), world_tick(2), bet("no-1"))
        selling, facts = decided(held, 3, ChangeKind.HALT, scope, "flatten", control=control)
        closed, more = run(selling, world_tick(4), bet("yes-1"), control=control)

        assert [o.reason for o in selling.orders.values()] == [leaving.FLATTEN]
        assert closed.positions == {}
        assert {f.side for f in pick(facts + more, Fill)} == {"sell"}

    def test_another_halt_still_stops_it(self):
        both = halted("market:m-1", control=halted("strategy:tester", "flatten"))
        selling, facts = decided(
            bought(), 2, ChangeKind.HALT, "strategy:tester", "flatten", control=both
        )

        assert not pick(facts, Order)
        assert selling.closing

    def test_an_exit_on_its_way_is_made_again_and_an_ordinary_one_does_not_fill(self):
        leaving_now, _ = run(bought(), world_tick(2), leave={0: LEAVE_YES})
        old = next(iter(leaving_now.orders))
        selling, _ = decided(
            leaving_now, 3, ChangeKind.HALT, "all", "flatten", control=halted(value="flatten")
        )

        assert old not in selling.orders
        assert [o.reason for o in selling.orders.values()] == [leaving.FLATTEN]

    def test_a_plain_halt_of_the_same_scope_stops_the_selling(self):
        control = halted(value="flatten")
        selling, _ = decided(bought(), 2, ChangeKind.HALT, "all", "flatten", control=control)
        after, facts = decided(selling, 3, ChangeKind.HALT, control=control)

        assert after.closing == after.orders == {}
        assert not pick(facts, Fill)

    def test_resuming_ends_it(self):
        selling, _ = decided(
            bought(), 2, ChangeKind.HALT, "all", "flatten", control=halted(value="flatten")
        )
        after, _ = decided(selling, 3, ChangeKind.RESUME)

        assert after.closing == {}


class TestMoney:
    def test_a_withdrawal_above_free_cash_is_a_refusal_with_both_figures(self):
        held = bought()
        after, facts = decided(held, 2, ChangeKind.WITHDRAW, "", str(held.cash + 1))

        refusal = pick(facts, Refusal)[0]
        assert after.cash == held.cash
        assert (refusal.code, refusal.token) == ("CASH", "change 7")
        assert (refusal.limit, refusal.value) == (str(held.cash), str(held.cash + 1))

    def test_all_free_cash_may_go(self):
        held = bought()
        after, facts = decided(held, 2, ChangeKind.WITHDRAW, "", str(held.cash))

        assert after.cash == 0
        assert not pick(facts, Refusal)
        assert after.drawdown == held.drawdown


class TestNewAccount:
    def renewed(self):
        held, _ = run(bought(), world_tick(2), bet("yes-2", market="m-2"))
        cooled = replace(held, cooldowns={("tester", "m-1"): NOON * 2})
        operation = Operation(
            "op", "base", "tester", OperationKind.SPLIT, ("m-1",), micro(5), NOON, NOON * 2,
            reserved=micro(5),
        )  # fmt: skip
        busy = replace(cooled, operations={"op": operation}, cash=cooled.cash - micro(5))
        return busy, *decided(busy, 3, ChangeKind.NEW_ACCOUNT, "", str(micro(500)))

    def test_begins_afresh_with_its_capital(self):
        _, fresh, _ = self.renewed()

        assert (fresh.cash, fresh.deposits, fresh.equity) == (micro(500),) * 3
        assert fresh.positions == fresh.orders == fresh.operations == fresh.cooldowns == {}
        assert fresh.realized == fresh.fees == fresh.drawdown == 0
        assert fresh.locked == fresh.closing == fresh.settled == {}

    def test_the_old_one_is_put_away_as_it_stood(self):
        busy, _, facts = self.renewed()
        put_away = pick(facts, Archived)[0]

        assert put_away.closed.positions == busy.positions
        assert put_away.closed.orders == put_away.closed.operations == {}
        assert put_away.closed.cash == busy.cash + busy.reserved
        assert (put_away.capital, put_away.who, put_away.why) == (micro(500), "ann", "because")
        kinds = [entry.kind for entry in pick(facts, JournalEntry)]
        assert kinds == ["release", "returned", "archive", "deposit"]

    def test_what_it_would_buy_it_may_buy_at_once(self):
        _, fresh, _ = self.renewed()
        placed, _ = run(fresh, world_tick(4), bet("yes-1"))

        assert placed.orders


def imported(*positions: Position, adjust: bool = False, **figures) -> str:
    cost = sum(held.cost for held in positions)
    wanted = {"cash": micro(300), "realized": micro(20), "fees": micro(1), **figures}
    wanted.setdefault("deposits", wanted["cash"] + cost - wanted["realized"])
    return Imported("ab" * 32, adjust, positions=positions, **wanted).dump()


HELD = Position("tester", "m-1", "no-1", "No", 1, micro(50), micro(20), NOON, PLAN)


class TestImport:
    def test_an_empty_account_becomes_what_the_file_says(self):
        after, facts = decided(account(), 2, ChangeKind.IMPORT, "base", imported(HELD))

        assert (after.cash, after.realized, after.fees) == (micro(300), micro(20), micro(1))
        assert after.positions[("tester", "no-1")].size == micro(50)
        assert after.deposits == micro(300)
        assert after.drawdown == 0
        assert [entry.kind for entry in pick(facts, JournalEntry)] == ["import"]

    def test_the_same_file_twice_is_nothing(self):
        once, _ = decided(account(), 2, ChangeKind.IMPORT, "base", imported(HELD))
        twice, facts = decided(
            once, 3, ChangeKind.IMPORT, "base", imported(HELD, adjust=True, cash=micro(9))
        )

        assert twice.cash == once.cash
        assert not pick(facts, JournalEntry)

    def test_other_accounts_are_left_alone(self):
        after, _ = decided(account(), 2, ChangeKind.IMPORT, "optimistic", imported(HELD))

        assert after.positions == {}

    def test_an_account_that_holds_refuses(self):
        after, facts = decided(bought(), 2, ChangeKind.IMPORT, "base", imported(HELD))

        assert pick(facts, Refusal)[0].code == "NOT_EMPTY"
        assert list(after.positions) == [("tester", "yes-1")]

    def test_unless_it_is_an_adjustment(self):
        placed, _ = run(bought(), world_tick(2), bet("yes-2", market="m-2"))
        after, _ = decided(placed, 3, ChangeKind.IMPORT, "base", imported(HELD, adjust=True))

        assert list(after.positions) == [("tester", "no-1")]
        assert after.orders == {}
        assert after.cash == micro(300)

    def test_the_value_survives_its_text(self):
        text = imported(HELD)

        assert Imported.load(text).dump() == text
        assert Imported.load(text).positions == (HELD,)
        assert json.loads(text)["sha256"] == "ab" * 32


HANDS = st.sampled_from(
    [
        change(ChangeKind.CLOSE),
        change(ChangeKind.CLOSE, "token:yes-1"),
        change(ChangeKind.CANCEL),
        change(ChangeKind.CANCEL, "market:m-2"),
        change(ChangeKind.HALT, "all", "flatten"),
        change(ChangeKind.HALT, "market:m-1", "flatten"),
        change(ChangeKind.RESUME),
        change(ChangeKind.DEPOSIT, "", str(micro(50))),
        change(ChangeKind.WITHDRAW, "", str(micro(100))),
        change(ChangeKind.NEW_ACCOUNT, "", str(micro(700))),
        change(ChangeKind.IMPORT, "base", imported(HELD, adjust=True)),
        change(ChangeKind.IMPORT, "base", imported(adjust=True, cash=micro(5), deposits=-7)),
    ]
)


@given(turns(), st.lists(st.lists(HANDS, max_size=3), min_size=10, max_size=10))
@settings(max_examples=150, deadline=None, print_blob=True)
def test_whatever_hands_do_the_books_balance(history, hands):
    portfolio, control = account(), CONTROLS
    every = [*deposit(Portfolio("base"), micro(1000), 0, "test")[1]]
    numbers = iter(range(100, 1000))
    for number, (books, bets, leave, ends) in enumerate(history):
        over = [Resolution("m-1", Status.RESOLVED, NOON, ends)] if ends else []
        now = tick(WORLD, books, at=NOON + number * 10_000, id=number + 1, resolutions=over)
        changes = [replace(each, id=next(numbers)) for each in hands[number]]
        for each in changes:
            control = apply(control, each)
        portfolio, facts = engine.step(
            portfolio, now, bets, opinions(now, leave), control=control, venue=VENUE,
            setting=SETTING, changes=changes,
        )  # fmt: skip
        every += facts
        ids = [fact.id for fact in every if isinstance(fact, JournalEntry)]

        agree(portfolio, ledger(every))
        assert all(fact.postings for fact in every if isinstance(fact, JournalEntry))
        assert len(ids) == len(set(ids))
        bought_under = [
            fact for fact in pick(facts, Fill) if fact.side == "buy" and control.halts.get("all")
        ]
        assert not bought_under


def test_books_that_move_still_leave_by_hand_to_the_last_share():
    held, number = bought(300), 2
    held, _ = decided(held, number, ChangeKind.CLOSE)
    while held.closing and number < 30:
        number += 1
        books = {
            m.yes.id: book(
                m.yes.id, (("0.4", 37 + number),), (("0.45", 50),), NOON + number * 10_000
            )
            for m in WORLD.markets
        }
        now = tick(WORLD, books, at=NOON + number * 10_000, id=number + 1)
        held, _ = run(held, now, leave={1: LEAVE_BOTH})

    assert held.positions == {}
