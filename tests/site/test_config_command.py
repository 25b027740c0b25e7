"""`checkconfig`: says what a file means, exits 0 or 1, and touches nothing."""

import io

import pytest
from django.core.management import call_command

from pqap_site import environment
from tests.site.config_files import ENVIRONMENTS, shipped


def checked(*arguments):
    """What the command prints on each stream, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("checkconfig", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stopped:
        code = stopped.code
    return out.getvalue(), err.getvalue(), code


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A process without secrets or variables, its data folder empty."""
    for name in (*environment.SECRET_NAMES, "PQAP_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PQAP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    return tmp_path


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_shipped_files_are_good(env, alone):
    out, err, code = checked(str(shipped(env)))

    assert (err, code) == ("", 0)
    assert f"Environment   {env}, database" in out
    assert "This configuration is good, with " in out


def test_it_says_what_takes_effect(alone):
    out, _, _ = checked("--config", str(shipped("dev")))

    for said in (
        "Market data   polymarket: https://gamma-api.polymarket.com",
        "50 markets every 10 s",
        "Capital       100 dollars, on paper",
        "Risk limits   50 dollars a market, 100 a strategy",
        "25 dollars loss a day, 10 % drawdown",
        "Sizing        10 % of Kelly, 50 % of equity a market",
        "Web           127.0.0.1 port 8080, reading open",
        "Secrets       no .env file; set: none, and none is needed",
        "Warning: configs/dev.yaml:",
    ):
        assert said in out


def test_it_names_the_state_of_each_strategy(alone):
    file = alone / "x.yaml"
    file.write_text(
        "env: demo\nenabled_strategies: [mean_reversion_v1]\n"
        "strategies: {mean_reversion_v1: {parameters: {entry_zscore: -1}}}\n"
    )

    out, _, code = checked(str(file))

    assert code == 0
    assert "dual_arb_v1         not enabled: signals are stored" in out
    assert "mean_reversion_v1   off: entry_zscore: -1 is not allowed" in out
    assert "This configuration is good, with 2 warnings." in out


def test_a_wrong_file_exits_1_with_every_fault(alone):
    file = alone / "x.yaml"
    file.write_text("env: demo\ndebug: 5\nrisk_limits: {daily_loss_limit: -5}\n")

    out, err, code = checked(str(file))

    assert (out, code) == ("", 1)
    assert ":2: debug: 5 is not allowed" in err
    assert ":3: risk_limits.daily_loss_limit: -5 is not allowed" in err
    assert err.endswith("This configuration is refused; nothing was started.\n")


def test_secrets_are_named_and_never_shown(alone, monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    (alone / ".env").write_text("POLYMARKET_PRIVATE_KEY=hush\n")

    out, err, _ = checked(str(shipped("demo")))

    assert "Secrets       .env; set: TELEGRAM_BOT_TOKEN" in out
    assert "Warning: POLYMARKET_PRIVATE_KEY is set in .env" in out
    assert "AAHdq" not in out + err
    assert "hush" not in out + err


def test_it_makes_no_folder_and_no_file(alone):
    before = sorted(alone.rglob("*"))

    checked(str(shipped("demo")))

    assert sorted(alone.rglob("*")) == before


def test_without_a_name_it_checks_the_environment_acted_on(alone, monkeypatch):
    monkeypatch.setenv("PQAP_CONFIG", str(shipped("prod")))

    assert "Environment   prod" in checked()[0]
