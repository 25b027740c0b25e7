"""Settings that follow from the configuration file."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from pqap_site import secret_key

BASE = Path(__file__).resolve().parents[2]
SHOW = """
import json, os
from django.conf import settings
shown = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
print(json.dumps(shown | {"ENVIRON": dict(os.environ)}, default=str))
"""


@pytest.fixture
def load(tmp_path):
    """Loads the settings in a process of its own."""

    def show(content, **environ):
        (tmp_path / "given.yaml").write_text(content)
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BROKER_URL")}
        done = subprocess.run(
            [sys.executable, "-c", SHOW],
            cwd=BASE,
            env={
                **inherited,
                "DJANGO_SETTINGS_MODULE": "pqap_site.settings",
                "PQAP_CONFIG": str(tmp_path / "given.yaml"),
                "PQAP_DATA": str(tmp_path / "data"),
                **environ,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return show


def test_each_environment_owns_its_database_key_cookies_and_files(load, tmp_path):
    dev, prod = load("env: dev\n"), load("env: prod\n")

    assert dev["DATABASES"]["default"]["NAME"] == str(tmp_path / "data/pqap_dev.db")
    assert prod["DATABASES"]["default"]["NAME"] == str(tmp_path / "data/pqap.db")
    for name in (
        *("SECRET_KEY", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "STATIC_ROOT"),
        "PATHS",
    ):
        assert dev[name] != prod[name]


def test_debug_pages_are_never_on(load):
    told = load("env: dev\ndebug: true\n")

    assert told["DEBUG"] is False
    assert told["LOGGING"]["loggers"]["markets"]["level"] == "DEBUG"


def test_a_key_is_kept(load):
    assert load("env: dev\n")["SECRET_KEY"] == load("env: dev\n")["SECRET_KEY"]


def test_without_tls_only_loopback_answers_and_cookies_work_over_http(load):
    told = load("env: dev\n")

    assert told["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert not told["SESSION_COOKIE_SECURE"]
    assert not told["SECURE_SSL_REDIRECT"]


def test_with_tls_cookies_and_origins_are_https_and_health_still_answers_locally(load):
    told = load(
        "env: prod\nsite: {url: 'https://desk.example.org', hosts: [pqap.example.org], "
        "tls: traefik}\n"
    )

    assert {"desk.example.org", "pqap.example.org"} < set(told["ALLOWED_HOSTS"])
    assert told["SESSION_COOKIE_SECURE"]
    assert told["CSRF_COOKIE_SECURE"]
    assert set(told["CSRF_TRUSTED_ORIGINS"]) == {
        "https://desk.example.org",
        "https://pqap.example.org",
    }
    assert told["SECURE_REDIRECT_EXEMPT"] == ["^health/?$"]


def test_a_database_server_and_a_broker_come_from_the_environment(load):
    told = load(
        "env: dev\n",
        DATABASE_URL="postgres://pqap@db.example/pqap",
        BROKER_URL="redis://queue.example/0",
    )

    assert told["DATABASES"]["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert told["DATABASES"]["default"]["CONN_MAX_AGE"] == 60
    assert told["BROKER_URL"] == "redis://queue.example/0"


def test_sqlite_named_by_url_gets_our_backend_too(load, tmp_path):
    told = load("env: dev\n", DATABASE_URL=f"sqlite:///{tmp_path}/own.db")

    assert told["DATABASES"]["default"]["ENGINE"] == "pqap_site.sqlite"


def test_a_private_key_does_not_reach_an_environment_that_never_uses_it(load):
    told = load("env: staging\n", POLYMARKET_PRIVATE_KEY="0xabc")

    assert "POLYMARKET_PRIVATE_KEY" not in told["ENVIRON"]


def test_pages_may_load_only_what_we_serve():
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]

    assert directives["default-src"] == ["'self'"]
    assert "unsafe" not in str(directives)


def test_many_first_starts_at_one_instant_agree_on_one_key(tmp_path):
    path = tmp_path / "env/secret_key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key.read_or_create(path), range(32)))

    [key] = keys
    assert len(key) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]
