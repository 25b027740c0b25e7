"""The pages in a real browser: nothing refused, nothing overflows, the switches switch."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.apps import DashboardConfig
from execution import models as execution
from markets import models as markets
from tests import rows

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = ("/", "/system", "/api/docs/", "/login/", "/no-such-page")
WIDTHS = (390, 768, 1440)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium as the system has it; absent, the tests are skipped, or fail where CI says so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no Chromium on PATH: apt-get install chromium"
        if os.environ.get("PQAP_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; Django would refuse the test's own queries.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def site(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A served desk with fresh rows."""
    now = int(time.time() * 1000)
    monkeypatch.setattr(DashboardConfig, "started_at", now - 600_000)
    rows.desk(now)
    User.objects.create_superuser("owner", password="pass-1234-word")
    return live_server.url


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Opens pages that remember everything the browser complained about."""
    contexts = []

    def open_page(path: str = "/", *, width: int = 1440, scheme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=site
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text))
        page.on("pageerror", lambda fault: page.complaints.append(str(fault)))
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((site, "data:"))
                else page.complaints.append(f"left the origin: {asked.url}")
            ),
        )
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


def log_in(page: Any) -> None:
    page.goto("/login/")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill("pass-1234-word")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state("networkidle")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_clean_at_every_width(visit, scheme):
    page = visit("/", scheme=scheme)
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert beyond <= 0, f"{path} is {beyond} px too wide at {width}"
        if path != "/no-such-page":
            assert page.complaints == [], path


@pytest.mark.django_db(transaction=True)
def test_hostile_titles_neither_run_nor_break_the_layout(visit):
    titles = ("<img src=x onerror=alert(1)>", "W" * 300, "<script>alert(1)</script>", "\u202eabc")
    for index, title in enumerate(titles):
        markets.Market.objects.filter(condition_id=rows.condition(index)).update(question=title)
    page = visit("/", width=390)
    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert page.get_by_text(titles[0]).first.is_visible()
    assert (page.complaints, beyond) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_the_curve_is_drawn_from_the_api(visit):
    page = visit("/")
    page.wait_for_selector("#equity canvas")
    with page.expect_response(lambda answer: "/api/equity" in answer.url) as asked:
        page.get_by_role("button", name="24 h").click()

    assert len(asked.value.json()["results"]) > 100
    assert page.get_by_role("button", name="24 h").get_attribute("aria-pressed") == "true"
    assert page.complaints == []


@pytest.mark.django_db(transaction=True)
def test_the_page_moves_by_itself_and_says_when_nobody_answers(visit):
    page = visit("/")
    assert page.get_by_text("Will the UK hold").count() == 0
    execution.Position.objects.filter(account="base", market=rows.condition(0)).update(
        market=rows.condition(5)
    )
    markets.Cursor.objects.filter(name="desk").update(position=41)
    page.get_by_text("Will the UK hold").wait_for(timeout=10_000)

    page.route("**/live/**", lambda route: route.abort())
    page.get_by_text("No answer from PQAP").wait_for(timeout=10_000)
    page.unroute("**/live/**")
    page.get_by_text("No answer from PQAP").wait_for(state="hidden", timeout=10_000)


@pytest.mark.django_db(transaction=True)
def test_a_person_logs_in_halts_resumes_and_logs_out(visit):
    page = visit("/")
    log_in(page)
    page.get_by_text("Stop everything").click()
    page.get_by_label("Reason").first.fill("a storm is coming")
    page.get_by_label("Stop all trading now").check()
    page.get_by_role("button", name="Set the kill switch").click()
    page.get_by_text("The kill switch is set").wait_for()
    assert page.get_by_text("Waiting for the next tick: halt all by owner").is_visible()
    stored = execution.Change.objects.latest("pk")
    assert (stored.kind, stored.who, stored.why) == ("halt", "owner", "a storm is coming")

    rows.halt(int(time.time() * 1000), "a storm is coming")
    page.goto("/")
    assert page.get_by_text("Kill switch on.").is_visible()
    assert not page.get_by_text("Stop everything").is_visible()
    page.get_by_text("Resume…").click()
    page.get_by_label("Reason").last.fill("it passed")
    page.get_by_label("Resume trading").check()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_text("Trading resumes on the next tick").wait_for()
    assert execution.Change.objects.latest("pk").kind == "resume"

    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in").first.wait_for()
    assert page.complaints == []


@pytest.mark.django_db(transaction=True)
def test_what_somebody_types_survives_the_polling(visit):
    page = visit("/")
    log_in(page)
    page.get_by_text("Stop everything").click()
    reason = page.get_by_label("Reason").first
    reason.fill("half a sen")
    with page.expect_response(
        lambda answer: "/live/overview" in answer.url and answer.status == 200
    ):
        markets.Cursor.objects.filter(name="desk").update(position=39)
    page.wait_for_timeout(200)

    assert reason.input_value() == "half a sen"
    assert reason.evaluate("element => element === document.activeElement")
