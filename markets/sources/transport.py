"""HTTP to the exchange: pooled, paced, patient for a stated time, and honest when it fails.

Only reads are made (GET, and POST /books), so every call may be tried again. A call ends within
its deadline with decoded JSON, with Rejected (the exchange answered, and meant no) or with
SourceDown, whose text is one sentence that tells a person what to do.
"""

import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from markets.core.ports import SourceDown
from markets.sources import deadline, wire
from markets.sources.limits import Bucket, CoolDown

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
TRIES = 3
BACKOFF_SECONDS = 0.25
WORTH_SECONDS = 0.2
"""With less than this left of a call, another try could only time out."""

LARGEST_REPLY = 48 * 1024 * 1024
TRANSIENT = frozenset({408, 425, 500, 502, 503, 504})
MEANT = frozenset({400, 404, 422})
BURST = 10.0

Params = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Host:
    """One of the exchange's hosts; `rate` is requests a second, at most half the documented."""

    name: str
    url: str
    setting: str
    rate: float


def gamma(url: str) -> Host:
    """The catalogue: /markets documents 300 in 10 s, of which we use at most half."""
    return Host("gamma", url.rstrip("/"), "PQAP_GAMMA_URL", 14.0)


def clob(url: str) -> Host:
    """The order books: /books documents 500 in 10 s."""
    return Host("clob", url.rstrip("/"), "PQAP_CLOB_URL", 24.0)


def data(url: str) -> Host:
    """Data v2: 200 in 10 s were measured for its slowest routes."""
    return Host("data", url.rstrip("/"), "PQAP_DATA_URL", 9.0)


