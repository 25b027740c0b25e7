"""Delete what has outlived its time now, or say what would go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets.services import pruning
from markets.services.pruning import Pruned

SLICE_SECONDS = 3_600


class Command(BaseCommand):
    """The scheduler does the same a little at a time; this does all that is due at once."""

    help = "Thin old snapshots and delete what is older than the configuration keeps."

    def add_arguments(self, parser: CommandParser) -> None:
        """--dry-run counts and deletes nothing."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete or count, and say how much."""
        now = int(timezone.now().timestamp() * 1000)
        if options["dry_run"]:
            self._tell("Would delete", pruning.would(now))
            return
        done = pruning.tidy(now, seconds=SLICE_SECONDS)
        if done is None:
            raise CommandError("Another process is sealing or pruning; try again later.")
        self._tell("Deleted", done)

    def _tell(self, verb: str, found: Pruned) -> None:
        told = [f"{rows:,} rows of {table}" for table, rows in sorted(found.rows.items())]
        if found.files:
            told.append(f"{found.files} raw files ({found.bytes:,} bytes)")
        self.stdout.write(f"{verb} {', '.join(told) or 'nothing'}.")
