"""Every address of the dashboard and the API."""

from django.contrib.auth import views as auth
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from dashboard import access, api, hands, outcomes, pages, performance, quality, why

PUBLIC = {
    "permission_classes": [access.Reader],
    "authentication_classes": api.Face.authentication_classes,
}
LISTS = {
    "strategies": api.Strategies,
    "markets": api.Markets,
    "signals": api.Signals,
    "silences": api.Silences,
    "orders": api.Orders,
    "trades": api.Trades,
    "positions": api.Positions,
    "equity": api.Equity,
    "resolutions": outcomes.Resolutions,
    "anomalies": quality.Anomalies,
    "feeds": quality.Feeds,
}

urlpatterns = [
    path("", pages.overview, name="overview"),
    path("live/overview", pages.live_overview, name="live-overview"),
    path("system", pages.system, name="system"),
    path("live/system", pages.live_system, name="live-system"),
    path("halt", pages.halt, name="halt"),
    path("resume", pages.resume, name="resume"),
    path("strategies/<str:name>/<str:action>", pages.switch, name="switch"),
    path("login/", pages.Login.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(next_page="overview"), name="logout"),
    path("health", api.Health.as_view(), name="health"),
    path("health/", api.Health.as_view(schema=None)),
    path("favicon.ico", pages.icon, name="icon"),
    path("api/", pages.docs, name="api"),
    path("api/docs/", pages.docs, name="docs"),
    path("api/schema/", SpectacularAPIView.as_view(**PUBLIC), name="schema"),
    path("api/status", api.Status.as_view(), name="status"),
    *(path(f"api/{name}", view.as_view(), name=name) for name, view in LISTS.items()),
    path("api/performance", performance.View.as_view(), name="performance"),
    path("api/why", why.View.as_view(), name="why"),
    path("api/strategies/<str:name>/scores", performance.Scores.as_view(), name="scores"),
    path("api/coverage", quality.Coverage.as_view(), name="coverage"),
    path("api/markets/<str:id>/history", api.History.as_view(), name="history"),
    path("api/markets/<str:id>/gaps", quality.Gaps.as_view(), name="gaps"),
    re_path(
        r"^api/strategies/(?P<name>[^/]+)/(?P<action>enable|disable)$",
        api.StrategySwitch.as_view(),
        name="strategy-switch",
    ),
    path("api/halt", api.Halt.as_view(), name="api-halt"),
    path("api/resume", api.Resume.as_view(), name="api-resume"),
    path("api/close", hands.Close.as_view(), name="api-close"),
    path("api/cancel", hands.Cancel.as_view(), name="api-cancel"),
    path("api/deposit", hands.Deposit.as_view(), name="api-deposit"),
    path("api/withdraw", hands.Withdraw.as_view(), name="api-withdraw"),
    path("api/account/new", hands.NewAccount.as_view(), name="api-account-new"),
    path("api/limits/<str:name>", api.Limit.as_view(), name="limit"),
    path("api/limits/<str:name>/reset", api.LimitReset.as_view(), name="limit-reset"),
    re_path(r"^api/", api.Nowhere.as_view(), name="nowhere"),
]
