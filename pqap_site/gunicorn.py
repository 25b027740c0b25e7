"""How the web server runs: one process with threads behind whatever port runpqap settled."""

from django.conf import settings
from gunicorn import glogging

from pqap_site import lifeline, titles


class Logger(glogging.Logger):
    """Leaves lines to PQAP's logging: one format, one file, no secrets."""

    def setup(self, cfg: object) -> None:
        """Like gunicorn's, then without handlers of its own."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


api = settings.PQAP.api
host = f"[{api.bind}]" if ":" in api.bind else api.bind
bind = f"{host}:{api.port}"
worker_class = "gthread"
workers = 1
threads = 8
timeout = 60
graceful_timeout = 4
keepalive = 5
preload_app = True
proc_name = f"pqap {settings.PQAP.env}: web"
logger_class = Logger
accesslog = None
control_socket_disable = True


def on_starting(server: object) -> None:
    """The arbiter and, through fork, its worker end with the supervisor."""
    lifeline.hold()


def when_ready(server: object) -> None:
    """Name the arbiter."""
    titles.announce(settings.PQAP.env, "web server")


def post_fork(server: object, worker: object) -> None:
    """Name the worker."""
    titles.announce(settings.PQAP.env, "web")
