"""What people decided, as `step` sees it: switches, limits in force and latched halts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from execution.core.risk import LIMIT_NAMES, Limits
from execution.core.types import Change, ChangeKind, Suspension
from markets.core.frozen import replace

ALL = "all"


@dataclass(frozen=True, slots=True)
class Controls:
    """Effective values; the configured ones lie beside them, for a reset.

    `halts` maps a scope ("all", "strategy:<name>", "market:<id>") to its reason, `suspended` a
    strategy that a rule switched off to why. `unreadable` is why the stored ones could not be read,
    until a halt of everything says so as a Change.
    """

    configured: frozenset[str]
    configured_limits: Limits
    enabled: frozenset[str]
    limits: Limits
    halts: Mapping[str, str] = field(default_factory=dict)
    suspended: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""

    @classmethod
    def of(cls, enabled: frozenset[str], limits: Limits) -> "Controls":
        """The controls of a configuration nobody has overridden."""
        return cls(enabled, limits, enabled, limits)

    def trading(self, strategy: str) -> bool:
        """Whether a strategy may open anything."""
        return strategy in self.enabled and strategy not in self.suspended

    def halted(self, strategy: str, market: str) -> str | None:
        """The scope of the halt that stops this strategy in this market, or None."""
        return next(iter(self.scopes(strategy, market)), None)

    def scopes(self, strategy: str, market: str) -> tuple[str, ...]:
        """The scopes of every halt that stops this strategy in this market, the widest first."""
        scopes = (ALL, f"strategy:{strategy}", f"market:{market}")
        return tuple(scope for scope in scopes if scope in self.halts)


def apply(controls: Controls, change: Change) -> Controls:
    """The controls after one person's decision; kinds that concern money change nothing here."""
    scope = change.scope
    match change.kind:
        case ChangeKind.HALT:
            return replace(latch(controls, scope or ALL, change.why), unreadable="")
        case ChangeKind.RESUME:
            kept = {s: why for s, why in controls.halts.items() if s != (scope or ALL)}
            return replace(controls, halts=kept)
        case ChangeKind.ENABLE:
            lifted = {s: why for s, why in controls.suspended.items() if s != scope}
            return replace(controls, enabled=controls.enabled | {scope}, suspended=lifted)
        case ChangeKind.DISABLE:
            return replace(controls, enabled=controls.enabled - {scope})
        case ChangeKind.RESET_STRATEGY:
            was = controls.enabled - {scope}
            return replace(controls, enabled=was | (controls.configured & {scope}))
        case ChangeKind.LIMIT if scope in LIMIT_NAMES:
            return replace(controls, limits=replace(controls.limits, **{scope: int(change.value)}))
        case ChangeKind.RESET_LIMIT if scope in LIMIT_NAMES:
            value = getattr(controls.configured_limits, scope)
            return replace(controls, limits=replace(controls.limits, **{scope: value}))
    return controls


def is_scope(scope: str) -> bool:
    """Whether a halt can have this scope: "all", "strategy:<name>" or "market:<id>"."""
    prefix, _, rest = scope.partition(":")
    return scope == ALL or (prefix in ("strategy", "market") and bool(rest))


def latch(controls: Controls, scope: str, reason: str) -> Controls:
    """Latch the kill switch for a scope; the first reason stays."""
    return replace(controls, halts={**controls.halts, scope: controls.halts.get(scope, reason)})


def suspend(controls: Controls, suspension: Suspension) -> Controls:
    """Switch a strategy off by rule until a person enables it; the first reason stays."""
    why = {suspension.strategy: suspension.reason, **controls.suspended}
    return replace(controls, suspended=why)
