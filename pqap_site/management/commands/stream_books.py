"""Collect from the market stream."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from pqap_site import streaming


class Command(BaseCommand):
    """runpqap starts it where `collection.mode` is stream; alone it serves a service manager."""

    help = "Keep the tracked books from the exchange's market stream and make ticks of them."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Block until told to stop; exit code 1 when it cannot go on."""
        if settings.PQAP.collection.mode != "stream":
            raise CommandError(
                f"collection.mode is {settings.PQAP.collection.mode}: set it to stream, "
                "or let the collect worker poll."
            )
        sys.exit(streaming.run())
