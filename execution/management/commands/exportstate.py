"""Write what the accounts hold to a file, or print it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from execution.services import statefile


class Command(BaseCommand):
    """Changes nothing; the same text as `paper_trading_state.json`, as of now."""

    help = "Write the accounts' state as canonical, checksummed JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", help="a file (default: print it)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read once and write whole."""
        text = statefile.current()
        if not options["file"]:
            self.stdout.write(text, ending="")
            return
        path = Path(options["file"])
        try:
            statefile.write(path, text)
        except OSError as fault:
            raise CommandError(f"{path} cannot be written: {fault}") from None
        self.stdout.write(f"Wrote {path}, {len(text)} bytes.")
