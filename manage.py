#!/usr/bin/env python
"""Run a command on one environment, settled before Django loads."""

import os
import sys

from pqap_site import environment, lifeline


def main(argv: list[str]) -> int:
    """Say which environment is meant and hand the rest of the arguments to Django."""
    try:
        chosen = environment.resolve(argv, os.environ)
    except environment.Unusable as problem:
        return complain(problem)
    os.environ["PQAP_CONFIG"] = str(chosen.config)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pqap_site.settings")

    if chosen.argv[1:2] == ["checkconfig"]:
        return check_only(chosen.argv)

    from django.conf import settings
    from django.core.management import execute_from_command_line

    from pqap_site import config

    try:
        loaded = settings.PQAP
        if lifeline.VARIABLE not in os.environ:
            print(f"PQAP {loaded.env}: {loaded.path} ({chosen.how})", file=sys.stderr)
        execute_from_command_line(chosen.argv)
    except (config.Refused, environment.Unusable) as problem:
        return complain(problem)
    return 0


def check_only(argv: list[str]) -> int:
    """Without our settings: they would refuse a bad file, and make the folders of a good one."""
    from django.conf import settings

    from pqap_site.management.commands.checkconfig import Command

    settings.configure()
    Command().run_from_argv(argv)
    return 0


def complain(problem: Exception) -> int:
    """One clear message instead of a traceback."""
    print(problem, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
