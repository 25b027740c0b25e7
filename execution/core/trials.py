"""What a tick's facts add to the evidence for and against each strategy, in the base account.

Evidence is counted by event: what is bought and sold within one hangs together. An event is closed
when the strategy holds nothing in it any more; only then it counts. A payout that was booked stays
counted when it is taken back: what comes of the shares after that counts as another event.
"""

from collections.abc import Sequence

from execution.core import evidence, verdicts
from execution.core.controls import Controls
from execution.core.portfolio import put
from execution.core.types import (
    OPEN_STATES,
    AccountName,
    Cluster,
    EndReason,
    Fact,
    Fill,
    Liquidity,
    Order,
    Portfolio,
    Position,
    Purpose,
    Side,
    Suspension,
    Trial,
)
from markets.core.frozen import replace
from markets.core.types import ONE

WINDOW = 200
"""Closed events that are looked back on: the horizon of the count of straight losses."""
SURE = ONE // 1000
FINEST = 10_000
"""No result is believed to be known more finely than a cent a share."""
NOT_ITS_FAULT = (
    EndReason.HALTED,
    EndReason.RESOLVED,
    EndReason.RESTART,
    EndReason.BY_HAND,
    EndReason.GAME_START,
    EndReason.LEG_FAILED,
)


def learn(
    before: Portfolio, account: Portfolio, facts: Sequence[Fact], *, at: int, control: Controls
) -> tuple[Portfolio, list[Suspension]]:
    """The account with this tick's facts in its trials, and the strategies that they end.

    `before` is the account as the tick found it: whose event a fill belongs to is read there.
    """
    if account.account != AccountName.BASE:
        return account, []
    trials = dict(account.trials)
    for fact in facts:
        if isinstance(fact, Fill | Order):
            trial = trials.get(fact.strategy) or Trial(since=at)
            trials[fact.strategy] = _told(trial, fact, before, account)
    ended: list[Suspension] = []
    for name, trial in sorted(trials.items()):
        old = account.trials.get(name) or Trial()
        if trial is old:
            continue
        trial = _closed(trial, name, account)
        judged = control.trading(name) and not trial.suspended_at
        verdict = _judged(name, trial, old) if judged else None
        if verdict:
            trial = replace(trial, suspended_at=at)
            ended.append(Suspension(name, *verdict, at))
        trials[name] = trial
    return replace(account, trials=trials), ended


def restart(account: Portfolio, strategy: str, at: int) -> Portfolio:
    """A fresh trial for a strategy that a person trusts again; what it holds goes on counting."""
    trial = account.trials.get(strategy)
    if trial is None or not trial.suspended_at:
        return account
    return replace(account, trials=put(account.trials, strategy, Trial(since=at, open=trial.open)))


def event_of(held: Position) -> str:
    """The event a holding belongs to; a market without one stands for itself."""
    return held.event or held.market


def _judged(name: str, trial: Trial, old: Trial) -> verdicts.Verdict | None:
    found = verdicts.on_outcomes(name, trial) if trial.clusters != old.clusters else None
    return found or verdicts.on_orders(trial)


def _told(trial: Trial, fact: Fill | Order, before: Portfolio, account: Portfolio) -> Trial:
    if isinstance(fact, Order):
        if fact.purpose is not Purpose.ENTRY or fact.state in OPEN_STATES:
            return trial
        if fact.reason in NOT_ITS_FAULT:
            return trial
        ended = (*trial.ended, 1 if fact.filled else 0)
        return replace(trial, ended=ended[-verdicts.RATE_ORDERS :])
    if fact.liquidity is Liquidity.TAKER:
        slip = (fact.size, fact.latency_cost + fact.slippage_cost, fact.expected)
        trial = replace(trial, slips=(*trial.slips, slip)[-verdicts.SLIP_FILLS :])
    if fact.liquidity is Liquidity.SETTLEMENT and fact.side is Side.BUY:
        return trial
    key = (fact.strategy, fact.token)
    held = account.positions.get(key) or before.positions.get(key)
    if held is None:
        return trial
    event = event_of(held)
    cluster = _grown(trial.open.get(event, Cluster()), fact)
    return replace(trial, open=put(trial.open, event, cluster))


