"""Statistics of a track record; each comes with its uncertainty, or with why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, e, sqrt
from statistics import NormalDist

import numpy as np

from execution.core import resampling
from execution.core.resampling import Floats

YEAR = 365
"""Days of a year: these markets never close."""
LEAST_DAYS, LEAST_CLUSTERS = 60, 30
EULER = 0.5772156649
NORMAL = NormalDist()
TOP = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic with its 90 % interval; `note` says why one of them is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Moments:
    """A sample's Sharpe ratio a period, its skew and its kurtosis (3 for a normal one)."""

    count: int
    sharpe: float
    skew: float
    kurtosis: float

    @property
    def spread(self) -> float:
        """1 - g3 SR + (g4 - 1) / 4 SR^2: how much wider than normal SR's error is (Mertens)."""
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def moments(sample: Sequence[float]) -> Moments | None:
    """The moments of a sample, or None where it does not vary."""
    values = np.asarray(sample, dtype=np.float64)
    if len(values) < 2 or float(np.ptp(values)) == 0:
        return None
    centred = values - values.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    skew = float(np.mean(centred**3)) / deviation**3
    kurtosis = float(np.mean(centred**4)) / deviation**4
    return Moments(len(values), float(values.mean() / values.std(ddof=1)), skew, kurtosis)


def psr(found: Moments, benchmark: float = 0.0) -> tuple[float, float]:
    """(z, probability) that the true Sharpe ratio a period is above `benchmark`.

    z = (SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2).
    Source: Bailey, Lopez de Prado 2012, The Sharpe ratio efficient frontier.
    """
    z = (found.sharpe - benchmark) * sqrt(found.count - 1) / sqrt(max(found.spread, 1e-9))
    return z, NORMAL.cdf(z)


def best_of_luck(deviation: float, tried: int) -> float:
    """The Sharpe ratio a period that the best of `tried` worthless variants shows by luck.

    SR0 = sd ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g = 0.5772; `deviation` is that
    of the variants' ratios. Source: Bailey, Lopez de Prado 2014, The deflated Sharpe ratio.
    """
    first, second = NORMAL.inv_cdf(1 - 1 / tried), NORMAL.inv_cdf(1 - 1 / (tried * e))
    return deviation * ((1 - EULER) * first + EULER * second)


def dsr(found: Moments, deviation: float, tried: int) -> float:
    """The deflated Sharpe ratio: PSR against what the best of `tried` variants shows by luck."""
    return psr(found, best_of_luck(deviation, tried))[1]


