"""Take capital out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import dollars
from markets.core.amounts import plain


class Command(BaseCommand):
    """The same amount in every account, so that they stay comparable."""

    help = "Take free cash out of all three accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much, and why."""
        parser.add_argument("amount", type=dollars, help="dollars, such as 250.50")
        deciding.needs_why(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision; the desk applies it on its next tick."""
        amount = options["amount"]
        deciding.decide(ChangeKind.WITHDRAW, value=str(amount), why=options["why"])
        self.stdout.write(
            f"Taken out: {plain(amount)} dollars in each account on {deciding.when()}. "
            "An account that no longer has it free then refuses, and says so."
        )
