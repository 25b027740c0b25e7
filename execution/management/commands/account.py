"""The accounts: a new beginning, and what became of the ones before."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from execution.core.interchange import instant
from execution.core.types import ChangeKind
from execution.management import deciding
from execution.management.scopes import dollars
from execution.selectors import accounts
from markets.core.amounts import plain


class Command(BaseCommand):
    """`new` archives all three accounts and opens fresh ones; nothing is deleted."""

    help = "Begin new accounts, or show those there are and were."

    def add_arguments(self, parser: CommandParser) -> None:
        """new, list or show."""
        actions = parser.add_subparsers(dest="action", required=True)
        new = actions.add_parser("new", help="archive the accounts and begin again")
        new.add_argument(
            "--capital", type=dollars, help="dollars (default: initial_capital as configured)"
        )
        deciding.needs_why(new)
        actions.add_parser("list", help="every account, archived ones too")
        actions.add_parser("show", help="the accounts' figures now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked."""
        match options["action"]:
            case "new":
                self._begin(options["capital"] or settings.PQAP.initial_capital, options["why"])
            case "list":
                self._list()
            case _:
                self._show()

    def _begin(self, capital: int, why: str) -> None:
        deciding.decide(ChangeKind.NEW_ACCOUNT, value=str(capital), why=why)
        for held in accounts.capital():
            self.stdout.write(
                f"  {held.account}: archived with equity of {plain(held.equity)}, P&L "
                f"{plain(held.pnl)} dollars since {instant(held.opened_at)}"
            )
        self.stdout.write(
            f"On {deciding.when()} open orders are cancelled, the three accounts are archived as "
            f"they stand, what they hold included, and new ones begin with {plain(capital)} "
            "dollars each. `account list` shows the old ones; trades, orders and the ledger stay."
        )

    def _list(self) -> None:
        for held in accounts.capital():
            self.stdout.write(
                f"{held.account} {held.era}: since {instant(held.opened_at)}, equity "
                f"{plain(held.equity)}, P&L {plain(held.pnl)}"
            )
        for era in accounts.eras():
            self.stdout.write(
                f"{era.account} {era.era}: {instant(era.opened_at)} to {instant(era.closed_at)}, "
                f"equity {plain(era.equity)}, P&L {plain(era.pnl)}, {era.trades} trades, "
                f"archived by {era.who}: {era.why}"
            )

    def _show(self) -> None:
        for held in accounts.capital():
            self.stdout.write(f"{held.account} {held.era}, since {instant(held.opened_at)}")
            for name in (
                *("deposits", "cash", "reserved", "equity", "pnl", "realized_pnl"),
                *("unrealized_pnl", "fees", "high_water", "day_pnl"),
            ):
                self.stdout.write(f"  {name.replace('_', ' ')}: {plain(getattr(held, name))}")
            self.stdout.write(f"  stopped: {held.stopped or 'no'}")
