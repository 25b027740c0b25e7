"""How good past claims were: evidence against them, told apart from bad luck."""

from collections.abc import Iterable
from math import ceil, log, prod

STAKE = 0.5
"""The share of everything that is bet against each claim; at most a half."""
LEAST, MOST = 0.01, 0.99
"""Claimed probabilities are believed no further than this when losses in a row are counted."""


def factor(claimed: float, came: float, stake: float = STAKE) -> float:
    """What one outcome does to the evidence against a claim: 1 + stake * (claimed - came).

    Both in [0, 1], or their difference in [-1, 1]. If the claim is true, it gains nothing on
    average, whenever one stops looking (Ville's inequality; betting scores of Shafer, Vovk 2019).
    """
    return 1 + stake * (claimed - came)


def e_process(claims: Iterable[float], outcomes: Iterable[float], stake: float = STAKE) -> float:
    """The evidence against a series of claimed probabilities: prod(1 + stake * (pi_i - y_i)).

    Claims that are true, or too modest, lead to 20 or more in at most one of twenty series.
    """
    pairs = zip(claims, outcomes, strict=True)
    return prod(factor(claimed, came, stake) for claimed, came in pairs)


def straight_losses(loss: float, horizon: int = 200, false_alarm: float = 0.05) -> int:
    """How many losses in a row are too many, when each had the claimed probability `loss`.

    K = ceil(ln(N (1 - l) / a) / ln(1 / l)): within `horizon` events a run of K comes about with
    probability `false_alarm` at most (each run begins after a gain: N (1 - l) l^K <= a).
    """
    loss = min(max(loss, LEAST), MOST)
    return ceil(log(horizon * (1 - loss) / false_alarm) / log(1 / loss))


def cusum(before: float, z: float, slack: float = 0.25) -> float:
    """One step of the running sum of disappointments: max(0, before - z - slack).

    `z` is result less claim in standard deviations (Page 1954).
    """
    return max(0.0, before - z - slack)


def brier(claimed: float, came: float) -> float:
    """Squared error of a probability; 0 is perfect, 0.25 is what a coin says."""
    return (claimed - came) ** 2


def log_loss(claimed: float, came: float) -> float:
    """Minus the logarithm of the probability given to what came, nats; claims within 0.001."""
    claimed = min(max(claimed, 0.001), 0.999)
    return -(came * log(claimed) + (1 - came) * log(1 - claimed))
