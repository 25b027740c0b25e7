"""runpqap as a person runs it: real processes on a free port, an exchange that does not answer."""

import contextlib
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

BASE = Path(__file__).resolve().parents[2]
UP_SECONDS = 90.0
STOP_SECONDS = 10.0
NOBODY = "http://127.0.0.1:9"
WORKERS = ("collect worker", "desk worker", "upkeep worker")
ROLES = ("web", *WORKERS, *(f"{name} (tasks)" for name in WORKERS))


class Desk:
    """One environment in a folder of its own."""

    def __init__(self, folder, port):
        self.folder = folder
        self.port = port
        self.output = folder / "output"
        self.process = None
        for env in ("dev", "staging"):
            (folder / f"{env}.yaml").write_text(
                f"env: {env}\nenabled_strategies: []\ncollection: {{poll_seconds: 2}}\n"
            )

    def environ(self, **more):
        urls = {f"PQAP_{name}_URL": NOBODY for name in ("GAMMA", "CLOB", "DATA")}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PQAP_", "DATABASE"))}
        inherited.pop("BROKER_URL", None)
        return {**inherited, **urls, "PQAP_DATA": str(self.folder / "data"), **more}

    def command(self, *arguments, **environ):
        """A manage.py command that ends by itself."""
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=BASE,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )

    def start(self):
        arguments = ["runpqap", str(self.folder / "dev.yaml"), "--port", str(self.port)]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=BASE,
                env=self.environ(),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: "Ctrl-C here stops everything" in self.text(), UP_SECONDS, self.text)
        until(lambda: set(ROLES) <= set(self.roles()), UP_SECONDS, self.text)
        return self

    def text(self):
        return self.output.read_text()

    def processes(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def roles(self):
        """Role -> process, by the titles `ps` shows."""
        titles = {}
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                titles[" ".join(process.cmdline()).strip()] = process
        start = "pqap dev: "
        return {t.removeprefix(start): p for t, p in titles.items() if t.startswith(start)}

    def open(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20)

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.kill()
        self.process.wait()


def until(true, seconds, explain=str):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


def living(processes):
    alive = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """One environment; the tests below use it in their order, the last two end it."""
    one = Desk(tmp_path_factory.mktemp("desk"), free_port())
    one.start()
    yield one
    one.end()


def said(done):
    """What a refused command said, without the line that names the environment."""
    return [line for line in done.stderr.splitlines() if not line.startswith("PQAP dev: ")]


def test_it_says_where_it_runs_with_which_login_and_that_the_exchange_is_silent(desk):
    text = desk.text()

    assert f"Dashboard  http://127.0.0.1:{desk.port}/" in text
    assert text.count("owner / ") == 1
    assert f"WARNING dev pqap_site.startup: The exchange at {NOBODY} cannot be reached" in text
    assert "web     | " in text


def test_the_web_server_answers_with_a_strict_policy(desk):
    with desk.open("/admin/login/") as page:
        assert page.status == 200
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        link = page.read().decode().split('href="/static/')[1].split('"')[0]
    with desk.open(f"/static/{link}") as sheet:
        assert sheet.status == 200
        assert "immutable" in sheet.headers["Cache-Control"]


def test_what_it_owns_is_private_to_the_user(desk):
    data = desk.folder / "data"
    files = [data / "pqap_dev.db", *(data / "dev" / n for n in ("secret_key", "pqap.log"))]

    assert [stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files] == [0, 0, 0]


def test_a_second_start_is_refused_with_the_first_ones_address(desk):
    done = desk.command("runpqap", desk.folder / "dev.yaml", "--port", free_port())

    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if "already running" in line]
    assert f"http://127.0.0.1:{desk.port}/ (process {desk.process.pid})" in line
    assert "Traceback" not in done.stderr


def test_a_port_taken_by_another_environment_is_refused_by_name(desk):
    done = desk.command("runpqap", desk.folder / "staging.yaml", "--port", desk.port)

    assert done.returncode == 2
    assert f"is taken by PQAP dev (process {desk.process.pid})" in done.stderr
    assert f"--port {desk.port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_another_environment_is_refused(desk):
    url = f"sqlite:///{desk.folder}/data/pqap_dev.db"
    done = desk.command(
        "runpqap", desk.folder / "staging.yaml", "--port", free_port(), DATABASE_URL=url
    )

    assert done.returncode == 2
    assert "belongs to dev with prices from polymarket, not to staging" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["a table", "noise"])
def test_a_foreign_file_is_refused_and_keeps_its_content(desk, tmp_path, content):
    file = tmp_path / "foreign.db"
    if content == "noise":
        file.write_bytes(b"this was never a database " * 100)
    else:
        with contextlib.closing(sqlite3.connect(file)) as foreign:
            foreign.execute("CREATE TABLE somebodys (thing TEXT)")
    before = file.read_bytes()

    done = desk.command(
        *("runpqap", desk.folder / "staging.yaml", "--port", free_port()),
        DATABASE_URL=f"sqlite:///{file}",
    )

    assert done.returncode == 2
    assert f"The database {file} " in done.stderr
    assert "move it away" in done.stderr
    assert "Traceback" not in done.stderr
    # Its first page may say by now that it has a write-ahead log; its content is as it was.
    assert file.read_bytes()[100:] == before[100:]


def test_a_silent_exchange_is_one_warning_a_cycle_and_no_crash(desk):
    until(lambda: desk.text().count("No market is tracked yet") >= 2, 30, desk.text)

    assert "Traceback" not in desk.text()
    assert "unregistered task" not in desk.text()
    assert "starting it again" not in desk.text()


def test_a_killed_worker_is_replaced(desk):
    before = desk.roles()["desk worker"]
    orphan = desk.roles()["desk worker (tasks)"]

    before.kill()

    until(lambda: desk.roles().get("desk worker (tasks)") not in (None, orphan), 60, desk.text)
    assert living([before, orphan]) == []
    assert "The desk worker ended (exit code -9)" in desk.text()


def test_a_killed_pool_process_takes_its_deaf_worker_along(desk):
    before = [desk.roles()["desk worker"], desk.roles()["desk worker (tasks)"]]

    before[1].kill()

    # Celery fills the pool again at once: only the supervisor's word tells that both were replaced.
    until(lambda: "The desk worker ended (exit code 1)" in desk.text(), 60, desk.text)
    until(lambda: living(before) == [], 10, desk.text)
    until(lambda: desk.roles().get("desk worker (tasks)") not in (None, before[1]), 60, desk.text)


def test_one_ctrl_c_ends_everything_and_leaves_one_file(desk):
    processes = desk.processes()
    assert len(processes) >= len(ROLES)

    desk.process.send_signal(signal.SIGINT)

    assert desk.process.wait(STOP_SECONDS) == 0
    assert living(processes) == []
    assert "PQAP dev has stopped." in desk.text()
    assert [f.name for f in (desk.folder / "data").glob("pqap_dev.db*")] == ["pqap_dev.db"]


def test_killed_after_another_start_none_of_its_processes_stays(desk):
    desk.start()
    assert "owner / " not in desk.text()
    processes = desk.processes()
    assert len(processes) >= len(ROLES)

    desk.process.kill()
    desk.process.wait()

    until(lambda: not living(processes), STOP_SECONDS, lambda: str(living(processes)))
