"""From a standing Quote and what is held to the two orders that should rest in the book.

A bid of the pair is a purchase of YES or a sale of NO, an ask a sale of YES or a purchase of NO:
one book, seen from both tokens. What is held is sold before anything new is bought.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from execution.core import drafting, operations, portfolio, quote_fates, risk
from execution.core.controls import Controls
from execution.core.drafting import Draft
from execution.core.ports import Venue
from execution.core.types import (
    EndReason,
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
from markets.core.types import ONE, Market, Token
from strategies.core.quotes import outward, probability
from strategies.core.types import Quote, quote_id

Key = tuple[str, str]
"""(strategy, market)."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Where a quote would stand: YES prices on the grid, None where a side finds no place."""

    bid: int | None
    ask: int | None
    fair: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """One order that should rest; `fair` is its token's fair value, micro-dollars."""

    token: str
    side: Side
    price: int
    size: int
    fair: int


def stand(
    account: Portfolio,
    tick: Tick,
    quotes: Sequence[Quote],
    *,
    control: Controls,
    venue: Venue,
) -> tuple[Portfolio, list[Fact]]:
    """Make the resting quote orders equal to what the quotes want, by (strategy, market).

    An order already where it should be keeps its place in the queue. A quote no longer stated is
    withdrawn, and so is one whose book was not confirmed for longer than it allows. What becomes
    of each quote is told when it changes.
    """
    facts: list[Fact] = []
    stated = {(quote.strategy, quote.market): quote for quote in quotes}
    resting = _resting(account)
    for key in sorted({*stated, *resting}):
        quote, mine = stated.get(key), resting.get(key, [])
        wanted = _wanted(quote, account, tick, control) if quote else []
        account, news = _reconcile(account, mine, wanted, quote, tick, control, venue)
        facts += news
        if quote and wanted and quote.split:
            account, news = _stock(account, quote, tick, control)
            facts += news
        if quote:
            tokens = tuple(want.token for want in wanted)
            account, news = quote_fates.told(account, quote, tokens, tick, control)
            facts += news
    return account, facts


def kept_sets(quotes: Sequence[Quote]) -> Mapping[Key, int]:
    """Sets that standing quotes keep in stock, by (strategy, market)."""
    return {(quote.strategy, quote.market): quote.split for quote in quotes if quote.split}


def prices(
    quote: Quote, inventory: int, market: Market, touch: tuple[int | None, int | None]
) -> Prices:
    """The quote's prices at an inventory of YES less NO micro-shares.

    Reservation x = fair - skew * q in logits; bid = floor S(x - d), ask = ceil S(x + d), clipped
    into the grid and so as not to cross `touch` (strategies' S3; Avellaneda and Stoikov 2008).
    """
    tick_size = market.terms.tick_size
    middle = quote.fair - quote.skew_per_share * (inventory / ONE)
    bid, ask = outward(middle, quote.half_width, tick_size)
    best_bid, best_ask = touch
    if best_ask is not None:
        bid = min(bid, best_ask - tick_size)
    if best_bid is not None:
        ask = max(ask, best_bid + tick_size)
    return Prices(
        bid if rules.on_grid(bid, tick_size) else None,
        ask if rules.on_grid(ask, tick_size) else None,
        round(probability(quote.fair)),
    )


