"""Rules from outside: named by dotted path, checked at the start, alone in their fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from markets.core.panel import Panel
from pqap_site import config
from strategies.core.types import Opinion
from strategies.library import REGISTRY
from tests import builders as b
from tests.site.config_files import ROOT, refusal

RULE = """
from dataclasses import dataclass
from typing import Annotated

from markets.core.panel import Panel
from strategies.core import evaluate
from strategies.core.ports import Range
from strategies.core.types import Silence


@dataclass(frozen=True)
class Params:
    patience: Annotated[float, Range(0, 10, "hours")] = 2.0


class Fade:
    name = "fade_v1"
    version = "1"
    description = "Waits."

    def __init__(self, params: Params) -> None:
        if params.patience == 7:
            raise RuntimeError("seven is unlucky")
        self.params = params

    def evaluate(self, panel: Panel):
        return evaluate.silent(self, panel, Silence.NO_SIGNAL)


class Nameless:
    def evaluate(self, panel):
        return None
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder on the path with one module of rules; its name is never used twice."""
    name = f"desk_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(RULE)
    (tmp_path / f"{name}_broken.py").write_text("import nothing_of_that_name")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def load(folder: Path, path: str, rest: str = "") -> config.Configuration:
    file = folder / "x.yaml"
    file.write_text(
        "env: dev\nenabled_strategies: [dual_arb_v1, fade_v1]\nstrategies:\n"
        f"  fade_v1:\n    class: {path}\n{rest}"
    )
    return config.load(file, {})


def test_a_rule_named_by_its_path_is_a_strategy_like_any_other(desk, tmp_path):
    found = load(tmp_path, f"{desk}.Fade", '    parameters: {patience: "3"}\n')

    assert found.enabled_strategies == ("dual_arb_v1", "fade_v1")
    assert found.strategies["fade_v1"].patience == 3.0
    entry = found.outside_strategies["fade_v1"]
    assert entry.description == "Waits."
    rule = entry.built(found.strategies["fade_v1"])
    panel = Panel()
    panel.advance(b.tick())
    assert isinstance(rule.evaluate(panel), Opinion)
    assert "fade_v1" not in REGISTRY
    assert found.digest != load(tmp_path, f"{desk}.Fade").digest


@pytest.mark.parametrize(
    ("path", "rest", "reason"),
    [
        ("{}_broken.Fade", "", "class: {}_broken cannot be imported: ModuleNotFoundError"),
        ("{}.Gone", "", "class: {} has no class Gone"),
        ("{}.Nameless", "", "class: Nameless has no text `name`"),
        ("Fade", "", "class: 'Fade' is no dotted path, such as my_desk.fade.Fade"),
        ("{}.Fade", "    parameters: {{patience: 11}}\n", "patience: 11 is not allowed"),
        ("{}.Fade", "    parameters: {{patience: 7}}\n", "seven is unlucky"),
    ],
)
def test_one_that_does_not_work_stays_off_with_its_reason_and_the_rest_runs(
    path, rest, reason, desk, tmp_path
):
    found = load(tmp_path, path.format(desk), rest.format())

    assert reason.format(desk) in found.invalid_strategies["fade_v1"]
    assert any("fade_v1 stays off" in warning for warning in found.warnings)
    assert "dual_arb_v1" in found.strategies
    assert "fade_v1" not in found.strategies


def test_its_name_may_not_be_one_of_the_librarys(desk, tmp_path):
    text = f"env: dev\nstrategies:\n  dual_arb_v1:\n    class: {desk}.Fade\n"

    [told] = refusal(tmp_path, text)

    assert told.startswith("x.yaml:4: strategies.dual_arb_v1.class: ")
    assert "the name belongs to a strategy of the library" in told


def test_its_block_must_carry_its_own_name(desk, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(f"env: dev\nstrategies:\n  other_v1:\n    class: {desk}.Fade\n")

    found = config.load(file, {})

    assert "Fade is named 'fade_v1'" in found.invalid_strategies["other_v1"]


def test_every_process_knows_it(desk, tmp_path):
    load(tmp_path, f"{desk}.Fade")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PQAP_DATA": str(tmp_path / "data")}

    done = subprocess.run(
        [sys.executable, "manage.py", "checkconfig", str(tmp_path / "x.yaml")],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if "fade_v1" in line]
    assert line.split()[-1] == "active"
