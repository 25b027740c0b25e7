"""Everything in one command."""

import logging
import os
import sys
import time
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from pqap_site import identity, startup, titles, worker
from pqap_site.supervisor import lock, port
from pqap_site.supervisor.announce import Announcement, when_listening
from pqap_site.supervisor.child import Program, plain, prefixed
from pqap_site.supervisor.progress import Bar
from pqap_site.supervisor.watch import Supervisor

PRIVATE = 0o077
REFUSED = 2
INTERRUPTED = 130

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Web, workers and scheduler under one roof; one Ctrl-C ends all."""

    help = "Run everything: the web server, the workers and the scheduler."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The configuration is settled by manage.py; it stays here for --help."""
        parser.add_argument("config", nargs="?", help="a file such as configs/dev.yaml")
        parser.add_argument("--port", type=_port, help="instead of api.port")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 after a stop, 1 when a program was given up, 2 when the start is refused."""
        os.umask(PRIVATE)
        configuration = settings.PQAP
        titles.announce(configuration.env, "supervisor")
        try:
            held = lock.Lock(settings.PATHS.lock, env=configuration.env)
        except lock.AlreadyRunning as refusal:
            self._refuse(refusal)
        try:
            code = self._run(held, options["port"] or configuration.api.port)
        except (port.Unavailable, identity.Foreign, startup.Unready) as refusal:
            self._refuse(refusal)
        except KeyboardInterrupt:
            self.stderr.write("Stopped before everything had started.")
            code = INTERRUPTED
        finally:
            held.release()
        sys.exit(code)

    def _run(self, held: lock.Lock, number: int) -> int:
        configuration = settings.PQAP
        announcement = Announcement(configuration, number)
        port.check(configuration.api.bind, number)
        held.note(
            config=str(configuration.path), port=number, url=announcement.url, since=time.time()
        )
        for warning in (*configuration.warnings, *settings.SECRETS.warnings):
            log.warning("%s", warning)
        announcement.password = startup.prepare_database()
        startup.prepare_source()
        startup.prepare_files()
        startup.look_at_exchange()
        with Bar(sys.stderr, "Fast-forward") as bar:
            announcement.leave_out(startup.catch_up(bar))
        startup.ring_first()
        startup.tell()
        when_listening(configuration.api.bind, number, announcement.show)
        code = _supervisor(number).run()
        startup.checkpoint()
        self.stdout.write(f"PQAP {configuration.env} has stopped.")
        return code

    def _refuse(self, refusal: Exception) -> None:
        self.stderr.write(str(refusal))
        sys.exit(REFUSED)


def programs(bind: str, number: int) -> list[Program]:
    """The programs of the default size."""
    host = f"[{bind}]" if ":" in bind else bind
    python = sys.executable
    gunicorn = (
        *(python, "-m", "gunicorn", "--config", "python:pqap_site.gunicorn"),
        *("--bind", f"{host}:{number}", "pqap_site.wsgi:application"),
    )
    return [
        Program("web", "web server", gunicorn),
        _collector(python),
        Program("desk", "desk worker", worker.command("desk", python=python)),
        Program("upkeep", "upkeep worker", worker.command("upkeep", python=python)),
        Program("beat", "scheduler", worker.command("none", beat=True, python=python)),
    ]


def _collector(python: str) -> Program:
    """Who makes the ticks: a worker that is rung, or the stream on its own beat."""
    if settings.PQAP.collection.mode == "stream":
        return Program("stream", "stream", (python, "manage.py", "stream_books"))
    return Program("collect", "collect worker", worker.command("collect", python=python))


def _supervisor(number: int) -> Supervisor:
    configuration = settings.PQAP
    environ = {**os.environ, "PQAP_CONFIG": str(configuration.path), "PYTHONUNBUFFERED": "1"}
    environ |= {"PQAP_STARTED_AT": str(int(time.time() * 1000))}
    return Supervisor(
        programs(configuration.api.bind, number),
        folder=settings.BASE_DIR,
        environ=environ,
        show=plain if configuration.logging.format == "json" else prefixed,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535")
    return int(text)