def least_track_record(
    found: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> int | None:
    """Periods needed until PSR reaches `confidence`; None where the ratio is not above.

    MinTRL = 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (z / (SR - SR*))^2, the source as of `psr`.
    """
    if found.sharpe <= benchmark:
        return None
    z = NORMAL.inv_cdf(confidence)
    return ceil(1 + found.spread * (z / (found.sharpe - benchmark)) ** 2)


def annual(returns: Sequence[float], periods: int = YEAR) -> float:
    """What a daily Sharpe ratio is multiplied by to be a yearly one, autocorrelation minded.

    q / sqrt(q + 2 sum_k (q - k) rho_k), the sum over 4 (T / 100)^(2/9) lags; sqrt(q) where
    returns do not hang together. Source: Lo 2002, The statistics of Sharpe ratios.
    """
    values = np.asarray(returns, dtype=np.float64)
    centred = values - values.mean()
    whole = float(centred @ centred)
    if whole == 0:
        return sqrt(periods)
    lags = min(int(4 * (len(values) / 100) ** (2 / 9)), len(values) - 1)
    shared = sum(
        (periods - k) * float(centred[k:] @ centred[:-k]) / whole for k in range(1, lags + 1)
    )
    variance = periods + 2 * shared
    return periods / sqrt(variance) if variance > 0 else sqrt(periods)


def hidden(days: int, clusters: int) -> str:
    """Why a Sharpe ratio is not shown yet, or ''."""
    if days < LEAST_DAYS:
        return f"{days} days of {LEAST_DAYS} needed"
    if clusters < LEAST_CLUSTERS:
        return f"{clusters} closed events of {LEAST_CLUSTERS} needed"
    return ""


def sharpe(returns: Sequence[float], clusters: int, *, corrected: bool = False) -> Figure:
    """The yearly Sharpe ratio of daily returns; hidden below 60 days or 30 closed events.

    Its interval takes skew and kurtosis into account (Mertens 2002). `corrected` minds that one
    day's return may follow from the day before's (Lo 2002).
    """
    note = hidden(len(returns), clusters)
    found = None if note else moments(returns)
    if found is None:
        return Figure(None, note=note or "the returns do not vary")
    scale = annual(returns) if corrected else sqrt(YEAR)
    reach = NORMAL.inv_cdf(0.95) * sqrt(max(found.spread, 0.0) / (found.count - 1))
    low, high = found.sharpe - reach, found.sharpe + reach
    return Figure(found.sharpe * scale, low * scale, high * scale)


def event_t(results: Sequence[float], years: float) -> tuple[Figure, Figure]:
    """(t, yearly ratio) of results by event: mean / (sd / sqrt(n)), mean / sd * sqrt(n a year)."""
    found = moments(results)
    if found is None or found.count < LEAST_CLUSTERS:
        note = f"{len(results)} closed events of {LEAST_CLUSTERS} needed"
        note = note if len(results) < LEAST_CLUSTERS else "the results do not vary"
        return Figure(None, note=note), Figure(None, note=note)
    t = found.sharpe * sqrt(found.count)
    scale = sqrt(found.count / years) if years > 0 else 0.0
    reach = NORMAL.inv_cdf(0.95) * sqrt(max(found.spread, 0.0) / (found.count - 1))
    low, high = found.sharpe - reach, found.sharpe + reach
    told = "beyond 1.65 either way it is not luck in nine of ten cases"
    ratio = Figure(found.sharpe * scale, low * scale, high * scale)
    return Figure(t, note=told), ratio


def mean_result(results: Sequence[float], *, seed: object) -> Figure:
    """The mean result of an event with its bootstrap interval over whole events."""
    if not results:
        return Figure(None, note="no event is closed yet")
    mean = sum(results) / len(results)
    if len(results) < TOP:
        return Figure(mean, note=f"{len(results)} closed events of {TOP} needed for an interval")
    return Figure(mean, *resampling.mean_interval(results, seed=seed))


def total_result(results: Sequence[float], *, seed: object) -> Figure:
    """The sum of results by event with its 95 % bootstrap interval, each event drawn whole.

    Below 30 events there is no interval: what few payoffs show says nothing of the next ones.
    """
    count, total = len(results), sum(results)
    if count < LEAST_CLUSTERS:
        return Figure(total, note=f"not enough data: {count} events of {LEAST_CLUSTERS} needed")
    low, high = resampling.mean_interval(results, seed=seed, level=0.95)
    return Figure(total, low * count, high * count)


def drawdowns(equity: Sequence[int]) -> Floats:
    """How far each value lies below the highest before it, as a fraction of that one."""
    values = np.asarray(equity, dtype=np.float64)
    highs = np.maximum(np.maximum.accumulate(values), 1.0)
    fallen: Floats = np.maximum(0.0, 1 - values / highs)
    return fallen


def deepest_fall(results: Sequence[int]) -> float:
    """How far a running sum of results fell below its highest value, in their unit."""
    return float(resampling.deepest_fall(np.asarray(results, dtype=np.float64)))


def concentration(results: Sequence[int], top: int = TOP) -> Figure:
    """The share of all gains that the `top` best events made: 1 where there are no others."""
    gains = sorted((result for result in results if result > 0), reverse=True)
    if not gains:
        return Figure(None, note="no event has gained anything")
    return Figure(sum(gains[:top]) / sum(gains), note="counted, not estimated")


def breakeven(spent: int, shares: int) -> Figure:
    """The share of shares that must pay a dollar for nothing to be lost: their all-in cost."""
    if not shares:
        return Figure(None, note="nothing was held to its end yet")
    return Figure(spent / shares, note="counted, not estimated")


def mean_of(count: int, total: float, squares: float) -> Figure:
    """A mean and its 90 % interval from sums, by the normal approximation."""
    if not count:
        return Figure(None, note="nothing was held to its end yet")
    mean = total / count
    if count < LEAST_CLUSTERS:
        note = f"{count} closed events of {LEAST_CLUSTERS} needed for an interval"
        return Figure(mean, note=note)
    variance = max(0.0, squares / count - mean**2) * count / (count - 1)
    reach = NORMAL.inv_cdf(0.95) * sqrt(variance / count)
    return Figure(mean, mean - reach, mean + reach)
