"""Which environment a command acts on, where its files lie, which secrets it may see."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pqap_site import environment
from pqap_site.environment import Ambiguous, Unusable, load_secrets, paths, resolve, running

KEY = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"

HOLDER = """
import fcntl, sys, pathlib
files = [open(path, "a") for path in sys.argv[1:]]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder with the four configurations and an empty data folder, and we are in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    for env in environment.ENVIRONMENTS:
        (tmp_path / f"configs/{env}.yaml").write_text(f"env: {env}\n")
        (tmp_path / f"data/{env}").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def hold(project):
    """Hold the locks of some environments in another process."""
    holders = []

    def start(*environments, notes=None):
        locks = [paths(env, project / "data").lock for env in environments]
        for lock in locks:
            lock.write_text(json.dumps(notes) if notes else "")
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, *map(str, locks)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        holders.append(holder)
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


class TestResolve:
    def test_takes_dev_when_nothing_is_said_and_nothing_runs(self, project):
        chosen = resolve(["manage.py", "status"], {}, project)

        assert chosen.config == project / "configs/dev.yaml"
        assert chosen.how == "the default"

    @pytest.mark.parametrize(
        "argv",
        [
            ["manage.py", "halt", "--config", "configs/prod.yaml", "--why", "x"],
            ["manage.py", "--config", "configs/prod.yaml", "halt", "--why", "x"],
            ["manage.py", "halt", "--why", "x", "--config=configs/prod.yaml"],
        ],
    )
    def test_strips_the_option_wherever_it_stands(self, argv, project):
        chosen = resolve(argv, {"PQAP_CONFIG": "configs/demo.yaml"}, project)

        assert chosen.config == project / "configs/prod.yaml"
        assert chosen.argv == ["manage.py", "halt", "--why", "x"]
        assert chosen.how == "given on the command line"

    @pytest.mark.parametrize("command", ["runpqap", "checkconfig", "backtest"])
    def test_sees_the_configuration_given_by_position_and_leaves_it_there(self, command, project):
        argv = ["manage.py", command, "configs/prod.yaml"]

        chosen = resolve(argv, {}, project)

        assert (chosen.config, chosen.argv) == (project / "configs/prod.yaml", argv)

    def test_sees_it_behind_an_option_that_takes_a_value(self, project):
        argv = ["manage.py", "runpqap", "--port", "8081", "configs/staging.yaml"]

        assert resolve(argv, {}, project).config == project / "configs/staging.yaml"

    def test_leaves_other_commands_their_arguments(self, project):
        argv = ["manage.py", "loaddata", "rows.yaml"]

        assert resolve(argv, {}, project).config == project / "configs/dev.yaml"

    def test_prefers_the_current_folder_and_falls_back_to_the_project(self, project, monkeypatch):
        other = project / "elsewhere"
        other.mkdir()
        monkeypatch.chdir(other)

        assert resolve(["m", "x", "--config", "a.yaml"], {}, project).config == other / "a.yaml"
        chosen = resolve(["m", "x", "--config", "configs/dev.yaml"], {}, project)
        assert chosen.config == project / "configs/dev.yaml"

    def test_takes_the_variable_before_what_runs(self, project, hold):
        hold("staging")

        chosen = resolve(["m", "halt"], {"PQAP_CONFIG": "configs/demo.yaml"}, project)

        assert chosen.config == project / "configs/demo.yaml"
        assert chosen.how == "from PQAP_CONFIG"

    @pytest.mark.parametrize("argv", [["m", "x", "--config"], ["m", "x", "--config="]])
    def test_refuses_an_option_without_its_file(self, argv, project):
        with pytest.raises(Unusable, match="--config needs a file"):
            resolve(argv, {}, project)

    @pytest.mark.parametrize(
        "argv",
        [
            ["m", "runpqap", "configs/dev.yaml", "--config", "configs/prod.yaml"],
            ["m", "halt", "--config", "configs/dev.yaml", "--config", "configs/prod.yaml"],
        ],
    )
    def test_refuses_two_different_files(self, argv, project):
        with pytest.raises(Ambiguous, match="Two configurations are given"):
            resolve(argv, {}, project)

    def test_takes_one_file_given_twice(self, project):
        argv = ["m", "runpqap", "configs/prod.yaml", "--config", "configs/prod.yaml"]

        assert resolve(argv, {}, project).config == project / "configs/prod.yaml"


