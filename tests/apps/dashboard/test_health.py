"""The judgement over the desk's facts, and the answer of /health."""

from dataclasses import replace

import pytest
from django.db import OperationalError, connection

from dashboard import health
from dashboard.health import Status
from execution import models as execution
from markets import models as markets
from markets.core.types import Feed, FeedState
from tests import rows
from tests.builders import NOON

WELL = health.Facts(
    now=NOON, started_at=NOON - 3_600_000, poll_ms=10_000, tick_at=NOON - 4_000, ticks=500,
    desk=500, desk_moved_at=NOON - 3_500,
)  # fmt: skip


def feed(state: FeedState = FeedState.OK, seen_at: int = NOON - 5_000, name: str = "clob") -> Feed:
    return Feed(name, state, "it answers 502.", NOON - 60_000, seen_at)


@pytest.mark.parametrize(
    ("changed", "status", "codes"),
    [
        ({}, Status.OK, []),
        ({"tick_at": NOON - 30_000}, Status.OK, []),
        ({"tick_at": NOON - 30_001}, Status.DEGRADED, ["late_tick"]),
        ({"tick_at": NOON - 120_000}, Status.DEGRADED, ["late_tick"]),
        ({"tick_at": NOON - 120_001}, Status.ERROR, ["no_fresh_tick"]),
        ({"tick_at": NOON - 300_000, "poll_ms": 60_000}, Status.DEGRADED, ["late_tick"]),
        ({"tick_at": NOON - 600_001, "poll_ms": 60_000}, Status.ERROR, ["no_fresh_tick"]),
        ({"tick_at": None, "ticks": 0, "desk": 0}, Status.ERROR, ["no_fresh_tick"]),
        (
            {"tick_at": None, "ticks": 0, "desk": 0, "started_at": NOON - 9_000},
            Status.DEGRADED,
            ["starting"],
        ),
        ({"tick_at": NOON - 7_200_000, "started_at": NOON - 9_000}, Status.DEGRADED, ["starting"]),
        ({"tick_at": NOON - 20_000, "started_at": NOON - 9_000}, Status.OK, []),
        ({"desk": 499}, Status.OK, []),
        ({"desk": 497}, Status.OK, []),
        ({"desk": 496}, Status.DEGRADED, ["desk_behind"]),
        ({"desk": 100}, Status.DEGRADED, ["desk_behind"]),
        ({"desk": 499, "desk_moved_at": NOON - 120_001}, Status.ERROR, ["worker_not_consuming"]),
        ({"desk": 0, "desk_moved_at": None}, Status.ERROR, ["worker_not_consuming"]),
        ({"desk": 500, "desk_moved_at": NOON - 900_000}, Status.OK, []),
        ({"ledger": "cash is off by 1"}, Status.ERROR, ["ledger_broken"]),
        ({"mismatch": "cash is off by 1"}, Status.ERROR, ["ledger_mismatch"]),
        ({"failing": ("value_bet_v1",)}, Status.DEGRADED, ["strategy_error"]),
        ({"halted": "drawdown"}, Status.OK, ["halted"]),
        ({"feeds": (feed(),)}, Status.OK, []),
        ({"feeds": (feed(FeedState.DOWN),)}, Status.DEGRADED, ["feed_down"]),
        (
            {"feeds": (feed(FeedState.DEGRADED), feed(FeedState.DOWN))},
            Status.DEGRADED,
            ["feed_down", "feed_degraded"],
        ),
        ({"feeds": (feed(FeedState.DOWN, seen_at=NOON - 1_800_001),)}, Status.OK, []),
        ({"still_since": NOON - 700_000}, Status.DEGRADED, ["books_still"]),
        ({"tracked": 50, "unconfirmed": 10}, Status.OK, []),
        ({"tracked": 50, "unconfirmed": 11}, Status.DEGRADED, ["books_unread"]),
        ({"unreadable": True}, Status.ERROR, ["database"]),
        (
            {"tick_at": NOON - 40_000, "ledger": "off", "halted": "by anna"},
            Status.ERROR,
            ["ledger_broken", "late_tick", "halted"],
        ),
    ],
)
def test_the_judgement(changed, status, codes):
    report = health.judge(replace(WELL, **changed))

    assert (report.status, [reason.code for reason in report.reasons]) == (status, codes)


def test_each_reason_says_its_figure():
    [reason] = health.judge(replace(WELL, tick_at=NOON - 300_000)).reasons

    assert reason.message == "No new prices for 5 min; one look every 10 s is expected."


