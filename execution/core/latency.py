"""How long an order is on its way: drawn from a seed and the order's key, the same in a replay."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from strategies.core.types import digest


@dataclass(frozen=True, slots=True)
class Latency:
    """Order latency: lognormal with this median and 95th percentile, drawn from the seed."""

    median_ms: int
    p95_ms: int
    seed: int

    def draw(self, key: str) -> int:
        """Milliseconds for one order; a function of seed and key alone."""
        luck = int(digest(self.seed, key)[:13], 16) / 16**13
        z = NormalDist().inv_cdf(min(max(luck, 1e-9), 1 - 1e-9))
        spread = math.log(self.p95_ms / self.median_ms) / NormalDist().inv_cdf(0.95)
        return round(self.median_ms * math.exp(spread * z))
