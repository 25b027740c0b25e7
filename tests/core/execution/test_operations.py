"""Splits, merges and conversions in an account: set aside, then booked, and never from thin air."""

from dataclasses import replace

from execution.core import engine, operations, portfolio, state
from execution.core.types import Fill, JournalEntry, Operation, OperationState
from tests.builders import NOON, book, market, micro, tick, universe
from tests.core.execution.test_properties import agree, ledger
from tests.trading import CONTROLS, PLAN, SETTING, VENUE, account, bet, opinions

EVENT = universe(*(market(f"m-{n}", neg_risk=True, fee_rate="0") for n in (1, 2, 3)))


def at(number: int, world=EVENT, **prices: tuple):
    when = NOON + number * 10_000
    books = {
        m.yes.id: book(m.yes.id, (("0.30", 900),), (("0.32", 900),), when) for m in world.markets
    }
    return tick(world, books, at=when, id=number + 1)


def step(held, now, *signals, **options):
    return engine.step(
        held, now, signals, opinions(now), control=CONTROLS, venue=VENUE, setting=SETTING,
        **options,
    )  # fmt: skip


def opening():
    return portfolio.deposit(account(cash=0), micro(1000), NOON - 2000, "test")


class TestSplitAndMerge:
    def test_a_split_becomes_both_tokens_half_a_minute_later(self):
        held, facts = opening()
        held, begun = operations.split(held, "tester", EVENT.markets[0], micro(50), PLAN, NOON)
        facts += begun

        assert held.cash == micro(950)
        assert held.reserved == micro(50)

        early, _ = operations.complete(held, at(2))
        assert early.positions == {}
        held, done = operations.complete(held, at(3))
        facts += done

        sizes = {token: p.size for (_, token), p in held.positions.items()}
        assert sizes == {"yes-1": micro(50), "no-1": micro(50)}
        assert sum(p.cost for p in held.positions.values()) == micro(50)
        assert [f.liquidity for f in done if isinstance(f, Fill)] == ["operation", "operation"]
        agree(held, ledger(facts))
        assert state.load(state.dump(held)) == held

    def test_pairs_merge_by_themselves(self):
        held, facts = opening()
        both = (bet(size=40, limit="0.33"), bet("no-1", size=30, limit="0.72"))
        held, placed = step(held, at(0), both[0])
        held, got = step(held, at(1))
        facts += placed + got
        held, placed = step(held, at(2), replace(both[1], strategy="tester"))
        assert [r for r in placed if type(r).__name__ == "Refusal"] == []

        pairs = replace(held, positions={**held.positions})
        pairs, begun = operations.split(pairs, "tester", EVENT.markets[0], micro(10), PLAN, NOON)
        pairs, done = operations.complete(pairs, at(4))
        pairs, merging = operations.merge_pairs(pairs, at(5), {})
        facts += placed + begun + done + merging

        assert [f.size for f in merging if isinstance(f, Operation)] == [micro(10)]
        assert portfolio.free(pairs, "tester", "no-1") == 0

        pairs, merged = operations.complete(pairs, at(8))
        facts += merged

        assert ("tester", "no-1") not in pairs.positions
        assert pairs.positions["tester", "yes-1"].size == micro(40)
        assert sum(f.notional for f in merged if isinstance(f, Fill)) == micro(10)
        agree(pairs, ledger(facts))

    def test_sets_kept_for_quoting_are_not_merged(self):
        held, _ = opening()
        held, _ = operations.split(held, "tester", EVENT.markets[0], micro(50), PLAN, NOON)
        held, _ = operations.complete(held, at(3))

        same, none = operations.merge_pairs(held, at(4), {("tester", "m-1"): micro(50)})
        _, some = operations.merge_pairs(held, at(4), {("tester", "m-1"): micro(45)})

        assert none == []
        assert same == held
        assert [f.size for f in some if isinstance(f, Operation)] == [micro(5)]

    def test_what_is_given_up_returns(self):
        held, facts = opening()
        held, begun = operations.split(held, "tester", EVENT.markets[0], micro(50), PLAN, NOON)
        (waiting,) = held.operations.values()
        held, back = operations.cancel(held, waiting, "HALTED", NOON)

        assert (held.cash, held.reserved) == (micro(1000), 0)
        assert [f.state for f in back if isinstance(f, Operation)] == [OperationState.CANCELLED]
        agree(held, ledger(facts + begun + back))


class TestConversion:
    def test_no_shares_become_cash_and_the_other_yes(self):
        held, facts = opening()
        for number in (1, 2):
            one = EVENT.markets[number - 1]
            held, begun = operations.split(held, "tester", one, micro(20), PLAN, NOON)
            facts += begun
        held, done = operations.complete(held, at(3))
        held, begun = operations.convert(held, "tester", EVENT.markets[:2], micro(20), PLAN, NOON)
        facts += done + begun
        before = held.cash

        held, done = operations.complete(held, at(6))
        facts += done

        assert held.cash - before == micro(20)
        assert {t for _, t in held.positions} == {"yes-1", "yes-2", "yes-3"}
        assert held.positions["tester", "yes-3"].size == micro(20)
        agree(held, ledger(facts))
        entry = next(f for f in done if isinstance(f, JournalEntry))
        assert entry.kind == "convert"

    def test_every_cent_of_it_is_profit_or_cost(self):
        """Realized plus what is left at cost is cash in and out, exactly."""
        held, _ = opening()
        for one in EVENT.markets[:2]:
            held, _ = operations.split(held, "tester", one, micro(20), PLAN, NOON)
        held, _ = operations.complete(held, at(3))
        held, _ = operations.convert(held, "tester", EVENT.markets[:2], micro(20), PLAN, NOON)
        held, _ = operations.complete(held, at(6))

        cost = sum(p.cost for p in held.positions.values())

        assert held.cash + cost - held.realized == micro(1000)
        assert sum(p.size for p in held.positions.values()) == micro(60)
