"""What is allowed but will not do what its author hopes: limits that cannot bind, caps too low."""

import ipaddress
from collections.abc import Iterator

from execution.core.risk import Limits
from execution.core.sizing import Sizing
from markets.core.amounts import plain
from markets.core.types import ONE
from pqap_site.config.schema import Collection, Exchange, File

MINIMUM_SHARES = 5
MINIMUM_DOLLARS = 1
"""The exchange's smallest order: both must be reached."""

UNPROVEN = 100_000
"""The Kelly fraction for a strategy without a record (0.10) ..."""
BOLDEST = 250_000
"""... and for any strategy at all (0.25): raw Kelly overbets with estimated probabilities."""
HEDGED = ("max_capital_per_market",)
"""Limits on cost, which pairs use up although they can lose nothing."""

Advice = tuple[tuple[str, ...], str]
"""Where it applies, and the sentence."""


def advice(file: File, limits: Limits, sizing: Sizing, tradable: int) -> Iterator[Advice]:
    """Every warning a whole file deserves; `tradable` counts the enabled strategies."""
    yield from _limits(file.initial_capital, limits, sizing, tradable)
    yield from _kelly(sizing)
    yield from _smallest_order(file.initial_capital, limits, sizing)
    yield from _collection(file.collection)
    yield from _exchange(file.env, file.exchange)
    if file.api.public_read and not _loopback(file.api.bind):
        text = f"anyone who reaches {file.api.bind} can read everything without a login"
        yield ("api", "public_read"), text
    if not file.enabled_strategies:
        yield ("enabled_strategies",), "no strategy is enabled: monitoring only, nothing trades"


def percent(share: int) -> str:
    """A micro fraction in percent: 10 %."""
    return f"{plain(share * 100)} %"


def _limits(capital: int, limits: Limits, sizing: Sizing, tradable: int) -> Iterator[Advice]:
    """Each money limit against what stops trading earlier, at the initial capital."""
    bounds = _bounds(capital, limits, sizing, tradable)
    for name, others in bounds.items():
        limit = int(getattr(limits, name))
        first, why = min(others, key=lambda other: other[0])
        if limit > first:
            above = " is above the capital and" if limit > capital else ""
            text = f"{plain(limit)}{above} can never bind: {why}, comes first"
            yield ("risk_limits", name), text
        elif name in HEDGED and limit > limits.max_event_loss:
            most = plain(limits.max_event_loss)
            text = f"binds only where holdings hedge each other: max_event_loss, {most} dollars"
            yield ("risk_limits", name), f"{plain(limit)} {text}, comes first"
    if not limits.daily_loss_limit:
        yield ("risk_limits", "daily_loss_limit"), "0 stops every opening, at once and every day"
    yield from _softer(capital, limits)


def _bounds(
    capital: int, limits: Limits, sizing: Sizing, tradable: int
) -> dict[str, tuple[tuple[int, str], ...]]:
    """What stops trading earlier, for each money limit: dollars, and in words."""
    drawdown = capital * limits.max_drawdown // ONE
    spendable = capital - capital * sizing.cash_floor // ONE
    fraction = capital * sizing.max_fraction_per_market // ONE
    together = limits.max_capital_per_strategy * max(tradable, 1)
    by_capital = (capital, f"the capital, {plain(capital)} dollars")
    by_floor = (spendable, f"sizing.cash_floor, which leaves {plain(spendable)} dollars")
    by_fraction = (
        fraction,
        f"sizing.max_fraction_per_market, {plain(fraction)} dollars at first",
    )
    by_strategies = (together, f"max_capital_per_strategy, {plain(together)} dollars in all")
    share = percent(limits.max_drawdown)
    by_drawdown = (drawdown, f"max_drawdown, {plain(drawdown)} dollars ({share} of the capital)")
    cluster, total = limits.max_cluster_loss, limits.max_total_exposure
    by_cluster = (cluster, f"max_cluster_loss, {plain(cluster)} dollars")
    by_total = (total, f"max_total_exposure, {plain(total)} dollars")
    spent = (by_capital, by_floor, by_strategies)
    return {
        "max_capital_per_market": (by_capital, by_floor, by_fraction, by_strategies),
        "max_capital_per_strategy": (by_capital, by_floor),
        "daily_loss_limit": (by_capital, by_drawdown),
        "max_event_loss": (*spent, by_cluster, by_total),
        "max_cluster_loss": (*spent, by_total),
        "max_total_exposure": spent,
    }


def _softer(capital: int, limits: Limits) -> Iterator[Advice]:
    """Steps that come after the stop they should soften."""
    if limits.halve_at_drawdown >= limits.max_drawdown:
        text = f"never acts: max_drawdown, {percent(limits.max_drawdown)}, comes first"
        yield ("risk_limits", "halve_at_drawdown"), f"{percent(limits.halve_at_drawdown)} {text}"
    drawdown = capital * limits.max_drawdown // ONE
    if limits.flatten_at_daily_loss > drawdown:
        text = f"never acts: max_drawdown, {plain(drawdown)} dollars, comes first"
        yield (
            ("risk_limits", "flatten_at_daily_loss"),
            (f"{plain(limits.flatten_at_daily_loss)} {text}"),
        )


def _kelly(sizing: Sizing) -> Iterator[Advice]:
    place, fraction = ("sizing", "kelly_fraction"), sizing.kelly_fraction
    if fraction > BOLDEST:
        yield place, f"{plain(fraction)} is above {plain(BOLDEST)}: no record justifies that"
    elif fraction > UNPROVEN:
        text = "wants 200 closed trades over at least 50 events first"
        yield place, f"{plain(fraction)} is above {plain(UNPROVEN)}, which {text}"


def _smallest_order(capital: int, limits: Limits, sizing: Sizing) -> Iterator[Advice]:
    caps = {
        ("risk_limits", "max_capital_per_market"): limits.max_capital_per_market,
        ("risk_limits", "max_capital_per_strategy"): limits.max_capital_per_strategy,
        ("risk_limits", "max_event_loss"): limits.max_event_loss,
        ("risk_limits", "max_cluster_loss"): limits.max_cluster_loss,
        ("risk_limits", "max_total_exposure"): limits.max_total_exposure,
        ("sizing", "max_fraction_per_market"): capital * sizing.max_fraction_per_market // ONE,
        ("sizing", "cash_floor"): capital - capital * sizing.cash_floor // ONE,
    }
    place, most = min(caps.items(), key=lambda cap: cap[1])
    minimum = f"the exchange's minimum of {MINIMUM_SHARES} shares and {MINIMUM_DOLLARS} dollar"
    if most < MINIMUM_DOLLARS * ONE:
        yield place, f"leaves {plain(most)} dollars an order, below {minimum}: nothing can trade"
    elif most < MINIMUM_SHARES * ONE:
        price = plain(most // MINIMUM_SHARES)
        text = f"leaves {plain(most)} dollars an order: {minimum} fits only at prices up to {price}"
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
