"""Signals held against what came: each measure once, when due, and unknown with its reason."""

import pytest
from django.utils import timezone

from markets import models as markets
from strategies.core.scoring import Measure
from strategies.models import Signal, SignalScore
from strategies.selectors.scores import scores
from strategies.services import scoring
from tests.builders import NOON, micro

pytestmark = pytest.mark.django_db

MINUTE = 60_000
FEE = 50_000


@pytest.fixture(autouse=True)
def market(db):
    event = markets.Event.objects.create(event_id="e-1")
    return list_market("m-1", event)


def list_market(name: str, event: markets.Event) -> markets.Market:
    row = markets.Market.objects.create(condition_id=name, question=f"{name}?", event=event)
    for index, outcome in enumerate(("Yes", "No")):
        markets.Token.objects.create(
            token_id=f"{outcome}-{name}".lower(), market=row, outcome=outcome, index=index
        )
    markets.Terms.objects.create(
        market=row, effective_at=0, end_at=NOON + 600 * MINUTE, tick_size=micro("0.01"),
        min_size=micro(5), fee_rate=FEE, status="open", accepting_orders=True,
    )  # fmt: skip
    return row


def look(market: markets.Market, minutes: int, bid: str, ask: str, **given) -> None:
    """A tick so many minutes after noon with one market's book."""
    at = NOON + minutes * MINUTE
    known = markets.Universe.objects.first() or markets.Universe.objects.create(
        effective_at=0, members=[]
    )
    tick, _ = markets.Tick.objects.get_or_create(
        id=1000 + minutes, at=at, defaults={"universe": known, "recorded_at": timezone.now()}
    )
    fresh = {
        "bid": micro(bid), "ask": micro(ask), "bid_size": micro(100), "ask_size": micro(100),
        "bid_valid": True, "ask_valid": True, "observed_at": at, "venue_at": at, "coherent": True,
    }  # fmt: skip
    markets.Snapshot.objects.create(tick=tick, market=market, **{**fresh, **given})


def bet(name: str = "s-1", token: str = "yes-m-1", minutes: int = 0, **given) -> Signal:
    at = NOON + minutes * MINUTE
    fresh = {
        "tick_id": 1000 + minutes, "at": at, "due_at": at, "strategy": "one", "version": "1",
        "market": "m-1", "token": token, "outcome": "", "fair": micro("0.48"),
        "limit": micro("0.43"), "edge": 1, "size": micro(100), "plan": {},
        "disposition": "shadow",
    }  # fmt: skip
    return Signal.objects.create(id=name, **{**fresh, **given})


def resolve(market: markets.Market, minutes: int, yes: str = "1") -> None:
    markets.Resolution.objects.create(
        market=market, tick_id=1, status="resolved", at=NOON + minutes * MINUTE,
        yes_payout=micro(yes), no_payout=micro(1) - micro(yes),
    )  # fmt: skip


def found(signal: str = "s-1") -> dict[str, tuple]:
    rows = SignalScore.objects.filter(signal=signal)
    return {row.measure: (row.value, row.other) for row in rows}


def test_markouts_are_taken_when_due_against_what_a_share_cost(market):
    bet()
    look(market, 0, "0.40", "0.42")

    scoring.run()
    assert found() == {"entry": (micro("0.41"), micro("0.42"))}

    look(market, 5, "0.44", "0.46")
    scoring.run()
    fee = round(0.42 * 0.58 * FEE)
    assert found()["markout_5m"] == (micro("0.03"), micro("0.03") - fee)
    assert Measure.MARKOUT_30M not in found()

    look(market, 30, "0.34", "0.36")
    look(market, 360, "0.42", "0.44")
    scoring.run()
    assert found()["markout_30m"][0] == micro("-0.07")
    assert found()["markout_6h"][0] == micro("0.01")
    assert Signal.objects.get().due_at == scoring.WAITING


def test_a_bet_on_no_is_scored_by_the_mirrored_book(market):
    bet(token="no-m-1", limit=micro("0.61"), fair=micro("0.66"))
    look(market, 0, "0.40", "0.42")
    look(market, 5, "0.30", "0.32")

    scoring.run()

    assert found()["entry"] == (micro("0.59"), micro("0.60"))
    assert found()["markout_5m"][0] == micro("0.09")


def test_the_outcome_gives_closing_line_and_brier(market):
    bet()
    for minutes, bid, ask in ((0, "0.40", "0.42"), (5, "0.44", "0.46"), (590, "0.60", "0.62")):
        look(market, minutes, bid, ask)
    look(market, 700, "0.95", "0.97")
    resolve(market, 720)

    scoring.run()

    assert found()["closing"][0] == micro("0.61") - micro("0.42")
    assert found()["brier"] == (270_400, 348_100)
    assert Signal.objects.get().due_at is None


