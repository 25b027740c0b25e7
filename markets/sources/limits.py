"""How fast we may ask: a bucket for each limit, and a pause for everything after a 429."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
MOST_DOUBLINGS = 10
LONGEST_STATED = 1200.0
"""A Retry-After may lengthen a pause up to here."""

CLOSE_ENOUGH = 0.5
"""Seconds by which clocks may disagree about one and the same pause."""

FORGOTTEN_AFTER = 600.0
"""Seconds without a 429 after which the next one counts as the first."""


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` requests at once, then `rate` a second."""

    rate: float
    burst: float
    clock: Callable[[], float]
    _tokens: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._at = self.burst, self.clock()

    def wait(self) -> float:
        """Seconds until the next request may be sent, 0 when it may be now."""
        return max((1 - self._filled()) / self.rate, 0.0)

    def take(self) -> None:
        """Count one request as sent."""
        self._tokens, self._at = self._filled() - 1, self.clock()

    def _filled(self) -> float:
        elapsed = max(self.clock() - self._at, 0.0)
        return min(self.burst, self._tokens + elapsed * self.rate)


@dataclass(slots=True)
class CoolDown:
    """The pause after a 429: client-wide, growing with each further one, never shortened."""

    clock: Callable[[], float]
    rng: random.Random
    strikes: int = 0
    _until: float = float("-inf")
    _struck_at: float = float("-inf")

    def strike(self, retry_after: float) -> float:
        """Note a 429; the length of the pause in seconds, at least `retry_after`."""
        now = self.clock()
        self.strikes = 1 if now - self._struck_at > FORGOTTEN_AFTER else self.strikes + 1
        self._struck_at = now
        grown = min(FIRST_PAUSE * 2 ** min(self.strikes - 1, MOST_DOUBLINGS), LONGEST_PAUSE)
        pause = max(grown * self.rng.uniform(1.0, 1.25), min(retry_after, LONGEST_STATED))
        self._until = max(self._until, now + pause)
        return self._until - now

    def learn(self, left: float) -> None:
        """Take over a pause others were told of, of which `left` seconds remain.

        How often we were told follows from its length, so that the next one is longer whoever
        meets it. A pause longer than any can be comes from a clock that was set back: it is
        not kept.
        """
        if not self.left() + CLOSE_ENOUGH < left <= LONGEST_STATED:
            return
        self._struck_at = self.clock()
        self._until = self._struck_at + left
        self.strikes = max(self.strikes, 1 + int(math.log2(max(left / FIRST_PAUSE, 1.0))))

    def left(self) -> float:
        """Seconds still to pause, 0 when none."""
        return max(self._until - self.clock(), 0.0)
