"""The evidence for and against each strategy, as values for pages and API."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from execution.core import state
from execution.core.metrics import Figure, mean_of, mean_result
from execution.core.types import AccountName, Scores, Trial
from execution.models import Account
from markets.core.types import ONE

NOTHING = "Since then none of its signals has come to an end"


@dataclass(frozen=True, slots=True)
class TrialLine:
    """What a strategy has shown since `since` (ms UTC), in the base account.

    `evidence` is the e-process against its claims, `disappointment` the sum the CUSUM watches, in
    deviations; `losses` counts the last events in a row that lost. `suspended_at` is 0 while no
    rule switched it off; `shadow` is the mean result of an event since then, dollars a share.
    """

    since: int
    suspended_at: int
    clusters: int
    open_clusters: int
    wins: int
    losses: int
    evidence: float
    disappointment: float
    shadow_clusters: int
    shadow: Figure
    brier: Figure
    market_brier: Figure
    log_loss: Figure
    market_log_loss: Figure
    lead: Figure


def trials() -> Mapping[str, TrialLine]:
    """Every strategy's trial, by name; empty before the accounts are opened."""
    return {name: _line(name, trial) for name, trial in _stored().items()}


def shadows() -> Mapping[str, str]:
    """In a sentence, what the signals of each switched-off strategy have come to since."""
    return {name: _words(name, trial) for name, trial in _stored().items() if trial.suspended_at}


def _stored() -> Mapping[str, Trial]:
    rows = Account.objects.filter(name=AccountName.BASE)
    plain = rows.values_list("state__trials", flat=True).first()
    return state.load_trials(plain or [])


def _line(name: str, trial: Trial) -> TrialLine:
    return TrialLine(
        since=trial.since,
        suspended_at=trial.suspended_at,
        clusters=trial.clusters,
        open_clusters=len(trial.open),
        wins=trial.wins,
        losses=trial.losses,
        evidence=exp(trial.evidence / ONE),
        disappointment=trial.cusum / ONE,
        shadow_clusters=len(trial.shadow),
        shadow=_shadow(name, trial),
        **_scores(trial.scores),
    )


def _shadow(name: str, trial: Trial) -> Figure:
    results = [result / ONE for result in trial.shadow]
    return mean_result(results, seed=f"shadow|{name}|{trial.suspended_at}")


def _words(name: str, trial: Trial) -> str:
    found = _shadow(name, trial)
    if found.value is None:
        return NOTHING
    said = f"Since then {len(trial.shadow)} shadow events, mean {found.value * 100:+.2f} cents"
    if found.low is None or found.high is None:
        return f"{said} a share"
    return f"{said} a share, 90 % interval {found.low * 100:+.2f} to {found.high * 100:+.2f}"


def _scores(sums: Scores) -> dict[str, Figure]:
    """Means of the scores; only the lead has an interval: it is what one wants to know."""
    names = ("brier", "market_brier", "log_loss", "market_log_loss")
    note = "its uncertainty is that of the lead"
    means = {
        name: Figure(getattr(sums, name) / sums.count / ONE, note=note)
        if sums.count
        else mean_of(0, 0, 0)
        for name in names
    }
    return {**means, "lead": mean_of(sums.count, sums.lead / ONE, sums.squares / ONE)}