def test_a_market_that_ended_early_closes_before_its_outcome(market):
    bet()
    look(market, 0, "0.40", "0.42")
    look(market, 50, "0.50", "0.52")
    look(market, 400, "0.01", "0.02")
    resolve(market, 60, "0")

    scoring.run()

    assert found()["closing"][0] == micro("0.51") - micro("0.42")
    assert found()["markout_6h"][0] == -micro("0.42")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"coherent": False}, "not coherent"),
        ({"bid_valid": False}, "one side"),
        ({"observed_at": NOON - 20 * MINUTE}, "not confirmed"),
    ],
)
def test_without_a_sound_book_it_is_unknown_and_says_why(market, given, why):
    bet()
    look(market, 0, "0.40", "0.42")
    look(market, 5, "0.44", "0.46", **given)

    scoring.run()

    row = SignalScore.objects.get(measure="markout_5m")
    assert (row.value, row.other) == (None, None)
    assert why in row.unknown


def test_a_signal_whose_books_are_gone_is_unknown_and_not_asked_for_again(market):
    bet(due_at=0)
    look(market, 1000, "0.40", "0.42")

    scoring.run()

    assert {row.unknown for row in SignalScore.objects.all()} == {"no book is kept of that time"}
    assert Signal.objects.get().due_at == scoring.WAITING


def test_a_quote_is_scored_by_its_fair_value_alone(market):
    bet(kind="quote", token="", fair=micro("0.45"), limit=micro("0.43"), ask=micro("0.47"))
    look(market, 0, "0.40", "0.42")
    look(market, 590, "0.60", "0.62")
    resolve(market, 720)

    scoring.run()

    assert found() == {
        "entry": (micro("0.41"), None),
        "closing": (micro("0.16"), micro("0.20")),
        "brier": (302_500, 348_100),
    }


def test_doing_it_again_writes_nothing(market):
    bet()
    look(market, 0, "0.40", "0.42")
    look(market, 400, "0.44", "0.46")
    resolve(market, 500)
    scoring.run()
    before = list(SignalScore.objects.order_by("pk").values_list())

    assert scoring.run() == 0
    Signal.objects.update(due_at=0)
    scoring.run()

    assert list(SignalScore.objects.order_by("pk").values_list()) == before


def test_more_signals_than_a_batch_are_all_scored(market, monkeypatch):
    monkeypatch.setattr(scoring, "AT_ONCE", 3)
    for number in range(10):
        bet(f"s-{number}")
    look(market, 0, "0.40", "0.42")
    look(market, 400, "0.44", "0.46")
    resolve(market, 500)

    scoring.run()

    assert SignalScore.objects.count() == 60
    assert not Signal.objects.exclude(due_at=None).exists()


def test_summaries_lead_and_wait_for_thirty_events(market):
    for number in range(30):
        event = markets.Event.objects.create(event_id=f"e-{number + 2}")
        row = list_market(f"n-{number}", event)
        look(row, 0, "0.40", "0.42")
        look(row, 400, "0.44", "0.46")
        bet(f"s-{number}", f"yes-n-{number}", market=f"n-{number}")
        if number < 29:
            resolve(row, 500, "1" if number % 2 else "0")
    scoring.run()

    told = {line.measure: line for line in scores("one")}

    assert told["entry"].value.count == 30
    assert told["markout_6h"].unknown == 30
    assert told["entry"].value.error == 0
    brier = told["brier"]
    assert (brier.value.events, brier.value.error) == (29, None)
    assert "not enough data" in brier.value.note
    assert brier.lead.mean == pytest.approx(brier.other.mean - brier.value.mean)


def test_the_api_tells_them(client, settings, market):
    from execution.models import StrategyState

    StrategyState.objects.create(name="one", state="active")
    bet()
    look(market, 0, "0.40", "0.42")
    look(market, 5, "0.44", "0.46")
    scoring.run()

    answer = client.get("/api/strategies/one/scores")

    assert answer.status_code == 200
    lines = {line["measure"]: line for line in answer.json()["results"]}
    assert lines["markout_5m"]["value"]["mean"] == "0.03"
    assert lines["markout_5m"]["value"]["error"] is None
    assert lines["brier"]["value"]["note"] == "nothing to score yet"
    assert client.get("/api/strategies/nobody/scores").status_code == 404
