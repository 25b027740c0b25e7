"""Finding a host's addresses without waiting for a resolver that hangs.

The system's resolver takes no deadline, so it is asked in a thread of its own. An answer is used
for a minute; where asking again fails or hangs, the last one serves for up to an hour, for an
outage of the name service is no outage of the exchange.
"""

import ipaddress
import math
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import httpcore

FRESH_SECONDS = 60.0
STALE_SECONDS = 3600.0

Resolve = Callable[..., list[Any]]


class NotFound(httpcore.ConnectError):
    """The resolver knows no address of this name, or could not ask."""


class TooSlow(httpcore.ConnectTimeout):
    """The resolver did not answer in time."""


@dataclass(slots=True)
class _Question:
    """One lookup under way; the thread that asks fills it in before `done` is set."""

    done: Event = field(default_factory=Event)
    found: tuple[str, ...] = ()
    error: str = ""

    def ask(self, resolve: Resolve, host: str, port: int) -> None:
        try:
            rows = resolve(host, port, type=socket.SOCK_STREAM)
            self.found = tuple(dict.fromkeys(row[4][0] for row in rows))
            self.error = "" if self.found else "no address is known"
        except (OSError, UnicodeError) as e:
            self.error = str(e)
        finally:
            self.done.set()


class Lookup:
    """Addresses by name; while a lookup hangs, the same name is not asked for again."""

    def __init__(self, clock: Callable[[], float], resolve: Resolve | None = None) -> None:
        self.clock = clock
        self.resolve = resolve or socket.getaddrinfo
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asking: dict[str, _Question] = {}

    def addresses(self, host: str, port: int, within: float) -> tuple[str, ...]:
        """Addresses of a host, found within so many seconds; NotFound or TooSlow otherwise."""
        if _is_address(host):
            return (host,)
        at, known = self._known.get(host, (-math.inf, ()))
        if self.clock() - at < FRESH_SECONDS:
            return known
        question = self._asking.get(host) or self._ask(host, port)
        answered = question.done.wait(max(within, 0.0))
        if answered:
            del self._asking[host]
        if answered and question.found:
            self._known[host] = (self.clock(), question.found)
            return question.found
        if self.clock() - at < STALE_SECONDS:
            return known
        if answered:
            raise NotFound(question.error)
        raise TooSlow("the name service does not answer")

    def _ask(self, host: str, port: int) -> _Question:
        question = self._asking[host] = _Question()
        Thread(target=question.ask, args=(self.resolve, host, port), daemon=True).start()
        return question


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
