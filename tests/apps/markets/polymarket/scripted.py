"""A transport whose client gives scripted answers, and whose seconds pass only by sleeping."""

import random
from collections.abc import Callable

import httpx

from markets.sources import transport as http
from markets.sources.transport import Transport

GAMMA = http.gamma("http://gamma.test/")
CLOB = http.clob("http://clob.test")
DATA = http.data("http://data.test")


class Clock:
    """Seconds that pass only by sleeping, or by `cost` a request."""

    def __init__(self) -> None:
        self.now, self.slept = 1_000.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


Answer = httpx.Response | Exception


class Scripted:
    """A client that gives the scripted answers in order, the last one for ever."""

    def __init__(self, *answers: Answer, clock: Clock, cost: float = 0.0) -> None:
        self.answers, self.clock, self.cost = list(answers), clock, cost
        self.at: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.at.append(self.clock.now)
        self.clock.now += min(self.cost, request.extensions["timeout"]["read"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok(body: bytes = b'{"fine": true}') -> httpx.Response:
    return httpx.Response(200, content=body)


def failing(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, content=b'{"error": "not today"}')


Wired = tuple[Transport, Scripted, Clock]
Build = Callable[..., Wired]


def build(*answers: Answer, cost: float = 0.0, **options: float) -> Wired:
    """A transport, its script and its clock; each request takes `cost` seconds."""
    clock = Clock()
    script = Scripted(*answers, clock=clock, cost=cost)
    client = httpx.Client(transport=httpx.MockTransport(script))
    rng = random.Random(5)
    transport = Transport(client, clock=clock, sleep=clock.sleep, rng=rng, **options)
    return transport, script, clock
