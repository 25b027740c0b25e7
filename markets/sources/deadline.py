"""One deadline over a whole HTTP exchange, kept at the socket.

An HTTP client's read timeout restarts with every byte, so a server that trickles one byte at a
time can hold a call for ever. Here each lookup, connect, read and write may take no longer than
what is left of the call.
"""

import math
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from markets.sources.lookup import Lookup

LOOKUP_SECONDS = 5.0
"""How long to wait for a name where no shorter time is set."""


class DeadlineBackend(httpcore.NetworkBackend):
    """Sockets whose every operation, finding the host's address included, ends by `until`
    (seconds of the given clock)."""

    def __init__(
        self, clock: Callable[[], float], inner: httpcore.NetworkBackend, lookup: Lookup
    ) -> None:
        self.clock = clock
        self.inner = inner
        self.lookup = lookup
        self.until = math.inf

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """The shorter of `timeout` and what the deadline leaves; raises `late` when none is."""
        if self.until == math.inf:
            return timeout
        remaining = self.until - self.clock()
        if remaining <= 0:
            raise late("the deadline of the whole call has passed")
        return remaining if timeout is None else min(timeout, remaining)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        allowed = self.left(timeout, httpcore.ConnectTimeout)
        started = self.clock()
        within = LOOKUP_SECONDS if allowed is None else allowed
        addresses = self.lookup.addresses(host, port, within)
        for tried, address in enumerate(addresses, 1):
            spent = self.clock() - started
            part = None if allowed is None else max(allowed - spent, 0.001)
            if part and tried < len(addresses):
                part /= 2  # the next address deserves a turn
            try:
                stream = self.inner.connect_tcp(address, port, part, local_address, socket_options)
                return DeadlineStream(self, stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses):
                    raise
        raise httpcore.ConnectError("no address is known")


class DeadlineStream(httpcore.NetworkStream):
    """One socket of a `DeadlineBackend`."""

    def __init__(self, backend: DeadlineBackend, inner: httpcore.NetworkStream) -> None:
        self.backend = backend
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.backend.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, self.backend.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        allowed = self.backend.left(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(
            self.backend, self.inner.start_tls(ssl_context, server_hostname, allowed)
        )

    def close(self) -> None:
        self.inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def keep(client: httpx.Client, clock: Callable[[], float], lookup: Lookup) -> DeadlineBackend:
    """Put a client's direct and proxied connections under one deadline.

    httpx builds its pools without handing out the socket layer, so the attribute is set; a test
    with a trickling server fails should a release rename it.
    """
    backend = DeadlineBackend(clock, httpcore.SyncBackend(), lookup)
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = backend
    return backend
