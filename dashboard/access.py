"""Who may read and who may act: roles are Django groups."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission

ROLES = ("viewer", "operator", "admin")
"""Each may do what the one before it may, and more."""

Page = Callable[..., HttpResponse]


def role(user: Any) -> str:
    """The strongest role of a user, '' without one; superusers are admins."""
    if not user.is_authenticated or not user.is_active:
        return ""
    if user.is_superuser:
        return "admin"
    names = set(user.groups.values_list("name", flat=True))
    return next((name for name in reversed(ROLES) if name in names), "")


def may_read(user: Any) -> bool:
    """Whether this user sees pages and lists."""
    return settings.PQAP.api.public_read or bool(role(user))


def may_operate(user: Any) -> bool:
    """Whether this user may halt, resume and switch strategies."""
    return role(user) in ("operator", "admin")


class Reader(BasePermission):
    """Lets readers through."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return may_read(request.user)


class Operator(BasePermission):
    """Lets operators through."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return may_operate(request.user)


class Administrator(BasePermission):
    """Lets administrators through."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return role(request.user) == "admin"


def readers(page: Page) -> Page:
    """A page for readers; others are asked to log in, or told that they lack a role."""
    return _guarded(page, may_read)


def operators(page: Page) -> Page:
    """A page for operators."""
    return _guarded(page, may_operate)


def _guarded(page: Page, allowed: Callable[[Any], bool]) -> Page:
    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if allowed(request.user):
            return page(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied
        back = request.get_full_path() if request.method == "GET" else "/"
        return redirect_to_login(back, login_url="/login/")

    return guarded
