"""Which SQLite runs PQAP, and the settings that are safe on that release."""

import importlib
import importlib.util
import sys
from typing import Any

RACE_FIRST = (3, 7, 0)
RACE_FIXED = (3, 51, 3)
BACKPORTS: dict[tuple[int, ...], int] = {(3, 50): 7, (3, 44): 6}
"""First patch release of an older line that carries the fix of the WAL-reset race."""


def install() -> None:
    """Put the newer SQLite of the pysqlite3 wheel in place of the standard library's, if installed.

    Must run before Django's own backend is imported: it binds the module's classes.
    """
    if "django.db.backends.sqlite3.base" in sys.modules:
        return
    if importlib.util.find_spec("pysqlite3") is None:
        return
    sys.modules["sqlite3"] = importlib.import_module("pysqlite3")
    sys.modules["sqlite3.dbapi2"] = importlib.import_module("pysqlite3.dbapi2")


def races(version: tuple[int, ...]) -> bool:
    """Whether two connections of this release can corrupt a WAL file by resetting it at once."""
    if not RACE_FIRST <= version < RACE_FIXED:
        return False
    fixed_patch = BACKPORTS.get(version[:2])
    return fixed_patch is None or version[2] < fixed_patch


def pragmas(version: tuple[int, ...]) -> str:
    """The statements each new connection starts with.

    FULL, not NORMAL, because the ledger must survive a power cut whole: with NORMAL the last
    commits may be missing after one, and a trade already announced would be gone. Measured with 100
    rows a commit: 0.6 ms instead of 0.2 ms, and the desk commits once a tick. mmap_size stays 0: a
    file cut short under a mapping kills the process.
    """
    journal = "TRUNCATE" if races(version) else "WAL"
    return (
        f"PRAGMA journal_mode={journal};"
        "PRAGMA synchronous=FULL;"
        "PRAGMA journal_size_limit=27103364;"
        "PRAGMA cache_size=-20000;"
        "PRAGMA temp_store=MEMORY"
    )


def report() -> dict[str, Any]:
    """The release in use and what follows from it, for `doctor` and the system page."""
    install()
    sqlite3 = importlib.import_module("sqlite3")
    affected = races(sqlite3.sqlite_version_info)
    return {
        "version": sqlite3.sqlite_version,
        "bundled": importlib.util.find_spec("pysqlite3") is not None,
        "wal_reset_race": affected,
        "journal_mode": "truncate" if affected else "wal",
    }
