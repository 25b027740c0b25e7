"""Hands reach resting quotes, baskets in the making and operations on their way, too."""

import random

import pytest

from execution.core import leaving, operations
from execution.core.controls import apply
from execution.core.eras import Imported
from execution.core.portfolio import deposit
from execution.core.types import (
    Archived,
    Change,
    ChangeKind,
    Fill,
    JournalEntry,
    Operation,
    OperationState,
    Order,
    Purpose,
    Side,
)
from tests.builders import NOON, micro
from tests.core.execution import test_baskets as baskets
from tests.core.execution import test_operations as pairs
from tests.core.execution import test_quoting as quotes
from tests.core.execution.campaign import Life, scene
from tests.core.execution.test_engine import pick
from tests.core.execution.test_properties import agree, ledger
from tests.trading import CONTROLS, PLAN, account

NAMES = tuple(str(n) for n in range(6))


def change(kind: ChangeKind, scope: str = "all", value: str = "", id: int = 7) -> Change:
    return Change(kind, scope, value, "ann", "because", id)


def decide(kind: ChangeKind, scope: str = "all", value: str = "") -> dict:
    """A decision as `step` takes it: with the controls it leads to."""
    made = change(kind, scope, value)
    return {"changes": [made], "control": apply(CONTROLS, made)}


class TestQuotes:
    def holding(self):
        """20 YES bought by a print through the bid, and quotes that still stand."""
        return quotes.TestInventory().filled()

    def test_a_holding_that_leaves_is_not_quoted(self):
        held = self.holding()
        held, _ = quotes.run(held, quotes.at(3), quotes.quote(), **decide(ChangeKind.CLOSE))

        assert {o.purpose for o in held.orders.values()} == {Purpose.EXIT}

        held, _ = quotes.run(held, quotes.at(4), quotes.quote())
        assert held.positions == {}

        held, _ = quotes.run(held, quotes.at(5), quotes.quote())
        assert {o.purpose for o in held.orders.values()} == {Purpose.QUOTE}

    def test_flattening_withdraws_quotes_for_as_long_as_it_lasts(self):
        held, told = self.holding(), decide(ChangeKind.HALT, "strategy:tester", "flatten")
        held, _ = quotes.run(held, quotes.at(3), quotes.quote(), **told)
        for number in range(4, 7):
            now = quotes.at(number)
            held, _ = quotes.run(held, now, quotes.quote(), control=told["control"])
            assert {o.side for o in held.orders.values()} <= {Side.SELL}

        assert held.positions == held.orders == {}

    def test_a_split_on_its_way_is_taken_back(self):
        stocked = quotes.quote(split=micro(30))
        held, _ = quotes.run(account(), quotes.at(0), stocked)
        held, facts = quotes.run(held, quotes.at(1), **decide(ChangeKind.CLOSE))

        assert [o.state for o in pick(facts, Operation)] == [OperationState.CANCELLED]
        assert held.cash == micro(1000)


class TestBaskets:
    def partly_had(self):
        """Two legs of three were had; the third is about to be tried again."""
        held, _ = baskets.play(baskets.at(0), baskets.at(1, thin="yes-2"))
        assert held.baskets
        assert len(held.positions) == 2
        return held

    @pytest.mark.parametrize("scope", ["all", "market:m-1", "token:no-3", "strategy:tester"])
    def test_a_basket_with_a_leg_that_leaves_is_taken_apart(self, scope):
        held = self.partly_had()
        for number in range(2, 6):
            told = decide(ChangeKind.CLOSE, scope) if number == 2 else {}
            held, facts = baskets.run(held, baskets.at(number), **told)
            assert not [f for f in pick(facts, Fill) if f.side is Side.BUY]

        assert held.positions == held.baskets == held.orders == held.closing == {}

    def test_flattening_sells_its_legs_under_the_halt(self):
        held, told = self.partly_had(), decide(ChangeKind.HALT, "all", "flatten")
        held, _ = baskets.run(held, baskets.at(2), **told)
        held, facts = baskets.run(held, baskets.at(3), control=told["control"])

        assert held.positions == held.baskets == {}
        assert {o.reason for o in pick(facts, Order)} == {leaving.FLATTEN}

    def test_a_leg_cancelled_by_hand_does_not_leave_the_basket_waiting(self):
        held, _ = baskets.run(account(), baskets.at(0), baskets.basket())
        assert len(held.orders) == 3

        for number in range(1, 6):
            told = decide(ChangeKind.CANCEL, "market:m-1") if number == 1 else {}
            held, _ = baskets.run(held, baskets.at(number), **told)

        assert held.baskets == held.orders == {}


class TestOperations:
    def test_a_merge_on_its_way_is_given_back_before_the_account_is_archived(self):
        one = pairs.EVENT.markets[0]
        split, first = operations.split(account(), "tester", one, micro(50), PLAN, NOON)
        held, second = operations.complete(split, pairs.at(3))
        merging, third = operations.merge(held, "tester", one, micro(10), NOON + 30_000)
        told = decide(ChangeKind.NEW_ACCOUNT, "", str(micro(500)))
        fresh, facts = baskets.run(merging, pairs.at(4), **told)

        closed = pick(facts, Archived)[0].closed
        assert closed.positions == held.positions
        assert fresh.positions == fresh.operations == {}
        kinds = [entry.kind for entry in pick(facts, JournalEntry)]
        assert kinds == ["returned", "archive", "deposit"]
        opened = deposit(account(cash=0), micro(1000), NOON - 1, "test")[1]
        agree(fresh, ledger([*opened, *first, *second, *third, *facts]))


def hands(luck: random.Random, number: int) -> list[Change]:
    """A person who interferes now and then."""
    if luck.random() > 0.12:
        return []
    name = luck.choice(NAMES)
    where = luck.choice(["all", f"market:m-{name}", f"strategy:{luck.choice(['alpha', 'maker'])}"])
    kind, scope, value = luck.choice(
        [
            (ChangeKind.CLOSE, luck.choice([where, f"token:yes-{name}"]), ""),
            (ChangeKind.CANCEL, where, ""),
            (ChangeKind.HALT, where, luck.choice(["", "flatten"])),
            (ChangeKind.DEPOSIT, "", str(micro(luck.randrange(1, 900)))),
            (ChangeKind.WITHDRAW, "", str(micro(luck.randrange(1, 900_000)))),
            (ChangeKind.NEW_ACCOUNT, "", str(micro(1_000_000))),
            (ChangeKind.IMPORT, "base", _file(number)),
        ]
    )
    return [change(kind, scope, value, id=number)]


def _file(number: int) -> str:
    cash = micro(900_000 + number)
    return Imported(f"{number:064d}", True, cash, cash - 5, 7, 3, -2).dump()


def test_thousands_of_fills_among_hands_conserve_everything():
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    luck, life, number, halted = random.Random(seed), Life(NAMES), 0, []
    kinds = set()
    while life.fills < 2_500 or number < 800:
        number += 1
        changes = hands(luck, number)
        if halted and luck.random() < 0.3:
            changes = [*changes, change(ChangeKind.RESUME, halted.pop(), id=-number)]
        halted += [c.scope for c in changes if c.kind is ChangeKind.HALT]
        drawn = scene(luck, NAMES, number)
        life.live(drawn, changes)
        kinds |= {c.kind for c in changes}
        assert drawn.lapsed or set(life.held.closing) <= set(life.held.positions)
        if "all" in life.control.halts:
            assert all(o.side is Side.SELL for o in life.held.orders.values())
    assert len(kinds) == 8