class TestResolveWhatRuns:
    def test_takes_the_only_environment_running(self, project, hold):
        hold("staging")

        chosen = resolve(["m", "halt"], {}, project)

        assert chosen.config == project / "configs/staging.yaml"
        assert chosen.how == "staging is the only environment running"

    def test_takes_the_configuration_it_was_started_with(self, project, hold):
        mine = project / "mine.yaml"
        hold("staging", notes={"pid": 1, "config": str(mine)})

        assert resolve(["m", "halt"], {}, project).config == mine

    @pytest.mark.parametrize("notes", [[1], {"pid": 1}, {"config": 5}])
    def test_takes_the_shipped_one_when_the_notes_do_not_say(self, notes, project, hold):
        hold("staging", notes=notes)

        assert resolve(["m", "halt"], {}, project).config == project / "configs/staging.yaml"

    def test_refuses_to_guess_between_two_when_the_command_writes(self, project, hold):
        hold("dev", "staging")

        with pytest.raises(Ambiguous, match=r"dev and staging are running: .*--config"):
            resolve(["m", "halt"], {}, project)

    @pytest.mark.parametrize("command", ["status", "checkconfig", "doctor", "help"])
    def test_takes_the_default_between_two_when_the_command_only_reads(
        self, command, project, hold
    ):
        hold("demo", "staging")

        chosen = resolve(["m", command], {}, project)

        assert chosen.config == project / "configs/dev.yaml"
        assert "several" in chosen.how

    def test_acts_between_two_when_told_which(self, project, hold):
        hold("dev", "staging")

        chosen = resolve(["m", "halt", "--config", "configs/dev.yaml"], {}, project)

        assert chosen.config == project / "configs/dev.yaml"

    def test_forgets_an_environment_whose_process_was_killed(self, project, hold):
        holder = hold("staging")
        assert list(running(project / "data", project)) == ["staging"]

        holder.kill()
        holder.wait()

        assert running(project / "data", project) == {}
        assert resolve(["m", "halt"], {}, project).config == project / "configs/dev.yaml"

    def test_looks_where_the_data_is_said_to_lie(self, project, hold):
        hold("staging")

        chosen = resolve(["m", "halt"], {"PQAP_DATA": "other"}, project)

        assert chosen.how == "the default"

    def test_looking_takes_nothing_and_leaves_no_file(self, project):
        assert running(project / "data", project) == {}

        assert list((project / "data").rglob("*.lock")) == []


