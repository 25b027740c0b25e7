"""Everything that is known to go wrong between us and the exchange, each with what it counts as."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.exchange.faults import CHALLENGE

DISABLED = b'{"error": "Trading is currently disabled. New orders and cancels are not accepted."}'
CANCEL_ONLY = b'{"error": "Trading is currently cancel-only, cancels are allowed."}'
HTML = {"content-type": "text/html"}


@dataclass(frozen=True)
class Mishap:
    """A fault of the server and the kind of failure it must be counted as, "" for a reply that
    arrives and is refused for what it holds."""

    kind: str
    counted: str
    how: Mapping[str, Any] = field(default_factory=dict)


def _status(code: int, said: bytes | None = None, **headers: str) -> Mishap:
    how: dict[str, Any] = {"status": code}
    if said is not None:
        how["said"] = said
    if headers:
        how["headers"] = {key.replace("_", "-"): value for key, value in headers.items()}
    return Mishap("status", f"status_{code}", how)


MISHAPS: Mapping[str, Mishap] = {
    "429": _status(429),
    "429 with a short Retry-After": _status(429, retry_after="1"),
    "429 with a long Retry-After": _status(429, retry_after="600"),
    "429 with a date": _status(429, retry_after="Sun, 22 Nov 2026 21:00:00 GMT"),
    "429 as a page": _status(429, CHALLENGE, content_type="text/html"),
    "429 with the ban 1015": _status(429, b"error code: 1015"),
    "500": _status(500),
    "500 with nothing": _status(500, b""),
    "502 as a page": _status(502, b"<html>Bad gateway</html>", content_type="text/html"),
    "503": _status(503),
    "503 with Retry-After": _status(503, retry_after="79"),
    "503 trading disabled": _status(503, DISABLED),
    "503 cancel only": _status(503, CANCEL_ONLY),
    "504": _status(504),
    "425 engine restarts": _status(425, retry_after="30"),
    "408": _status(408),
    "401": _status(401, b'{"error": "Unauthorized/Invalid api key"}'),
    "403 for the country": _status(403, b"<html>Not available in your region</html>"),
    "403 challenge": _status(403, CHALLENGE, content_type="text/html"),
    "451": _status(451),
    "400": _status(400, b'{"error": "Invalid payload"}'),
    "404": _status(404, b'{"error": "not found"}'),
    "404 as a page": _status(404, b"<html>404</html>", content_type="text/html"),
    "422": _status(422, b'{"type": "validation error", "error": "id is invalid"}'),
    "204": _status(204, b""),
    "redirect elsewhere": Mishap("redirect", "status_302"),
    "redirect loop": Mishap("loop", "status_301"),
    "web page as data": Mishap("html", "not_json"),
    "empty 200": Mishap("empty", "not_json"),
    "truncated": Mishap("truncated", "not_json"),
    "deep nesting": Mishap("deep", "not_json"),
    "broken text": Mishap("codes", "not_json"),
    "null": Mishap("null", ""),
    "another object": Mishap("strange", ""),
    "reset": Mishap("reset", "broken"),
    "hang up": Mishap("hangup", "broken"),
    "cut": Mishap("cut", "broken"),
    "length too small": Mishap("shorter", "not_json"),
    "length too large": Mishap("longer", "timeout"),
    "bad chunks": Mishap("chunks", "broken"),
    "not the protocol": Mishap("garbage", "broken"),
    "huge header": Mishap("headers", "broken"),
    "never packed": Mishap("packed", "broken"),
    "gzip bomb": Mishap("bomb", "too_large"),
    "endless body": Mishap("endless", "too_large"),
    "silent after acting": Mishap("silent", "timeout"),
    "slow head": Mishap("trickle", "timeout"),
    "slow body": Mishap("drip", "timeout"),
}
"""Faults of an answer, by what a person would call them."""


@dataclass(frozen=True)
class Outage:
    """An address at which nothing useful answers, and what that must be counted as."""

    url: str
    counted: str
    resolve: Any = None


@contextmanager
def listener(*, accepting: bool) -> Iterator[int]:
    """The port of a socket that takes connections and reads nothing, or of one that is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if accepting:
            yield port
            return
    yield port


@contextmanager
def outage(name: str, alive: str) -> Iterator[Outage]:
    """One of OUTAGES; `alive` is the address of a healthy server that speaks plain HTTP."""
    port = alive.rsplit(":", 1)[1]
    if name == "refused":
        with listener(accepting=False) as dead:
            yield Outage(f"http://127.0.0.1:{dead}", "connect")
    elif name == "silent before acting":
        with listener(accepting=True) as mute:
            yield Outage(f"http://127.0.0.1:{mute}", "timeout")
    elif name == "no TLS there":
        yield Outage(f"https://127.0.0.1:{port}", "tls")
    elif name == "TLS never begins":
        with listener(accepting=True) as mute:
            yield Outage(f"https://127.0.0.1:{mute}", "connect")
    else:
        yield Outage(f"http://exchange.test:{port}", "dns", _RESOLVERS[name])


def _nobody(*_: object, **__: object) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _failing(*_: object, **__: object) -> list[Any]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _hanging(*_: object, **__: object) -> list[Any]:
    socket.socketpair()[0].recv(1)  # nothing is ever sent
    return []


def _nothing(*_: object, **__: object) -> list[Any]:
    return []


_RESOLVERS = {
    "NXDOMAIN": _nobody,
    "SERVFAIL": _failing,
    "slow DNS": _hanging,
    "a name without addresses": _nothing,
}
OUTAGES = (
    "refused",
    "silent before acting",
    "no TLS there",
    "TLS never begins",
    *_RESOLVERS,
)
"""Faults of an address."""
