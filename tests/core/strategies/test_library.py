"""The registry: eight names, and parameters that say what they may be."""

import dataclasses
import re
from pathlib import Path

import pytest

from strategies.core.gates import GATES
from strategies.core.ports import ranges
from strategies.library import REGISTRY, mean_reversion_v1
from strategies.library.dual_arb_v1 import EXEMPT

NAMES = {
    "dual_arb_v1",
    "set_arb_v1",
    "mean_reversion_v1",
    "market_maker_v1",
    "time_arb_v1",
    "ml_prediction_v1",
    "value_bet_v1",
    "momentum_v1",
}
BUILT = [entry for entry in REGISTRY.values() if entry.built]


def test_all_eight_names_are_known_with_one_sentence_each():
    assert set(REGISTRY) == NAMES
    for name, entry in REGISTRY.items():
        assert entry.name == name
        assert re.fullmatch(r"[A-Z].+\.", entry.description)


@pytest.mark.parametrize("entry", BUILT, ids=lambda entry: entry.name)
def test_every_parameter_has_a_range_its_default_lies_in(entry):
    params = entry.built.params()
    allowed = ranges(entry.built.params)
    for field in dataclasses.fields(params):
        assert allowed[field.name].low <= getattr(params, field.name) <= allowed[field.name].high
        assert allowed[field.name].unit
    assert entry.built.validate(params) is None


@pytest.mark.parametrize("entry", BUILT, ids=lambda entry: entry.name)
def test_what_is_built_carries_its_name(entry):
    rule = entry.built(entry.built.params())

    assert rule.name == entry.name
    assert rule.version


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exit_zscore": 2.0}, "exit_zscore must be below entry_zscore"),
        ({"entry_zscore": 4.0}, "entry_zscore below stop_zscore"),
        ({"min_half_life": 12.0}, "min_half_life must be below max_half_life"),
    ],
)
def test_parameters_that_make_no_rule_together_are_refused(change, words):
    params = dataclasses.replace(mean_reversion_v1.Params(), **change)

    assert words in mean_reversion_v1.validate(params)


PAGE = (Path(__file__).parents[3] / "docs" / "strategies.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part of the page under one heading of the second level."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_page_says_which_exist_and_which_do_not_yet():
    for name, entry in REGISTRY.items():
        state = "built" if entry.built else "unavailable"
        assert f"| `{name}` | {entry.description} | {state} |" in PAGE


@pytest.mark.parametrize("entry", BUILT, ids=lambda entry: entry.name)
def test_the_page_lists_every_parameter_with_its_default_and_unit(entry):
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([^|]+) \|", section(f"`{entry.name}`"), re.M)

    params, allowed = entry.built.params(), ranges(entry.built.params)
    expected = [(f.name, getattr(params, f.name)) for f in dataclasses.fields(params)]
    assert [(name, float(value)) for name, value, _ in rows] == expected
    assert [unit.strip() for *_, unit in rows] == [allowed[name].unit for name, _ in expected]


def test_the_page_lists_the_gates_in_order_and_who_is_exempt():
    rows = re.findall(r"^\| `([A-Z]+)` \|.*\| (exempt|) ?\|$", section("Gates"), re.M)

    assert [code for code, _ in rows] == [reason.value for reason in GATES]
    assert {code for code, word in rows if word} == {reason.value for reason in EXEMPT}