class TestPaths:
    @pytest.mark.parametrize(
        ("env", "database"),
        [("demo", "pqap_demo.db"), ("dev", "pqap_dev.db"), ("prod", "pqap.db")],
    )
    def test_keep_everything_but_the_database_in_the_environments_folder(self, env, database):
        found = paths(env, Path("d"))

        assert found.database == Path("d") / database
        assert found.lock == Path("d") / env / "runpqap.lock"
        assert found.state_file == Path("d") / env / "paper_trading_state.json"
        assert found.log == Path("d") / env / "pqap.log"
        others = (found.broker, found.archive, found.models)
        assert {path.parent for path in others} == {found.folder}

    def test_never_meet_between_environments(self):
        every = [
            getattr(paths(env, Path("d")), name)
            for env in environment.ENVIRONMENTS
            for name in environment.Paths.__slots__
        ]

        assert len(set(every)) == len(every)

    def test_follow_the_variable(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PQAP_DATA", str(tmp_path))

        assert paths("dev").database == tmp_path / "pqap_dev.db"

    def test_are_the_projects_data_folder_otherwise(self, monkeypatch):
        monkeypatch.delenv("PQAP_DATA", raising=False)

        assert paths("dev").folder == environment.BASE_DIR / "data/dev"

    def test_refuse_a_name_that_is_no_environment(self):
        with pytest.raises(ValueError, match="not an environment"):
            paths("../../etc", Path("d"))


class TestSecrets:
    def test_come_from_the_environments_own_file_alone(self, tmp_path):
        (tmp_path / ".env").write_text("TELEGRAM_BOT_TOKEN=shared\nTELEGRAM_CHAT_ID=7\n")
        (tmp_path / ".env.dev").write_text("TELEGRAM_BOT_TOKEN=mine\n")

        dev, staging = load_secrets("dev", tmp_path, {}), load_secrets("staging", tmp_path, {})

        assert dict(dev.values) == {"TELEGRAM_BOT_TOKEN": "mine"}
        assert dev.file == tmp_path / ".env.dev"
        assert staging.values["TELEGRAM_BOT_TOKEN"] == "shared"
        assert staging.file == tmp_path / ".env"

    def test_may_be_absent(self, tmp_path):
        found = load_secrets("dev", tmp_path, {})

        assert (dict(found.values), found.file, found.warnings) == ({}, None, ())

    def test_of_the_process_win_even_when_empty(self, tmp_path):
        (tmp_path / ".env").write_text("POLYMARKET_API_KEY=file\nTELEGRAM_CHAT_ID=1\n")

        found = load_secrets("dev", tmp_path, {"POLYMARKET_API_KEY": ""})

        assert dict(found.values) == {"POLYMARKET_API_KEY": "", "TELEGRAM_CHAT_ID": "1"}

    def test_are_taken_literally(self, tmp_path):
        (tmp_path / ".env").write_text("# note\nexport A='$HOME #1'\nB=${A}x\n\nC = spaced \n")

        found = load_secrets("dev", tmp_path, {})

        assert dict(found.values) == {"A": "$HOME #1", "B": "${A}x", "C": "spaced"}

    @pytest.mark.parametrize("env", ["demo", "dev", "staging"])
    @pytest.mark.parametrize("source", ["file", "process"])
    def test_lose_the_private_key_outside_prod_with_a_warning(self, env, source, tmp_path):
        if source == "file":
            (tmp_path / f".env.{env}").write_text(f"POLYMARKET_PRIVATE_KEY={KEY}\n")
        environ = {"POLYMARKET_PRIVATE_KEY": KEY} if source == "process" else {}

        found = load_secrets(env, tmp_path, environ)

        assert "POLYMARKET_PRIVATE_KEY" not in found.values
        assert found.dropped == ("POLYMARKET_PRIVATE_KEY",)
        [warning] = found.warnings
        assert f"{env} never uses it" in warning
        assert (f".env.{env}" in warning) == (source == "file")
        assert KEY not in warning

    def test_drop_an_empty_private_key_without_a_word(self, tmp_path):
        found = load_secrets("dev", tmp_path, {"POLYMARKET_PRIVATE_KEY": ""})

        assert "POLYMARKET_PRIVATE_KEY" not in found.values
        assert found.warnings == ()

    def test_keep_the_private_key_in_prod(self, tmp_path):
        found = load_secrets("prod", tmp_path, {"POLYMARKET_PRIVATE_KEY": KEY})

        assert found.values["POLYMARKET_PRIVATE_KEY"] == KEY
        assert (found.dropped, found.warnings) == ((), ())

    def test_never_show_in_a_repr(self, tmp_path):
        (tmp_path / ".env").write_text(f"POLYMARKET_API_SECRET={KEY}\n")

        assert KEY not in repr(load_secrets("dev", tmp_path, {}))

    def test_on_a_broken_line_are_named_by_the_line_only(self, tmp_path):
        (tmp_path / ".env").write_text(f"A=1\n{KEY}\nTELEGRAM_CHAT_ID=1\n")

        found = load_secrets("dev", tmp_path, {})

        assert found.warnings == (".env:2: this is not KEY=value, so it was ignored.",)
        assert found.values["TELEGRAM_CHAT_ID"] == "1"

    def test_in_a_file_that_is_not_text_are_refused_without_a_byte_of_it(self, tmp_path):
        (tmp_path / ".env").write_bytes(b"A=\xff\xfe" + KEY.encode())

        with pytest.raises(Unusable) as refused:
            load_secrets("dev", tmp_path, {})

        assert str(refused.value) == ".env cannot be read: it is not UTF-8 text."
