"""How the exchange's hosts and routes stand as one process sees them, ready to be noted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from markets.core.types import FeedState
from markets.sources.drift import Watch

RECENT_SECONDS = 1200.0
"""Twice the time between two walks of the catalogue."""


@dataclass(frozen=True, slots=True)
class Door:
    """A host or one of its routes: state and reason, a pause's end (ms UTC, 0: none), and the
    totals of requests and of failures by kind since this process began.

    A host counts what its routes count; failures by kind are the host's.
    """

    name: str
    state: FeedState
    reason: str = ""
    paused_until: int = 0
    requests: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the newest request of a route ended: when (s), and why in vain ("" for an answer)."""

    at: float
    failed: str


class Standings:
    """The outcome of the newest request of every route, by `clock` (seconds)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._newest: dict[str, dict[str, _Outcome]] = {}

    def answered(self, host: str, route: str) -> None:
        """The newest request of a route was answered."""
        self.failed(host, route, "")

    def failed(self, host: str, route: str, reason: str) -> None:
        """The newest request of a route failed."""
        self._newest.setdefault(host, {})[route] = _Outcome(self.clock(), reason)

    def doors(
        self,
        requests: Mapping[str, int],
        failures: Mapping[str, int],
        watch: Watch,
        paused_until: int,
    ) -> tuple[Door, ...]:
        """Every host asked so far, each followed by its routes."""
        found: list[Door] = []
        for host, newest in self._newest.items():
            routes = {
                route: _route(host + route, outcome.failed, watch.reason(host + route), requests)
                for route, outcome in newest.items()
            }
            recent = [routes[route] for route in self._recent(newest)]
            total = sum(door.requests for door in routes.values())
            found += [_host(host, recent, total, failures, paused_until), *routes.values()]
        return tuple(found)

    def _recent(self, newest: Mapping[str, _Outcome]) -> list[str]:
        """Routes asked lately, or all where none was: what nobody asks any more tells nothing of
        its host."""
        since = self.clock() - RECENT_SECONDS
        return [route for route, outcome in newest.items() if outcome.at >= since] or list(newest)


def _route(name: str, failed: str, drifted: str, requests: Mapping[str, int]) -> Door:
    state = FeedState.DOWN if failed else FeedState.DEGRADED if drifted else FeedState.OK
    return Door(name, state, failed or drifted, requests=requests.get(name, 0))


def _host(
    name: str, recent: list[Door], total: int, failures: Mapping[str, int], paused_until: int
) -> Door:
    """Down when no route answers, degraded when one of them does not, or not as agreed."""
    worst = [door for door in recent if door.state is not FeedState.OK]
    down = all(door.state is FeedState.DOWN for door in recent)
    state = FeedState.DOWN if down else FeedState.DEGRADED if worst else FeedState.OK
    reason = worst[0].reason if worst else ""
    own = {
        kind.removeprefix(f"{name}."): count
        for kind, count in failures.items()
        if kind.startswith(f"{name}.")
    }
    return Door(name, state, reason, paused_until, total, own)
