"""Ways in which the local exchange can fail, one route at a time."""

import gzip
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol


@dataclass(slots=True)
class Fault:
    """What goes wrong: "status", "html", "truncated", "reset", "cut", "slow", "silent",
    "trickle", "bomb", "redirect", "deep", "empty" or "strange".

    `status` is the code of "status"; `seconds` the delay of "slow"; `times` how many requests
    it strikes (None: all).
    """

    kind: str
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
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
    text = json.dumps({"error": "the exchange is having a bad day"}).encode()
    request.answer(fault.status, text, fault.headers)


def _html(fault: Fault, request: Answering, body: bytes) -> None:
    page = b"<!DOCTYPE html><html><body>Just a moment...</body></html>"
    request.answer(200, page, {"content-type": "text/html"})


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
    packed = gzip.compress(b" " * 30_000_000)
    request.answer(200, packed, {"content-encoding": "gzip"})


def _redirect(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(302, b"", {"location": "/elsewhere"})


def _deep(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"[" * 100_000 + b"]" * 100_000)


def _empty(fault: Fault, request: Answering, body: bytes) -> None:
    request.answer(200, b"")


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
}

BREAKING = frozenset({"reset", "cut", "silent", "trickle"})
"""Faults after which the connection is of no more use."""
