"""Strategy blocks: wrong ones stop the start, out of range ones only their strategy."""

import pytest

from pqap_site import config
from tests.builders import micro
from tests.site.config_files import REGISTRY, ROOT, Params, loaded, refusal

BLOCK = "env: dev\nstrategies:\n  mean_reversion_v1:\n    parameters:\n"


def test_every_built_strategy_has_parameters_whether_the_file_names_it_or_not(tmp_path):
    found = loaded(tmp_path, "env: dev\nenabled_strategies: []\n")

    assert found.strategies == {"dual_arb_v1": Params(), "mean_reversion_v1": Params()}


def test_parameters_are_read_in_their_own_types(tmp_path):
    written = '      entry_zscore: "3"\n      legs: "5"\n      both_sides: no\n      flavor: sour\n'

    params = loaded(tmp_path, BLOCK + written).strategies["mean_reversion_v1"]

    assert params == Params(entry_zscore=3.0, legs=5, both_sides=False, flavor="sour")
    assert isinstance(params.entry_zscore, float)
    assert isinstance(params.legs, int)


@pytest.mark.parametrize(
    ("written", "given", "allowed"),
    [
        ("entry_zscore: high", "high", "a number from 0.5 to 10 (standard deviations)"),
        ("entry_zscore: true", "true", "a number from 0.5 to 10 (standard deviations)"),
        ("entry_zscore: .nan", ".nan", "a number from 0.5 to 10 (standard deviations)"),
        ('entry_zscore: "inf"', "inf", "a number from 0.5 to 10 (standard deviations)"),
        ("entry_zscore:", "nothing", "a number from 0.5 to 10 (standard deviations)"),
        ("entry_zscore: [2]", "a list of 1", "a number from 0.5 to 10 (standard deviations)"),
        ("legs: 2.5", "2.5", "a whole number from 2 to 12"),
        ("both_sides: 1", "1", "true or false"),
        ("flavor: [sour]", "a list of 1", "text"),
    ],
)
def test_a_parameter_of_the_wrong_type_refuses_the_start(written, given, allowed, tmp_path):
    [told] = refusal(tmp_path, f"{BLOCK}      {written}\n")

    key = "strategies.mean_reversion_v1.parameters." + written.partition(":")[0]
    assert told == f"x.yaml:5: {key}: {given} is not allowed; it must be {allowed}"


@pytest.mark.parametrize("written", ["0.49", "10.01", "-2", "1e30"])
def test_a_parameter_out_of_range_keeps_only_its_strategy_off(written, tmp_path):
    found = loaded(tmp_path, f"{BLOCK}      entry_zscore: {written}\n")

    reason = (
        f"entry_zscore: {written} is not allowed; "
        "it must be a number from 0.5 to 10 (standard deviations)"
    )
    assert found.invalid_strategies == {"mean_reversion_v1": reason}
    assert list(found.strategies) == ["dual_arb_v1"]
    key = "strategies.mean_reversion_v1.parameters"
    assert f"{tmp_path}/x.yaml:5: {key}.{reason}; mean_reversion_v1 stays off" in found.warnings


@pytest.mark.parametrize("written", ["0.5", "10"])
def test_the_ends_of_a_range_belong_to_it(written, tmp_path):
    text = f"{BLOCK}      entry_zscore: {written}\n      exit_zscore: 0\n"

    assert not loaded(tmp_path, text).invalid_strategies


def test_several_values_out_of_range_are_all_told(tmp_path):
    found = loaded(tmp_path, f"{BLOCK}      entry_zscore: 11\n      legs: 13\n")

    reason = found.invalid_strategies["mean_reversion_v1"]
    assert "entry_zscore: 11" in reason
    assert "legs: 13" in reason


def test_a_combination_the_strategy_rejects_keeps_it_off_with_its_words(tmp_path):
    found = loaded(tmp_path, f"{BLOCK}      exit_zscore: 3\n")

    assert "exit_zscore must be below" in found.invalid_strategies["mean_reversion_v1"]
    [line] = [w for w in found.warnings if "exit_zscore must be below" in w]
    assert line.startswith(f"{tmp_path}/x.yaml:3: strategies.mean_reversion_v1: ")
    assert line.endswith("; mean_reversion_v1 stays off")


def test_a_strategy_that_is_off_changes_the_digest(tmp_path):
    off = loaded(tmp_path, f"{BLOCK}      exit_zscore: 3\n")

    assert off.digest != loaded(tmp_path, "env: dev\n").digest


def test_the_block_of_an_unbuilt_strategy_is_kept_unchecked_and_said(tmp_path):
    text = "env: dev\nstrategies:\n  momentum_v1:\n    parameters:\n      whatever: [1, {a: b}]\n"

    found = loaded(tmp_path, text)

    assert "momentum_v1" not in found.strategies
    assert not found.invalid_strategies
    [line] = [w for w in found.warnings if "strategies.momentum_v1" in w]
    assert line.startswith(f"{tmp_path}/x.yaml:4: ")
    assert "kept but not checked" in line


def test_enabling_an_unbuilt_strategy_stops_nothing_and_is_said_once(tmp_path):
    found = loaded(tmp_path, "env: staging\n")

    [line] = [w for w in found.warnings if "not available in this version" in w]
    assert line.endswith("momentum_v1, value_bet_v1, market_maker_v1")
    assert "momentum_v1" in found.enabled_strategies


def test_all_enables_every_name_without_a_word(tmp_path):
    found = loaded(tmp_path, "env: demo\nenabled_strategies: all\n")

    assert found.enabled_strategies == tuple(REGISTRY)
    assert found.warnings == ()


def test_a_name_listed_twice_counts_once_and_is_said(tmp_path):
    found = loaded(tmp_path, "env: demo\nenabled_strategies: [dual_arb_v1, dual_arb_v1]\n")

    assert found.enabled_strategies == ("dual_arb_v1",)
    assert any("listed twice" in line for line in found.warnings)


def test_shadow_strategies_are_those_whose_mode_says_so(tmp_path):
    text = (
        "env: demo\nstrategies:\n  dual_arb_v1: {mode: shadow}\n  mean_reversion_v1: {mode: paper}"
    )

    found = loaded(tmp_path, text)

    assert found.shadow_strategies == {"dual_arb_v1"}
    assert found.strategies["dual_arb_v1"] == Params()


def test_a_strategys_own_limits_never_touch_the_risk_limits(tmp_path):
    found = loaded(tmp_path, f"{BLOCK}      entry_zscore: 99\n")

    assert found.risk_limits.daily_loss_limit == micro(25)


def test_a_file_of_forecasts_is_for_the_rule_that_listens_to_one(tmp_path):
    block = "env: demo\nstrategies:\n  {}:\n    forecasts: {}\n"

    def load(text):
        path = tmp_path / "x.yaml"
        path.write_text(text)
        return config.load(path, {})

    found, bare = load(block.format("value_bet_v1", "my own.csv")), load("env: demo\n")
    assert (found.forecasts, bare.forecasts) == (ROOT / "my own.csv", None)
    assert found.digest != bare.digest

    with pytest.raises(config.Refused, match="left out: dual_arb_v1 takes no forecasts"):
        load(block.format("dual_arb_v1", "mine.csv"))
