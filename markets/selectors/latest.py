"""The newest quote of every tracked market as columns: one read, whatever their number."""

from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from markets.selectors import universes

_LATEST = """
    SELECT market_id, bid, ask, bid_size, ask_size, observed_at,
           CASE WHEN bid_valid AND ask_valid AND coherent THEN 1 ELSE 0 END
    FROM markets_latest WHERE tracked"""


@dataclass(frozen=True, slots=True)
class Quotes:
    """YES touches, one entry a market in each column; prices, sizes in micro, times in ms UTC.

    A missing side is bid 0 or ask ONE with size 0. `observed_at` 0 means never read. `trusted`
    tells where both sides were shown and the two books agreed.
    """

    market: tuple[str, ...] = ()
    bid: tuple[int, ...] = ()
    ask: tuple[int, ...] = ()
    bid_size: tuple[int, ...] = ()
    ask_size: tuple[int, ...] = ()
    observed_at: tuple[int, ...] = ()
    trusted: tuple[bool, ...] = ()


def quotes() -> Quotes:
    """What the newest tick shows of each tracked market, by condition id in no set order."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST)
        rows = cursor.fetchall()
    known = universes.newest()
    if not rows or known is None:
        return Quotes()
    keys, *columns, trusted = zip(*rows, strict=True)
    return Quotes(_names(known, keys), *columns, tuple(map(bool, trusted)))


@lru_cache(maxsize=1)
def _names(known: universes.Tracked, keys: tuple[int, ...]) -> tuple[str, ...]:
    """Condition ids of local keys; those of the universe that is about to be left, too."""
    names = (market.id for market in known.universe.markets)
    name_of = dict(zip(known.keys, names, strict=True))
    if not name_of.keys() >= set(keys):
        name_of |= universes.condition_ids(keys)
    return tuple([name_of[key] for key in keys])


def forget() -> None:
    """Drop what was kept in memory; needed only where the database itself is replaced."""
    _names.cache_clear()
