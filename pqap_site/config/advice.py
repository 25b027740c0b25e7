"""What is allowed but will not do what its author hopes: limits that cannot bind, caps too low."""

import ipaddress
from collections.abc import Iterator

from execution.core.risk import Limits
from execution.core.sizing import Sizing
from markets.core.types import ONE
from pqap_site.config.schema import Collection, Exchange, File

MINIMUM_SHARES = 5
MINIMUM_DOLLARS = 1
"""The exchange's smallest order: both must be reached."""

Advice = tuple[tuple[str, ...], str]
"""Where it applies, and the sentence."""


def advice(file: File, limits: Limits, sizing: Sizing, tradable: int) -> Iterator[Advice]:
    """Every warning a whole file deserves; `tradable` counts the enabled strategies."""
    yield from _limits(file.initial_capital, limits, sizing, tradable)
    yield from _smallest_order(file.initial_capital, limits, sizing)
    yield from _collection(file.collection)
    yield from _exchange(file.env, file.exchange)
    if file.api.public_read and not _loopback(file.api.bind):
        text = f"anyone who reaches {file.api.bind} can read everything without a login"
        yield ("api", "public_read"), text
    if not file.enabled_strategies:
        yield ("enabled_strategies",), "no strategy is enabled: monitoring only, nothing trades"


def dollars(amount: int) -> str:
    """Micro-dollars as people write them: 12.5, 100."""
    whole, part = divmod(amount, ONE)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def percent(share: int) -> str:
    """A micro fraction in percent: 10 %."""
    return f"{dollars(share * 100)} %"


def _limits(capital: int, limits: Limits, sizing: Sizing, tradable: int) -> Iterator[Advice]:
    """Each money limit against what stops trading earlier, at the initial capital."""
    drawdown = capital * limits.max_drawdown // ONE
    spendable = capital - capital * sizing.cash_floor // ONE
    fraction = capital * sizing.max_fraction_per_market // ONE
    together = limits.max_capital_per_strategy * max(tradable, 1)
    by_capital = (capital, f"the capital, {dollars(capital)} dollars")
    by_floor = (spendable, f"sizing.cash_floor, which leaves {dollars(spendable)} dollars")
    by_fraction = (
        fraction,
        f"sizing.max_fraction_per_market, {dollars(fraction)} dollars at first",
    )
    by_strategies = (together, f"max_capital_per_strategy, {dollars(together)} dollars in all")
    share = percent(limits.max_drawdown)
    by_drawdown = (drawdown, f"max_drawdown, {dollars(drawdown)} dollars ({share} of the capital)")
    bounds = {
        "max_capital_per_market": (by_capital, by_floor, by_fraction, by_strategies),
        "max_capital_per_strategy": (by_capital, by_floor),
        "daily_loss_limit": (by_capital, by_drawdown),
    }
    for name, others in bounds.items():
        limit = int(getattr(limits, name))
        first, why = min(others, key=lambda other: other[0])
        if limit > first:
            above = " is above the capital and" if limit > capital else ""
            text = f"{dollars(limit)}{above} can never bind: {why}, comes first"
            yield ("risk_limits", name), text
    if not limits.daily_loss_limit:
        yield ("risk_limits", "daily_loss_limit"), "0 stops every opening, at once and every day"


def _smallest_order(capital: int, limits: Limits, sizing: Sizing) -> Iterator[Advice]:
    caps = {
        ("risk_limits", "max_capital_per_market"): limits.max_capital_per_market,
        ("risk_limits", "max_capital_per_strategy"): limits.max_capital_per_strategy,
        ("sizing", "max_fraction_per_market"): capital * sizing.max_fraction_per_market // ONE,
        ("sizing", "cash_floor"): capital - capital * sizing.cash_floor // ONE,
    }
    place, most = min(caps.items(), key=lambda cap: cap[1])
    minimum = f"the exchange's minimum of {MINIMUM_SHARES} shares and {MINIMUM_DOLLARS} dollar"
    if most < MINIMUM_DOLLARS * ONE:
        yield place, f"leaves {dollars(most)} dollars an order, below {minimum}: nothing can trade"
    elif most < MINIMUM_SHARES * ONE:
        price = dollars(most // MINIMUM_SHARES)
        text = (
            f"leaves {dollars(most)} dollars an order: {minimum} fits only at prices up to {price}"
        )
        yield place, text


def _collection(collection: Collection) -> Iterator[Advice]:
    if collection.snapshot_seconds < collection.poll_seconds:
        text = f"{collection.snapshot_seconds} is shorter than poll_seconds: nothing is thinned"
        yield ("collection", "snapshot_seconds"), text
    if len(collection.pinned) > collection.markets:
        text = f"{len(collection.pinned)} pins are more than markets, {collection.markets}"
        yield ("collection", "pinned"), f"{text}: they are tracked beside those"


def _exchange(env: str, exchange: Exchange) -> Iterator[Advice]:
    if exchange.recording and exchange.source != "replay":
        text = f"has no effect, because source is {exchange.source}"
        yield ("exchange", "recording"), text
    if env == "prod" and exchange.source != "polymarket":
        text = f"{exchange.source} in prod: its figures say nothing about the real exchange"
        yield ("exchange", "source"), text


def _loopback(address: str) -> bool:
    return address == "localhost" or ipaddress.ip_address(address).is_loopback
