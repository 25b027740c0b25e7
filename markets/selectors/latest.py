"""The newest quote of every tracked market, in one short query, as columns."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from django.db import connection

from markets.core.tick import Flags, Ints, Universe
from markets.selectors import universes

_QUERY = """
    SELECT market_id, bid, ask, bid_size, ask_size, observed_at, bid_valid, ask_valid, coherent
    FROM markets_latest WHERE tracked"""


@dataclass(frozen=True, slots=True, eq=False)
class Latest:
    """Touch of YES by column of the universe, as in a Tick; `known` where a quote was stored."""

    universe: Universe
    known: Flags
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints
    observed_at: Ints
    bid_valid: Flags
    ask_valid: Flags
    coherent: Flags


def latest() -> Latest | None:
    """The newest quotes of the universe in force, None before the first one."""
    tracked = universes.newest()
    if tracked is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_QUERY)
        numbers = chain.from_iterable(cursor.fetchall())
        rows = np.fromiter(numbers, dtype=np.int64).reshape(-1, 9)
    keys = np.array(tracked.keys, dtype=np.int64)
    order = np.argsort(keys)
    place = np.searchsorted(keys, rows[:, 0], sorter=order).clip(max=len(keys) - 1)
    columns = order[place]
    inside = keys[columns] == rows[:, 0]
    table = np.zeros((8, len(keys)), dtype=np.int64)
    table[:, columns[inside]] = rows[inside, 1:].T
    known = np.zeros(len(keys), dtype=np.bool_)
    known[columns[inside]] = True
    return Latest(tracked.universe, known, *table[:5], *(table[5:] > 0))
