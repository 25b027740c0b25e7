"""Throw-away PostgreSQL and Redis servers for tests, started from installed binaries.

Each runs on a free loopback port as an unprivileged user and is gone when the session ends.
Without the binaries the test is skipped, or fails where PQAP_REQUIRE_SERVICES=1 asks for them.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

POSTGRESQL_HOMES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/post*/bin")
USER = "pqap"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of an empty PostgreSQL server, as DATABASE_URL wants it."""
    with postgresql() as url:
        yield url


@contextmanager
def postgresql() -> Iterator[str]:
    """An empty PostgreSQL server while the block runs; fails or skips where none is installed."""
    home, folder = _binary("initdb", "PostgreSQL").parent, _folder()
    try:
        yield from _postgresql(home, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of an empty Redis server, as BROKER_URL wants it."""
    binary, port = _binary("redis-server", "Redis"), free_port()
    folder = _folder()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    server = _start([str(binary), *options, "--save", "", "--appendonly", "no"], folder)
    try:
        _wait(lambda: _listens(port), server, folder)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _stop(server, signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql(home: Path, folder: Path) -> Iterator[str]:
    data, port = folder / "data", free_port()
    make = [str(home / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--no-sync"]
    done = subprocess.run([*make, "-E", "UTF8"], capture_output=True, text=True, **_unprivileged())
    if done.returncode:
        pytest.fail(f"initdb failed: {done.stderr.strip()}")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = _start([str(home / "postgres"), "-D", str(data), "-p", str(port), *options], folder)
    try:
        ready = [str(home / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-U", USER]
        _wait(lambda: _runs(ready), server, folder)
        yield f"postgres://{USER}@127.0.0.1:{port}/postgres"
    finally:
        _stop(server, signal.SIGINT)


def _binary(name: str, product: str) -> Path:
    """The newest installed binary; absent, the test is skipped or fails."""
    found = shutil.which(name)
    homes = [path for pattern in POSTGRESQL_HOMES for path in Path("/").glob(pattern[1:])]
    beside = sorted((home / name for home in homes if (home / name).exists()), key=_version)
    if beside:
        return beside[-1]
    if found:
        return Path(found)
    told = f"{product} not installed: apt-get install postgresql redis-server"
    if os.environ.get("PQAP_REQUIRE_SERVICES") == "1":
        pytest.fail(told)
    pytest.skip(told)


def _version(binary: Path) -> float:
    digits = "".join(c for c in str(binary.parent) if c.isdigit() or c == ".").strip(".")
    return float(digits or 0)


def _unprivileged() -> dict[str, str]:
    """PostgreSQL refuses to run as root; root becomes nobody, anyone else stays."""
    return {} if os.getuid() else {"user": "nobody", "group": _group("nobody")}


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _folder() -> Path:
    """A temporary folder that the unprivileged user owns; its parent lets everybody through."""
    folder = Path(tempfile.mkdtemp(prefix="pqap-service-", dir="/tmp"))
    if os.getuid() == 0:
        shutil.chown(folder, "nobody", _group("nobody"))
    return folder


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, **_unprivileged()
        )


def _wait(
    ready: Callable[[], bool], server: subprocess.Popen[bytes], folder: Path, seconds: float = 20
) -> None:
    """Until the server answers; one that ended says why."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        if ready():
            return
        time.sleep(0.05)
    pytest.fail(f"a test server did not start: {(folder / 'log').read_text()[-500:]}")


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    server.send_signal(how)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
