"""A read over HTTP/1.1 and over HTTP/2, one at a time: `python -m tests.bench.protocols`.

Both servers answer from memory over TLS on this machine; the client is the one the desk uses.
Needs the openssl command for a certificate of its own.
"""

import contextlib
import json
import multiprocessing
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import httpx
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded

ROUNDS = 3
Serve = Callable[[ssl.SSLSocket, bytes], None]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = _certificate(Path(folder))
        for label, body, calls in (("500 books", _books(), 60), ("a small reply", b"{}", 300)):
            for name, serve in (("HTTP/1.1", _serve_1), ("HTTP/2", _serve_2)):
                cpu, wall = _measure(files, name, serve, body, calls)
                text = f"{label}, {len(body) // 1000} kB, {name}: "
                sys.stdout.write(f"{text}{cpu:.2f} ms of CPU, {wall:.2f} ms a call\n")


def _measure(
    files: tuple[Path, Path], name: str, serve: Serve, body: bytes, calls: int
) -> tuple[float, float]:
    """The best of a few rounds: CPU of the client and time, ms a call."""
    listening = socket.create_server(("127.0.0.1", 0))
    arguments = (listening, files, name, serve, body)
    server = multiprocessing.Process(target=_accept, args=arguments, daemon=True)
    server.start()
    url = f"https://localhost:{listening.getsockname()[1]}/books"
    verify = ssl.create_default_context(cafile=str(files[0]))
    asked = [{"token_id": str(10**76 + n)} for n in range(500 if len(body) > 10 else 1)]
    found = []
    with httpx.Client(http2=name == "HTTP/2", verify=verify) as client:
        assert client.post(url, json=asked).http_version == name
        for _ in range(ROUNDS):
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(calls):
                client.post(url, json=asked)
            found.append((time.process_time() - cpu, time.perf_counter() - wall))
    server.kill()
    best = min(found)
    return best[0] / calls * 1000, best[1] / calls * 1000


def _accept(
    listening: socket.socket, files: tuple[Path, Path], name: str, serve: Serve, body: bytes
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_alpn_protocols(["h2" if name == "HTTP/2" else "http/1.1"])
    while True:
        plain, _ = listening.accept()
        with contextlib.suppress(OSError):
            safe = context.wrap_socket(plain, server_side=True)
            Thread(target=serve, args=(safe, body), daemon=True).start()


def _serve_1(peer: ssl.SSLSocket, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    asked = peer.makefile("rb")
    with contextlib.suppress(OSError):
        while asked.readline():
            length = 0
            while (line := asked.readline()).strip():
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            asked.read(length)
            peer.sendall(head + body)


def _serve_2(peer: ssl.SSLSocket, body: bytes) -> None:
    talk = H2Connection(H2Configuration(client_side=False))
    talk.initiate_connection()
    left: dict[int, memoryview] = {}
    with contextlib.suppress(OSError):
        peer.sendall(talk.data_to_send())
        while received := peer.recv(65_536):
            for event in talk.receive_data(received):
                if isinstance(event, DataReceived):
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    talk.send_headers(event.stream_id, [(":status", "200")])
                    left[event.stream_id] = memoryview(body)
            _push(talk, left)
            peer.sendall(talk.data_to_send())


def _push(talk: H2Connection, left: dict[int, memoryview]) -> None:
    """Send as much as the client's windows allow."""
    for stream in list(left):
        while left[stream]:
            room = min(talk.local_flow_control_window(stream), talk.max_outbound_frame_size)
            if room <= 0:
                return
            part, left[stream] = left[stream][:room], left[stream][room:]
            talk.send_data(stream, bytes(part), end_stream=not left[stream])
        del left[stream]


def _books() -> bytes:
    levels = [
        [{"price": f"0.{n:02d}", "size": "1234.56"} for n in r]
        for r in (range(1, 21), range(50, 70))
    ]
    book = {"market": "0x" + "a" * 64, "timestamp": "1790000000000", "hash": "f" * 40}
    book |= {"bids": levels[0], "asks": levels[1], "tick_size": "0.01", "neg_risk": False}
    return json.dumps([book | {"asset_id": str(10**76 + n)} for n in range(500)]).encode()


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return certificate, key


if __name__ == "__main__":
    main()
