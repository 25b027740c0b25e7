"""What one closed event says for and against a strategy's claims, as integers that last."""

from math import isqrt, log

from execution.core.types import Scores
from markets.core.frozen import replace
from markets.core.types import ONE
from strategies.core import scoring

WIDEST, SLACK = 4.0, 0.25
"""No event counts for more deviations than this: a single one cannot switch anything off."""


def probability(value: int, shares: int) -> int:
    """What a share is worth as a probability in micro, from 0 to 1."""
    return min(max(value * ONE // shares, 0), ONE) if shares else 0


def spread(value: int, shares: int) -> int:
    """How far the payout of `shares` worth `value` may end from that: n sqrt(p (1 - p))."""
    win = probability(value, shares)
    return shares * isqrt(win * (ONE - win)) // ONE


def log_factor(missed: int, bound: int) -> int:
    """The logarithm (micro) of what an event does to the e-process.

    `missed` is by how much it fell short of its claim, `bound` the most it could have.
    """
    share = min(max(missed / bound, -1.0), 1.0) if bound > 0 else 0.0
    return round(log(scoring.factor(share, 0.0)) * ONE)


def disappointment(before: int, result: int, hoped: int, deviation: int) -> int:
    """The running sum of disappointments (micro deviations) after one more event."""
    z = min(max((result - hoped) / max(deviation, 1), -WIDEST), WIDEST)
    return round(scoring.cusum(before / ONE, z, SLACK) * ONE)


def scored(sums: Scores, claimed: int, market: int, came: int) -> Scores:
    """The sums with one holding more that was kept to its end; probabilities in micro."""
    ours, theirs, outcome = claimed / ONE, market / ONE, came / ONE
    return replace(
        sums,
        count=sums.count + 1,
        brier=sums.brier + round(scoring.brier(ours, outcome) * ONE),
        market_brier=sums.market_brier + round(scoring.brier(theirs, outcome) * ONE),
        log_loss=sums.log_loss + round(scoring.log_loss(ours, outcome) * ONE),
        market_log_loss=sums.market_log_loss + round(scoring.log_loss(theirs, outcome) * ONE),
    )


def summed(sums: Scores, event: Scores) -> Scores:
    """The sums with one event more, as the mean of its holdings: they hang together."""
    if not event.count:
        return sums
    brier, market = event.brier // event.count, event.market_brier // event.count
    lead = market - brier
    return Scores(
        count=sums.count + 1,
        brier=sums.brier + brier,
        market_brier=sums.market_brier + market,
        log_loss=sums.log_loss + event.log_loss // event.count,
        market_log_loss=sums.market_log_loss + event.market_log_loss // event.count,
        lead=sums.lead + lead,
        squares=sums.squares + lead * lead // ONE,
    )
