"""The paper venue: fills orders against the recorded book as the exchange would have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Order latency: lognormal with this median and 95th percentile, drawn from the seed."""

    median_ms: int
    p95_ms: int
    seed: int
