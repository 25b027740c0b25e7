"""What a strategy is to the rest of PQAP."""

from typing import Annotated, Protocol, get_args, get_origin, get_type_hints

from markets.core.panel import Panel
from strategies.core.types import Opinion


class Range:
    """The values a parameter may take and its unit: `Annotated[float, Range(0, 1, "dollars")]`."""

    __slots__ = ("high", "low", "unit")

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        self.low, self.high, self.unit = low, high, unit


class Strategy(Protocol):
    """A pure rule over the panel; parameters and other inputs are frozen constructor arguments."""

    name: str
    version: str

    def evaluate(self, panel: Panel) -> Opinion:
        """What this rule believes at the panel's newest tick."""
        ...


def ranges(params: type) -> dict[str, Range]:
    """The Range of each field of a Params dataclass."""
    found = {}
    for name, hint in get_type_hints(params, include_extras=True).items():
        if get_origin(hint) is Annotated:
            for note in get_args(hint)[1:]:
                if isinstance(note, Range):
                    found[name] = note
    return found
