"""Bring finished days into the archive now, or check those that lie there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets.archive.days import date_of
from markets.core.types import DayState
from markets.management.arguments import day
from markets.selectors import days
from markets.services import sealing

SLICE_SECONDS = 3_600


class Command(BaseCommand):
    """The scheduler does the same a little at a time; this does all that is due at once."""

    help = "Seal every finished day, or one, in the archive; --check reads sealed days again."

    def add_arguments(self, parser: CommandParser) -> None:
        """A day or all, sealing or checking."""
        parser.add_argument("day", nargs="?", type=day, help="a UTC date such as 2026-01-31")
        parser.add_argument("--check", action="store_true", help="only read the files again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal or check, and say what came of it."""
        if options["check"]:
            self._check(options["day"])
        else:
            self._seal(options["day"])

    def _seal(self, wanted: int | None) -> None:
        now = int(timezone.now().timestamp() * 1000)
        due = [began for began, row in days.finished() if not row or row.state != DayState.SEALED]
        if wanted is not None:
            due = [began for began in due if began == wanted]
            if not due and not days.sealed(wanted, wanted + 1):
                raise CommandError(
                    f"{date_of(wanted)} has no ticks or is not over: a day is sealed once a tick "
                    "of a later day has come."
                )
        for began in due:
            done = sealing.run(now, seconds=SLICE_SECONDS, day=began)
            if done.busy:
                raise CommandError("Another process is sealing or pruning; try again later.")
            self._tell(began)
        if not due:
            self.stdout.write("Nothing to seal.")

    def _tell(self, began: int) -> None:
        found = days.sealed(began, began + 1)
        if not found:
            raise CommandError(f"{date_of(began)} could not be sealed: {days.reason(began)}")
        size = sum(file.bytes for file in found[0].files.all())
        self.stdout.write(
            f"Sealed {date_of(began)}: {found[0].ticks} ticks, {found[0].snapshots} rows, "
            f"{size:,} bytes in {days.folder(began).path}."
        )

    def _check(self, wanted: int | None) -> None:
        chosen = days.sealed(wanted or 0, wanted + 1 if wanted is not None else 1 << 62)
        wrong = 0
        for row in chosen:
            try:
                sealing.check(row)
            except sealing.Unequal as unequal:
                wrong += 1
                self.stderr.write(str(unequal))
            else:
                self.stdout.write(f"{date_of(row.began_at)} is as it was sealed.")
        if wrong:
            raise CommandError(f"{wrong} of {len(chosen)} days are not as they were sealed.")
        if not chosen:
            raise CommandError("No such day is sealed.")
