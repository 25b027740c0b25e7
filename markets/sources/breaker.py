"""A circuit breaker: what failed several times in a row is left alone for a while, then probed."""

from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
FIRST_SECONDS = 10.0
LONGEST_SECONDS = 60.0
MOST_DOUBLINGS = 6


@dataclass(slots=True)
class Breaker:
    """Open after `FAILURES` failures in a row, for 10 s; then one more failure opens it again,
    for twice as long.

    `reason` is the newest failure's: while open it goes with every refusal to ask.
    """

    clock: Callable[[], float]
    failures: int = 0
    reason: str = ""
    _opened: int = 0
    _until: float = float("-inf")

    def left(self) -> float:
        """Seconds until something may be asked again, 0 when it may be now."""
        return max(self._until - self.clock(), 0.0)

    def failed(self, reason: str) -> None:
        """Note one more failure in a row."""
        self.failures, self.reason = self.failures + 1, reason
        if self.failures >= FAILURES:
            self._until = self.clock() + min(FIRST_SECONDS * 2**self._opened, LONGEST_SECONDS)
            self._opened = min(self._opened + 1, MOST_DOUBLINGS)

    def answered(self) -> None:
        """Note an answer: closed again, as if nothing had been."""
        self.failures, self.reason, self._opened = 0, "", 0
        self._until = float("-inf")
