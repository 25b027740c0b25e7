"""Work the queues of one environment."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pqap_site import worker


class Command(BaseCommand):
    """`runworker` alone works everything; runpqap starts one for each queue."""

    help = "Run a Celery worker, and the scheduler with --beat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--queues and --beat."""
        parser.add_argument(
            "--queues",
            choices=[*worker.QUEUES, "none"],
            default="all",
            help="which tasks to run; none with --beat is the scheduler alone",
        )
        parser.add_argument("--beat", action="store_true", help="run the scheduler, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Block until told to stop."""
        queues, beat = options["queues"], options["beat"]
        if queues == "none" and not beat:
            raise CommandError("--queues none without --beat has nothing to do: add --beat.")
        sys.exit(worker.schedule() if queues == "none" else worker.work(queues, beat=beat))
