"""Who may do what: every route of this app, by method and role."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import get_resolver
from rest_framework.authtoken.models import Token

from execution import models as execution
from tests import rows

ROLES = ("nobody", "", "viewer", "operator", "admin")
READ_API = {"nobody": 401, "": 403, "viewer": 200, "operator": 200, "admin": 200}
READ_PAGE = {"nobody": 302, "": 403, "viewer": 200, "operator": 200, "admin": 200}
OPEN = dict.fromkeys(ROLES, 200)
OPERATE_API = {"nobody": 401, "": 403, "viewer": 403, "operator": 202, "admin": 202}
ADMINISTER_API = {**OPERATE_API, "operator": 403}
OPERATE_PAGE = {"nobody": 302, "": 403, "viewer": 403, "operator": 302, "admin": 302}
WHY = {"reason": "a test", "sure": "yes", "value": "5", "scope": "all", "amount": "5"}
HISTORY = f"/api/markets/{rows.condition(0)}/history"
GAPS = f"/api/markets/{rows.condition(0)}/gaps"

MATRIX = {
    ("GET", "/"): READ_PAGE,
    ("GET", "/live/overview"): READ_PAGE,
    ("GET", "/system"): READ_PAGE,
    ("GET", "/live/system"): READ_PAGE,
    ("GET", "/api/"): READ_PAGE,
    ("GET", "/api/docs/"): READ_PAGE,
    ("GET", "/api/schema/"): READ_API,
    ("GET", "/api/status"): READ_API,
    ("GET", "/api/strategies"): READ_API,
    ("GET", "/api/markets"): READ_API,
    ("GET", HISTORY): READ_API,
    ("GET", GAPS): READ_API,
    ("GET", "/api/coverage"): READ_API,
    ("GET", "/api/anomalies"): READ_API,
    ("GET", "/api/feeds"): READ_API,
    ("GET", "/api/resolutions"): READ_API,
    ("GET", "/api/signals"): READ_API,
    ("GET", "/api/silences"): READ_API,
    ("GET", "/api/orders"): READ_API,
    ("GET", "/api/trades"): READ_API,
    ("GET", "/api/positions"): READ_API,
    ("GET", "/api/equity"): READ_API,
    ("GET", "/api/performance"): READ_API,
    ("GET", "/api/strategies/dual_arb_v1/scores"): READ_API,
    ("GET", "/api/why"): {role: 400 if code == 200 else code for role, code in READ_API.items()},
    ("GET", "/api/nothing"): {**dict.fromkeys(ROLES, 404), "nobody": 401, "": 403},
    ("GET", "/health"): OPEN,
    ("GET", "/health/"): OPEN,
    ("GET", "/favicon.ico"): dict.fromkeys(ROLES, 302),
    ("GET", "/login/"): {**dict.fromkeys(ROLES, 302), "nobody": 200},
    ("POST", "/logout/"): dict.fromkeys(ROLES, 302),
    ("POST", "/halt"): OPERATE_PAGE,
    ("POST", "/resume"): OPERATE_PAGE,
    ("POST", "/strategies/dual_arb_v1/disable"): OPERATE_PAGE,
    ("POST", "/api/strategies/dual_arb_v1/disable"): OPERATE_API,
    ("POST", "/api/strategies/dual_arb_v1/enable"): OPERATE_API,
    ("POST", "/api/halt"): OPERATE_API,
    ("POST", "/api/resume"): OPERATE_API,
    ("POST", "/api/close"): OPERATE_API,
    ("POST", "/api/cancel"): OPERATE_API,
    ("POST", "/api/deposit"): ADMINISTER_API,
    ("POST", "/api/withdraw"): ADMINISTER_API,
    ("POST", "/api/account/new"): ADMINISTER_API,
    ("POST", "/api/limits/daily_loss_limit"): ADMINISTER_API,
    ("POST", "/api/limits/daily_loss_limit/reset"): ADMINISTER_API,
}
DECIDING = [url for (method, url) in MATRIX if method == "POST" and url != "/logout/"]


def asked(client: Client, method: str, url: str) -> tuple[int, int]:
    """The status of one request, and how many decisions it stored."""
    before = execution.Change.objects.count()
    answer = client.get(url) if method == "GET" else client.post(url, WHY)
    return answer.status_code, execution.Change.objects.count() - before


@pytest.mark.parametrize("role", ROLES)
def test_the_matrix(desk, log_in, public_read, role):
    public_read(False)
    client = log_in(role)
    found = {}
    for (method, url), expected in MATRIX.items():
        if url == "/logout/":
            continue
        status, stored = asked(client, method, url)
        found[method, url] = status
        acted = url in DECIDING and role in ("operator", "admin") and expected[role] in (202, 302)
        assert stored == acted, url

    assert found == {key: MATRIX[key][role] for key in found}
    assert client.post("/logout/").status_code == 302


def test_public_reading_opens_reads_and_nothing_else(desk, log_in, public_read):
    public_read(True)
    client = log_in("nobody")
    expected = {
        (method, url): codes["viewer" if method == "GET" else "nobody"]
        for (method, url), codes in MATRIX.items()
    }
    expected["GET", "/login/"] = 200
    found = {key: asked(client, *key) for key in expected}

    assert found == {key: (status, 0) for key, status in expected.items()}


def test_every_route_is_in_the_matrix():
    resolver = get_resolver("dashboard.urls")
    urls = [url.lstrip("/") for _, url in MATRIX]

    missing = [
        str(pattern.pattern)
        for pattern in resolver.url_patterns
        if not any(pattern.resolve(url) for url in urls)
    ]
    assert missing == []


def test_pages_do_not_take_a_post(desk, log_in):
    client = log_in("admin")
    for url in ("/", "/system", "/live/overview", "/api/docs/"):
        assert client.post(url).status_code == 405


def test_nothing_is_decided_by_a_get_or_without_the_csrf_token(desk, log_in):
    client = log_in("admin")
    client.handler.enforce_csrf_checks = True

    for url in DECIDING:
        assert client.get(url).status_code == 405, url
        assert client.post(url, WHY).status_code == 403, url
    assert execution.Change.objects.count() == 1


def test_a_token_reads_and_acts_by_its_users_role(desk, public_read):
    public_read(False)
    user = User.objects.create_user("robot")
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    key = {"Authorization": f"Token {Token.objects.create(user=user).key}"}
    client = Client(enforce_csrf_checks=True)

    assert client.get("/api/trades", headers=key).status_code == 200
    assert client.post("/api/halt", {"reason": "x"}, headers=key).status_code == 403
    user.groups.set([Group.objects.get_or_create(name="operator")[0]])
    assert client.post("/api/halt", {"reason": "x"}, headers=key).status_code == 202
    user.is_active = False
    user.save()
    assert client.get("/api/trades", headers=key).status_code == 401


def test_a_wrong_token_is_refused_even_where_reading_is_public(desk, client, public_read):
    public_read(True)
    answer = client.get("/api/trades", headers={"Authorization": "Token wrong"})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["code"] == "authentication_failed"


def post(client, url, body):
    return client.post(url, json.dumps(body), content_type="application/json")


WRONG = [
    ("/api/halt", {}, 400, "reason"),
    ("/api/halt", {"reason": "  "}, 400, "reason"),
    ("/api/halt", {"reason": "x", "scope": "everything"}, 400, "scope"),
    ("/api/halt", {"reason": "x", "scope": "strategy:no_such"}, 400, "scope"),
    ("/api/halt", {"reason": "x", "scope": "market:0xno"}, 400, "scope"),
    ("/api/halt", {"reason": "x", "flatten": "perhaps"}, 400, "flatten"),
    ("/api/close", {"reason": "x"}, 400, "scope"),
    ("/api/close", {"scope": "all"}, 400, "reason"),
    ("/api/close", {"reason": "x", "scope": "everything"}, 400, "scope"),
    ("/api/close", {"reason": "x", "scope": "token:123"}, 400, "scope"),
    ("/api/close", {"reason": "x", "scope": "order:order-01"}, 400, "scope"),
    ("/api/cancel", {"reason": "x", "scope": "order:order-01"}, 400, "scope"),
    ("/api/cancel", {"reason": "x", "scope": "strategy:no_such"}, 400, "scope"),
    ("/api/deposit", {"reason": "x", "amount": "0"}, 400, "amount"),
    ("/api/deposit", {"reason": "x", "amount": "-5"}, 400, "amount"),
    ("/api/deposit", {"reason": "x", "amount": "1e3"}, 400, "amount"),
    ("/api/withdraw", {"reason": "x", "amount": "5000"}, 400, "amount"),
    ("/api/withdraw", {"reason": "x"}, 400, "amount"),
    ("/api/account/new", {"reason": "x", "capital": "0"}, 400, "amount"),
    ("/api/strategies/no_such/disable", {"reason": "x"}, 404, None),
    ("/api/strategies/ml_prediction_v1/enable", {"reason": "x"}, 409, None),
    ("/api/strategies/dual_arb_v1/remove", {"reason": "x"}, 404, None),
    ("/api/limits/no_such", {"reason": "x", "value": "5"}, 404, None),
    ("/api/limits/daily_loss_limit", {"reason": "x"}, 400, "value"),
    ("/api/limits/daily_loss_limit", {"reason": "x", "value": "-5"}, 400, "value"),
    ("/api/limits/daily_loss_limit", {"reason": "x", "value": "nan"}, 400, "value"),
    ("/api/limits/daily_loss_limit", {"reason": "x", "value": True}, 400, "value"),
    ("/api/limits/daily_loss_limit", {"reason": "x", "value": "1e3"}, 400, "value"),
    ("/api/limits/daily_loss_limit", {"reason": "x", "value": "9" * 13}, 400, "value"),
]


def test_a_wrong_decision_is_refused_and_nothing_is_stored(desk, log_in):
    client = log_in("admin")
    for url, body, status, field in WRONG:
        answer = post(client, url, body)

        assert (answer.status_code, answer.json()["field"]) == (status, field), (url, body)
        assert set(answer.json()) == {"code", "field", "message"}
    assert execution.Change.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "body", "kind", "scope", "value"),
    [
        ("/api/halt", {}, "halt", "all", ""),
        ("/api/halt", {"scope": "strategy:dual_arb_v1"}, "halt", "strategy:dual_arb_v1", ""),
        ("/api/halt", {"scope": f"market:{rows.condition(1)}"}, "halt",
         f"market:{rows.condition(1)}", ""),
        ("/api/resume", {}, "resume", "all", ""),
        ("/api/halt", {"flatten": True}, "halt", "all", "flatten"),
        ("/api/close", {"scope": "all"}, "close", "all", ""),
        ("/api/close", {"scope": f"token:{rows.token(0, 0)}"}, "close",
         f"token:{rows.token(0, 0)}", ""),
        ("/api/cancel", {"scope": "strategy:dual_arb_v1"}, "cancel", "strategy:dual_arb_v1", ""),
        ("/api/deposit", {"amount": "250.5"}, "deposit", "", "250500000"),
        ("/api/withdraw", {"amount": "20"}, "withdraw", "", "20000000"),
        ("/api/account/new", {"capital": "500"}, "new_account", "", "500000000"),
        ("/api/account/new", {}, "new_account", "", "1000000000"),
        ("/api/strategies/dual_arb_v1/disable", {}, "disable", "dual_arb_v1", ""),
        ("/api/limits/daily_loss_limit", {"value": "12.5"}, "limit", "daily_loss_limit",
         "12500000"),
        ("/api/limits/max_drawdown", {"value": "0.08"}, "limit", "max_drawdown", "80000"),
        ("/api/limits/max_drawdown/reset", {}, "reset_limit", "max_drawdown", ""),
    ],
)  # fmt: skip
def test_a_decision_is_stored_with_who_and_why(desk, log_in, url, body, kind, scope, value):
    answer = post(log_in("admin"), url, {"reason": "the reason", **body})

    stored = execution.Change.objects.latest("pk")
    assert answer.status_code == 202
    assert (stored.kind, stored.scope, stored.value) == (kind, scope, value)
    assert (stored.who, stored.why, stored.applied_tick) == ("some-admin", "the reason", None)
    assert answer.json() == {
        "kind": kind, "scope": scope, "value": value, "who": "some-admin", "why": "the reason",
    }  # fmt: skip


def test_a_body_that_is_not_json_is_a_400(desk, log_in):
    answer = log_in("admin").post("/api/halt", "{", content_type="application/json")

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "field", "message"}
