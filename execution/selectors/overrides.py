"""What people have set against the configuration, and whether the file changed after that."""

from collections.abc import Iterator
from dataclasses import dataclass

from execution.core.risk import UNITS, Unit
from execution.models import LimitState, StrategyState
from markets.core.amounts import plain

SIGNS = {Unit.FRACTION: " %", Unit.COUNT: "", Unit.SECONDS: " s"}


@dataclass(frozen=True, slots=True)
class Override:
    """One override in force: both values as text, and the configured one when it was made."""

    name: str
    value: str
    configured: str
    was_configured: str

    @property
    def outdated(self) -> bool:
        """Whether the configuration changed after it: a person should keep or reset it."""
        return self.configured != self.was_configured

    def __str__(self) -> str:
        said = f"{self.name} is overridden: {self.value} instead of {self.configured}"
        if self.outdated:
            said += f" (the configuration said {self.was_configured} then: keep it or reset it)"
        return said


def in_force() -> list[Override]:
    """Every override in force, strategies first."""
    return [*_strategies(), *_limits()]


def _strategies() -> Iterator[Override]:
    for row in StrategyState.objects.exclude(override=None).order_by("name"):
        yield Override(row.name, _on(row.override), _on(row.configured), _on(row.overridden))


def _limits() -> Iterator[Override]:
    for row in LimitState.objects.filter(name__in=UNITS).exclude(override=None).order_by("name"):
        values = (row.override, row.configured, row.overridden)
        yield Override(row.name, *(_limit(row.name, value) for value in values))


def _on(enabled: bool | None) -> str:
    return "enabled" if enabled else "disabled"


def _limit(name: str, micro: int | None) -> str:
    unit, amount = UNITS[name], micro or 0
    text = plain(amount * (100 if unit is Unit.FRACTION else 1))
    return f"${text}" if unit is Unit.MONEY else f"{text}{SIGNS[unit]}"
