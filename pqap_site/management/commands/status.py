"""What /api/status says, for a terminal."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from dashboard import reads
from dashboard.apps import DashboardConfig
from pqap_site.supervisor import lock


class Command(BaseCommand):
    """Works whether or not the environment is running."""

    help = "Print the environment's capital, strategies, collection and limits."

    def add_arguments(self, parser: CommandParser) -> None:
        """--json prints it as the API would."""
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read once and print; the start is the running environment's, not this command's."""
        since = lock.notes(settings.PATHS.lock).get("since")
        if since:
            DashboardConfig.started_at = int(since * 1000)
        told = json.loads(json.dumps(reads.status(), cls=DjangoJSONEncoder))
        lines = [json.dumps(told, indent=2)] if options["json"] else outline(told)
        self.stdout.write("\n".join(lines))


def outline(value: Any, indent: str = "") -> list[str]:
    """Nested facts as indented lines, a list's items each on one line where they are plain."""
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _entry(key, item, indent)]
    if isinstance(value, list):
        return [indent + _one_line(item) for item in value]
    return [indent + _plain(value)]


def _entry(key: str, item: Any, indent: str) -> list[str]:
    if isinstance(item, dict | list) and item:
        return [f"{indent}{key}:", *outline(item, indent + "  ")]
    return [f"{indent}{key}: {_plain(item)}"]


def _one_line(item: Any) -> str:
    if isinstance(item, dict):
        return "  ".join(f"{key} {_plain(fact)}" for key, fact in item.items())
    return _plain(item)


def _plain(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
