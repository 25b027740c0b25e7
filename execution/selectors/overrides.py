"""What people have set against the configuration, and whether the file changed after that."""

from collections.abc import Iterator
from dataclasses import dataclass

from execution.models import LimitState, StrategyState


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
    for row in LimitState.objects.exclude(override=None).order_by("name"):
        values = (row.override, row.configured, row.overridden)
        yield Override(row.name, *(_limit(row.name, value) for value in values))


def _on(enabled: bool | None) -> str:
    return "enabled" if enabled else "disabled"


def _limit(name: str, micro: int | None) -> str:
    whole, part = divmod((micro or 0) * (100 if name == "max_drawdown" else 1), 1_000_000)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"{text} %" if name == "max_drawdown" else f"${text}"