def _wanted(quote: Quote, account: Portfolio, tick: Tick, control: Controls) -> list[Wanted]:
    """The orders a quote asks for at this tick; none where it may not stand."""
    if quote_fates.barred(quote, account, tick, control) is not None:
        return []
    market = tick.universe.markets[tick.universe.column[quote.market]]
    bold = risk.boldness(account, control.limits)
    quote = replace(quote, size=quote.size * bold // ONE)
    held = [_held(account, quote.strategy, token) for token in market.tokens]
    at = prices(quote, held[0] - held[1], market, tick.touch(market.yes.id))
    return [*_side(quote, market, at, held, bid=True), *_side(quote, market, at, held, bid=False)]


def _side(
    quote: Quote, market: Market, at: Prices, held: list[int], *, bid: bool
) -> Iterator[Wanted]:
    """One side: a sale of what is held against it where that is enough, else a purchase.

    A bid lengthens the inventory: it sells NO before it buys YES. The inventory's limit bounds it.
    """
    price = at.bid if bid else at.ask
    if price is None:
        return
    inventory = held[0] - held[1]
    room = quote.max_inventory - inventory if bid else quote.max_inventory + inventory
    size = rules.floor_size(min(quote.size, room))
    if size < market.terms.min_size:
        return
    selling = held[1] if bid else held[0]
    stock = rules.floor_size(min(size, selling))
    if stock >= market.terms.min_size:
        token, side, size = (market.no if bid else market.yes), Side.SELL, stock
    else:
        token, side = (market.yes if bid else market.no), Side.BUY
    seen = price if token is market.yes else ONE - price
    fair = at.fair if token is market.yes else ONE - at.fair
    yield Wanted(token.id, side, seen, size, fair)


def _held(account: Portfolio, strategy: str, token: Token) -> int:
    held = account.positions.get((strategy, token.id))
    return held.size if held and not held.resolved else 0


def _resting(account: Portfolio) -> dict[Key, list[Order]]:
    """The orders of quotes by what they quote, the oldest first."""
    found: dict[Key, list[Order]] = {}
    for order in account.orders.values():
        if order.purpose is Purpose.QUOTE:
            found.setdefault((order.strategy, order.market), []).append(order)
    for orders in found.values():
        orders.sort(key=lambda order: (order.placed_at, order.leg, order.id))
    return found


def _reconcile(
    account: Portfolio,
    resting: list[Order],
    wanted: list[Wanted],
    quote: Quote | None,
    tick: Tick,
    control: Controls,
    venue: Venue,
) -> tuple[Portfolio, list[Fact]]:
    facts: list[Fact] = []
    missing = list(wanted)
    for order in resting:
        want = next((w for w in missing if _same(order, w)), None)
        if want is not None and not _stopped(order, account, control):
            missing.remove(want)
            continue
        account, news = portfolio.cancel(account, order, EndReason.WITHDRAWN, tick.at)
        facts += news
    for want in missing:
        assert quote is not None
        account, news = _quote(account, quote, want, tick, control, venue)
        facts += news
    return account, facts


def _same(order: Order, want: Wanted) -> bool:
    """Whether an order does what is wanted; one that is partly filled goes on with its rest."""
    return (order.token, order.side, order.price) == (want.token, want.side, want.price) and (
        order.left <= want.size
    )


def _stopped(order: Order, account: Portfolio, control: Controls) -> bool:
    """Whether a breaker stops openings: bids that add to what is held are taken back then."""
    return order.side is Side.BUY and risk.stopped(account, control.limits) is not None


def _quote(
    account: Portfolio, quote: Quote, want: Wanted, tick: Tick, control: Controls, venue: Venue
) -> tuple[Portfolio, list[Fact]]:
    """The order placed, or the refusal stored when it is news."""
    if want.side is Side.SELL and portfolio.free(account, quote.strategy, want.token) < want.size:
        return account, []  # Set aside by an exit or a merge: it is not ours to quote.
    order = drafting.order(_draft(quote, want), account.account, tick, venue)
    breach = risk.refuse(order, account, control.limits, tick, halts=control.halts)
    if breach is None:
        return portfolio.place(account, order)
    key, words = (quote.strategy, want.token), (_id(quote, want), str(breach.code))
    if account.said.get(key) == words:
        return account, []
    account = _with_said(account, key, words)
    refusal = Refusal(
        account.account, quote.strategy, quote.market, want.token, quote_id(quote),
        RefusalCode(breach.code), str(breach.limit), str(breach.value), tick.at,
    )  # fmt: skip
    return account, [refusal]


def _draft(quote: Quote, want: Wanted) -> Draft:
    buy = want.side is Side.BUY
    return Draft(
        strategy=quote.strategy,
        token=want.token,
        side=want.side,
        type=OrderType.GTC,
        price=want.price,
        size=want.size,
        purpose=Purpose.QUOTE,
        leg=0 if buy else 1,
        signal=quote_id(quote),
        plan=quote.plan if buy else None,
        post_only=True,
        claimed=want.fair,
        edge=want.fair - want.price if buy else 0,
    )


def _id(quote: Quote, want: Wanted) -> str:
    return f"quote {quote.market} {want.side}"


def _with_said(account: Portfolio, key: Key, words: tuple[str, str]) -> Portfolio:
    return replace(account, said=portfolio.put(account.said, key, words))


def _stock(
    account: Portfolio, quote: Quote, tick: Tick, control: Controls
) -> tuple[Portfolio, list[Fact]]:
    """Split what is missing of the sets a quote sells from, as far as free cash goes."""
    market = tick.universe.markets[tick.universe.column[quote.market]]
    held = min(_held(account, quote.strategy, token) for token in market.tokens)
    coming = any(
        quote.market in operation.markets and operation.strategy == quote.strategy
        for operation in account.operations.values()
    )
    free = account.cash - risk.floor(account, control.limits)
    size = rules.floor_size(min(quote.split - held, free))
    if coming or size < market.terms.min_size:
        return account, []
    return operations.split(account, quote.strategy, market, size, quote.plan, tick.at)
