"""The exchange's hosts, what each of their routes documents as its limit, and our part of it."""

from collections.abc import Callable
from dataclasses import dataclass

from markets.sources.limits import Bucket

WINDOW_SECONDS = 10.0
"""The exchange counts requests over any ten seconds."""

SHARE = 1 / 3
"""One process's part of half the documented limit: a reader of books, the worker for what takes
a while and a command of a person may all talk at once, and cannot count for each other."""

BURST = 1 / 3
"""The part of an allowance that may be used at once; the rest flows evenly."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests in ten seconds that routes beginning with one of `prefixes` may get together."""

    documented: int
    prefixes: tuple[str, ...]

    def holds(self, route: str) -> bool:
        """Whether a route falls under this limit."""
        return route.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Host:
    """One of the exchange's hosts; `setting` is the variable that names its address."""

    name: str
    url: str
    setting: str
    limits: tuple[Limit, ...]

    def limits_of(self, route: str) -> tuple[Limit, ...]:
        """Every limit a route falls under."""
        return tuple(limit for limit in self.limits if limit.holds(route))


def gamma(url: str) -> Host:
    """The catalogue; both listings together may have 900."""
    limits = (
        Limit(4_000, ("/",)),
        Limit(500, ("/events",)),
        Limit(300, ("/markets",)),
    )
    return Host("gamma", url.rstrip("/"), "PQAP_GAMMA_URL", limits)


def clob(url: str) -> Host:
    """The order books. Past prices of many tokens have no row of their own: they share one."""
    limits = (
        Limit(9_000, ("/",)),
        Limit(500, ("/books",)),
        Limit(1_000, ("/prices-history", "/batch-prices-history")),
    )
    return Host("clob", url.rstrip("/"), "PQAP_CLOB_URL", limits)


def data(url: str) -> Host:
    """Data v2 publishes only its total; 200 were measured for its slowest routes."""
    limits = (
        Limit(1_000, ("/",)),
        Limit(200, ("/v2/trades",)),
        Limit(200, ("/v2/resolutions",)),
        Limit(200, ("/v2/prices-history",)),
    )
    return Host("data", url.rstrip("/"), "PQAP_DATA_URL", limits)


def bucket(limit: Limit, share: float, clock: Callable[[], float]) -> Bucket:
    """A bucket that gives at most `share` of half the limit in any ten seconds."""
    allowed = limit.documented / 2 * share
    burst = max(allowed * BURST, 1.0)
    return Bucket((allowed - burst) / WINDOW_SECONDS, burst, clock)


def route_of(path: str) -> str:
    """The path without ids and slugs, so that counters and limits stay few."""
    kept: list[str] = []
    for part in path.split("/"):
        if part.startswith("0x") or part.isdigit():
            continue
        kept.append(part)
        if part == "slug":
            break
    return "/".join(kept)
