"""Every endpoint's keys and types, paging, filters and faults."""

import re
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from execution import models as execution
from tests import rows
from tests.builders import NOON


def words(text: str) -> list[str]:
    return text.split()


DECIMAL = re.compile(r"-?\d+(\.\d{0,5}[1-9])?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
KEYS = {
    "strategies": "name enabled state reason mode description parameters counters",
    "markets": "id slug question category event end_date tracked state outcomes spread tick_size "
    "min_size fee_rate neg_risk volume_24h coverage anomalies last_change last_confirmed freshness",
    "signals": "id at strategy market token_id outcome side fair price edge size plan disposition "
    "reason",
    "silences": "strategy market reason detail from_at to_at",
    "orders": "id account strategy market token_id outcome side type price size filled state "
    "placed_at reason",
    "trades": "id account order strategy market question token_id outcome side price size notional "
    "fee liquidity evidence book_at at realized_pnl",
    "positions": "account strategy market question token_id outcome size average_price cost mark "
    "value unrealized_pnl end_date state payout redeem_at",
    "resolutions": "market question status at payouts proposed held_yes held_no paid_yes paid_no",
    "equity": "account at cash equity drawdown",
    "anomalies": "code count markets last_at",
    "feeds": "name state reason since seen_at paused_until requests failures",
    f"markets/{rows.condition(0)}/gaps": "market from_at to_at seconds reason meaning detail",
}
MONEY = set(
    words(
        "spread tick_size min_size fee_rate volume_24h coverage fair price edge size filled "
        "notional fee realized_pnl average_price cost mark value unrealized_pnl cash equity "
        "drawdown seconds payout held_yes held_no paid_yes paid_no"
    )
)
TIMES = set(
    words(
        "at end_date placed_at book_at from_at to_at last_at since seen_at paused_until redeem_at"
    )
)
TIMES |= {"last_change", "last_confirmed"}


@pytest.mark.parametrize("name", KEYS)
def test_a_list_has_its_keys_and_types(client, desk, name):
    answer = client.get(f"/api/{name}").json()

    assert list(answer) == ["next", "previous", "results"]
    assert answer["results"]
    for row in answer["results"]:
        assert set(KEYS[name].split()) <= set(row)
        for key in MONEY & set(row):
            assert row[key] is None or DECIMAL.fullmatch(row[key]), key
        for key in TIMES & set(row):
            assert row[key] is None or TIME.fullmatch(row[key]), key


def test_a_trade_says_its_figures(client, desk):
    found = client.get("/api/trades?limit=1&strategy=mean_reversion_v1&liquidity=settlement").json()
    [row] = found["results"]

    assert row["question"] == "Will “The Long Winter” win Best Picture?"
    assert (row["price"], row["size"], row["notional"], row["fee"]) == ("0.5", "41.2", "20.6", "0")
    assert row["order"] == ""
    assert row["realized_pnl"] == "13.06"


def test_a_market_says_both_outcomes_and_their_mirror(client, desk):
    found = client.get(f"/api/markets?market={rows.condition(0)}").json()["results"]
    [row] = found
    yes, no = row["outcomes"]

    assert row["end_date"] == "2026-01-10T17:00:00.000Z"
    assert row["tick_size"] == "0.001"
    assert (yes["outcome"], no["outcome"]) == ("Yes", "No")
    assert float(yes["bid"]) + float(no["ask"]) == pytest.approx(1)
    assert float(yes["ask"]) + float(no["bid"]) == pytest.approx(1)
    assert (yes["bid_size"], no["ask_size"]) == ("420", "420")
    assert row["spread"] == "0.002"


def test_a_missing_side_is_null_and_so_is_the_spread(client, desk):
    [row] = client.get(f"/api/markets?market={rows.condition(7)}").json()["results"]

    assert row["outcomes"][0]["bid"] is None
    assert row["outcomes"][1]["ask"] is None
    assert row["spread"] is None


def test_a_position_says_question_average_and_pnl(client, desk):
    found = client.get("/api/positions?account=base").json()["results"]
    row = next(one for one in found if one["market"] == rows.condition(0))

    assert row["question"].startswith("Will the Fed cut")
    assert (row["size"], row["cost"], row["average_price"]) == ("52.5", "32.81", "0.624952")
    assert row["value"] == "33.1275"
    assert row["unrealized_pnl"] == "0.3175"


def test_a_resolution_says_what_it_pays_and_what_we_have_there(client, desk):
    found = client.get("/api/resolutions").json()["results"]
    held = next(one for one in found if one["market"] == rows.condition(4))
    over = next(one for one in found if one["status"] == "resolved")

    assert (held["status"], held["payouts"], held["proposed"]) == ("proposed", None, ["0", "1"])
    assert (held["held_yes"], held["held_no"]) == ("0", "75.25")
    assert (over["payouts"], over["proposed"]) == (["0.5", "0.5"], None)
    assert (over["held_yes"], over["paid_yes"]) == ("0", "41.2")
    assert over["question"] == "Will “The Long Winter” win Best Picture?"


def test_a_resolution_that_was_reversed_has_paid_nothing(client, desk):
    back = execution.Trade.objects.get(id="trade-settled")
    back.pk, back.side, back.notional = "trade-reversed", "buy", back.notional
    back.save(force_insert=True)

    [row] = client.get("/api/resolutions?state=resolved").json()["results"]
    assert row["paid_yes"] == "0"


def test_status_has_every_promised_key(client, desk):
    answer = client.get("/api/status").json()

    assert list(answer)[:10] == [
        "environment", "mode", "started_at", "version", "capital", "strategies", "collection",
        "risk", "errors", "recent_errors",
    ]  # fmt: skip
    assert set(answer["capital"]) >= set(
        words(
            "initial cash reserved equity pnl pnl_percent realized_pnl unrealized_pnl fees "
            "drawdown high_water locked owed"
        )
    )
    assert list(answer["strategies"][0]) == words("name state reason signals trades pnl")
    assert list(answer["collection"]) == (
        words("markets ticks snapshots anomalies last_tick_at coverage")
    )
    assert answer["mode"] == "paper"
    assert answer["risk"]["limits"]["max_capital_per_strategy"] == {
        "used": "176.21", "limit": "300", "source": "override", "configured": "400",
        "unit": "dollars",
    }  # fmt: skip
    assert (answer["risk"]["halted"], answer["risk"]["halt_reason"]) == (False, "")
    assert answer["collection"]["markets"] == 8
    assert answer["collection"]["snapshots"] == 320
    assert answer["errors"] == 0


def test_status_before_anything_happened(client, db, now):
    answer = client.get("/api/status").json()

    assert answer["capital"]["equity"] == "1000"
    assert answer["strategies"] == []
    assert answer["collection"]["last_tick_at"] is None


def test_status_says_a_halt(client, desk):
    rows.halt(NOON, "drawdown of 10.2 %")

    risk = client.get("/api/status").json()["risk"]
    assert (risk["halted"], risk["halt_reason"]) == (True, "drawdown of 10.2 %")


def test_pages_follow_each_other_and_come_back(client, desk):
    whole = [row["id"] for row in client.get("/api/trades?limit=1000").json()["results"]]
    seen, url, previous = [], "/api/trades?limit=10", None
    while url:
        page = client.get(url).json()
        assert (page["previous"] is None) == (not seen)
        seen += [row["id"] for row in page["results"]]
        previous, url = page["previous"], page["next"]

    assert seen == whole
    back = client.get(previous).json()
    assert [row["id"] for row in back["results"]] == whole[20:30]
    first = client.get(client.get(back["previous"]).json()["previous"]).json()
    assert [row["id"] for row in first["results"]] == whole[:10]
    assert first["previous"] is None


def test_rows_of_one_instant_are_neither_lost_nor_repeated(client, desk):
    execution.Trade.objects.update(at=NOON)
    whole = {row["id"] for row in client.get("/api/trades?limit=1000").json()["results"]}
    seen, url = [], "/api/trades?limit=3"
    while url:
        page = client.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]

    assert len(seen) == len(set(seen)) == len(whole) == 35


