"""Why a request failed: a kind that is counted and one sentence that tells a person what to do."""

import re
import ssl

import httpx

from markets.core.ports import SourceDown
from markets.sources import lookup, wire
from markets.sources.hosts import Host

TRANSIENT = frozenset({408, 425, 500, 502, 503, 504})
MEANT = frozenset({400, 404, 422})
UNREACHED = frozenset({"dns", "connect", "tls", "url"})
"""Kinds that tell of the host, whatever was asked of it; all others tell of one route."""


class Rejected(SourceDown):
    """The exchange understood and said no: asking again in the same words is no use."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Failed(Exception):
    """One try failed; `kind` is counted, `reason` becomes the sentence should it be the last.

    `wait` is how long the exchange asked to be left alone (s); `final` forbids another try.
    """

    def __init__(self, kind: str, reason: str, *, wait: float = 0.0, final: bool = False) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.wait, self.final = kind, reason, wait, final


def network(e: Exception, host: Host, timeout: httpx.Timeout) -> Failed:
    """The failure behind a network exception."""
    advice = f"check the network or {host.setting}"
    if isinstance(e.__cause__, lookup.NotFound | lookup.TooSlow):
        return Failed("dns", f"{host.url} cannot be found ({_short(str(e))}): {advice}")
    if _is_tls(e):
        said = _short(str(e))
        return Failed("tls", f"{host.url} offers no safe connection ({said}): {advice}", final=True)
    if isinstance(e, httpx.ConnectTimeout):
        return Failed(
            "connect", f"{host.url} did not answer within {timeout.connect:.2g} s: {advice}"
        )
    if isinstance(e, httpx.TimeoutException):
        return Failed("timeout", f"{host.url} did not answer within {timeout.read:.2g} s: {advice}")
    if isinstance(e, httpx.ConnectError):
        return Failed("connect", f"{host.url} cannot be reached ({_short(str(e))}): {advice}")
    if isinstance(e, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Failed("url", f"{host.url} is not an address: check {host.setting}", final=True)
    return Failed("broken", f"{host.url} broke off its answer ({type(e).__name__}): {advice}")


def too_large(host: Host, most: int) -> Failed:
    """An answer of more than `most` bytes, once unpacked."""
    return Failed("too_large", f"{host.url} answered over {most // 2**20} MB", final=True)


def late(host: Host) -> Failed:
    """An answer that was still coming when the time was up."""
    return Failed("deadline", f"{host.url} did not finish its answer in time")


def not_json(host: Host, body: bytes) -> Failed:
    """An answer that is not data."""
    what = "a web page" if body.lstrip()[:1] == b"<" else "something"
    reason = f"{host.url} answered {what} that is not JSON: check {host.setting}"
    return Failed("not_json", reason)


def status(host: Host, code: int, headers: httpx.Headers, body: bytes) -> Failed | Rejected:
    """What an answer other than 200 and 429 means."""
    kind, said = f"status_{code}", _said(body)
    if code in TRANSIENT:
        reason = f"{host.url} has trouble of its own ({code}{said}): trying again soon"
        return Failed(kind, reason, wait=retry_after(headers))
    if code in MEANT:
        return Rejected(f"{host.url} refused the request ({code}{said})", code)
    if 300 <= code < 400:
        advice = f"check {host.setting}"
    else:
        advice = f"check {host.setting} and whether this network may reach it"
    return Failed(kind, f"{host.url} refused us ({code}{said}): {advice}", final=True)


def slow_down(host: Host, pause: float) -> Failed:
    """A 429: every host is left alone for `pause` seconds."""
    reason = f"{host.url} asked us to slow down (429): reading again in {pause:.0f} s"
    return Failed("status_429", reason, final=True)


def retry_after(headers: httpx.Headers) -> float:
    """Seconds named by Retry-After; 0 where it is absent, a date or nonsense."""
    stated = headers.get("retry-after", "")
    return float(stated) if stated.isascii() and stated.isdigit() and len(stated) < 7 else 0.0


def _is_tls(e: BaseException | None) -> bool:
    while e is not None:
        if isinstance(e, ssl.SSLError):
            return True
        e = e.__cause__ or e.__context__
    return False


def _said(body: bytes) -> str:
    """What an error body says, shortened; nothing for a page of HTML."""
    try:
        found = wire.decode(body)
    except ValueError:
        return ""
    said = wire.text(found, "error") or wire.text(found, "message")
    return f", {_short(said)!r}" if said else ""


def _short(said: str) -> str:
    """One line a person can read, without the error number that goes before a system message."""
    return " ".join(re.sub(r"^\[.*?\] *", "", said).split())[:80]