class Rejected(SourceDown):
    """The exchange understood and said no: asking again in the same words is no use."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class _Failed(Exception):
    """One try failed; `kind` is counted, `reason` becomes the sentence should it be the last."""

    def __init__(self, kind: str, reason: str, *, wait: float = 0.0, final: bool = False) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.wait, self.final = kind, reason, wait, final


class Transport:
    """The one place that talks HTTP; `requests` and `failures` count what it did, by kind."""

    def __init__(
        self,
        client: httpx.Client | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
        largest_reply: int = LARGEST_REPLY,
    ) -> None:
        self.client = client or _client()
        self.clock, self.sleep = clock, sleep
        self.rng = rng or random.Random()
        self.largest_reply = largest_reply
        self.requests: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.cool_down = CoolDown(clock, self.rng)
        self._buckets: dict[str, Bucket] = {}
        self._until = math.inf
        self._sockets = deadline.keep(self.client, clock)

    def get(self, host: Host, path: str, params: Params, *, within: float) -> Any:
        """The JSON of one GET; the whole call, retries included, takes at most `within` s."""
        return self._call(host, "GET", path, within, params=params)

    def post(self, host: Host, path: str, body: Any, *, within: float) -> Any:
        """The JSON of one POST that only reads, under the same rules as `get`."""
        return self._call(host, "POST", path, within, json=body)

    def end_within(self, seconds: float | None) -> None:
        """Let all calls from now on end within so many seconds together; None lifts that."""
        self._until = math.inf if seconds is None else self.clock() + seconds

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def _call(self, host: Host, method: str, path: str, within: float, **what: Any) -> Any:
        within = max(min(within, self._until - self.clock()), 0.0)
        until = self.clock() + within
        for attempt in range(1, TRIES + 1):
            self._pace(host, until, within)
            try:
                return self._try(host, method, path, until, **what)
            except _Failed as failed:
                self.failures[f"{host.name}.{failed.kind}"] += 1
                pause = max(self.rng.uniform(0, BACKOFF_SECONDS * 2**attempt), failed.wait)
                if failed.final or attempt == TRIES or self.clock() + pause + WORTH_SECONDS > until:
                    raise SourceDown(failed.reason) from failed
                self.sleep(pause)
        raise AssertionError("the last try either returns or raises")

    def _pace(self, host: Host, until: float, within: float) -> None:
        paused = self.cool_down.left()
        if paused:
            self.failures[f"{host.name}.paused"] += 1
            raise SourceDown(f"{host.url} asked us to slow down: reading again in {paused:.0f} s")
        bucket = self._buckets.setdefault(host.name, Bucket(host.rate, BURST, self.clock))
        wait = bucket.wait()
        if self.clock() + wait >= until:
            self.failures[f"{host.name}.paced"] += 1
            raise SourceDown(f"{host.url} was not asked within {within:g} s: too much is queued")
        if wait:
            self.sleep(wait)
        bucket.take()

    def _try(self, host: Host, method: str, path: str, until: float, **what: Any) -> Any:
        self.requests[f"{host.name}{_route(path)}"] += 1
        self._sockets.until = until
        left = until - self.clock()
        timeout = httpx.Timeout(min(READ_SECONDS, left), connect=min(CONNECT_SECONDS, left))
        try:
            with self.client.stream(method, host.url + path, timeout=timeout, **what) as reply:
                body = self._body(reply, host, until)
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise _network(e, host, timeout) from e
        self._judge(reply, body, host)
        try:
            return wire.decode(body)
        except ValueError as e:
            what_came = "a web page" if body.lstrip()[:1] == b"<" else "something"
            reason = f"{host.url} answered {what_came} that is not JSON: check {host.setting}"
            raise _Failed("not_json", reason) from e

    def _body(self, reply: httpx.Response, host: Host, until: float) -> bytes:
        chunks, size = [], 0
        for chunk in reply.iter_bytes():
            size += len(chunk)
            if size > self.largest_reply:
                limit = self.largest_reply // 2**20
                raise _Failed("too_large", f"{host.url} answered over {limit} MB", final=True)
            if self.clock() >= until:
                raise _Failed("deadline", f"{host.url} did not finish its answer in time")
            chunks.append(chunk)
        return b"".join(chunks)

    def _judge(self, reply: httpx.Response, body: bytes, host: Host) -> None:
        status = reply.status_code
        if status == 200:
            return
        if status == 429:
            pause = self.cool_down.strike(_retry_after(reply))
            reason = f"{host.url} asked us to slow down (429): reading again in {pause:.0f} s"
            raise _Failed("status_429", reason, final=True)
        if status in TRANSIENT:
            reason = f"{host.url} has trouble of its own ({status}{_said(body)}): trying again soon"
            raise _Failed(f"status_{status}", reason, wait=_retry_after(reply))
        if status in MEANT:
            self.failures[f"{host.name}.status_{status}"] += 1
            raise Rejected(f"{host.url} refused the request ({status}{_said(body)})", status)
        if 300 <= status < 400:
            advice = f"check {host.setting}"
        else:
            advice = f"check {host.setting} and whether this network may reach it"
        reason = f"{host.url} refused us ({status}{_said(body)}): {advice}"
        raise _Failed(f"status_{status}", reason, final=True)


def _client() -> httpx.Client:
    limits = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=60)
    headers = {"accept": "application/json", "user-agent": "pqap"}
    return httpx.Client(http2=True, limits=limits, headers=headers, follow_redirects=False)


def _network(e: Exception, host: Host, timeout: httpx.Timeout) -> _Failed:
    """The failure behind a network exception, with the sentence for it."""
    advice = f"check the network or {host.setting}"
    if isinstance(e, httpx.ConnectTimeout):
        return _Failed(
            "connect", f"{host.url} did not answer within {timeout.connect:.2g} s: {advice}"
        )
    if isinstance(e, httpx.TimeoutException):
        return _Failed(
            "timeout", f"{host.url} did not answer within {timeout.read:.2g} s: {advice}"
        )
    if isinstance(e, httpx.ConnectError):
        return _Failed("connect", f"{host.url} cannot be reached ({_short(str(e))}): {advice}")
    if isinstance(e, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return _Failed("url", f"{host.url} is not an address: check {host.setting}", final=True)
    return _Failed("broken", f"{host.url} broke off its answer ({type(e).__name__}): {advice}")


def _retry_after(reply: httpx.Response) -> float:
    """Seconds named by Retry-After; 0 where it is absent, a date or nonsense."""
    stated = reply.headers.get("retry-after", "")
    return float(stated) if stated.isascii() and stated.isdigit() and len(stated) < 7 else 0.0


def _said(body: bytes) -> str:
    """What an error body says, shortened; nothing for a page of HTML."""
    try:
        found = wire.decode(body)
    except ValueError:
        return ""
    said = wire.text(found, "error") or wire.text(found, "message")
    return f", {_short(said)!r}" if said else ""


def _route(path: str) -> str:
    """The path without market ids, so that counters stay few."""
    return "/".join(part for part in path.split("/") if not part.startswith("0x"))


def _short(said: str) -> str:
    """One line a person can read, without the error number that goes before a system message."""
    return " ".join(re.sub(r"^\[.*?\] *", "", said).split())[:80]
