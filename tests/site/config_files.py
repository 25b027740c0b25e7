"""Configuration files for tests, and a small registry whose ranges the tests know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pqap_site import config
from strategies.core.ports import Range

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("demo", "dev", "staging", "prod")

USERS_FILE = """\
env: staging
debug: true
initial_capital: 1000
enabled_strategies:
  - dual_arb_v1
  - mean_reversion_v1
strategies:
  mean_reversion_v1:
    parameters:
      entry_zscore: "2.0"
      exit_zscore: "0.5"
risk_limits:
  max_capital_per_market: 500
  max_capital_per_strategy: 400
  daily_loss_limit: 100
"""


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of every kind a strategy may have."""

    entry_zscore: Annotated[float, Range(0.5, 10, "standard deviations")] = 2.0
    exit_zscore: Annotated[float, Range(0, 5, "standard deviations")] = 0.5
    legs: Annotated[int, Range(2, 12)] = 4
    both_sides: bool = True
    flavor: str = "plain"


@dataclass(frozen=True, slots=True)
class Built:
    params: type

    @staticmethod
    def validate(params: Params) -> str | None:
        """Why these parameters make no rule together."""
        if params.exit_zscore >= params.entry_zscore:
            return "exit_zscore must be below entry_zscore"
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    built: Built | None = None


REGISTRY = {
    "dual_arb_v1": Entry(Built(Params)),
    "set_arb_v1": Entry(),
    "mean_reversion_v1": Entry(Built(Params)),
    "market_maker_v1": Entry(),
    "time_arb_v1": Entry(),
    "value_bet_v1": Entry(),
    "ml_prediction_v1": Entry(),
    "momentum_v1": Entry(),
}


def shipped(env: str) -> Path:
    """The file this project ships for an environment."""
    return ROOT / "configs" / f"{env}.yaml"


def loaded(
    folder: Path, text: str, environ: Mapping[str, str] | None = None
) -> config.Configuration:
    """The configuration a text gives, under the small registry."""
    file = folder / "x.yaml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, environ or {}, registry=REGISTRY)


def refusal(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The lines a refused text is told in, from the file's name on."""
    try:
        loaded(folder, text, environ)
    except config.Refused as refused:
        return str(refused).replace(f"{folder}/", "").splitlines()
    raise AssertionError("this text was not refused")