def test_a_feed_that_is_down_is_named_with_the_reason():
    feeds = (feed(FeedState.DOWN), feed(FeedState.DOWN, name="clob/books"))
    [reason] = health.judge(replace(WELL, feeds=feeds)).reasons

    assert reason.message == "The exchange's clob, clob/books does not answer: it answers 502."


def test_an_exchange_that_stands_still_is_told(client, desk):
    markets.Latest.objects.update(changed_at=NOON - 3_600_000)
    answer = client.get("/health").json()

    assert (answer["status"], answer["reasons"]) == ("degraded", ["books_still"])
    assert answer["messages"] == [
        "The exchange answers, but no tracked book has changed for 60 min."
    ]


def test_a_calm_night_of_few_markets_is_no_illness(client, desk):
    markets.Latest.objects.update(changed_at=NOON - 3_600_000)
    newest = markets.Universe.objects.get()
    newest.members, newest.pk = newest.members[:4], None
    newest.save()

    assert client.get("/health").json()["status"] == "ok"


def test_books_that_are_not_confirmed_are_counted(client, desk):
    late = list(markets.Latest.objects.order_by("pk").values_list("pk", flat=True)[:2])
    markets.Latest.objects.filter(pk__in=late).update(observed_at=NOON - 60_000)

    assert client.get("/health").json()["messages"] == ["2 of 8 tracked books are not confirmed."]


def test_health_answers_its_four_keys_first(client, desk):
    answer = client.get("/health")

    assert answer.status_code == 200
    assert list(answer.json())[:4] == [
        "status", "uptime_seconds", "active_strategies", "markets_tracked",
    ]  # fmt: skip
    assert answer.json() == {
        "status": "ok",
        "uptime_seconds": 600,
        "active_strategies": 2,
        "markets_tracked": 8,
        "reasons": [],
        "messages": [],
        "environment": "demo",
        "last_tick_at": "2026-01-01T11:59:58.000Z",
    }


def test_health_needs_no_login_and_an_old_token_does_no_harm(client, desk, public_read):
    public_read(False)

    assert client.get("/health", headers={"Authorization": "Token gone"}).status_code == 200
    assert client.get("/health/").status_code == 200


def test_a_fresh_database_is_starting(client, db, now, monkeypatch):
    monkeypatch.setattr("dashboard.apps.DashboardConfig.started_at", NOON - 5_000)
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["reasons"] == ["starting"]


def test_no_fresh_tick_is_503(client, desk):
    markets.Tick.objects.filter(id=40).update(recorded_at=rows.moment(NOON - 121_000))
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["no_fresh_tick"]


def test_an_unbalanced_ledger_is_503(client, desk):
    execution.LedgerAccount.objects.create(
        account="base", kind="CASH", asset="USD", debits=1_000_000, credits=0
    )
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["ledger_broken"]


def test_a_missing_guard_of_the_ledger_is_503(client, desk):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER ledger_posting_kept")
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["messages"] == [
        "The ledger cannot be trusted: the guard posting_kept is missing."
    ]


def test_a_worker_that_does_not_consume_is_503(client, desk):
    markets.Cursor.objects.filter(name="desk").update(
        position=38, moved_at=rows.moment(NOON - 121_000)
    )

    assert client.get("/health").json()["reasons"] == ["worker_not_consuming"]


def test_a_halt_is_told_but_no_illness(client, desk):
    rows.halt(NOON)

    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/health").json()["reasons"] == ["halted"]


def test_a_database_that_is_away_is_503_with_the_same_keys(client, db, monkeypatch):
    def away(*_):
        raise OperationalError("unable to open database file")

    monkeypatch.setattr("markets.selectors.catalogue.newest", away)
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database"]
    assert answer.json()["markets_tracked"] == 0


def test_a_mismatch_is_an_error_until_a_reconciliation_agrees(client, desk):
    for faults, code in ((["cash is off"], 503), ([], 200)):
        execution.Reconciliation.objects.create(at="2026-01-01T12:00Z", postings=1, faults=faults)
        answer = client.get("/health")

        assert answer.status_code == code
    assert answer.json()["reasons"] == []


def test_the_file_halts_and_health_says_why(client, desk, settings, tmp_path):
    settings.PATHS = replace(settings.PATHS, halt=tmp_path / "HALT")
    settings.PATHS.halt.write_text("smoke")
    answer = client.get("/health").json()

    assert (answer["status"], answer["reasons"]) == ("ok", ["halted"])
    assert answer["messages"] == ["The kill switch is on: smoke"]
