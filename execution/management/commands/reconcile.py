"""Compare the accounts with the ledger, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution.services import reconciling


class Command(BaseCommand):
    """What runs at every start and every ten minutes; a new fault halts everything."""

    help = "Recompute the accounts from ledger, trades and orders, and compare."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say each fault; exit with 1 where there is one."""
        faults = reconciling.reconcile()
        for fault in faults:
            self.stdout.write(f"  {fault}")
        if faults:
            raise CommandError(f"{len(faults)} faults: nothing new is ordered until `resume`")
        self.stdout.write("Accounts and ledger agree.")
