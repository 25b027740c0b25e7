"""Why there was a trade or none: the silence with its reason, the signal with what became of it."""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from execution import models
from execution.core.types import ChangeKind
from markets import stages
from markets.models import Event, Market
from markets.selectors import ticks
from markets.selectors.naming import Unclear, meant
from strategies.models import Evaluation, Signal, SilenceRun
from tests.apps.execution import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def session(db, settings):
    with world.trading(settings, ticks=40, spacing=30_000):
        while world.go():
            pass
        yield


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


def asked(client, market: str, at: int | None = None, **given) -> dict:
    when = {} if at is None else {"at": iso(at)}
    return client.get("/api/why", {"market": market, **when, **given}).json()


def of(answer: dict, strategy: str) -> dict:
    return next(one for one in answer["strategies"] if one["name"] == strategy)


def test_a_silence_says_reason_meaning_and_since_when(client):
    run = SilenceRun.objects.filter(strategy="mean_reversion_v1", to_tick=None).first()

    answer = asked(client, run.market)

    found = of(answer, "mean_reversion_v1")
    assert found["state"] == "silent"
    assert found["silence"]["reason"] == run.reason
    assert found["silence"]["meaning"]
    assert found["silence"]["detail"] == run.detail
    assert found["signals"] == []
    assert (found["switch"], found["halted"]) == ("disabled", "")
    assert answer["tick"] == 40


def test_a_traded_signal_shows_its_orders_and_fills_in_the_three_accounts(client):
    signal = Signal.objects.filter(disposition="traded").order_by("at").first()
    later = models.Trade.objects.filter(order__signal=signal).latest("at").at
    Signal.objects.filter(pk=signal.pk).update(closed_tick_id=None)

    found = of(asked(client, signal.market, later), "taker")

    assert found["state"] == "signalled"
    mine = next(one for one in found["signals"] if one["signal"]["id"] == signal.pk)
    assert mine["signal"]["disposition"] == "traded"
    assert {order["account"] for order in mine["orders"]} == {
        "base", "optimistic", "pessimistic",
    }  # fmt: skip
    assert mine["trades"]


def test_at_an_earlier_time_nothing_later_is_told(client):
    signal = Signal.objects.filter(disposition="traded").order_by("at").last()

    found = of(asked(client, signal.market, signal.at), "taker")
    before = of(asked(client, signal.market, signal.at - 1), "taker")

    mine = next(one for one in found["signals"] if one["signal"]["id"] == signal.pk)
    assert mine["trades"] == []
    assert signal.pk not in {one["signal"]["id"] for one in before["signals"]}


def test_a_refusal_shows_its_limit_and_value_as_people_write_them(client):
    refusal = models.Refusal.objects.filter(account="base", code="MARKET_CAP").first()
    if refusal is None:
        refusal = models.Refusal.objects.exclude(signal="").exclude(limit="").first()
    signal = Signal.objects.get(pk=refusal.signal)

    found = of(asked(client, signal.market, refusal.at), "taker")

    mine = next(one for one in found["signals"] if one["signal"]["id"] == signal.pk)
    line = next(one for one in mine["refusals"] if one["code"] == refusal.code)
    assert line["account"]
    assert line["limit"] != refusal.limit or not refusal.limit.isdecimal()


def test_a_halt_is_told(client):
    world.decide(ChangeKind.HALT, "strategy:taker")
    source = world.SyntheticSource(seed=1)
    world.collect.collect_many(source, [world.START + 41 * 30_000])
    world.go()
    market = Market.objects.first().condition_id

    found = of(asked(client, market), "taker")

    assert (found["halted"], found["halt_reason"]) == ("strategy:taker", "a test")
    assert of(asked(client, market), "dual_arb_v1")["halted"] == ""


def test_the_desks_ticks_count_not_the_newest_collected(client):
    source = world.SyntheticSource(seed=1)
    world.collect.collect_many(source, [world.START + 41 * 30_000])

    assert ticks.last_tick().id == 41
    assert asked(client, Market.objects.first().condition_id)["tick"] == 40


