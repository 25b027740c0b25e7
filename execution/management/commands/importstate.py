"""Take an account over from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from execution.core.desk import ACCOUNTS
from execution.core.interchange import Unreadable
from execution.management import deciding
from execution.services import importing
from execution.services.changes import BadChange


class Command(BaseCommand):
    """Once for each file; an account that has traded is left alone unless told to adjust it."""

    help = "Make an account what a state file says: one of ours, or a plain one with cash."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file into which account, and why."""
        parser.add_argument("file", help="a file of exportstate, or plain JSON")
        parser.add_argument("--account", choices=sorted(ACCOUNTS), default="base")
        parser.add_argument("--dry-run", action="store_true", help="only show the differences")
        parser.add_argument(
            "--as-adjustment", action="store_true", help="also into an account that has traded"
        )
        parser.add_argument("--why", default="", help="kept with the decision")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show every difference, then record the decision."""
        try:
            proposal = importing.propose(
                self._content(options["file"]),
                account=options["account"],
                adjust=options["as_adjustment"],
            )
            self._show(proposal)
            if options["dry_run"]:
                self.stdout.write("Nothing was changed: this was a dry run.")
                return
            if not options["why"].strip():
                raise CommandError('why: a reason is needed: --why "..."')
            stored = importing.decide(proposal, who=deciding.who(), why=options["why"])
        except (Unreadable, BadChange) as fault:
            raise CommandError(str(fault)) from None
        if stored:
            self.stdout.write(f"{deciding.when().capitalize()} makes the account so.")
        else:
            self.stdout.write("This file was taken over before: nothing was changed.")

    def _content(self, name: str) -> bytes:
        try:
            return Path(name).read_bytes()
        except OSError as fault:
            raise CommandError(f"{name} cannot be read: {fault.strerror}") from None

    def _show(self, proposal: importing.Proposal) -> None:
        self.stdout.write(f"Account {proposal.account}, file {proposal.wanted.sha256[:12]}:")
        for line in proposal.differences or ("no difference",):
            self.stdout.write(f"  {line}")
        for line in proposal.notes:
            self.stdout.write(f"  note: {line}")
