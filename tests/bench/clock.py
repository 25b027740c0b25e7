"""Timing by CPU time: the best of several runs, since noise only ever adds."""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

RUNS = 5
LONG_ENOUGH = 0.05
"""Seconds of CPU one run should take, so that the clock's grain does not show."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one unit of work."""

    seconds: float


def measure(work: Callable[[], object], *, each: int = 1) -> Cost:
    """The cost of one of the `each` units that a call of `work` does."""
    work()
    calls = _enough(work)
    best = min(_spent(work, calls) for _ in range(RUNS))
    return Cost(best / calls / each)


def reference() -> Cost:
    """A fixed loop of plain Python: the unit in which machines are compared."""
    return measure(_additions)


def _additions() -> int:
    total = 0
    for number in range(10_000):
        total += number
    return total


def _enough(work: Callable[[], object]) -> int:
    calls = 1
    while _spent(work, calls) < LONG_ENOUGH:
        calls *= 2
    return calls


def _spent(work: Callable[[], object], calls: int) -> float:
    started = process_time()
    for _ in range(calls):
        work()
    return process_time() - started
