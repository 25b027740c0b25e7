"""The pages: each asks one reader and renders; forms store a decision and go back."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_GET, require_POST

from dashboard import access, endpoints, health
from dashboard.reads import clock, state
from dashboard.reads import overview as overviews
from dashboard.reads import system as systems
from execution.core.types import ChangeKind
from execution.selectors import control
from execution.services import changes

POLL_SECONDS = 3
Reader = Callable[[int, state.Health], Any]


class Login(LoginView):
    """The login page, in the style of the others."""

    template_name = "dashboard/login.html"
    redirect_authenticated_user = True
    next_page = "overview"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **_frame(self.request, "login")}


@require_GET
@access.readers
def overview(request: HttpRequest) -> HttpResponse:
    """Is it alive, how much, what is open, what changed, what is wrong."""
    return _page(request, "overview", overviews.read, curve=overviews.curve(clock.now()))


@require_GET
@access.readers
def live_overview(request: HttpRequest) -> HttpResponse:
    """The overview's moving part; 204 when the asker has seen this version."""
    return _live(request, "overview", overviews.read)


@require_GET
@access.readers
def system(request: HttpRequest) -> HttpResponse:
    """The flow of data, the strategies, the stores, the environment."""
    return _page(request, "system", systems.read)


@require_GET
@access.readers
def live_system(request: HttpRequest) -> HttpResponse:
    """The system page's moving part; 204 when the asker has seen this version."""
    return _live(request, "system", systems.read)


@require_GET
@access.readers
def docs(request: HttpRequest) -> HttpResponse:
    """Every endpoint of the API, taken from its schema."""
    context = {**_frame(request, "docs"), "endpoints": endpoints.listed()}
    return render(request, "dashboard/docs.html", context)


@require_GET
def icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here for an icon on pages that name none, such as the admin's."""
    return redirect(static("dashboard/icon.svg"))


@require_POST
@access.operators
def halt(request: HttpRequest) -> HttpResponse:
    """The kill switch."""
    done = "The kill switch is set. The next tick opens nothing."
    return _decide(request, ChangeKind.HALT, "all", done)


@require_POST
@access.operators
def resume(request: HttpRequest) -> HttpResponse:
    """Re-arms after a halt."""
    done = "Trading resumes on the next tick. Drawdown counts from the equity then."
    return _decide(request, ChangeKind.RESUME, "all", done)


@require_POST
@access.operators
def switch(request: HttpRequest, name: str, action: str) -> HttpResponse:
    """Enables or disables a strategy."""
    if action not in (ChangeKind.ENABLE, ChangeKind.DISABLE):
        raise Http404
    if name not in {found.name for found in control.switches()}:
        raise Http404
    done = f"{name}: {action}d from the next tick on."
    return _decide(request, ChangeKind(action), name, done, back="system")


def _decide(
    request: HttpRequest, kind: ChangeKind, scope: str, done: str, back: str = "overview"
) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:500]
    if not reason:
        messages.error(request, "Nothing was changed: a reason is needed.")
    elif request.POST.get("sure") != "yes":
        messages.error(request, "Nothing was changed: tick the box to confirm.")
    else:
        try:
            who = request.user.get_username()
            changes.record(kind=kind, scope=scope, who=who, why=reason)
            messages.success(request, done)
        except ValueError as fault:
            messages.error(request, f"Nothing was changed: {fault}.")
    return redirect(back)


def _page(request: HttpRequest, name: str, read: Reader, **more: Any) -> HttpResponse:
    now = clock.now()
    report = state.read_health(now)
    shown = {"page": read(now, report), "version": overviews.version(now, report)}
    response = render(request, f"dashboard/{name}.html", {**_frame(request, name), **shown, **more})
    response["Cache-Control"] = "no-store"
    return response


def _live(request: HttpRequest, name: str, read: Reader) -> HttpResponse:
    now = clock.now()
    report = state.read_health(now)
    current = overviews.version(now, report)
    tag = f'"{current}"'
    if request.GET.get("seen") == current:
        return HttpResponse(status=204, headers={"ETag": tag})
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    shown = {"page": read(now, report), "version": current, "oob": True}
    response = render(request, f"dashboard/parts/{name}.html", {**_frame(request, name), **shown})
    response["ETag"], response["Cache-Control"] = tag, "no-cache, private"
    return response


def _frame(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the frame around every page shows."""
    return {
        "here": name,
        "environment": settings.PQAP.env,
        "release": settings.VERSION,
        "may_operate": access.may_operate(request.user),
        "poll_seconds": POLL_SECONDS,
        "poll_words": health.span(int(settings.PQAP.collection.poll_seconds * 1000)),
    }
