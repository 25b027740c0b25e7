"""HTTP to the exchange: pooled, paced, patient for a stated time, and honest when it fails.

Only reads are made (GET, and POST of a question), so every call may be tried again. A call ends
within its deadline with decoded JSON, with Rejected (the exchange answered, and meant no) or with
SourceDown, whose text is one sentence that tells a person what to do.
"""

import math
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import httpx

from markets.core.ports import SourceDown
from markets.sources import deadline, failures, hosts, wire
from markets.sources.breaker import Breaker
from markets.sources.contracts import CONTRACTS
from markets.sources.doors import Door, Standings
from markets.sources.drift import Watch
from markets.sources.failures import Failed, Rejected
from markets.sources.hosts import Host, clob, data, gamma
from markets.sources.limits import Bucket, CoolDown
from markets.sources.lookup import Lookup

__all__ = ["Host", "Rejected", "Transport", "clob", "data", "gamma"]

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
TRIES = 3
BACKOFF_SECONDS = 0.25
WORTH_SECONDS = 0.2
"""With less than this left of a call, another try could only time out."""

LARGEST_REPLY = 48 * 1024 * 1024

Params = Mapping[str, str | int | Sequence[str]]
Decode = Callable[[bytes], Any]


class Transport:
    """The one place that talks HTTP; `requests` and `failures` count what it did, by kind.

    Pace, pauses, breakers and counts live as long as it does; `close` only gives connections
    back. `share` is this process's part of half of what the exchange documents as its limits.
    """

    def __init__(
        self,
        client: httpx.Client | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
        largest_reply: int = LARGEST_REPLY,
        share: float = hosts.SHARE,
        lookup: Lookup | None = None,
    ) -> None:
        self.clock, self.sleep = clock, sleep
        self.rng = rng or random.Random()
        self.largest_reply, self.share = largest_reply, share
        self.requests: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.cool_down = CoolDown(clock, self.rng)
        self.watch = Watch(CONTRACTS)
        self.standings = Standings(clock)
        self._until = math.inf
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._breakers: dict[str, Breaker] = {}
        self._lookup = lookup or Lookup(clock)
        self._owns_client = client is None
        self.client = client or _client()
        self._sockets = deadline.keep(self.client, clock, self._lookup)

    def get(self, host: Host, path: str, params: Params, *, within: float) -> Any:
        """The JSON of one GET; the whole call, retries included, takes at most `within` s."""
        return self._call(host, "GET", path, within, params=params)

    def post(
        self, host: Host, path: str, body: Any, *, within: float, decode: Decode = wire.decode
    ) -> Any:
        """The JSON of one POST that only reads, under the same rules as `get`.

        `decode` makes of the reply's bytes what is returned, ValueError where they are not JSON.
        """
        return self._call(host, "POST", path, within, decode, json=body)

    def end_within(self, seconds: float | None) -> None:
        """Let all calls from now on end within so many seconds together; None lifts that."""
        self._until = math.inf if seconds is None else self.clock() + seconds

    def doors(self, now: int) -> tuple[Door, ...]:
        """How every host and route asked so far stands; `now` (ms UTC) dates a pause's end."""
        left = self.cool_down.left()
        paused_until = now + int(left * 1000) if left else 0
        return self.standings.doors(self.requests, self.failures, self.watch, paused_until)

    def close(self) -> None:
        """Give the connections back; the next call opens new ones."""
        self.client.close()

    def _call(
        self,
        host: Host,
        method: str,
        path: str,
        within: float,
        decode: Decode = wire.decode,
        **what: Any,
    ) -> Any:
        route = hosts.route_of(path)
        until = min(self.clock() + max(within, 0.0), self._until)
        breakers = self._breaker(host.name), self._breaker(host.name + route)
        self._admit(host, route, breakers)
        for attempt in range(1, TRIES + 1):
            self._pace(host, route, until)
            try:
                found = self._try(host, method, path, until, decode, **what)
            except Rejected as rejected:
                self._note_answer(host, route, f"status_{rejected.status}")
                raise
            except Failed as failed:
                self._note_failure(host, route, failed)
                pause = max(self.rng.uniform(0, BACKOFF_SECONDS * 2**attempt), failed.wait)
                over = self.clock() + pause + WORTH_SECONDS > until
                shut = any(breaker.left() for breaker in breakers)
                if failed.final or shut or attempt == TRIES or over:
                    raise SourceDown(failed.reason) from failed
                self.sleep(pause)
            else:
                self._note_answer(host, route)
                self.watch.see(host.name + route, found, what.get("params") or {})
                return found
        raise AssertionError("the last try either returns or raises")

    def _breaker(self, name: str) -> Breaker:
        return self._breakers.setdefault(name, Breaker(self.clock))

    def _admit(self, host: Host, route: str, breakers: Sequence[Breaker]) -> None:
        """Refuse at once, at no cost, what a pause or an open breaker forbids."""
        paused = self.cool_down.left()
        if paused:
            reason = f"{host.url} asked us to slow down: reading again in {paused:.0f} s"
            raise self._unasked(host, route, "paused", reason)
        for breaker in breakers:
            left = breaker.left()
            if left:
                many = f"after {breaker.failures} failures in a row, the last"
                reason = f"{breaker.reason} ({many}; asking again in {left:.0f} s)"
                raise self._unasked(host, route, "shut", reason)

    def _pace(self, host: Host, route: str, until: float) -> None:
        buckets = [self._bucket(host, limit) for limit in host.limits_of(route)]
        wait = max((bucket.wait() for bucket in buckets), default=0.0)
        now = self.clock()
        if now >= until:
            reason = f"{host.url} was not asked: the time for this cycle was used up"
            raise self._unasked(host, route, "paced", reason)
        if now + wait >= until:
            reason = f"{host.url} was not asked within {until - now:.2g} s: too much is queued"
            raise self._unasked(host, route, "paced", reason)
        if wait:
            self.sleep(wait)
        for bucket in buckets:
            bucket.take()

    def _unasked(self, host: Host, route: str, kind: str, reason: str) -> SourceDown:
        """What to raise for a request that was never sent."""
        self.failures[f"{host.name}.{kind}"] += 1
        self.standings.failed(host.name, route, reason)
        return SourceDown(reason)

    def _bucket(self, host: Host, limit: hosts.Limit) -> Bucket:
        key = (host.name, host.limits.index(limit))
        if key not in self._buckets:
            self._buckets[key] = hosts.bucket(limit, self.share, self.clock)
        return self._buckets[key]

    def _note_answer(self, host: Host, route: str, kind: str = "") -> None:
        """The host answered what it was asked, or, with a kind of failure, said a meant no."""
        if kind:
            self.failures[f"{host.name}.{kind}"] += 1
        self._breaker(host.name).answered()
        self._breaker(host.name + route).answered()
        self.standings.answered(host.name, route)

    def _note_failure(self, host: Host, route: str, failed: Failed) -> None:
        self.failures[f"{host.name}.{failed.kind}"] += 1
        self.standings.failed(host.name, route, failed.reason)
        if failed.kind in failures.UNREACHED:
            self._breaker(host.name).failed(failed.reason)
            return
        self._breaker(host.name).answered()
        if failed.kind != "status_429":
            self._breaker(host.name + route).failed(failed.reason)

    def _try(
        self, host: Host, method: str, path: str, until: float, decode: Decode, **what: Any
    ) -> Any:
        self.requests[f"{host.name}{hosts.route_of(path)}"] += 1
        client = self._connected()
        self._sockets.until = until
        left = until - self.clock()
        timeout = httpx.Timeout(min(READ_SECONDS, left), connect=min(CONNECT_SECONDS, left))
        try:
            with client.stream(method, host.url + path, timeout=timeout, **what) as reply:
                body = self._body(reply, host, until)
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise failures.network(e, host, timeout) from e
        if reply.status_code == 429:
            pause = self.cool_down.strike(failures.retry_after(reply.headers))
            raise failures.slow_down(host, pause)
        if reply.status_code != 200:
            raise failures.status(host, reply.status_code, reply.headers, body)
        try:
            return decode(body)
        except ValueError as e:
            raise failures.not_json(host, body) from e

    def _connected(self) -> httpx.Client:
        if self._owns_client and self.client.is_closed:
            self.client = _client()
            self._sockets = deadline.keep(self.client, self.clock, self._lookup)
        return self.client

    def _body(self, reply: httpx.Response, host: Host, until: float) -> bytes:
        chunks, size = [], 0
        for chunk in reply.iter_bytes():
            size += len(chunk)
            if size > self.largest_reply:
                raise failures.too_large(host, self.largest_reply)
            if self.clock() >= until:
                raise failures.late(host)
            chunks.append(chunk)
        return b"".join(chunks)


def _client() -> httpx.Client:
    limits = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=60)
    headers = {"accept": "application/json", "user-agent": "pqap"}
    return httpx.Client(verify=_trusted(), limits=limits, headers=headers, follow_redirects=False)


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's trusted certificates, read once: that takes longer than many a reply."""
    return httpx.create_ssl_context()
