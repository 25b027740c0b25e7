"""Sell what is held, by a person's decision."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import close_scope
from execution.selectors import accounts
from markets.core.amounts import plain


class Command(BaseCommand):
    """Works for strategies that are off, too; a halt must be lifted first, or flatten."""

    help = "Sell everything held: everywhere, by one strategy, in one market, or of one token."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to sell, and why."""
        parser.add_argument(
            "scope", type=close_scope, help="all, strategy:NAME, market:ID or token:ID"
        )
        deciding.needs_why(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision and say what will be sold."""
        scope = options["scope"]
        deciding.decide(ChangeKind.CLOSE, scope=scope, why=options["why"])
        for held in accounts.held_in(scope):
            self.stdout.write(
                f"  {held.account}: {plain(held.size)} {held.outcome} of {held.market} "
                f"({held.strategy}), worth {plain(held.value)} dollars now"
            )
        self.stdout.write(
            f"Orders to buy in {scope} are cancelled and all of this is sold from "
            f"{deciding.when()} on, down to two cents below the bid, tick by tick, until nothing "
            "is left that can be sold. Nothing is bought there meanwhile."
        )
        for stop in deciding.stops():
            self.stdout.write(
                f"{stop}. Nothing is sold under it: `resume` it, or `halt --flatten`."
            )
