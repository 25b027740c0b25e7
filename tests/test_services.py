"""The tests' own servers: they answer, and their absence is never silent in CI."""

import psycopg
import pytest
import redis

from tests import services


def test_postgresql_answers(postgresql_url):
    with psycopg.connect(postgresql_url) as connection:
        version, owner = connection.execute(
            "SELECT current_setting('server_version_num')::int, current_user"
        ).fetchone()

    assert version >= 130_000
    assert owner == services.USER


def test_redis_answers(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


class TestAbsent:
    @pytest.fixture(autouse=True)
    def _nothing_installed(self, monkeypatch):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(services, "POSTGRESQL_HOMES", ())

    def test_skips_and_says_what_to_install(self, monkeypatch):
        monkeypatch.delenv("PQAP_REQUIRE_SERVICES", raising=False)

        with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql redis-server"):
            services._binary("initdb", "PostgreSQL")

    def test_fails_where_services_are_required(self, monkeypatch):
        monkeypatch.setenv("PQAP_REQUIRE_SERVICES", "1")

        with pytest.raises(pytest.fail.Exception, match="PostgreSQL not installed"):
            services._binary("initdb", "PostgreSQL")
