"""Stop opening positions, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from execution.core.decisions import FLATTEN
from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import scope
from execution.services import stopfile

PATIENCE_MS = 3000


class Command(BaseCommand):
    """The halt latches: it survives restarts until someone resumes with a reason.

    Where the database cannot be written, the file HALT halts everything instead.
    """

    help = "Stop opening positions: everywhere, for one strategy or in one market."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to stop, whether to sell what is held there, and why."""
        parser.add_argument(
            "--scope", type=scope, default="all", help="all, strategy:NAME or market:ID"
        )
        parser.add_argument("--flatten", action="store_true", help="sell what is held there, too")
        deciding.needs_why(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision; the desk applies it on its next tick."""
        value = FLATTEN if options["flatten"] else ""
        try:
            _be_quick()
            deciding.decide(
                ChangeKind.HALT, scope=options["scope"], value=value, why=options["why"]
            )
        except DatabaseError as fault:
            self._by_file(options, fault)
            return
        self.stdout.write(f"Halted {options['scope']} from the next tick on. `resume` ends it.")
        if options["flatten"]:
            self.stdout.write(
                f"Open orders there are cancelled and holdings are sold from {deciding.when()} on, "
                "until nothing is left that can be sold; only these sales are made under the halt."
            )

    def _by_file(self, options: dict[str, Any], fault: DatabaseError) -> None:
        path = stopfile.write(f"{deciding.who()}: {options['why']}")
        self.stdout.write(
            f"The database cannot be written ({fault}), so {path} halts everything from the next "
            "tick on. `resume` ends it."
        )
        if options["flatten"]:
            self.stdout.write("Nothing is sold yet: halt with --flatten again when it can be.")


def _be_quick() -> None:
    """Do not wait as long for a locked database as work that can wait does."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
