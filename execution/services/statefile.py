"""`paper_trading_state.json`: what the accounts hold, for people and programs; never read back.

The ledger in the database is the truth. The file is rewritten after each batch of ticks that
changed an account; `importstate` takes such a file over as a decision.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from execution.core import interchange
from execution.core.types import Portfolio
from execution.selectors import books

log = logging.getLogger("pqap.desk")

SCHEMA = "pqap.paper_trading_state/1"
SUM = "sha256"

_written: tuple[Path, str] | None = None
_failing = False


def keep(portfolios: Mapping[str, Portfolio], at: int) -> bool:
    """Write the file where an account changed since it was last written; whether it was.

    A failure is one warning until it works again: no tick fails because of it.
    """
    global _written, _failing
    path = settings.PATHS.state_file
    try:
        accounts = _accounts(portfolios)
        mark = (path, checksum(accounts))
        if _written == mark and path.exists():
            return False
        write(path, text(accounts, at=at, head=books.head()))
    except (OSError, DatabaseError, ValueError) as fault:
        if not _failing:
            log.warning("%s could not be written: %s", path, fault)
        _failing = True
        return False
    _written, _failing = mark, False
    return True


def forget() -> None:
    """Write the file at the next tick, whatever it holds."""
    global _written, _failing
    _written, _failing = None, False


def current() -> str:
    """The file's text as of now, from one reading of the database."""
    found = books.books()
    return text(_accounts(found.portfolios), at=found.at, head=found.head)


def text(accounts: Mapping[str, Any], *, at: int, head: str) -> str:
    """The canonical text: sorted keys, decimal strings, and the checksum of all the rest."""
    document = {
        "schema": SCHEMA,
        "environment": settings.PQAP.env,
        "generated_at": interchange.instant(at),
        "ledger_head": head,
        "accounts": accounts,
    }
    document[SUM] = checksum(document)
    return json.dumps(document, sort_keys=True, indent=2) + "\n"


def checksum(document: Mapping[str, Any]) -> str:
    """SHA-256 of the compact JSON of everything but the checksum itself."""
    rest = {key: value for key, value in document.items() if key != SUM}
    compact = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(compact.encode()).hexdigest()


def write(path: Path, content: str) -> None:
    """Replace a file whole: whoever reads it, and whenever it breaks off, sees one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _accounts(portfolios: Mapping[str, Portfolio]) -> dict[str, Any]:
    return {name: interchange.account(portfolios[name]) for name in sorted(portfolios)}
