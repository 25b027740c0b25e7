"""Allow opening positions again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import scope


class Command(BaseCommand):
    """Ends a halt of the same scope and re-bases the high-water of stopped accounts."""

    help = "End a halt: everywhere, for one strategy or in one market."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to resume, and why."""
        parser.add_argument(
            "--scope", type=scope, default="all", help="all, strategy:NAME or market:ID"
        )
        deciding.needs_why(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision; the desk applies it on its next tick."""
        deciding.decide(ChangeKind.RESUME, scope=options["scope"], why=options["why"])
        self.stdout.write(f"Resumed {options['scope']} from the next tick on.")
