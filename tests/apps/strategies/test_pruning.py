"""The journal kept small: day sums equal what was folded, what is young or open stays."""

from dataclasses import replace

import pytest

from markets.models import Tick, Universe
from strategies.models import Evaluation, EvaluationDay, Signal, SilenceRun
from strategies.services import pruning
from tests.builders import NOON

pytestmark = pytest.mark.django_db

HOUR, DAY = 3_600_000, 86_400_000
START = NOON // DAY * DAY


@pytest.fixture(autouse=True)
def newest(settings):
    """Event time decides what is old: the newest tick is ten days after the beginning."""
    collection = replace(settings.PQAP.collection, keep_raw_hours=24, retention_days=5)
    settings.PQAP = replace(settings.PQAP, collection=collection)
    universe = Universe.objects.create(effective_at=0, members=[])
    Tick.objects.create(
        id=99_999, at=START + 10 * DAY, universe=universe, recorded_at="2026-01-01T00:00Z"
    )


def evaluate(number: int, at: int, **given) -> None:
    fresh = {
        "strategy": "one", "version": "1", "seen": 10, "signalled": 1,
        "silent": {"WARMUP": 6, "EDGE": 3}, "refused": {"CASH": 1}, "ordered": 2, "filled": 1,
    }  # fmt: skip
    Evaluation.objects.create(tick_id=number, at=at, **{**fresh, **given})


def prune() -> pruning.Pruned:
    return pruning.run(START + 10 * DAY + HOUR)


def test_old_evaluations_become_the_sums_of_their_days():
    for number in range(5):
        evaluate(number, START + DAY - 2 * HOUR + number * HOUR)
    evaluate(0, START + DAY - 2 * HOUR, strategy="two", silent={"STALE": 10}, error="boom")

    done = prune()

    assert done.evaluations == 6
    assert not Evaluation.objects.exists()
    first, second = EvaluationDay.objects.filter(strategy="one").order_by("day")
    assert (first.ticks, second.ticks) == (2, 3)
    assert (second.seen, second.silent, second.refused) == (
        30, {"WARMUP": 18, "EDGE": 9}, {"CASH": 3},
    )  # fmt: skip
    assert (second.ordered, second.filled, second.errors) == (6, 3, 0)
    assert EvaluationDay.objects.get(strategy="two").errors == 1


def test_a_day_folded_in_parts_has_the_same_sums(monkeypatch):
    for number in range(7):
        evaluate(number, START + number * HOUR)
    monkeypatch.setattr(pruning, "AT_ONCE", 2)

    prune()

    [day] = EvaluationDay.objects.all()
    assert (day.ticks, day.seen, day.silent) == (7, 70, {"WARMUP": 42, "EDGE": 21})


def test_doing_it_again_changes_nothing():
    evaluate(1, START)
    prune()
    before = list(EvaluationDay.objects.values_list())

    assert prune() == pruning.Pruned()
    assert list(EvaluationDay.objects.values_list()) == before


def test_young_evaluations_stay():
    evaluate(1, START + 10 * DAY - HOUR)

    assert prune().evaluations == 0
    assert Evaluation.objects.count() == 1


def silence(number: int, ended: int | None) -> None:
    SilenceRun.objects.create(
        strategy="one", market=f"m-{number}", reason="WARMUP", from_tick=number, from_at=START,
        to_tick=None if ended is None else number + 1, to_at=ended,
    )  # fmt: skip


def test_silences_go_when_they_ended_long_ago_and_open_ones_never():
    silence(1, START + DAY)
    silence(2, START + 6 * DAY)
    silence(3, None)

    assert prune().silences == 1
    assert set(SilenceRun.objects.values_list("market", flat=True)) == {"m-2", "m-3"}


def signal(name: str, kind: str, closed: int | None, at: int = START) -> None:
    Signal.objects.create(
        id=name, tick_id=1, at=at, kind=kind, strategy="one", version="1", market="m-1", token="",
        outcome="", fair=1, limit=1, edge=1, size=1, plan={}, closed_tick_id=closed,
    )  # fmt: skip


def test_old_closed_quotes_go_and_bets_stay():
    signal("old", "quote", 2)
    signal("open", "quote", None)
    signal("young", "quote", 2, START + 9 * DAY)
    signal("bet", "bet", 2)

    assert prune().quotes == 1
    assert set(Signal.objects.values_list("pk", flat=True)) == {"open", "young", "bet"}