FILTERS = [
    ("/api/trades?strategy=dual_arb_v1", 0),
    ("/api/trades?account=optimistic", 0),
    ("/api/trades?liquidity=settlement", 1),
    ("/api/orders?state=filled", 9),
    ("/api/signals?state=refused", 8),
    ("/api/silences?state=lasting&strategy=dual_arb_v1", 7),
    ("/api/silences?reason=WARMUP&state=ended", 1),
    ("/api/positions?account=base", 5),
    ("/api/positions?market=" + rows.condition(0), 3),
    ("/api/positions?state=disputed", 0),
    ("/api/resolutions?state=proposed", 2),
    ("/api/resolutions?market=" + rows.condition(2), 2),
    ("/api/resolutions?from=2026-01-01T11:30:00Z", 1),
    ("/api/markets?tracked=false", 0),
    ("/api/markets?category=economics", 2),
    ("/api/equity?account=base&from=2026-01-01T11:00:00Z", 12),
    ("/api/equity?account=base&from=2026-01-01T11:00:00%2B01:00&to=2026-01-01T10:30:00Z", 6),
    ("/api/equity?every=86400&limit=1000", 6),
]


def test_a_filter_filters(client, desk):
    found = {url: len(client.get(url).json()["results"]) for url, _ in FILTERS}

    assert found == dict(FILTERS)


