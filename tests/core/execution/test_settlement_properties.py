"""Whatever is said of outcomes, in whatever order, account and ledger agree to the micro-dollar."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from execution.core import engine, state
from execution.core.controls import Controls
from execution.core.portfolio import deposit
from execution.core.types import (
    CASH_ASSET,
    Change,
    ChangeKind,
    Fill,
    JournalEntry,
    Portfolio,
    Side,
)
from markets.core.types import ONE, Resolution, Status
from strategies.core.types import LEAVE_BOTH
from tests.builders import NOON, book, market, micro, tick, universe
from tests.core.execution.test_properties import agree, ledger
from tests.trading import LIMITS, SETTING, VENUE, account, bet, opinions

WORLD = universe(market(fee_rate="0.07"), market("m-2", fee_rate="0"))
TOKENS = [("yes-1", "m-1"), ("no-1", "m-1"), ("yes-2", "m-2")]
LOOSE = replace(
    LIMITS, max_capital_per_market=micro(900), max_capital_per_strategy=micro(2000),
    daily_loss_limit=micro(9999), max_drawdown=micro(9),
)  # fmt: skip
CONTROL = Controls.of(frozenset({"tester"}), LOOSE)
EVERYTHING = -1
WORDS = [
    *[(Status.RESOLVED, pays) for pays in ((ONE, 0), (0, ONE), (ONE // 2, ONE // 2))] * 3,
    *[(status, None) for status in (Status.OPEN, Status.PROPOSED, Status.DISPUTED)],
    (Status.CLOSED, None),
    (Status.RESOLVED, None),
]


@st.composite
def turns(draw):
    """Ticks from seconds to an hour apart: books, bets, exits, money in and out, words."""
    history, at = [], NOON
    for number in range(draw(st.integers(4, 12))):
        at += draw(st.sampled_from([10_000, 60_000, 960_000, 3_600_000]))
        books = {}
        for item in WORLD.markets:
            low = draw(st.integers(5, 90))
            sides = ((str(low / 100), 900),), ((str((low + 2) / 100), 900),)
            books[item.yes.id] = book(item.yes.id, *sides, at)
        bets = [
            bet(token, market=name, limit="0.97", at=NOON + number, size=draw(st.integers(5, 900)))
            for token, name in draw(st.sets(st.sampled_from(TOKENS)))
        ]
        words = [
            Resolution(name, status, at + place, pays)
            for place, (name, (status, pays)) in enumerate(
                draw(st.lists(st.tuples(st.sampled_from(["m-1", "m-2"]), st.sampled_from(WORDS)),
                              max_size=3))
            )
        ]  # fmt: skip
        money = draw(st.sampled_from([0, 0, 50, EVERYTHING]))
        history.append((at, books, bets, draw(st.booleans()), words, money))
    return history


def changes(number: int, money: int, held: Portfolio) -> list[Change]:
    kind = ChangeKind.DEPOSIT if money > 0 else ChangeKind.WITHDRAW
    amount = held.cash if money == EVERYTHING else micro(money)
    return [Change(kind, "", str(amount), "ann", "test", number + 1)] if amount else []


def is_right(held: Portfolio, truth: dict) -> None:
    """Every payout promised or paid is the one last said to be final."""
    for position in held.positions.values():
        if position.resolved:
            assert position.payout == truth[position.market][position.index]
    for settled in held.settled.values():
        assert settled.payout == truth[settled.position.market][settled.position.index]


def adds_up(held: Portfolio, facts: list) -> None:
    """The gain is what was realized and what is still held; each figure is its trades' sum."""
    unrealized = sum(p.value - p.cost for p in held.positions.values())
    assert held.equity - held.deposits == held.realized + unrealized
    fills = [fact for fact in facts if isinstance(fact, Fill)]
    assert held.realized == sum(fill.realized_pnl for fill in fills)
    waiting = sum(p.cost - p.fair_cost for p in held.positions.values())
    parts = sum(
        fill.signal_gain + fill.settlement_gain - fill.fee - fill.spread_cost - fill.latency_cost
        - fill.slippage_cost
        for fill in fills
    )  # fmt: skip
    assert held.realized == parts + waiting
    shares: dict[str, int] = defaultdict(int)
    for fill in fills:
        shares[fill.token] += fill.size if fill.side is Side.BUY else -fill.size
    assert {t: n for t, n in shares.items() if n} == {
        p.token: p.size for p in held.positions.values()
    }


@given(turns(), st.sampled_from([0, 60_000, 900_000]))
@settings(max_examples=100, deadline=None, print_blob=True)
def test_words_corrections_and_debts_are_booked_to_the_micro_dollar(history, redeem_ms):
    held = account()
    every: list = [*deposit(Portfolio("base"), micro(1000), 0, "test")[1]]
    truth: dict = {}
    setting = replace(SETTING, redeem_ms=redeem_ms)
    for number, (at, books, bets, leave, words, money) in enumerate(history):
        for word in words:
            if word.payouts:
                truth[word.market] = word.payouts
            elif word.status in (Status.OPEN, Status.PROPOSED, Status.DISPUTED):
                truth.pop(word.market, None)
        now = tick(WORLD, books, at=at, id=number + 1, resolutions=words)

        held, facts = engine.step(
            held, now, bets, opinions(now, {0: LEAVE_BOTH, 1: LEAVE_BOTH} if leave else {}),
            control=CONTROL, venue=VENUE, setting=setting, changes=changes(number, money, held),
        )  # fmt: skip
        every += facts

        balances = ledger(every)
        agree(held, balances)
        owed = sum(amount for key, amount in balances.items() if key.kind == "OWED")
        assert held.owed == -owed >= 0
        assert held.cash >= 0
        assert not (held.owed and held.cash)
        entries = [fact.id for fact in every if isinstance(fact, JournalEntry)]
        assert len(entries) == len(set(entries))
        assert state.load(state.dump(held)) == held
        is_right(held, truth)
        adds_up(held, every)
        for what in {entry.kind for entry in facts if isinstance(entry, JournalEntry)}:
            event(what)
        if held.owed:
            event("owes")
    assert sum(a for key, a in balances.items() if key.asset == CASH_ASSET) == 0
