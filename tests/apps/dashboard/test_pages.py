"""What the pages show, when they stay silent, and that foreign text never becomes markup."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders

from execution import models as execution
from markets import models as markets
from strategies import models as strategies
from tests import rows
from tests.builders import NOON

PAGES = ("/", "/system", "/live/overview", "/live/system", "/login/", "/api/docs/")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE trades; --",
    "{{ 7*7 }}{% debug %}",
    "javascript:alert(1)",
    "</title></textarea><svg onload=alert(1)>",
    "\u202egnp.exe\u202c مرحبا 🎲",
    "W" * 400,
)


class Markup(HTMLParser):
    """Collects what the content security policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.refused.append(f"<{tag} {name}>")
            if name in ("src", "href", "action") and re.match(
                r"(\w+:)?//|javascript:", value or ""
            ):
                self.refused.append(f"<{tag} {name}={value}>")
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.refused.append(f"<{tag}>")

    def handle_data(self, data):
        self.text.append(data)


def parsed(response) -> Markup:
    markup = Markup()
    markup.feed(response.content.decode())
    return markup


def test_pages_hold_nothing_the_policy_would_refuse(client, desk):
    for url in PAGES:
        response = client.get(url)

        assert response.status_code == 200
        assert parsed(response).refused == [], url


def test_an_empty_desk_is_a_page_too(client, db, now):
    for url in PAGES:
        assert client.get(url).status_code == 200