WRONG = [
    ("/api/trades?limit=0", "limit", "1 to 1000"),
    ("/api/trades?limit=ten", "limit", "1 to 1000"),
    ("/api/trades?from=yesterday", "from", "2026-01-01T12:00:00Z"),
    ("/api/trades?from=2026-01-01T12:00:00", "from", "2026-01-01T12:00:00Z"),
    ("/api/trades?account=mine", "account", "pessimistic"),
    ("/api/trades?cursor=zzz", "cursor", "not a cursor"),
    ("/api/trades?cursor=bjox", "cursor", "not a cursor"),
    ("/api/equity?cursor=bjoxOmFiYw", "cursor", "not a cursor"),
    ("/api/trades?acount=base", "acount", "did you mean account"),
    ("/api/trades?market=%00", "market", "200 characters"),
    ("/api/orders?state=open", "state", "partly_filled"),
    ("/api/positions?state=open", "state", "disputed"),
    ("/api/resolutions?state=paid", "state", "resolved"),
    ("/api/silences?reason=none", "reason", "STALE"),
    ("/api/markets?tracked=yes", "tracked", "true or false"),
    ("/api/equity?every=-1", "every", "0 to 86400"),
    ("/api/status?account=base", "account", "no parameter account"),
    (f"/api/markets/{rows.condition(0)}/history?from=2027-01-01&to=2026-01-01", "from", "to"),
]


def test_a_wrong_value_is_refused_by_name(client, desk):
    for url, field, said in WRONG:
        answer = client.get(url)

        assert answer.status_code == 400, url
        assert set(answer.json()) == {"code", "field", "message"}
        assert answer.json()["field"] == field, url
        assert said in answer.json()["message"], url


def test_history_is_oldest_first_and_sampled(client, desk):
    url = f"/api/markets/{rows.condition(0)}/history"
    whole = client.get(url).json()["results"]
    sampled = client.get(f"{url}?every=60").json()["results"]

    assert len(whole) == 40
    assert list(whole[0]) == ["at", "yes_bid", "yes_ask", "no_bid", "no_ask", "source"]
    assert all(one["at"] < two["at"] for one, two in pairwise(whole))
    assert sampled == [
        one for one, two in pairwise([*whole, {"at": "Z"}]) if one["at"][:16] != two["at"][:16]
    ]
    assert 6 <= len(sampled) <= 8
    assert {point["source"] for point in whole} == {"hot"}


def test_history_goes_on_where_it_stopped(client, desk):
    url = f"/api/markets/{rows.condition(0)}/history?limit=17"
    seen = []
    while url:
        page = client.get(url).json()
        seen += [point["at"] for point in page["results"]]
        url = page["next"]

    assert len(seen) == len(set(seen)) == 40


def test_history_of_a_side_that_was_empty_is_null(client, desk):
    points = client.get(f"/api/markets/{rows.condition(7)}/history").json()["results"]

    assert {(point["yes_bid"], point["no_ask"]) for point in points} == {(None, None)}


def test_unknown_things_are_404_in_the_same_shape(client, desk):
    for url in ("/api/markets/0xnone/history", "/api/nothing", "/api/trades/"):
        answer = client.get(url)

        assert answer.status_code == 404
        assert set(answer.json()) == {"code", "field", "message"}


QUERIES = {
    "/api/status": 44,
    "/api/strategies": 8,
    "/api/markets": 18,
    "/api/signals": 2,
    "/api/silences": 2,
    "/api/orders": 2,
    "/api/trades": 2,
    "/api/positions": 2,
    "/api/equity": 2,
    "/api/resolutions": 4,
    "/health": 14,
    "/": 60,
    "/system": 88,
    "/live/overview": 60,
}


def counted(client, url):
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return len(queries)


def test_queries_are_few_and_do_not_grow_with_the_rows(client, desk):
    counted(client, "/")  # what a process reads once
    few = {url: counted(client, url) for url in QUERIES}
    held = list(execution.Position.objects.filter(account="base"))
    for copy in range(20):
        for row in held:
            row.pk, row.token = None, f"{copy}-{row.token}"
        execution.Position.objects.bulk_create(held)

    assert {url: number for url, number in few.items() if number > QUERIES[url]} == {}
    assert {url: counted(client, url) for url in QUERIES} == few


def test_a_silent_poll_costs_few_queries(client, desk):
    seen = client.get("/live/overview")["ETag"].strip('"')

    assert counted(client, f"/live/overview?seen={seen}") <= 14


def test_the_schema_knows_every_route_and_is_sound(client, desk):
    schema = client.get("/api/schema/?format=json").json()
    served = {
        f"/{pattern.pattern}".replace("<str:", "{").replace(">", "}")
        for pattern in get_resolver("dashboard.urls").url_patterns
        if str(pattern.pattern).startswith("api/") and not str(pattern.pattern).endswith("/")
    }

    assert schema["openapi"].startswith("3.")
    assert served <= set(schema["paths"])
    assert "/health" in schema["paths"]
    assert "/api/strategies/{name}/{action}" in schema["paths"]


def test_the_docs_page_lists_every_path(client, desk):
    page = client.get("/api/docs/").content.decode()
    for path in client.get("/api/schema/?format=json").json()["paths"]:
        assert path in page
