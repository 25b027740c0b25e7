"""Databases that threads and processes can share: a SQLite file, and PostgreSQL where installed."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg
import pytest
from django.core.management import call_command
from django.db import connections


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[str]:
    """Every table, no row, and real commits; yields the vendor's name."""
    make = _file_copy if request.param == "sqlite" else _server_copy
    with make(request) as settings, django_db_blocker.unblock(), connected_to(settings):
        yield request.param


@contextmanager
def connected_to(settings: dict[str, Any]) -> Iterator[None]:
    """Make `settings` the default database, in new threads too, and put the old one back."""
    before, kept = connections["default"], connections.settings["default"]
    complete = connections.configure_settings({"default": settings})["default"]
    connections.settings["default"] = complete
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = kept
        connections["default"] = before


def empty_database(server: str) -> str:
    """The address of a database of its own on a PostgreSQL server, without any table."""
    return _database(server, _fresh_name())


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: Any, django_db_blocker: Any) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    with django_db_blocker.unblock(), connected_to(_file(path)):
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture(scope="session")
def migrated_server(postgresql_url: str, django_db_blocker: Any) -> str:
    """The address of a migrated PostgreSQL database to copy."""
    url = _database(postgresql_url, "migrated")
    with django_db_blocker.unblock(), connected_to(dict(dj_database_url.parse(url))):
        call_command("migrate", verbosity=0)
    return url


@contextmanager
def _file_copy(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    original = request.getfixturevalue("migrated_file")
    yield _file(shutil.copy(original, request.getfixturevalue("tmp_path") / "test.db"))


@contextmanager
def _server_copy(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    request.getfixturevalue("migrated_server")
    url = _database(request.getfixturevalue("postgresql_url"), _fresh_name(), "migrated")
    yield dict(dj_database_url.parse(url))


def _file(path: Path) -> dict[str, Any]:
    return {"ENGINE": "pqap_site.sqlite", "NAME": path}


def _database(server: str, name: str, template: str = "template0") -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server.rsplit("/", 1)[0] + f"/{name}"


def _fresh_name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"
