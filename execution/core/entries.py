"""From open signals to entry orders: what is wanted beyond what is held, sized and refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from execution.core import drafting, exposure, leaving, risk, sizing
from execution.core import portfolio as accounts
from execution.core.controls import Controls
from execution.core.drafting import Draft
from execution.core.ports import Venue
from execution.core.sizing import Sizing
from execution.core.types import (
    AccountName,
    Disposed,
    Disposition,
    Fact,
    Order,
    OrderType,
    Portfolio,
    Purpose,
    Refusal,
    RefusalCode,
    Side,
)
from markets.core import venue as rules
from markets.core.tick import Tick
from strategies.core.types import Basket, Bet, Signal, bet_id

BASE = AccountName.BASE


@dataclass(frozen=True, slots=True)
class No:
    """Why a signal led to no order, and what to call that."""

    code: RefusalCode
    limit: int | str = ""
    value: int | str = ""
    disposition: Disposition = Disposition.REFUSED


def enter(
    account: Portfolio,
    tick: Tick,
    signals: Sequence[Signal],
    *,
    control: Controls,
    venue: Venue,
    sizing: Sizing,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """Act on every open signal in (strategy, market, token) order.

    A refusal is news once: it is a fact again only when its code or its signal changes.
    """
    facts: list[Fact] = []
    wanted = sorted(
        _wanted(signals), key=lambda want: (want[0].strategy, want[0].market, want[0].token)
    )
    keys = {(bet.strategy, bet.token) for bet, _ in wanted}
    said = {key: words for key, words in account.said.items() if key in keys}
    account = replace(account, said=said)
    for bet, alone in wanted:
        answer: Order | No | None = No(RefusalCode.UNSUPPORTED)
        if alone:
            answer = _answer(bet, account, tick, control, venue, sizing, lapsed)
        if isinstance(answer, Order):
            account, news = accounts.place(account, answer)
            facts += news
            account, told = _say(account, bet, tick.at, Disposition.RESTING, "")
            facts += told
        elif answer is not None:
            account, told = _refused(account, bet, tick.at, answer)
            facts += told
    return account, facts


def _wanted(signals: Sequence[Signal]) -> Iterator[tuple[Bet, bool]]:
    """Every Bet and whether it stands alone; a Basket's legs need a venue that keeps them whole."""
    for signal in signals:
        if isinstance(signal, Bet):
            yield signal, True
        elif isinstance(signal, Basket):
            yield from ((leg, False) for leg in signal.legs)


def _answer(
    bet: Bet,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
    lapsed: bool,
) -> Order | No | None:
    """The order that closes the gap, why there is none, or None when there is no gap."""
    if leaving.barred(account, bet.strategy, bet.market):
        return No(RefusalCode.CLOSING)
    if exposure.held_or_open(account, bet.strategy, bet.market):
        known = account.said.get((bet.strategy, bet.token), ("", ""))[0] == bet_id(bet)
        return None if known else No(RefusalCode.HOLDING, disposition=Disposition.SUPERSEDED)
    if bet.strategy not in control.enabled:
        return No(RefusalCode.DISABLED, disposition=Disposition.SHADOW)
    if lapsed:
        return No(RefusalCode.LAPSED)
    scope = control.halted(bet.strategy, bet.market)
    if scope:
        return No(RefusalCode.HALTED, scope, control.halts[scope])
    until = account.cooldowns.get((bet.strategy, bet.market), 0)
    if tick.at < until:
        return No(RefusalCode.COOLDOWN, until, tick.at)
    breach = risk.stopped(account, control.limits)
    if breach:
        return No(breach.code, breach.limit, breach.value)
    return _tradable(bet, tick) or _sized(bet, account, tick, control, venue, fractions)


def _tradable(bet: Bet, tick: Tick) -> No | None:
    """Why the market cannot be traded at this tick at all, or None."""
    column = tick.universe.column.get(bet.market)
    if column is None:
        return No(RefusalCode.NOT_ACCEPTING)
    terms = tick.universe.markets[column].terms
    if terms.fee is None:
        return No(RefusalCode.FEE_UNKNOWN)
    if not terms.accepting_orders:
        return No(RefusalCode.NOT_ACCEPTING)
    if not tick.coherent[column]:
        return No(RefusalCode.STALE)
    return None


def _sized(
    bet: Bet,
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
) -> Order | No:
    market = tick.universe.markets[tick.universe.column[bet.market]]
    fee = market.terms.fee
    assert fee is not None
    depth = venue.usable(bet.token, True, bet.limit, tick, account.depleted)
    sized = sizing.size_entry(
        bet, account, depth=depth, fee=fee, limits=control.limits, sizing=fractions
    )
    _, ask = tick.touch(bet.token)
    smallest = market.terms.min_size
    worth = rules.proceeds(sized.size, ask or 0)
    if sized.size < smallest or worth < rules.MIN_NOTIONAL:
        if sized.bound_by:
            return No(sized.bound_by, sized.limit, sized.value, Disposition.SIZED_TO_ZERO)
        return No(RefusalCode.MIN_SIZE, smallest, sized.size, Disposition.SIZED_TO_ZERO)
    order = _order(bet, account.account, sized.size, tick, venue)
    breach = risk.refuse(order, account, control.limits)
    return No(breach.code, breach.limit, breach.value) if breach else order


def _order(bet: Bet, account: str, size: int, tick: Tick, venue: Venue) -> Order:
    draft = Draft(
        strategy=bet.strategy,
        token=bet.token,
        side=Side.BUY,
        type=OrderType.FAK,
        price=bet.limit,
        size=size,
        purpose=Purpose.ENTRY,
        leg=bet.leg,
        signal=bet_id(bet),
        plan=bet.plan,
        claimed=bet.fair,
        edge=bet.edge,
    )
    return drafting.order(draft, account, tick, venue)


def _refused(account: Portfolio, bet: Bet, at: int, no: No) -> tuple[Portfolio, list[Fact]]:
    before = account.said.get((bet.strategy, bet.token))
    account, facts = _say(account, bet, at, no.disposition, no.code)
    unchanged = before == account.said[(bet.strategy, bet.token)]
    if unchanged or no.code in (RefusalCode.DISABLED, RefusalCode.HOLDING):
        return account, facts
    refusal = Refusal(
        account.account, bet.strategy, bet.market, bet.token, bet_id(bet), no.code, str(no.limit),
        str(no.value), at,
    )  # fmt: skip
    return account, [refusal, *facts]


def _say(
    account: Portfolio, bet: Bet, at: int, disposition: Disposition, reason: str
) -> tuple[Portfolio, list[Fact]]:
    """Remember what was last said of a signal; news for its row only from the base account."""
    key, words = (bet.strategy, bet.token), (bet_id(bet), str(reason or disposition))
    if account.said.get(key) == words:
        return account, []
    account = replace(account, said=accounts.put(account.said, key, words))
    if account.account != BASE:
        return account, []
    return account, [Disposed(bet_id(bet), disposition, str(reason), at)]
