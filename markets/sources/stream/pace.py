"""Every waiting time of the stream in one place, so that tests can hurry it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of the stream; `_ms` in milliseconds of the wall clock, the others in seconds.

    A connection that brought nothing for `freeze_ms` makes its books doubtful, one silent for
    `silence_ms` is opened anew. A book that no frame confirmed for `quiet_ms` is asked for over
    HTTP, every book each `check_ms`. `lag_ms` is how far socket and HTTP may differ without
    either being wrong, `late_ms` how old the news of a frame may be.
    """

    freeze_ms: int = 15_000
    quiet_ms: int = 10_000
    check_ms: int = 30_000
    silence_ms: int = 60_000
    lag_ms: int = 5_000
    late_ms: int = 10_000
    resubscribe_ms: int = 30_000
    outcome_ms: int = 60_000
    ping: float = 10.0
    pong: float = 30.0
    connect: float = 5.0
    between: float = 0.1
    first_pause: float = 1.0
    longest_pause: float = 60.0
    steady: float = 60.0
    """A connection that lived so long had no trouble connecting: pauses start small again."""
