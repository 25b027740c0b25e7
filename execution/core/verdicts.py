"""When the evidence is enough to switch a strategy off; the figures are in `docs/risk.md`."""

from collections.abc import Iterator, Sequence
from math import exp, log

from execution.core import evidence, metrics, resampling
from execution.core.metrics import NORMAL
from execution.core.types import Rule, Trial
from markets.core.types import ONE
from strategies.core import scoring

EVIDENCE = 20
"""The e-process at which a claim is given up: reached by luck in one of twenty trials at most."""
CUSUM, CUSUM_RUN, CUSUM_EVENTS = 8, 1_000, 200
"""The least alarm; raised until true claims give a false one in a thousand events at most."""
SHARPE_EVENTS, SHARPE_CHANCE = 50, 0.05
FALL_EVENTS, FALL_TIMES = 10, 3
SLIP_FILLS, SLIP_TIMES, SLIP_FLOOR = 50, 2, 2_000
"""At least so many fills, more than so many times the model, and more than 0.2 cents a share."""
RATE_ORDERS, RATE_LEAST = 50, 0.05

Verdict = tuple[Rule, str]


def on_outcomes(strategy: str, trial: Trial) -> Verdict | None:
    """Why the closed events of a trial are enough to switch its strategy off, or None."""
    rules = (_evidence(trial), _losses(trial), _cusum(strategy, trial), _sharpe(trial))
    found = next((verdict for verdict in rules if verdict), None)
    return found or _fall(strategy, trial)


def on_orders(trial: Trial) -> Verdict | None:
    """Why its fills and orders look like a fault rather than bad luck, or None."""
    return _slippage(trial) or _fill_rate(trial)


def loss_chances(trial: Trial) -> Iterator[float]:
    """The claimed chance of a loss of each of the last events, oldest first."""
    columns = zip(trial.hopes, trial.deviations, trial.chances, strict=True)
    for hoped, deviation, chance in columns:
        if chance:
            yield 1 - chance / ONE
        else:
            yield NORMAL.cdf(-hoped / max(deviation, 1))


def _evidence(trial: Trial) -> Verdict | None:
    if trial.evidence < log(EVIDENCE) * ONE:
        return None
    against = exp(trial.evidence / ONE)
    return Rule.E_PROCESS, (
        f"evidence against its claims is {against:.1f} after {trial.clusters} closed events; "
        f"{EVIDENCE} switches off"
    )


def _losses(trial: Trial) -> Verdict | None:
    """The claimed chance of a loss is the geometric mean over the run, so long shots may lose."""
    run = min(trial.losses, len(trial.results))
    if not run:
        return None
    chances = [max(chance, scoring.LEAST) for chance in list(loss_chances(trial))[-run:]]
    typical = exp(sum(map(log, chances)) / run)
    most = scoring.straight_losses(typical)
    if trial.losses < most:
        return None
    return Rule.STRAIGHT_LOSSES, (
        f"{trial.losses} closed events in a row lost; at a claimed chance of loss of "
        f"{typical:.0%}, {most} are too many"
    )


def _cusum(strategy: str, trial: Trial) -> Verdict | None:
    if trial.cusum <= CUSUM * ONE:
        return None
    alarm = cusum_alarm(strategy, trial)
    if trial.cusum <= alarm * ONE:
        return None
    return Rule.CUSUM, (
        f"results fall short of its claims by {trial.cusum / ONE:.1f} deviations in sum; "
        f"more than {alarm:.1f} switches off"
    )


def cusum_alarm(strategy: str, trial: Trial) -> float:
    """The sum of disappointments that true claims reach once in a thousand events on average.

    Runs to an alarm are nearly exponential, so that one in 200 events has 1 - exp(-200 / 1000).
    """
    reached = resampling.claimed_disappointment(
        _chances(trial) or [ONE // 2],
        seed=f"cusum|{strategy}|{trial.since}|{trial.clusters}",
        events=CUSUM_EVENTS,
        slack=evidence.SLACK,
        widest=evidence.WIDEST,
        quantile=exp(-CUSUM_EVENTS / CUSUM_RUN),
    )
    return max(float(CUSUM), reached)


def _chances(trial: Trial) -> list[int]:
    """Chances of the better point of each event's two; even where none was claimed."""
    return [chance or ONE // 2 for chance in trial.chances]


def _sharpe(trial: Trial) -> Verdict | None:
    if len(trial.results) < SHARPE_EVENTS:
        return None
    chance = profit_chance(trial.results)
    if chance >= SHARPE_CHANCE:
        return None
    return Rule.SHARPE, (
        f"after {len(trial.results)} closed events the chance that it earns anything is "
        f"{chance:.1%}; below {SHARPE_CHANCE:.0%} switches off"
    )


def profit_chance(results: Sequence[int]) -> float:
    """PSR(0) of results by event; results that do not vary say it by their sign."""
    found = metrics.moments(results)
    if found is None:
        return 1.0 if sum(results) >= 0 else 0.0
    return metrics.psr(found)[1]


def _fall(strategy: str, trial: Trial) -> Verdict | None:
    if len(trial.results) < FALL_EVENTS:
        return None
    fell = metrics.deepest_fall(trial.results)
    claimed = resampling.claimed_fall(
        trial.hopes,
        trial.deviations,
        _chances(trial),
        seed=f"{strategy}|{trial.since}|{trial.clusters}",
    )
    if fell <= FALL_TIMES * claimed:
        return None
    return Rule.DRAWDOWN, (
        f"its results fell by {fell / ONE:.2f} dollars; its own claims allow {claimed / ONE:.2f} "
        f"in 19 of 20 cases, and {FALL_TIMES} times that switches off"
    )


def _slippage(trial: Trial) -> Verdict | None:
    if len(trial.slips) < SLIP_FILLS:
        return None
    size, real, model = (sum(column) for column in zip(*trial.slips, strict=True))
    paid, expected = real * ONE / size, model * ONE / size
    if paid <= max(SLIP_TIMES * expected, SLIP_FLOOR):
        return None
    return Rule.SLIPPAGE, (
        f"its last {len(trial.slips)} fills cost {paid / 10_000:.2f} cents a share beyond the "
        f"touch, {expected / 10_000:.2f} were expected; more than {SLIP_TIMES} times that and "
        f"{SLIP_FLOOR / 10_000:g} cents switches off"
    )


def _fill_rate(trial: Trial) -> Verdict | None:
    if len(trial.ended) < RATE_ORDERS:
        return None
    filled = sum(trial.ended)
    if filled >= RATE_LEAST * len(trial.ended):
        return None
    return Rule.FILL_RATE, (
        f"{filled} of its last {len(trial.ended)} entry orders filled; below {RATE_LEAST:.0%} "
        f"switches off"
    )
