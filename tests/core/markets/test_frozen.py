"""The quick `replace` does what the slow one does."""

import dataclasses

import pytest

from execution.core.types import Portfolio
from markets.core.frozen import replace
from tests import builders as b
from tests.trading import account, bet


@dataclasses.dataclass(frozen=True)
class Loose:
    a: int
    b: int = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("negative")


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (account(), {"cash": 5, "high_water": 7}),
        (account(), {}),
        (bet(), {"size": 3}),
        (b.market(), {"tags": ("x",)}),
        (Loose(1), {"a": 4}),
        (Checked(1), {"a": 4}),
    ],
)
def test_it_equals_the_standard_one(value, changes):
    before = dataclasses.asdict(value)

    made = replace(value, **changes)

    assert made == dataclasses.replace(value, **changes)
    assert type(made) is type(value)
    assert made is not value
    assert dataclasses.asdict(value) == before


def test_a_field_that_is_none_is_refused():
    with pytest.raises(TypeError, match="Portfolio has no field 'gold'"):
        replace(Portfolio("base"), gold=1)


def test_what_checks_itself_is_still_checked():
    with pytest.raises(ValueError, match="negative"):
        replace(Checked(1), a=-1)
