"""What keeps a quote out of the market, and what became of it, told when it changes."""

from execution.core import leaving, portfolio
from execution.core.controls import Controls
from execution.core.types import (
    AccountName,
    Disposed,
    Disposition,
    Fact,
    Portfolio,
    Purpose,
    RefusalCode,
)
from markets.core.frozen import replace
from markets.core.tick import Tick
from strategies.core.types import Quote, quote_id


def barred(quote: Quote, account: Portfolio, tick: Tick, control: Controls) -> RefusalCode | None:
    """Why a quote may not stand at this tick, or None."""
    if not control.trading(quote.strategy):
        enabled = quote.strategy in control.enabled
        return RefusalCode.AUTO_DISABLED if enabled else RefusalCode.DISABLED
    if control.halted(quote.strategy, quote.market):
        return RefusalCode.HALTED
    if leaving.barred(account, quote.strategy, quote.market):
        return RefusalCode.CLOSING
    column = tick.universe.column.get(quote.market)
    if column is None or not tick.coherent[column]:
        return RefusalCode.STALE
    stale = tick.observed_at[column] < tick.at - quote.max_age_ms
    return RefusalCode.STALE if stale else None


def told(
    account: Portfolio, quote: Quote, wanted: tuple[str, ...], tick: Tick, control: Controls
) -> tuple[Portfolio, list[Fact]]:
    """What became of a quote that wants orders for the tokens `wanted`, where that is news.

    A signal's row follows the base account, so the others say nothing.
    """
    if account.account != AccountName.BASE:
        return account, []
    became, code = _became(account, quote, wanted, tick, control)
    key, words = (quote.strategy, quote.market), (quote_id(quote), str(code or became))
    if account.said.get(key) == words:
        return account, []
    account = replace(account, said=portfolio.put(account.said, key, words))
    return account, [Disposed(quote_id(quote), became, str(code), tick.at)]


def _became(
    account: Portfolio, quote: Quote, wanted: tuple[str, ...], tick: Tick, control: Controls
) -> tuple[Disposition, str]:
    """A quote's disposition and the code of its refusal, '' where an order stands for it."""
    code = barred(quote, account, tick, control)
    if code in (RefusalCode.DISABLED, RefusalCode.AUTO_DISABLED):
        return Disposition.SHADOW, code
    if code is not None:
        return Disposition.REFUSED, code
    if _stands(account, quote):
        return Disposition.RESTING, ""
    if not wanted:
        return Disposition.SIZED_TO_ZERO, RefusalCode.MIN_SIZE
    said = (account.said.get((quote.strategy, token)) for token in wanted)
    return Disposition.REFUSED, next((words[1] for words in said if words), RefusalCode.HOLDING)


def _stands(account: Portfolio, quote: Quote) -> bool:
    """Whether an order of the quote is open."""
    return any(
        order.market == quote.market
        and order.strategy == quote.strategy
        and order.purpose is Purpose.QUOTE
        for order in account.orders.values()
    )