def test_a_market_nobody_was_asked_about_is_unseen(client):
    event = Event.objects.create(event_id="e-x")
    Market.objects.create(condition_id="0xnew", question="Quite new", event=event)

    states = {one["state"] for one in asked(client, "0xnew")["strategies"]}

    assert states == {"unseen"}


class TestNaming:
    def test_id_slug_address_and_words_mean_one_market(self):
        row = Market.objects.exclude(slug="").first()
        row.question = "Will the zebra outrun the lion?"
        row.save()

        for text in (
            row.condition_id, row.slug, f"https://polymarket.com/market/{row.slug}?tid=1",
            "zebra LION", "  outrun  ",
        ):  # fmt: skip
            assert meant(text).id == row.condition_id

    def test_an_address_of_an_event_with_one_market_means_that(self):
        event = Event.objects.create(event_id="e-y", slug="lonely-event")
        Market.objects.create(condition_id="0xlone", question="Alone?", event=event)

        assert meant("https://polymarket.com/event/lonely-event").id == "0xlone"

    def test_words_of_several_list_them(self):
        shared = [f"Will the zebra win race {n}?" for n in range(3)]
        event = Event.objects.create(event_id="e-z")
        for number, question in enumerate(shared):
            Market.objects.create(condition_id=f"0xz{number}", question=question, event=event)

        with pytest.raises(Unclear, match="3 markets match") as fault:
            meant("zebra race")

        assert {one.question for one in fault.value.candidates} == set(shared)

    def test_nearly_right_words_list_what_is_near(self):
        event = Event.objects.create(event_id="e-q")
        Market.objects.create(condition_id="0xq", question="Will the okapi sing?", event=event)

        with pytest.raises(Unclear, match="No market has") as fault:
            meant("okapi dance")

        assert [one.id for one in fault.value.candidates] == ["0xq"]

    def test_nonsense_lists_nothing(self):
        with pytest.raises(Unclear) as fault:
            meant("xyzzy")

        assert fault.value.candidates == ()


def out(*arguments: str) -> str:
    told = StringIO()
    call_command("why", *arguments, stdout=told)
    return told.getvalue()


def test_the_command_says_what_the_api_says(client):
    signal = Signal.objects.filter(disposition="traded").order_by("at").first()

    told = json.loads(out(signal.market, "--at", iso(signal.at), "--json"))
    text = out(signal.market, "--at", iso(signal.at), "--strategy", "taker")

    assert told == asked(client, signal.market, signal.at)
    assert "taker: signalled" in text
    assert f"buy {signal.outcome} up to" in text
    assert "mean_reversion_v1" not in text


def test_the_command_fails_clearly():
    with pytest.raises(CommandError, match="No market has the id, slug or words 'xyzzy'"):
        out("xyzzy")
    with pytest.raises(CommandError, match="No strategy is named 'nobody'"):
        out("will", "--strategy", "nobody")
    market = Market.objects.first().condition_id
    with pytest.raises(CommandError, match="No tick from that time"):
        out(market, "--at", "2020-01-01")


def test_faults_of_the_api_have_its_shape(client):
    for given, code in (({}, 400), ({"market": "xyzzy"}, 404), ({"market": "x", "a": 1}, 400)):
        answer = client.get("/api/why", given)

        assert answer.status_code == code
        assert set(answer.json()) == {"code", "field", "message"}


def test_evaluations_say_what_signals_came_to():
    rows = Evaluation.objects.filter(strategy="taker")
    ordered = models.Order.objects.filter(account="base", purpose="entry").count()
    trades = models.Trade.objects.filter(account="base", liquidity="taker")
    refused = models.Refusal.objects.filter(account="base", strategy="taker").count()

    assert sum(row.ordered for row in rows) == ordered > 0
    assert sum(row.filled for row in rows) == trades.values("order").distinct().count() > 0
    told = sum(sum(row.refused.values()) + row.sized_to_zero for row in rows)
    assert told == refused > 0
    assert stages.position("desk") == rows.count()
