"""Who may sign in: the owner, and tokens for programs, each with a role."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from rest_framework.authtoken.models import Token

OWNER = "owner"
ROLES = ("viewer", "operator", "admin")
"""Each is the name of a Group; what it may do is decided where requests are answered."""

TOKEN_PREFIX = "token-"


class Unknown(Exception):
    """There is no such token."""


class Taken(Exception):
    """A token of that name exists."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it is listed: never its key."""

    name: str
    role: str
    made_at: datetime


def create_owner() -> str | None:
    """Make the first login and return its password; None when a person can already sign in."""
    if get_user_model().objects.filter(is_superuser=True, is_active=True).exists():
        return None
    return reset_owner()


@transaction.atomic
def reset_owner() -> str:
    """Give the owner a new random password, ending the sessions made with the old one."""
    password = secrets.token_urlsafe(12)
    owner, _ = get_user_model().objects.get_or_create(username=OWNER)
    owner.is_staff = owner.is_superuser = owner.is_active = True
    owner.set_password(password)
    owner.save()
    return password


def create_roles() -> None:
    """Make sure the groups exist."""
    for role in ROLES:
        Group.objects.get_or_create(name=role)


@transaction.atomic
def create_token(name: str, role: str) -> str:
    """Issue a token of its own user in the role's group; its key is shown this once."""
    create_roles()
    user, made = get_user_model().objects.get_or_create(username=TOKEN_PREFIX + name)
    if not made:
        raise Taken(name)
    user.set_unusable_password()
    user.save()
    user.groups.set([Group.objects.get(name=role)])
    return Token.objects.create(user=user).key


def tokens() -> list[Issued]:
    """Every token, by name."""
    rows = Token.objects.filter(user__username__startswith=TOKEN_PREFIX)
    return [
        Issued(
            row.user.username.removeprefix(TOKEN_PREFIX),
            ", ".join(row.user.groups.values_list("name", flat=True)),
            row.created,
        )
        for row in rows.select_related("user").order_by("user__username")
    ]


def revoke_token(name: str) -> None:
    """End a token at once."""
    gone, _ = get_user_model().objects.filter(username=TOKEN_PREFIX + name).delete()
    if not gone:
        raise Unknown(name)
