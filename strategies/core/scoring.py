"""How good past claims were: evidence against them, told apart from bad luck."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log, prod, sqrt

from markets.core.types import ONE

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


class Measure(StrEnum):
    """What is looked at of a signal afterwards, traded or not."""

    ENTRY = "entry"
    MARKOUT_5M = "markout_5m"
    MARKOUT_30M = "markout_30m"
    MARKOUT_6H = "markout_6h"
    CLOSING = "closing"
    BRIER = "brier"


MINUTE_MS = 60_000
HORIZONS: Mapping[Measure, int] = {
    Measure.MARKOUT_5M: 5 * MINUTE_MS,
    Measure.MARKOUT_30M: 30 * MINUTE_MS,
    Measure.MARKOUT_6H: 360 * MINUTE_MS,
}
"""How long after the signal each markout is taken, ms."""

LEAST_EVENTS = 30


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one signal, micro; None where it cannot be known, and then why."""

    value: int | None
    other: int | None = None
    unknown: str = ""


def entry(mid: int, ask: int, limit: int) -> Score:
    """The market's mid for the token when it was signalled, and what a share would have cost."""
    return Score(mid, min(ask, limit))


def gain(worth: int, paid: int, fee: int | None) -> Score:
    """What a share had gained by a later price (micro-dollars), and the same less its fee."""
    return Score(worth - paid, None if fee is None else worth - paid - fee)


def squared(claimed: int, came: int) -> int:
    """Brier score in micro of a probability and what came, both in micro."""
    return (claimed - came) ** 2 // ONE


def against(fair: int, market: int, came: int) -> Score:
    """Brier of our fair value, and of the market's mid when it was signalled."""
    return Score(squared(fair, came), squared(market, came))


def distance(fair: int, market: int, closing: int) -> Score:
    """How far our fair value lay from the last mid, and how far the market's mid did (micro)."""
    return Score(abs(closing - fair), abs(closing - market))


@dataclass(frozen=True, slots=True)
class Summary:
    """A mean over signals with its standard error, events taken whole; `note` says why it lacks."""

    count: int
    events: int
    mean: float | None
    error: float | None
    note: str = ""


def summary(sums: Iterable[tuple[int, float]]) -> Summary:
    """The mean of what (count, sum) of each event hold, and its error clustered by event.

    error = sqrt(G / (G - 1) sum_g (S_g - n_g mean)^2) / n, as signals within an event hang
    together (Liang, Zeger 1986). Below 30 events there is none.
    """
    groups = [(count, total) for count, total in sums if count]
    signals, events = sum(count for count, _ in groups), len(groups)
    if not signals:
        return Summary(0, 0, None, None, "nothing to score yet")
    mean = sum(total for _, total in groups) / signals
    if events < LEAST_EVENTS:
        note = f"not enough data: {events} events of {LEAST_EVENTS} needed"
        return Summary(signals, events, mean, None, note)
    spread = sum((total - count * mean) ** 2 for count, total in groups)
    return Summary(signals, events, mean, sqrt(events / (events - 1) * spread) / signals)
