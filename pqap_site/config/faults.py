"""What is wrong with a configuration, in one clear line a fault and never with a secret in it."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

SECRET_KEY = re.compile(r"(?i)api_?key|secret|token|passw|private|chat_?id|credential|mnemonic")
SECRET_VALUE = re.compile(
    r"(0x)?[0-9a-fA-F]{64}|[0-9]{6,}:[\w-]{30,}|[a-zA-Z]+://[^/]*@.*|[A-Za-z0-9+/_-]{32,}=+"
    r"|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9+_-]{40,}"
)
SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to correct; `line` is 0 where the file has none for it."""

    line: int
    key: str
    text: str

    def told(self, name: str) -> str:
        """The fault as people read it: file:line: key: text."""
        where = f"{name}:{self.line}" if self.line else name
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class Refused(Exception):
    """The configuration cannot be used; its text has one line for each fault."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(fault.told(name) for fault in self.faults))


def not_allowed(line: int, key: str, given: str, must: str, hint: str = "") -> Fault:
    """A value that may not stand there."""
    return Fault(line, key, f"{shown(given, key)} is not allowed; it must be {must}{hint}")


def unknown(line: int, key: str, given: str, name: str, allowed: Iterable[str]) -> Fault:
    """A key nobody knows, with those allowed in its place."""
    known = list(allowed)
    text = f"unknown key, given {shown(given, key)}; allowed here: {', '.join(known) or 'none'}"
    if SECRET_KEY.search(key):
        text += "; secrets belong in .env, never in this file"
    return Fault(line, shown(key), text + suggestion(name, known))


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' when a known word is near, else nothing."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""


def shown(text: str, key: str = "") -> str:
    """A value fit for a message: one line, short, and hidden when it may be a secret."""
    pinned = key.startswith("collection.pinned")
    if SECRET_KEY.search(key) or (SECRET_VALUE.fullmatch(text) and not pinned):
        return "(hidden)" if text else '""'
    clean = text if text.isprintable() else ascii(text)[1:-1]
    return (clean if len(clean) <= SHOWN else clean[:SHOWN] + "...") or '""'
