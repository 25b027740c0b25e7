"""What a strategy's signals would have come to since a rule switched it off, one share each.

A share is taken at the ask with its fee on the next fresh book, and leaves at the bid less its fee
when the strategy, the plan or the end of the market says so. No money moves, and no depth is asked
for: this tells whether a claim holds again, not how much could be earned by it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from execution.core import exits
from execution.core.controls import Controls
from execution.core.paper import MAX_WAITS
from execution.core.portfolio import put
from execution.core.trials import WINDOW
from execution.core.types import AccountName, Portfolio, Position, Shadow, Trial
from markets.core import venue
from markets.core.frozen import replace
from markets.core.tick import Tick
from markets.core.types import ONE, Status
from strategies.core.types import Basket, Bet, Opinion, Signal, bet_id


def follow(
    account: Portfolio,
    tick: Tick,
    signals: Sequence[Signal],
    opinions: Mapping[str, Opinion],
    *,
    control: Controls,
    lapsed: bool,
) -> Portfolio:
    """The base account with the shadows of every suspended strategy carried on by one tick."""
    if account.account != AccountName.BASE:
        return account
    for name in sorted(control.suspended):
        trial = account.trials.get(name) or Trial(since=tick.at)
        trial = replace(trial, suspended_at=trial.suspended_at or tick.at)
        trial = _settle(trial, tick)
        trial = _leave(_take(trial, tick), name, tick, opinions)
        trial = _count(_rested(trial, tick.at))
        if not lapsed:
            trial = _begin(trial, [s for s in signals if s.strategy == name], tick)
        account = replace(account, trials=put(account.trials, name, trial))
    return account


def _live(trial: Trial) -> Iterator[Shadow]:
    """Those that are on their way or held."""
    return (shadow for shadow in trial.shadows.values() if not shadow.rests_until)


def _settle(trial: Trial, tick: Tick) -> Trial:
    """What the end of a market pays."""
    for resolution in tick.resolutions:
        if resolution.status is Status.RESOLVED and resolution.payouts is not None:
            for shadow in [s for s in _live(trial) if s.market == resolution.market]:
                trial = _ended(trial, shadow, resolution.payouts[shadow.index], 0)
    return trial


def _ended(trial: Trial, shadow: Shadow, paid: int, rests_until: int) -> Trial:
    """A shadow that was held is over; one still on its way is forgotten."""
    if not shadow.cost:
        return replace(trial, shadows=put(trial.shadows, shadow.token, None))
    so_far = trial.shadow_sums.get(shadow.event, 0)
    kept = replace(shadow, rests_until=rests_until) if rests_until else None
    return replace(
        trial,
        shadows=put(trial.shadows, shadow.token, kept),
        shadow_sums=put(trial.shadow_sums, shadow.event, so_far + paid - shadow.cost),
    )


def _take(trial: Trial, tick: Tick) -> Trial:
    """Take what is on its way, the legs of one basket together or not at all."""
    groups: dict[str, list[Shadow]] = {}
    for shadow in _live(trial):
        if not shadow.cost:
            groups.setdefault(shadow.group, []).append(shadow)
    for legs in groups.values():
        for leg in legs:
            trial = replace(trial, shadows=put(trial.shadows, leg.token, None))
        for leg in _taken(legs, tick):
            trial = replace(trial, shadows=put(trial.shadows, leg.token, leg))
    return trial


def _taken(legs: list[Shadow], tick: Tick) -> list[Shadow]:
    """The legs with their cost, or waiting a tick more, or none where the price has gone."""
    if not all(_fresh(leg, tick) for leg in legs):
        waited = [replace(leg, waits=leg.waits + 1) for leg in legs]
        return waited if waited[0].waits < MAX_WAITS else []
    made = []
    for leg in legs:
        column, _ = tick.universe.token[leg.token]
        terms = tick.universe.markets[column].terms
        bid, ask = tick.touch(leg.token)
        if ask is None or ask > leg.limit or terms.fee is None or not terms.accepting_orders:
            return []
        cost = ask + venue.taker_fee(ONE, ask, terms.fee)
        made.append(replace(leg, cost=cost, opened_at=tick.at, peak=bid or 0))
    return made


def _fresh(leg: Shadow, tick: Tick) -> bool:
    """Whether a coherent book was observed after the signal."""
    column = tick.universe.column.get(leg.market)
    if column is None:
        return False
    return bool(tick.coherent[column] and tick.observed_at[column] > leg.placed_at)


def _leave(trial: Trial, name: str, tick: Tick, opinions: Mapping[str, Opinion]) -> Trial:
    """Sell at the bid what the same rules would sell of a holding."""
    held = {(name, s.token): _position(s, name, tick) for s in _live(trial) if s.cost}
    peaks = {p.token: replace(trial.shadows[p.token], peak=p.peak) for p in held.values()}
    trial = replace(trial, shadows={**trial.shadows, **peaks})
    for position, reason in exits.due(Portfolio("shadow", positions=held), tick, opinions):
        column, _ = tick.universe.token[position.token]
        fee, (bid, _) = tick.universe.markets[column].terms.fee, tick.touch(position.token)
        if bid is None or fee is None:
            continue
        plan = position.plan
        pause = plan.stop_cooldown_ms if reason == "stop" else plan.cooldown_ms
        paid = bid - venue.taker_fee(ONE, bid, fee)
        until = tick.at + pause if pause else 0
        trial = _ended(trial, trial.shadows[position.token], paid, until)
    return trial


def _position(shadow: Shadow, strategy: str, tick: Tick) -> Position:
    """The holding a shadow stands for."""
    bid = tick.touch(shadow.token)[0] if shadow.token in tick.universe.token else None
    return Position(
        strategy, shadow.market, shadow.token, shadow.outcome, shadow.index, ONE, shadow.cost,
        shadow.opened_at, shadow.plan, event=shadow.event, peak=max(shadow.peak, bid or 0),
    )  # fmt: skip


def _rested(trial: Trial, at: int) -> Trial:
    """The trial without cooldowns that are over."""
    kept = {
        token: shadow
        for token, shadow in trial.shadows.items()
        if not shadow.rests_until or shadow.rests_until > at
    }
    return trial if len(kept) == len(trial.shadows) else replace(trial, shadows=kept)


def _count(trial: Trial) -> Trial:
    """Events in which nothing is followed any more are closed, and count."""
    open_ = {shadow.event for shadow in _live(trial)}
    for event in sorted(set(trial.shadow_sums) - open_):
        trial = replace(
            trial,
            shadow=(*trial.shadow, trial.shadow_sums[event])[-WINDOW:],
            shadow_sums=put(trial.shadow_sums, event, None),
        )
    return trial


def _begin(trial: Trial, signals: Iterable[Signal], tick: Tick) -> Trial:
    """Follow every bet and basket in whose markets nothing is followed or rests."""
    for signal in signals:
        if not isinstance(signal, Bet | Basket):
            continue
        bets = signal.legs if isinstance(signal, Basket) else (signal,)
        busy = {shadow.market for shadow in trial.shadows.values()}
        if any(bet.market in busy or bet.market not in tick.universe.column for bet in bets):
            continue
        group = bet_id(bets[0])
        for bet in bets:
            shadow = _shadow(bet, group, tick)
            trial = replace(trial, shadows=put(trial.shadows, bet.token, shadow))
    return trial


def _shadow(bet: Bet, group: str, tick: Tick) -> Shadow:
    market = tick.universe.markets[tick.universe.column[bet.market]]
    _, index = tick.universe.token[bet.token]
    event = market.event.id or market.id
    return Shadow(
        bet.market, bet.token, bet.outcome, index, event, bet.plan, bet.limit, group, tick.at
    )
