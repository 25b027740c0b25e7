"""From open signals to entry orders: what is wanted beyond what is held, sized and refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from execution.core import drafting, exposure, kelly, leaving, risk, sizing
from execution.core import portfolio as accounts
from execution.core.controls import Controls
from execution.core.drafting import Draft
from execution.core.ports import Venue
from execution.core.sizing import Sized, Sizing
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
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import Market
from strategies.core.types import Bet, bet_id

BASE = AccountName.BASE
UNSTORED = (RefusalCode.DISABLED, RefusalCode.AUTO_DISABLED, RefusalCode.HOLDING)
"""Refusals that say nothing of one signal: its disposition names them, and no row is written."""


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
    bets: Sequence[Bet],
    *,
    control: Controls,
    venue: Venue,
    sizing: Sizing,
    lapsed: bool,
) -> tuple[Portfolio, list[Fact]]:
    """Act on every open Bet that stands alone, in (strategy, market, token) order.

    A refusal is news once: it is a fact again only when its code or its signal changes.
    """
    facts: list[Fact] = []
    for bet in sorted(bets, key=lambda bet: (bet.strategy, bet.market, bet.token)):
        answer = _answer(bet, bets, account, tick, control, venue, sizing, lapsed)
        if isinstance(answer, Order):
            account, news = accounts.place(account, answer)
            facts += news
            account, told = say(account, bet, tick.at, Disposition.RESTING, "")
            facts += told
        elif answer is not None:
            account, told = refused(account, bet, tick.at, answer)
            facts += told
    return account, facts


def _answer(
    bet: Bet,
    bets: Sequence[Bet],
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
    no = barred(bet, account, tick, control, lapsed)
    return no or _sized(bet, bets, account, tick, control, venue, fractions)


def barred(bet: Bet, account: Portfolio, tick: Tick, control: Controls, lapsed: bool) -> No | None:
    """Why nothing of a Bet may be bought at this tick, whatever its size, or None."""
    if not control.trading(bet.strategy):
        return _switched_off(bet.strategy, control)
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
    breach = risk.unsound(bet.market, control.limits, tick)
    return No(breach.code, breach.limit, breach.value) if breach else None


def _switched_off(strategy: str, control: Controls) -> No:
    """By a person or the configuration, else by a rule."""
    if strategy in control.enabled:
        why = control.suspended[strategy]
        return No(RefusalCode.AUTO_DISABLED, "", why, Disposition.SHADOW)
    return No(RefusalCode.DISABLED, disposition=Disposition.SHADOW)


def _sized(
    bet: Bet,
    bets: Sequence[Bet],
    account: Portfolio,
    tick: Tick,
    control: Controls,
    venue: Venue,
    fractions: Sizing,
) -> Order | No:
    market = tick.universe.markets[tick.universe.column[bet.market]]
    depth = venue.usable(bet.token, True, bet.limit, tick, account.depleted)
    sized = sizing.size_entry(
        bet,
        account,
        tick,
        depth=depth,
        limits=control.limits,
        sizing=fractions,
        others=bets,
    )
    _, ask = tick.touch(bet.token)
    no = too_small(sized, market, ask or 0)
    if no:
        return no
    order = drafting.order(draft(bet, sized.size), account.account, tick, venue)
    breach = risk.refuse(order, account, control.limits, tick, halts=control.halts)
    return No(breach.code, breach.limit, breach.value) if breach else order


def too_small(sized: Sized, market: Market, price: int) -> No | None:
    """Why a size is below the exchange's smallest order: the cap that bound it, or the minimum."""
    smallest = market.terms.min_size
    if sized.size >= smallest and rules.proceeds(sized.size, price) >= rules.MIN_NOTIONAL:
        return None
    if sized.bound_by:
        return No(sized.bound_by, sized.limit, sized.value, Disposition.SIZED_TO_ZERO)
    return No(RefusalCode.MIN_SIZE, smallest, sized.size, Disposition.SIZED_TO_ZERO)


def draft(bet: Bet, size: int) -> Draft:
    """A Bet of a size as an order that takes what it can at once."""
    return Draft(
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
        deviation=kelly.deviation(bet),
    )


def refused(account: Portfolio, bet: Bet, at: int, no: No) -> tuple[Portfolio, list[Fact]]:
    """The refusal stored where it is news, and what it means for the signal."""
    before = account.said.get((bet.strategy, bet.token))
    account, facts = say(account, bet, at, no.disposition, no.code)
    unchanged = before == account.said[(bet.strategy, bet.token)]
    if unchanged or no.code in UNSTORED:
        return account, facts
    refusal = Refusal(
        account.account, bet.strategy, bet.market, bet.token, bet_id(bet), no.code, str(no.limit),
        str(no.value), at,
    )  # fmt: skip
    return account, [refusal, *facts]


def say(
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
