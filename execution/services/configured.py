"""What the configuration says, as the objects the core works with."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings

from execution.core.desk import ACCOUNTS
from execution.core.engine import Setting
from execution.core.latency import Latency
from execution.core.paper import MODELS, PaperVenue
from strategies.core.ports import Strategy
from strategies.library import REGISTRY
from strategies.selectors import learnt

MINUTE_MS = 60_000


def strategies(digests: Mapping[str, str] | None = None) -> Sequence[Strategy]:
    """Every built strategy with valid parameters, enabled or not, in name order.

    `digests` name the knowledge they are told, of each kind; none is told without.
    """
    built, known = settings.PQAP.strategies, learnt.inputs(digests or {})
    return [rule(built[name], known) for name in sorted(built) if (rule := REGISTRY[name].built)]


def enabled() -> frozenset[str]:
    """Strategies the configuration lets trade: enabled, valid, and not in shadow mode."""
    pqap = settings.PQAP
    return frozenset(
        name
        for name in pqap.enabled_strategies
        if name in pqap.strategies and name not in pqap.shadow_strategies
    )


def states() -> dict[str, tuple[str, str]]:
    """Every known strategy's (state, reason) before any override."""
    found = {}
    for name, entry in REGISTRY.items():
        if name in settings.PQAP.invalid_strategies:
            found[name] = ("invalid", settings.PQAP.invalid_strategies[name])
        elif entry.built is None:
            found[name] = ("unavailable", "not built yet")
        elif name in settings.PQAP.shadow_strategies:
            found[name] = ("shadow", "mode: shadow in the configuration")
        elif name in settings.PQAP.enabled_strategies:
            found[name] = ("active", "")
        else:
            found[name] = ("disabled", "not in enabled_strategies")
    return found


def venues() -> dict[str, PaperVenue]:
    """One paper venue for each account; they share the latency draw."""
    paper = settings.PQAP.paper
    latency = Latency(paper.latency_ms, paper.latency_p95_ms, paper.seed)
    return {name: PaperVenue(latency, MODELS[name]) for name in ACCOUNTS}


def setting() -> Setting:
    """Sizing, the zone of the trading day, and what is paid and when."""
    pqap = settings.PQAP
    return Setting(
        pqap.sizing,
        ZoneInfo(pqap.time_zone),
        rebates=pqap.paper.rebates,
        redeem_ms=pqap.paper.redeem_minutes * MINUTE_MS,
    )
