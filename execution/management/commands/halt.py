"""Stop opening positions, now."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from execution.core.types import ChangeKind
from execution.management.scopes import scope
from execution.services import changes


class Command(BaseCommand):
    """The halt latches: it survives restarts until someone resumes with a reason."""

    help = "Stop opening positions: everywhere, for one strategy or in one market."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to stop, and why."""
        parser.add_argument(
            "--scope", type=scope, default="all", help="all, strategy:NAME or market:ID"
        )
        parser.add_argument("--why", required=True, help="kept with the decision")

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision; the desk applies it on its next tick."""
        changes.record(
            kind=ChangeKind.HALT,
            scope=options["scope"],
            who=getpass.getuser(),
            why=options["why"],
        )
        self.stdout.write(f"Halted {options['scope']} from the next tick on. `resume` ends it.")
