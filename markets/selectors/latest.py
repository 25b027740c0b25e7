"""The newest quote of every tracked market as columns: one read, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection

from markets.core.tick import Flags, Ints
from markets.selectors import universes

_CELLS = (
    "market_id",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "observed_at",
    "CASE WHEN bid_valid AND ask_valid AND coherent THEN 1 ELSE 0 END",
)

_name_of: dict[int, str] = {}
"""Condition id of each local key read last; a key is never given to another market."""


@dataclass(frozen=True, eq=False, slots=True)
class Quotes:
    """YES touches, one entry a market in each column; prices, sizes in micro, times in ms UTC.

    A missing side is bid 0 or ask ONE with size 0. `observed_at` 0 means never read. `trusted`
    tells where both sides were shown and the two books agreed.
    """

    market: tuple[str, ...]
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints
    observed_at: Ints
    trusted: Flags


def quotes() -> Quotes:
    """What the newest tick shows of each tracked market, by condition id in no set order.

    Nothing of a tick is kept between calls, so what any process has committed is seen at once.
    """
    read = _packed if connection.vendor == "postgresql" else _written
    keys, *columns, trusted = read()
    return Quotes(_names(keys.tolist()), *columns, trusted.astype(np.bool_))


def _written() -> Sequence[Ints]:
    """Each column as one text of numbers: making a Python number of each cell takes longer."""
    with connection.cursor() as cursor:
        cursor.execute(_query("json_group_array({})"))
        texts = [text[1:-1] for text in cursor.fetchone()]
    cells = np.fromstring(",".join(filter(None, texts)), dtype=np.int64, sep=",")
    return list(cells.reshape(len(texts), -1))


def _packed() -> Sequence[Ints]:
    """Each column as one string of eight bytes a number, the server's own form of a bigint."""
    query = _query("string_agg(int8send({}), '')")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["bytea"] * len(_CELLS))
        (row,) = copy.rows()
    return [np.frombuffer(column or b"", dtype=">i8").astype(np.int64) for column in row]


def _query(gathered: str) -> str:
    columns = ", ".join(gathered.format(cell) for cell in _CELLS)
    return f"SELECT {columns} FROM markets_latest WHERE tracked"


def _names(keys: list[int]) -> tuple[str, ...]:
    """Condition ids of local keys, in their order; asked for only where a key is new."""
    global _name_of
    name_of = _name_of
    if not name_of.keys() >= set(keys):
        name_of = _name_of = universes.condition_ids(keys)
    return tuple(map(name_of.__getitem__, keys))


def forget() -> None:
    """Drop what was kept in memory; needed only where the database itself is replaced."""
    global _name_of
    _name_of = {}
