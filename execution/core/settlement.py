"""What an outcome does to an account: orders go, holdings wait for their payout, then are paid.

Proposed and disputed are only shown. A market that closed without an outcome pays nothing.
"""

from execution.core import corrections, operations, payouts, portfolio
from execution.core.types import (
    UNRESOLVED,
    EndReason,
    Fact,
    HoldingState,
    Portfolio,
    Position,
)
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import Status

STATES = {
    Status.HALTED: HoldingState.CLOSED,
    Status.CLOSED: HoldingState.CLOSED,
    Status.RESOLVED: HoldingState.CLOSED,
    Status.PROPOSED: HoldingState.PROPOSED,
    Status.DISPUTED: HoldingState.DISPUTED,
}
"""How a holding stands that has no payout: a market resolved without a sound one is closed."""

UNDECIDED = (Status.OPEN, Status.PROPOSED, Status.DISPUTED)
"""What takes a final outcome back. CLOSED does not: it says less than RESOLVED."""


def advance(account: Portfolio, tick: Tick, redeem_ms: int) -> tuple[Portfolio, list[Fact]]:
    """The account after what a tick tells of outcomes and what has become due.

    A holding is paid on the first tick at or
    after `redeem_ms` from the tick that told its outcome.
    """
    facts: list[Fact] = []
    for market, pays in sorted(_outcomes(tick).items()):
        if pays:
            account, news = _decide(account, market, pays, tick.at, redeem_ms)
        else:
            account, news = _undecide(account, market, tick.at)
        facts += news
    account, news = _redeem(account, tick.at)
    facts += news
    return replace(account, locked=_locked(account, tick)), facts


def _outcomes(tick: Tick) -> dict[str, tuple[int, int] | None]:
    """The last word on each market that says whether it is decided: its payouts, or None."""
    return {
        word.market: word.payouts
        for word in tick.resolutions
        if word.payouts or word.status in UNDECIDED
    }


def _decide(
    account: Portfolio, market: str, pays: tuple[int, int], at: int, redeem_ms: int
) -> tuple[Portfolio, list[Fact]]:
    """A final outcome: orders go, holdings learn their payout, wrong payouts are put right."""
    account, facts = _cancel(account, market, at)
    positions = {
        key: _decided(held, pays, at + redeem_ms) if held.market == market else held
        for key, held in account.positions.items()
    }
    account = replace(account, positions=positions)
    for settled in corrections.paid(account, market, at):
        pay = pays[settled.position.index]
        if pay != settled.payout:
            account, news = corrections.correct(account, settled, pay, at)
            facts += news
    return account, facts


def _decided(held: Position, pays: tuple[int, int], due: int) -> Position:
    """Its payout; a correction before it was paid does not make it wait anew."""
    redeem_at = held.redeem_at if held.resolved else due
    return replace(held, payout=pays[held.index], redeem_at=redeem_at)


def _undecide(account: Portfolio, market: str, at: int) -> tuple[Portfolio, list[Fact]]:
    """An outcome taken back: holdings wait for another one, and payouts are undone."""
    positions = {
        key: replace(held, payout=UNRESOLVED, redeem_at=0) if held.market == market else held
        for key, held in account.positions.items()
    }
    account, facts = replace(account, positions=positions), list[Fact]()
    for settled in corrections.paid(account, market, at):
        account, news = corrections.take_back(account, settled, at)
        facts += news
    return account, facts


def _redeem(account: Portfolio, at: int) -> tuple[Portfolio, list[Fact]]:
    """Pay what is due; what still wants the shares is given up."""
    facts: list[Fact] = []
    for key, held in sorted(account.positions.items()):
        if held.resolved and at >= held.redeem_at:
            account, news = _cancel(account, held.market, at)
            facts += news
            account = replace(account, positions=portfolio.put(account.positions, key, None))
            account, news = payouts.pay(account, held, held.payout, at)
            facts += news
    return account, facts


def _cancel(account: Portfolio, market: str, at: int) -> tuple[Portfolio, list[Fact]]:
    """What is open in a market ends: orders, and operations that are under way."""
    facts: list[Fact] = []
    for order in [o for o in account.orders.values() if o.market == market]:
        account, cancelled = portfolio.cancel(account, order, EndReason.RESOLVED, at)
        facts += cancelled
    for operation in [o for o in account.operations.values() if market in o.markets]:
        account, returned = operations.cancel(account, operation, EndReason.RESOLVED, at)
        facts += returned
    return account, facts


def _locked(account: Portfolio, tick: Tick) -> dict[str, str]:
    """How the markets stand in which something undecided is held, where it cannot just be sold.

    What a tick says comes before its terms, which follow one tick later; a market that is not
    tracked stands as before.
    """
    words = {word.market: word.status for word in tick.resolutions}
    locked: dict[str, str] = {}
    for market in sorted({h.market for h in account.positions.values() if not h.resolved}):
        column = tick.universe.column.get(market)
        state: str | None = account.locked.get(market)
        if market in words:
            state = STATES.get(words[market])
        elif column is not None:
            state = STATES.get(tick.universe.markets[column].terms.status)
        if state:
            locked[market] = state
    return locked
