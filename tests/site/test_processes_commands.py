"""owner, token, status, halt and resume."""

from argparse import ArgumentTypeError
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from execution.core.types import ChangeKind
from execution.management.scopes import scope
from execution.services import changes
from pqap_site import identity, logins
from pqap_site.management.commands.status import outline


def run(*arguments):
    output = StringIO()
    call_command(*arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def sign_in(client, password):
    return client.login(username="owner", password=password)


@pytest.mark.django_db
def test_the_first_start_makes_one_owner_and_later_ones_none(client):
    password = logins.create_owner()

    assert sign_in(client, password)
    assert logins.create_owner() is None


@pytest.mark.django_db
def test_owner_prints_a_new_password_once_and_ends_the_old(client):
    old = logins.create_owner()
    sign_in(client, old)
    assert client.get("/admin/").status_code == 200

    told = run("owner")

    assert client.get("/admin/").status_code == 302
    assert not sign_in(client, old)
    assert sign_in(client, told.split("Password: ")[1].split()[0])


@pytest.mark.django_db
@pytest.mark.parametrize("role", logins.ROLES)
def test_a_token_belongs_to_a_user_of_its_own_with_one_role(role):
    key = run("token", "create", "bot", "--role", role).strip()

    user = Token.objects.get(key=key).user
    assert [group.name for group in user.groups.all()] == [role]
    assert not user.has_usable_password()
    assert not user.is_staff


@pytest.mark.django_db
def test_tokens_are_listed_without_keys_and_revoked_by_name():
    key = run("token", "create", "bot").strip()

    listed = run("token", "list")
    run("token", "revoke", "bot")

    assert "bot  viewer" in listed
    assert key not in listed
    assert not Token.objects.exists()
    assert not get_user_model().objects.filter(username__contains="bot").exists()


@pytest.mark.django_db
def test_a_name_taken_or_unknown_is_one_sentence():
    run("token", "create", "bot")

    with pytest.raises(CommandError, match="There is a token named bot"):
        run("token", "create", "bot")
    with pytest.raises(CommandError, match="no token named bat; there are: bot"):
        run("token", "revoke", "bat")


@pytest.mark.django_db
def test_revoking_cannot_touch_a_person():
    logins.create_owner()

    with pytest.raises(CommandError):
        run("token", "revoke", "owner")

    assert get_user_model().objects.filter(username="owner").exists()


@pytest.mark.django_db
def test_roles_exist_once():
    logins.create_roles()
    logins.create_roles()

    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(logins.ROLES)


def test_status_is_indented_facts():
    told = {"mode": "paper", "capital": {"cash": "1.50", "pnl": None}, "errors": [], "live": False}
    listed = {"strategies": [{"name": "a", "state": "active"}, {"name": "b", "state": ""}]}

    assert outline(told | listed) == [
        "mode: paper",
        "capital:",
        "  cash: 1.50",
        "  pnl: -",
        "errors: -",
        "live: no",
        "strategies:",
        "  name a  state active",
        "  name b  state -",
    ]


def test_zero_is_a_figure_and_not_nothing():
    assert outline({"errors": 0}) == ["errors: 0"]


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["halt", "resume"])
def test_a_decision_is_recorded_with_scope_and_reason(command, monkeypatch):
    recorded = []
    monkeypatch.setattr(changes, "record", lambda **facts: recorded.append(facts))

    run(command, "--scope", "strategy:dual_arb_v1", "--why", "a look at the books")

    [fact] = recorded
    assert fact["kind"] == ChangeKind(command)
    assert (fact["scope"], fact["why"]) == ("strategy:dual_arb_v1", "a look at the books")
    assert fact["who"]


@pytest.mark.parametrize("text", ["", "everything", "strategy:", "strategy:dual_arb", "market:"])
def test_a_scope_that_means_nothing_is_refused(text):
    with pytest.raises(ArgumentTypeError):
        scope(text)


@pytest.mark.parametrize("command", ["halt", "resume"])
def test_a_decision_needs_a_reason(command):
    with pytest.raises(CommandError, match="--why"):
        run(command)


@pytest.mark.django_db
def test_a_database_keeps_to_its_environment_and_source():
    identity.check("demo", "synthetic")
    identity.claim("demo", "synthetic")
    identity.claim("demo", "synthetic")

    identity.check("demo", "synthetic")
    with pytest.raises(identity.Foreign, match="belongs to demo with prices from synthetic"):
        identity.check("dev", "synthetic")
    with pytest.raises(identity.Foreign, match="not to demo with prices from polymarket"):
        identity.check("demo", "polymarket")
