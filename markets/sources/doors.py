"""How the exchange's hosts and routes stand as one process sees them, ready to be noted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markets.core.types import FeedState
from markets.sources.drift import Watch


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


class Standings:
    """The outcome of the newest request of every route: nothing, or why it failed."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, str]] = {}

    def answered(self, host: str, route: str) -> None:
        """The newest request of a route was answered."""
        self._newest.setdefault(host, {})[route] = ""

    def failed(self, host: str, route: str, reason: str) -> None:
        """The newest request of a route failed."""
        self._newest.setdefault(host, {})[route] = reason

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
            routes = [
                _route(host + route, reason, watch.reason(host + route), requests)
                for route, reason in newest.items()
            ]
            found += [_host(host, routes, failures, paused_until), *routes]
        return tuple(found)


def _route(name: str, failed: str, drifted: str, requests: Mapping[str, int]) -> Door:
    state = FeedState.DOWN if failed else FeedState.DEGRADED if drifted else FeedState.OK
    return Door(name, state, failed or drifted, requests=requests.get(name, 0))


def _host(name: str, routes: list[Door], failures: Mapping[str, int], paused_until: int) -> Door:
    """Down when no route answers, degraded when one of them does not, or not as agreed."""
    worst = [door for door in routes if door.state is not FeedState.OK]
    down = all(door.state is FeedState.DOWN for door in routes)
    state = FeedState.DOWN if down else FeedState.DEGRADED if worst else FeedState.OK
    return Door(
        name,
        state,
        worst[0].reason if worst else "",
        paused_until,
        sum(door.requests for door in routes),
        {
            kind.removeprefix(f"{name}."): count
            for kind, count in failures.items()
            if kind.startswith(f"{name}.")
        },
    )
