"""How commands decide: the same argument for the reason, the same words for when it happens."""

import getpass

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from execution.core.types import ChangeKind
from execution.selectors import control
from execution.services import changes, stopfile


def needs_why(parser: CommandParser) -> None:
    """Every decision needs a reason."""
    parser.add_argument("--why", required=True, help="kept with the decision")


def who() -> str:
    """The person at the machine."""
    return getpass.getuser()


def decide(kind: ChangeKind, *, why: str, scope: str = "", value: str = "") -> int:
    """Store a decision; a bad one is one sentence on the command line."""
    try:
        return changes.record(kind=kind, scope=scope, value=value, who=who(), why=why)
    except changes.BadChange as fault:
        raise CommandError(str(fault)) from None


def when() -> str:
    """When the desk applies what was decided."""
    seconds = settings.PQAP.collection.poll_seconds
    return f"the next tick (one every {seconds:g} s while PQAP runs)"


def stops() -> list[str]:
    """Halts that keep holdings from being sold, as sentences; the file is one."""
    found = [f"{halt.scope} is halted: {halt.reason}" for halt in control.halts()]
    said = stopfile.reason()
    return [*found, f"{stopfile.path()} halts everything: {said}"] if said else found
