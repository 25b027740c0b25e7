"""Many rows in one go: COPY and arrays on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Collection, Iterable, Sequence

from django.db import connection

Row = Sequence[object]


def insert(table: str, kinds: dict[str, str], rows: Iterable[Row]) -> None:
    """Add rows to a table; `kinds` gives each column its PostgreSQL type, in the rows' order."""
    columns = ", ".join(kinds)
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(kinds))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
            return
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(kinds.values()))
            for row in rows:
                copy.write_row(row)


def upsert(
    table: str,
    kinds: dict[str, str],
    rows: Sequence[Row],
    *,
    key: str,
    unless_zero: Collection[str] = (),
) -> None:
    """Add rows, or bring those with the same `key` (columns, comma between) up to date.

    Columns named in `unless_zero` keep what they hold where the new value is 0.
    """
    columns, fixed = ", ".join(kinds), key.split(", ")
    news = {name: f"excluded.{name}" for name in kinds if name not in fixed}
    for name in unless_zero:
        news[name] = f"CASE WHEN excluded.{name} = 0 THEN {table}.{name} ELSE excluded.{name} END"
    changes = ", ".join(f"{name} = {value}" for name, value in news.items())
    conflict = f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(kinds))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks}) {conflict}"
            cursor.executemany(sql, rows)
        elif rows:
            arrays = ", ".join(f"%s::{kind}[]" for kind in kinds.values())
            sql = f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) {conflict}"
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