def test_the_policy_is_sent(client, desk):
    policy = client.get("/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_badge_is_on_every_page(client, desk):
    for url in ("/", "/system", "/login/", "/api/docs/", "/no-such-page"):
        assert "PAPER" in client.get(url).content.decode()


def test_the_overview_answers_the_five_questions(client, desk):
    text = " ".join(" ".join(parsed(client.get("/")).text).split())

    for said in (
        "Last look",  # alive
        "$1,000.", "liquidation value", "Drawdown",  # how much
        "Will the Fed cut rates by 25 bps at the December meeting?", "62.5¢", "52.50",  # open
        "settled", "+$13.06", "half of it until the week is over",  # changed
        "Torn", "Market cap", "nothing to do at this price".capitalize(),  # wrong, or why not
        "$51.36 / $100.00", "override",
    ):  # fmt: skip
        assert said in text, said


def test_troubles_come_first_and_in_words(client, desk):
    rows.halt(NOON)
    execution.Account.objects.filter(name="optimistic").update(stopped="DAILY_LOSS")
    strategies.Evaluation.objects.filter(tick_id=40, strategy="dual_arb_v1").update(
        error="ZeroDivisionError: division by zero"
    )
    execution.Change.objects.create(
        kind="disable", scope="dual_arb_v1", who="ben", why="it fails",
        recorded_at=rows.moment(NOON),
    )  # fmt: skip
    for url in ("/", "/system"):
        text = " ".join(" ".join(parsed(client.get(url)).text).split())

        assert "Kill switch on. drawdown of 10.2 % reached the limit" in text
        assert "The optimistic account opens nothing: its loss today reached the limit" in text
        assert "dual_arb_v1 failed once in the last hour: ZeroDivisionError" in text
        assert "Waiting for the next tick: disable dual_arb_v1 by ben" in text


def test_foreign_text_stays_text(client, db, now):
    rows.desk(now, questions=HOSTILE)
    execution.StrategyState.objects.update(reason=HOSTILE[0], description=HOSTILE[1])
    execution.Change.objects.create(
        kind="halt", scope=HOSTILE[5], who=HOSTILE[0], why=HOSTILE[1],
        recorded_at=rows.moment(NOON),
    )  # fmt: skip
    rows.halt(now, HOSTILE[0])
    execution.Trade.objects.update(evidence=HOSTILE[1])
    for url in ("/", "/system", "/live/overview", "/live/system"):
        markup = parsed(client.get(url))

        assert markup.refused == []
        assert not {"img", "svg", "textarea"} & set(markup.tags)
    assert HOSTILE[0] in "".join(parsed(client.get("/")).text)


def test_hostile_text_leaves_the_api_as_it_came(client, db, now):
    rows.desk(now, questions=HOSTILE)
    found = client.get("/api/markets").json()["results"]

    assert {row["question"] for row in found} == set(HOSTILE)
    assert client.get("/api/markets")["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["overview", "system"])
def test_polling_is_silent_until_something_changed(client, desk, name):
    first = client.get(f"/live/{name}")
    seen = first["ETag"].strip('"')

    assert f"?seen={seen}" in first.content.decode()
    assert client.get(f"/live/{name}?seen={seen}").status_code == 204
    assert client.get(f"/live/{name}", headers={"If-None-Match": f'"{seen}"'}).status_code == 304
    page = client.get("/" if name == "overview" else "/system").content.decode()
    assert f"?seen={seen}" in page

    markets.Cursor.objects.filter(name="desk").update(position=39)
    changed = client.get(f"/live/{name}?seen={seen}")
    assert changed.status_code == 200
    assert changed["ETag"].strip('"') != seen


def test_a_decision_or_bad_health_ends_the_silence(client, desk):
    seen = client.get("/live/overview")["ETag"].strip('"')
    execution.Change.objects.create(
        kind="halt", scope="all", who="anna", why="lunch", recorded_at=rows.moment(NOON)
    )
    after = client.get(f"/live/overview?seen={seen}")
    assert after.status_code == 200

    seen = after["ETag"].strip('"')
    markets.Tick.objects.filter(id=40).update(recorded_at=rows.moment(NOON - 60_000))
    assert client.get(f"/live/overview?seen={seen}").status_code == 200


def test_every_part_that_moves_is_in_the_polled_answer(client, desk):
    page, live = client.get("/").content.decode(), client.get("/live/overview").content.decode()

    for part in ("pulse", "top", "limits", "rest"):
        assert f'id="{part}"' in page
        assert re.search(rf'id="{part}"[^>]*hx-swap-oob="true"', live)
    assert "hx-swap-oob" not in page
    assert "<form" not in live  # a swap must not take away what somebody is typing


def test_the_kill_switch_needs_a_reason_and_a_yes(desk, log_in):
    client = log_in("operator")
    for body in ({"sure": "yes"}, {"reason": "x"}, {"reason": " ", "sure": "yes"}):
        page = client.post("/halt", body, follow=True).content.decode()
        assert "Nothing was changed" in page
    page = client.post("/halt", {"reason": "storm", "sure": "yes"}, follow=True).content.decode()

    stored = execution.Change.objects.latest("pk")
    assert "The kill switch is set" in page
    assert (stored.kind, stored.scope, stored.who, stored.why) == (
        "halt", "all", "some-operator", "storm",
    )  # fmt: skip
    assert execution.Change.objects.count() == 2


def test_only_operators_are_shown_the_switch(desk, log_in):
    assert 'action="/halt"' in log_in("operator").get("/").content.decode()
    assert 'action="/halt"' not in log_in("viewer").get("/").content.decode()
    assert 'action="/halt"' not in log_in("nobody").get("/").content.decode()


def test_a_strategy_is_switched_from_the_system_page(desk, log_in):
    client = log_in("operator")
    page = client.get("/system").content.decode()
    assert 'action="/strategies/dual_arb_v1/disable"' in page
    assert "/strategies/ml_prediction_v1/" not in page

    client.post("/strategies/dual_arb_v1/disable", {"reason": "x", "sure": "yes"})
    assert execution.Change.objects.latest("pk").kind == "disable"
    assert client.post("/strategies/dual_arb_v1/remove", {"reason": "x"}).status_code == 404
    assert client.post("/strategies/no_such/disable", {"reason": "x"}).status_code == 404


def test_a_strategy_switched_off_by_rule_says_why_and_can_be_enabled(desk, log_in):
    execution.StrategyState.objects.filter(name="dual_arb_v1").update(
        state="auto_disabled", reason="9 in a row lost", suspended="9 in a row lost",
        suspended_at=desk,
    )  # fmt: skip
    client = log_in("operator")

    page = client.get("/system").content.decode()
    assert 'action="/strategies/dual_arb_v1/enable"' in page
    assert "9 in a row lost. Since then none of its signals has come to an end" in page
    assert "dual_arb_v1 is auto disabled: 9 in a row lost" in client.get("/").content.decode()


def test_logging_in_and_out(desk, log_in, client, public_read):
    public_read(False)
    log_in("viewer")
    viewer = User.objects.get(username="some-viewer")
    viewer.set_password("pass-1234-word")
    viewer.save()
    answer = client.get("/system")
    assert answer["Location"] == "/login/?next=/system"

    login = {"username": "some-viewer", "password": "pass-1234-word", "next": "/system"}
    wrong = client.post("/login/", {**login, "password": "wrong"})
    assert "do not match" in wrong.content.decode()
    assert client.post("/login/", login)["Location"] == "/system"
    assert client.get("/system").status_code == 200
    client.post("/logout/")
    assert client.get("/system").status_code == 302


def test_error_pages_are_for_people(client, db, settings, monkeypatch):
    assert "There is no such page" in client.get("/no-such-page").content.decode()

    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("dashboard.pages.state.read_health", fail)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_vendored_files_are_what_their_list_says():
    folder = Path(apps.get_app_config("dashboard").path) / "static/dashboard/vendor"
    listed = dict(
        reversed(line.split("  ", 1))
        for line in (folder / "VENDOR").read_text("utf-8").splitlines()
        if re.match(r"[0-9a-f]{64}  ", line)
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "VENDOR"
    }

    assert found == listed
    assert finders.find("django_htmx/htmx-2.min.js")


def test_scripts_build_no_markup_from_text():
    folder = Path(apps.get_app_config("dashboard").path) / "static/dashboard"
    for path in folder.glob("*.js"):
        text = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
