"""The evidence for and against a strategy, counted by events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strategies.core.types import Plan


class Rule(StrEnum):
    """Which rule switched a strategy off."""

    E_PROCESS = "E_PROCESS"
    STRAIGHT_LOSSES = "STRAIGHT_LOSSES"
    CUSUM = "CUSUM"
    SHARPE = "SHARPE"
    DRAWDOWN = "DRAWDOWN"
    SLIPPAGE = "SLIPPAGE"
    FILL_RATE = "FILL_RATE"


@dataclass(frozen=True, slots=True)
class Scores:
    """Sums of how good probabilities were, ours and the market's at entry (micro; logs in nats).

    `lead` is by how much ours were better (Brier), `squares` the sum of its squares.
    """

    count: int = 0
    brier: int = 0
    market_brier: int = 0
    log_loss: int = 0
    market_log_loss: int = 0
    lead: int = 0
    squares: int = 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """One event in which a strategy holds or held something; money in micro-dollars.

    `result` is what came of it so far after fees, `hoped` what its signals promised of what has
    left again, `deviation` how far it may lie from that. `missed` is by how much outcomes fell
    short of claims, `bound` the most they could; `fees` were paid for purchases. `sold` and
    `settled` are micro-shares, `claimed` what the settled ones were said to be worth.
    """

    result: int = 0
    hoped: int = 0
    deviation: int = 0
    missed: int = 0
    bound: int = 0
    fees: int = 0
    sold: int = 0
    settled: int = 0
    claimed: int = 0
    scores: Scores = field(default_factory=Scores)


@dataclass(frozen=True, slots=True)
class Shadow:
    """One share of a signal followed without money, while its strategy is switched off.

    It waits until `cost` (all-in, micro-dollars) says that it was taken; `group` holds the legs
    of one basket together. After it ended, `rests_until` keeps its market shut, as a cooldown.
    """

    market: str
    token: str
    outcome: str
    index: int
    event: str
    plan: Plan
    limit: int
    group: str
    placed_at: int
    waits: int = 0
    cost: int = 0
    opened_at: int = 0
    peak: int = 0
    rests_until: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a strategy's closed events have shown since `since` (ms UTC), in the base account.

    `evidence` is the natural logarithm of the e-process and `cusum` the running sum of
    disappointments (micro, both); `losses` counts the last events in a row that lost. `results`,
    `hopes`, `deviations` (micro-dollars) and `chances` (claimed, micro; 0 where none was stated)
    are columns of the last closed events, oldest first. `slips` are (size, realized, expected) of
    the last fills beyond the touch, `ended` says of the last entry orders whether they filled.
    `shadow` are results of events followed since it was switched off at `suspended_at`.
    """

    since: int = 0
    suspended_at: int = 0
    clusters: int = 0
    wins: int = 0
    losses: int = 0
    evidence: int = 0
    cusum: int = 0
    results: tuple[int, ...] = ()
    hopes: tuple[int, ...] = ()
    deviations: tuple[int, ...] = ()
    chances: tuple[int, ...] = ()
    scores: Scores = field(default_factory=Scores)
    open: Mapping[str, Cluster] = field(default_factory=dict)
    slips: tuple[tuple[int, int, int], ...] = ()
    ended: tuple[int, ...] = ()
    shadows: Mapping[str, Shadow] = field(default_factory=dict)
    shadow_sums: Mapping[str, int] = field(default_factory=dict)
    shadow: tuple[int, ...] = ()
