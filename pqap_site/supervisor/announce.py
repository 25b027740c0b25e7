"""What a person reads once PQAP answers: where, with which login, and what to do next."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pqap_site.config import Configuration

PATIENCE_SECONDS = 120.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class Announcement:
    """The address, the login and the next step of one environment."""

    def __init__(self, configuration: Configuration, port: int) -> None:
        self._configuration = configuration
        self.password: str | None = None
        self._started = time.monotonic()
        self._elsewhere = 0.0
        self.url = _url(configuration.api.bind, port)

    def leave_out(self, seconds: float) -> None:
        """Do not count these towards the time the start took: the fast-forward is told apart."""
        self._elsewhere += seconds

    def text(self) -> str:
        """The lines, with the first password if this start made one."""
        configuration = self._configuration
        again = f"python manage.py owner --config {_short(configuration.path)}"
        login = (
            f"owner / {self.password}   (shown only now; `{again}` makes a new one)"
            if self.password
            else f"owner   (password lost? `{again}`)"
        )
        took = time.monotonic() - self._started - self._elsewhere
        return "\n".join(
            (
                "",
                f"PQAP {configuration.env} is running on paper money (started in {took:.1f} s).",
                f"  Dashboard  {configuration.site.url or self.url}",
                f"  Admin      {self.url}admin/",
                f"  Login      {login}",
                "  Next       open the dashboard; Ctrl-C here stops everything.",
                "",
            )
        )

    def show(self) -> None:
        """Print it."""
        print(self.text(), flush=True)


def when_listening(host: str, port: int, tell: Callable[[], None]) -> None:
    """Call `tell` from a thread as soon as the port answers."""
    threading.Thread(target=_wait, args=(host, port, tell), daemon=True).start()


def _wait(host: str, port: int, tell: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    address = EVERYWHERE.get(host, host).strip("[]")
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            tell()
            return


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _url(bind: str, port: int) -> str:
    host = EVERYWHERE.get(bind, f"[{bind}]" if ":" in bind else bind)
    return f"http://{host}:{port}/"
