"""Take open orders back, by a person's decision."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import cancel_scope
from execution.selectors import orders
from markets.core.amounts import plain


class Command(BaseCommand):
    """In all three accounts; a strategy that still wants the same orders again."""

    help = "Cancel open orders: everywhere, of one strategy, in one market, or one order."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to cancel, and why."""
        parser.add_argument(
            "scope", type=cancel_scope, help="all, strategy:NAME, market:ID or order:ID"
        )
        deciding.needs_why(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the decision and say what will be taken back."""
        scope = options["scope"]
        deciding.decide(ChangeKind.CANCEL, scope=scope, why=options["why"])
        for order in orders.open_in(scope):
            self.stdout.write(
                f"  {order.account}: {order.side} {plain(order.size - order.filled)} "
                f"{order.outcome} of {order.market} at {plain(order.price)} ({order.strategy})"
            )
        self.stdout.write(
            f"Open orders in {scope} are cancelled on {deciding.when()}, in all three accounts. "
            "A strategy that still wants them orders again: `halt` or disable it to stop that."
        )
