"""The depletion ledger: what we took from a displayed level stays taken until it is refreshed."""

from collections.abc import Mapping

from execution.core.types import Depletion, LevelKey
from markets.core.tick import Tick
from markets.core.types import ONE


def level_key(token: str, buy: bool, price: int, tick: Tick) -> LevelKey:
    """One key for a level and its mirror: taking NO asks at p is taking YES bids at 1 - p."""
    column, side = tick.universe.token[token]
    yes = tick.universe.markets[column].yes.id
    return (yes, buy, price) if side == 0 else (yes, not buy, ONE - price)


def refresh(depleted: Mapping[LevelKey, Depletion], tick: Tick) -> Mapping[LevelKey, Depletion]:
    """Forget what we took where the level grew or went: what we took stays taken until then."""
    if not depleted:
        return depleted
    kept = {}
    for key, gone in depleted.items():
        displayed = _displayed(key, tick)
        if displayed is None:
            kept[key] = gone
        elif 0 < displayed <= gone.displayed:
            kept[key] = Depletion(min(gone.taken, displayed), displayed)
    return kept


def _displayed(key: LevelKey, tick: Tick) -> int | None:
    """Shares now shown at a level, 0 when it is gone, None when the books cannot be trusted."""
    yes, is_ask, price = key
    if yes not in tick.universe.token:
        return 0
    column, _ = tick.universe.token[yes]
    if not tick.coherent[column]:
        return None
    book = tick.book(yes)
    side = book.asks if is_ask else book.bids
    return next((level.size for level in side if level.price == price), 0)
