"""How the configured strategies would have done on recorded ticks."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from execution.management import backtests
from execution.services import backtesting
from execution.services.backtesting import ENDLESS, Asked, Impossible
from markets.core.tick import Tick
from markets.management.arguments import instant
from markets.sources.recording import NotARecording

DAY_MS = 86_400_000


class Command(BaseCommand):
    """The same turn as the desk's, over the database, the archive or a recording; writes no row."""

    help = "Run the configured strategies over recorded ticks, on three fresh paper accounts."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The configuration is settled by manage.py; it stays here for --help."""
        parser.add_argument("config", nargs="?", help="a file such as configs/dev.yaml")
        parser.add_argument("--from", dest="since", type=instant, help="a date, or an ISO time")
        parser.add_argument("--to", dest="until", type=instant, help="the end, left out itself")
        parser.add_argument("--data", type=Path, help="a recording instead of the database")
        parser.add_argument(
            "--strategy", action="append", default=[], metavar="NAME",
            help="let only this one trade, enabled or not; repeatable",
        )  # fmt: skip
        parser.add_argument(
            "--decisions", action="store_true", help="apply people's recorded decisions, too"
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 with a result, 1 where there is nothing to run over."""
        asked = self._asked(options)
        self._day = -1
        try:
            done = backtesting.run(asked, self._tell)
        except (Impossible, NotARecording) as fault:
            raise CommandError(str(fault)) from None
        except DatabaseError as fault:
            raise CommandError(f"The database cannot be read: {fault}") from None
        told = backtests.document(asked, done)
        found = [json.dumps(told, indent=2)] if options["json"] else backtests.lines(told)
        self.stdout.write("\n".join(found))

    def _asked(self, options: dict[str, Any]) -> Asked:
        since, until, file = options["since"], options["until"], options["data"]
        if file is None and (since is None or until is None):
            raise CommandError("Name a span with --from and --to, or a recording with --data.")
        if file is not None and options["decisions"]:
            raise CommandError("A recording holds no decisions; --decisions needs the database.")
        since, until = since or 0, until if until is not None else ENDLESS
        if since >= until:
            raise CommandError("--from must be before --to.")
        return Asked(since, until, file, tuple(options["strategy"]), options["decisions"])

    def _tell(self, tick: Tick) -> None:
        """One line a day where somebody watches."""
        day = tick.at // DAY_MS
        if day != self._day and self.stderr.isatty():
            self.stderr.write(f"... {backtests.instant(tick.at)}")
        self._day = day
