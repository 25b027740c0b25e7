"""Asking every strategy about one tick; one that fails is silent and stops no other."""

from collections.abc import Iterable

import numpy as np

from markets.core.panel import Panel
from strategies.core.ports import Strategy
from strategies.core.types import Basket, Opinion, Silence, silence_code

LONGEST = 300
"""Characters of an exception's text that are kept."""


def evaluate(strategies: Iterable[Strategy], panel: Panel) -> tuple[Opinion, ...]:
    """What each strategy believes at the panel's newest tick, in name order."""
    return tuple(_ask(each, panel) for each in sorted(strategies, key=lambda each: each.name))


def _ask(strategy: Strategy, panel: Panel) -> Opinion:
    try:
        opinion = strategy.evaluate(panel)
        _check(opinion, panel)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:LONGEST]
        return silent(strategy, panel, Silence.ERROR, text)
    return opinion


def silent(strategy: Strategy, panel: Panel, reason: Silence, text: str = "") -> Opinion:
    """The Opinion of a strategy that says nothing about any market, for one reason."""
    n = len(panel.tick.universe)
    return Opinion(
        strategy=strategy.name,
        version=strategy.version,
        signals=(),
        silence=np.full(n, silence_code(reason), dtype=np.int8),
        fair=np.zeros(n, dtype=np.int64),
        close=np.zeros(n, dtype=np.int8),
        detail=dict.fromkeys(range(n), text) if text else {},
    )


def _check(opinion: Opinion, panel: Panel) -> None:
    """Refuse what would fail further right, where it could no longer be blamed on its author."""
    n = len(panel.tick.universe)
    for name in ("silence", "fair", "close"):
        shape = getattr(opinion, name).shape
        if shape != (n,):
            raise ValueError(f"{name} has shape {shape}, the tick has {n} markets")
    known = panel.tick.universe.column
    for signal in opinion.signals:
        for part in signal.legs if isinstance(signal, Basket) else (signal,):
            if part.market not in known:
                raise ValueError(f"signal for market {part.market}, which is not in the tick")
        if isinstance(signal, Basket) and signal.convert:
            _check_conversion(signal, panel)


def _check_conversion(basket: Basket, panel: Panel) -> None:
    """Only NO shares of different markets of one neg-risk event can be converted."""
    universe = panel.tick.universe
    markets = [universe.markets[universe.column[leg.market]] for leg in basket.legs]
    no_only = all(m.no.id == leg.token for m, leg in zip(markets, basket.legs, strict=True))
    one_event = len({m.event.id for m in markets}) == 1 and markets[0].event.neg_risk
    if not (no_only and one_event and len({m.id for m in markets}) == len(markets)):
        raise ValueError("a basket to convert needs NO shares of one neg-risk event's markets")