def _grown(cluster: Cluster, fill: Fill) -> Cluster:
    """The event with one fill more; only what leaves again is evidence."""
    cluster = replace(cluster, result=cluster.result + fill.realized_pnl)
    if fill.side is Side.BUY:
        return replace(cluster, fees=cluster.fees + fill.fee)
    cluster = replace(cluster, hoped=cluster.hoped + fill.hoped)
    if fill.liquidity is Liquidity.SETTLEMENT and fill.claimed > 0:
        return _kept(cluster, fill)
    return _sold(cluster, fill)


def _kept(cluster: Cluster, fill: Fill) -> Cluster:
    """Shares kept to the end: what was claimed of them against what they paid."""
    market = evidence.probability(fill.fair_value - fill.settlement_gain, fill.size)
    ours = evidence.probability(fill.claimed, fill.size)
    came = evidence.probability(fill.notional, fill.size)
    return replace(
        cluster,
        missed=cluster.missed + fill.claimed - fill.notional,
        bound=cluster.bound + fill.size,
        deviation=cluster.deviation + evidence.spread(fill.claimed, fill.size),
        settled=cluster.settled + fill.size,
        claimed=cluster.claimed + fill.claimed,
        scores=evidence.scored(cluster.scores, ours, market, came),
    )


def _sold(cluster: Cluster, fill: Fill) -> Cluster:
    """Shares that left before: what was hoped against what was realized, within what can be."""
    spent = fill.notional - fill.realized_pnl
    most = max(fill.hoped + spent, fill.size - spent - fill.hoped, 0)
    return replace(
        cluster,
        missed=cluster.missed + fill.hoped - fill.realized_pnl,
        bound=cluster.bound + most,
        deviation=cluster.deviation + (fill.deviation or evidence.spread(spent, fill.size)),
        sold=cluster.sold + fill.size,
    )


def _closed(trial: Trial, name: str, account: Portfolio) -> Trial:
    """The trial with every event closed in which its strategy holds nothing any more."""
    held = {event_of(p) for p in account.positions.values() if p.strategy == name}
    for event in sorted(trial.open):
        if event not in held:
            cluster = trial.open[event]
            trial = replace(trial, open=put(trial.open, event, None))
            if cluster.sold + cluster.settled:
                trial = _counted(trial, cluster)
    return trial


def _counted(trial: Trial, cluster: Cluster) -> Trial:
    shares = cluster.sold + cluster.settled
    # The fees of purchases belong to what was hoped after costs, not to what a share pays.
    fees = cluster.fees * cluster.sold // shares
    deviation = max(cluster.deviation, shares * FINEST // ONE)
    factor = evidence.log_factor(cluster.missed + fees, cluster.bound + fees)
    gained, lost = cluster.result > 0, cluster.result < 0
    return replace(
        trial,
        clusters=trial.clusters + 1,
        wins=trial.wins + gained,
        losses=trial.losses + 1 if lost else 0 if gained else trial.losses,
        evidence=trial.evidence + factor,
        cusum=evidence.disappointment(trial.cusum, cluster.result, cluster.hoped, deviation),
        results=(*trial.results, cluster.result)[-WINDOW:],
        hopes=(*trial.hopes, cluster.hoped)[-WINDOW:],
        deviations=(*trial.deviations, deviation)[-WINDOW:],
        chances=(*trial.chances, _chance(cluster))[-WINDOW:],
        scores=evidence.summed(trial.scores, cluster.scores),
    )


def _chance(cluster: Cluster) -> int:
    """The claimed chance to win of an event mostly kept to its end, else 0."""
    if cluster.settled <= cluster.sold:
        return 0
    return min(max(evidence.probability(cluster.claimed, cluster.settled), SURE), ONE - SURE)
