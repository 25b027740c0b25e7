"""Whatever happens, an account conserves cash and shares to the micro-unit."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from execution.core import engine, state
from execution.core.portfolio import deposit
from execution.core.types import CASH_ASSET, Fill, JournalEntry, Order, Portfolio, Side
from markets.core.types import ONE, Resolution, Status
from strategies.core.types import LEAVE_BOTH
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import CONTROLS, SETTING, VENUE, account, bet, opinions

WORLD = universe(market(fee_rate="0.07"), market("m-2", fee_rate="0"))
SIZES = st.integers(1, 40_000).map(lambda cents: cents * 10_000)
SPREAD = st.tuples(st.integers(5, 90), st.integers(1, 6))


@st.composite
def turns(draw):
    """A short history: books that move, bets that come and go, exits, and perhaps an end."""
    history = []
    for number in range(draw(st.integers(2, 10))):
        books = {}
        for index, item in enumerate(WORLD.markets):
            low, width = draw(SPREAD)
            bids = tuple((str((low - n) / 100), draw(SIZES) / ONE) for n in range(3))
            asks = tuple((str((low + width + n) / 100), draw(SIZES) / ONE) for n in range(3))
            books[item.yes.id] = book(item.yes.id, bids, asks, NOON + number * 10_000)
            del index
        bets = [
            bet(token, market=name, limit=str(draw(st.integers(2, 98)) / 100), at=NOON + number,
                size=draw(st.integers(1, 900)))
            for token, name in draw(
                st.sets(st.sampled_from([("yes-1", "m-1"), ("no-1", "m-1"), ("yes-2", "m-2")]))
            )
        ]  # fmt: skip
        leave = {0: LEAVE_BOTH, 1: LEAVE_BOTH} if draw(st.booleans()) else {}
        ends = draw(st.sampled_from([None, None, None, (ONE, 0), (0, ONE), (ONE // 2, ONE // 2)]))
        history.append((books, bets, leave, ends))
    return history


def ledger(facts) -> dict:
    """Balances folded from postings alone."""
    balances: dict = defaultdict(int)
    for fact in facts:
        if isinstance(fact, JournalEntry):
            for posting in fact.postings:
                assert posting.amount > 0
                assert posting.debit.asset == posting.credit.asset
                balances[posting.debit] += posting.amount
                balances[posting.credit] -= posting.amount
                if posting.credit.kind in ("CASH", "RESERVED", "POSITION"):
                    assert balances[posting.credit] >= 0, posting
    return balances


def agree(portfolio: Portfolio, balances: dict) -> None:
    """The portfolio says what the ledger says, to the micro-unit."""
    total = defaultdict(int)
    for key, amount in balances.items():
        total[key.kind, key.asset] += amount
    assert portfolio.cash == total["CASH", CASH_ASSET]
    assert portfolio.reserved == total["RESERVED", CASH_ASSET]
    assert portfolio.fees == total["FEES", CASH_ASSET]
    for (_, token), held in portfolio.positions.items():
        assert held.size == total["POSITION", token] + total["RESERVED", token]
    for asset in {key.asset for key in balances}:
        assert sum(a for key, a in balances.items() if key.asset == asset) == 0


@given(turns())
@settings(max_examples=150, deadline=None, print_blob=True)
def test_an_account_balances_after_every_tick(history):
    portfolio, every = account(), []
    every.append(deposit(Portfolio("base"), micro(1000), 0, "test")[1][0])
    orders: dict[str, Order] = {}
    filled: dict[str, int] = defaultdict(int)
    for number, (books, bets, leave, ends) in enumerate(history):
        over = [Resolution("m-1", Status.RESOLVED, NOON, ends)] if ends else []
        now = tick(WORLD, books, at=NOON + number * 10_000, id=number + 1, resolutions=over)

        portfolio, facts = engine.step(
            portfolio, now, bets, opinions(now, leave), control=CONTROLS, venue=VENUE,
            setting=SETTING,
        )  # fmt: skip
        every += facts

        agree(portfolio, ledger(every))
        assert state.load(state.dump(portfolio)) == portfolio
        for fact in facts:
            if isinstance(fact, Order):
                orders.setdefault(fact.id, fact)
            elif isinstance(fact, Fill) and fact.order:
                order = orders[fact.order]
                filled[order.id] += fact.size
                better = (
                    fact.price <= order.price
                    if order.side is Side.BUY
                    else fact.price >= order.price
                )
                assert better
                assert filled[order.id] <= order.size
