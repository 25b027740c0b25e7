"""The one shape of a fault on the API: code, field, message."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response


class Bad(exceptions.APIException):
    """A request that cannot be served as asked; `field` names what is wrong in it."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(detail=message, code=code)
        self.field = field
        self.message = message
        self.fault = code


class Conflict(Bad):
    """A request that the present state does not allow."""

    status_code = status.HTTP_409_CONFLICT


def respond(fault: Exception, context: Any) -> Response | None:
    """Any anticipated fault as a response; None leaves the unexpected to Django's 500."""
    if isinstance(fault, Bad):
        return Response(body(fault.fault, fault.field, fault.message), status=fault.status_code)
    if isinstance(fault, Http404):
        fault = exceptions.NotFound()
    elif isinstance(fault, PermissionDenied):
        fault = exceptions.PermissionDenied()
    if isinstance(fault, exceptions.ValidationError):
        return Response(_invalid(fault), status=fault.status_code)
    if not isinstance(fault, exceptions.APIException):
        return None
    headers = {}
    if getattr(fault, "auth_header", None):
        headers["WWW-Authenticate"] = fault.auth_header
    if getattr(fault, "wait", None):
        headers["Retry-After"] = f"{fault.wait:.0f}"
    code = str(fault.get_codes())
    return Response(body(code, None, str(fault.detail)), status=fault.status_code, headers=headers)


def body(code: str, field: str | None, message: str) -> dict[str, str | None]:
    """The fault's three keys."""
    return {"code": code, "field": field, "message": message}


def _invalid(fault: exceptions.ValidationError) -> dict[str, str | None]:
    detail: Any = fault.detail
    field = None
    if isinstance(detail, dict):
        field, detail = next(iter(detail.items()))
    first = detail[0] if isinstance(detail, list) else detail
    return body(getattr(first, "code", "invalid"), field, str(first))
