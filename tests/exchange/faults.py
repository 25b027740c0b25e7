"""Ways in which the local exchange can fail, one route at a time."""

import gzip
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Event
from typing import Protocol


@dataclass(slots=True)
class Fault:
    """What goes wrong: one of `ACTS`.

    `status` and `headers` are those of "status", whose body is `said`; `seconds` is the delay of
    "slow"; `times` how many requests it strikes (None: all).
    """

    kind: str
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    said: bytes = b'{"error": "the exchange is having a bad day"}'
    seconds: float = 0.0
    times: int | None = None


class Answering(Protocol):
    """What a fault needs of the request it strikes."""

    connection: socket.socket
    stopping: Event

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = ...) -> None: ...


def strike(fault: Fault, request: Answering, body: bytes) -> None:
    """Answer a request badly; `body` is what a healthy answer would have held."""
    ACTS[fault.kind](fault, request, body)


def _status(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(fault.status, fault.said, fault.headers)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHALLENGE = b"<!DOCTYPE html><html><title>Just a moment...</title><body>Checking</body></html>"


def _html(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, CHALLENGE, {"content-type": "text/html"})


def _truncated(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, body[: len(body) // 2])


def _reset(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def _cut(fault: Fault, request: Answering, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    request.connection.sendall(head + body[: len(body) // 2])
    request.connection.shutdown(socket.SHUT_RDWR)


def _slow(fault: Fault, request: Answering, body: bytes) -> None:
    request.stopping.wait(fault.seconds)
    request.answer(200, body)


def _silent(fault: Fault, request: Answering, body: bytes) -> None:
    request.stopping.wait(60)
    request.connection.close()


def _trickle(fault: Fault, request: Answering, body: bytes) -> None:
    """A header that never ends, one byte at a time: each byte restarts a plain read timeout."""
    request.connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not request.stopping.wait(0.02):
        request.connection.sendall(b"a")


def _bomb(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, _powder(), {"content-encoding": "gzip"})


@cache
def _powder() -> bytes:
    return gzip.compress(b" " * 6_000_000)


def _redirect(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(302, b"", {"location": "/elsewhere"})


def _deep(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"[" * 100_000 + b"]" * 100_000)


def _empty(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"")


def _drip(fault: Fault, request: Answering, body: bytes) -> None:
    """A good head and a body that comes one byte at a time."""
    request.connection.sendall(HEAD + b"content-length: 100000\r\n\r\n")
    while not request.stopping.wait(0.02):
        request.connection.sendall(b" ")


def _endless(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while not request.stopping.is_set():
        request.connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def _shorter(fault: Fault, request: Answering, body: bytes) -> None:
    """More comes than the length says: what is left over belongs to nothing."""
    length = f"content-length: {len(body) // 2}\r\n\r\n".encode()
    request.connection.sendall(HEAD + length + body)


def _longer(fault: Fault, request: Answering, body: bytes) -> None:
    """Less comes than the length says, and the connection stays open."""
    length = f"content-length: {len(body) + 50}\r\n\r\n".encode()
    request.connection.sendall(HEAD + length + body)
    request.stopping.wait(60)


def _chunks(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + body)


def _garbage(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.sendall(b"\x16\x03\x01\x02\x00 this is not the protocol\r\n\r\n")


def _headers(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.sendall(HEAD + b"x-large: " + b"a" * 300_000 + b"\r\n\r\n" + body)


def _hangup(fault: Fault, request: Answering, body: bytes) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)


def _packed(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"this was never packed", {"content-encoding": "gzip"})


def _codes(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b'{"name": "\xff\xfe"}')


def _loop(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(301, b"", {"location": "/books"})


def _null(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"null")


def _strange(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b'{"unexpected": [1, 2, 3]}')


ACTS = {
    "status": _status,
    "html": _html,
    "truncated": _truncated,
    "reset": _reset,
    "cut": _cut,
    "slow": _slow,
    "silent": _silent,
    "trickle": _trickle,
    "bomb": _bomb,
    "redirect": _redirect,
    "deep": _deep,
    "empty": _empty,
    "strange": _strange,
    "drip": _drip,
    "endless": _endless,
    "shorter": _shorter,
    "longer": _longer,
    "chunks": _chunks,
    "garbage": _garbage,
    "headers": _headers,
    "hangup": _hangup,
    "packed": _packed,
    "codes": _codes,
    "loop": _loop,
    "null": _null,
}

BREAKING = frozenset(
    {"reset", "cut", "silent", "trickle", "drip", "endless", "shorter", "longer"}
    | {"chunks", "garbage", "headers", "hangup"}
)
"""Faults after which the connection is of no more use."""
