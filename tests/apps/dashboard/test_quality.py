"""Gaps, coverage, odd books and feeds, on the API and on the system page."""

import pytest

from markets import models as markets
from tests import rows
from tests.builders import DAY, NOON

HOUR, MINUTE = 3_600_000, 60_000


def test_gaps_of_a_market_are_its_own_and_those_of_all(client, desk):
    found = client.get(f"/api/markets/{rows.condition(0)}/gaps").json()["results"]

    assert [(row["market"], row["reason"], row["detail"], row["seconds"]) for row in found] == [
        (rows.condition(0), "REFUSED", "CROSSED", "360"),
        (None, "NO_ANSWER", "", "60"),
        (None, "COLLECTOR_OFF", "", "2400"),
    ]
    assert found[0]["to_at"] == "2026-01-01T09:06:00.000Z"


def test_a_market_read_since_yesterday_missed_nothing_before(client, desk):
    found = client.get(f"/api/markets/{rows.condition(6)}/gaps").json()["results"]

    assert [row["reason"] for row in found] == ["NO_ANSWER"]


def test_a_gap_that_lasts_has_no_end(client, desk):
    markets.Latest.objects.filter(market__condition_id=rows.condition(5)).update(
        observed_at=NOON - HOUR
    )
    [row, *_] = client.get(f"/api/markets/{rows.condition(5)}/gaps").json()["results"]

    assert (row["to_at"], row["from_at"]) == (None, "2026-01-01T11:00:00.000Z")
    assert (row["reason"], row["seconds"]) == ("UNREAD", "3600")


def test_a_source_that_is_down_shows_as_a_gap_of_all_before_it_is_written(client, desk):
    markets.Cursor.objects.create(name="collect.failures", position=1, moved_at=rows.moment(NOON))
    [row, *_] = client.get(f"/api/markets/{rows.condition(2)}/gaps").json()["results"]

    assert (row["market"], row["reason"], row["to_at"]) == (None, "NO_ANSWER", None)


def test_an_unknown_market_has_no_gaps(client, desk):
    assert client.get("/api/markets/0xnobody/gaps").status_code == 404


def test_coverage_of_any_span_is_tracked_time_less_the_gaps(client, desk):
    answer = client.get("/api/coverage?from=2026-01-01T09:00:00Z&to=2026-01-01T10:30:00Z").json()

    assert list(answer) == [
        "from_at", "to_at", "coverage", "tracked_seconds", "covered_seconds", "markets", "results",
    ]  # fmt: skip
    assert (answer["markets"], answer["tracked_seconds"]) == (8, "43200")
    assert answer["covered_seconds"] == str(43_200 - 360 - 1_500)
    assert answer["coverage"] == "0.956944"
    assert answer["results"][0]["market"] == rows.condition(3)
    assert answer["results"][0]["coverage"] == "0.722222"
    assert answer["results"][-1]["coverage"] == "1"


def test_time_in_which_a_market_showed_nothing_does_not_count(client, desk):
    span = "from=2025-12-31T16:00:00Z&to=2025-12-31T18:00:00Z"
    answer = client.get(f"/api/coverage?market={rows.condition(7)}&{span}").json()

    assert (answer["tracked_seconds"], answer["coverage"]) == ("0", None)


def test_the_future_is_not_covered_and_not_tracked(client, desk):
    answer = client.get("/api/coverage?from=2026-01-01T11:00:00Z&to=2026-01-02T00:00:00Z").json()

    assert answer["tracked_seconds"] == str(8 * 3_600)


@pytest.mark.parametrize("query", ["market=0xnobody", "from=2020-01-01&to=2020-01-02"])
def test_nothing_tracked_is_no_coverage_and_not_a_whole_one(client, desk, query):
    answer = client.get(f"/api/coverage?{query}").json()

    assert (answer["coverage"], answer["markets"], answer["results"]) == (None, 0, [])


def test_a_span_that_ends_before_it_begins_is_refused(client, desk):
    for path in ("coverage", f"markets/{rows.condition(0)}/gaps"):
        answer = client.get(f"/api/{path}?from=2026-01-02&to=2026-01-01")
        assert (answer.status_code, answer.json()["field"]) == (400, "from")


def test_the_status_says_the_coverage_of_the_last_day(client, desk):
    tracked = 8 * DAY
    missed = 8 * MINUTE + 6 * MINUTE + 25 * MINUTE
    asleep = 2 * HOUR
    share = (tracked - asleep - missed) * 1_000_000 // (tracked - asleep)

    assert client.get("/api/status").json()["collection"]["coverage"] == f"0.{share}"


def test_a_market_says_whether_its_book_is_quiet_or_frozen(client, desk):
    late = markets.Latest.objects.filter(market__condition_id=rows.condition(1))
    late.update(observed_at=NOON - 26_000)
    found = client.get("/api/markets").json()["results"]
    states = {row["id"]: row["freshness"] for row in found}

    assert states[rows.condition(0)] == "LIVE"
    assert states[rows.condition(1)] == "FROZEN"
    assert states[rows.condition(5)] == "QUIET"
    assert found[0]["last_confirmed"] == "2026-01-01T11:59:58.000Z"
    assert found[1]["last_change"] == "2026-01-01T11:57:58.000Z"


def test_odd_books_are_counted_by_code(client, desk):
    found = client.get("/api/anomalies").json()["results"]

    assert [(row["code"], row["count"], row["markets"]) for row in found] == [
        ("TORN", 5, 5),
        ("GHOST", 2, 2),
        ("CROSSED", 1, 1),
    ]
    of_one = client.get(f"/api/anomalies?market={rows.condition(1)}").json()["results"]
    assert [row["code"] for row in of_one] == ["GHOST", "TORN"]


def test_the_system_page_shows_it(client, desk):
    page = client.get("/system").content.decode()

    for told in (
        "Market data",
        "clob",
        "status 502",
        "Days sealed",
        "All markets",
        "nobody looked",
    ):
        assert told in page, told
    assert "Quiet: confirmed" in page
    assert "CROSSED" in page


def test_an_empty_desk_has_a_section_too(client, db, now):
    page = client.get("/system").content.decode()

    assert "No feed has been noted" in page
    assert "Nothing is tracked yet" in page
