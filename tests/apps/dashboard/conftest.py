"""A desk's rows, and people with each role."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from dashboard.reads import clock
from tests import rows
from tests.builders import NOON


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> int:
    """The clock stands at noon, ten minutes after this process started."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr("dashboard.apps.DashboardConfig.started_at", NOON - 600_000)
    return NOON


@pytest.fixture
def desk(db: None, now: int) -> int:
    """Rows as a desk leaves them, as of noon."""
    rows.desk(now)
    return now


@pytest.fixture
def public_read(settings: Any) -> Callable[[bool], None]:
    """Switches reading without a login on or off."""

    def switch(on: bool) -> None:
        settings.PQAP = replace(settings.PQAP, api=replace(settings.PQAP.api, public_read=on))

    return switch


@pytest.fixture
def log_in(db: None) -> Callable[[str], Client]:
    """A browser of somebody with the given role; '' has none, 'nobody' is not logged in."""

    def make(role: str) -> Client:
        client = Client(enforce_csrf_checks=False)
        if role == "nobody":
            return client
        user = User.objects.create_user(f"some-{role or 'stranger'}")
        if role:
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        client.force_login(user)
        return client

    return make
