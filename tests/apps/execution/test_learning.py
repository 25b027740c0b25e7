"""What was learnt on its way to the desk: recorded once, in force from a tick on, and replayed."""

from dataclasses import replace

import pytest

from execution.core.types import ChangeKind
from execution.models import Change
from execution.services import backtesting, changes, desk, learning
from execution.services.backtesting import Asked
from markets import stages
from markets.core.types import ONE
from markets.selectors import ticks
from strategies.library import REGISTRY
from strategies.models import Evaluation, Learnt
from strategies.services import learning as strategies
from tests.apps.execution import world
from tests.apps.strategies.past import DAY, bars, market, resolve

pytestmark = pytest.mark.django_db(transaction=True)

CLAIM = "market,probability,error,at,until\nx,{},0.04,2026-01-05T12:00:00Z,2026-01-19T12:00:00Z\n"


@pytest.fixture(autouse=True)
def session(db, settings, tmp_path, monkeypatch):
    """Thirty ticks not traded yet, one resolved market, and a file of forecasts."""
    monkeypatch.setattr(strategies, "SEASON_DAYS", 1)
    with world.trading(settings):
        path = tmp_path / "mine.csv"
        path.write_text(CLAIM.format(0.6))
        settings.PQAP = replace(settings.PQAP, forecasts=path)
        yield path


def ended(name: str = "past") -> None:
    """A market that was resolved before the first tick."""
    row = market(name, ends={0: world.START - DAY})
    bars(row, [(world.START - 5 * DAY, 400_000)])
    resolve(row, world.START - DAY, yes=ONE)


def recorded() -> list[tuple[str, str]]:
    rows = Change.objects.filter(kind=ChangeKind.LEARNT).order_by("pk")
    return list(rows.values_list("scope", "value"))


def told(tick: int, strategy: str = "value_bet_v1") -> str:
    return Evaluation.objects.get(tick_id=tick, strategy=strategy).inputs


def in_force() -> dict[str, str]:
    return {
        each.name: each.inputs for each in desk._warm.desk.strategies if hasattr(each, "inputs")
    }


def test_what_is_new_is_recorded_once_with_its_sources():
    ended()

    assert learning.refit() == ["forecasts", "calibration"]
    assert learning.refit() == []

    digests = dict(Learnt.objects.values_list("name", "digest"))
    assert recorded() == list(digests.items())
    row = Change.objects.get(scope="calibration")
    assert (row.who, row.why) == ("pqap", "refitted from 1 looks, 1 events")


def test_nothing_is_learnt_before_the_first_tick(monkeypatch):
    monkeypatch.setattr(ticks, "last_tick", lambda: None)

    assert learning.refit() == []


def test_the_beginning_is_once():
    assert learning.begin() == ["forecasts"]
    ended()
    assert learning.begin() == []


def test_the_next_tick_is_asked_of_rules_that_know():
    world.go(batch=5)
    assert told(5) == ""

    learning.refit()
    world.go(batch=5)

    assert told(6) == told(10) != ""
    assert told(6) == in_force()["value_bet_v1"]
    assert set(Change.objects.values_list("applied_tick", flat=True)) == {6}


def test_a_restart_knows_what_was_in_force_and_not_what_waits(session):
    learning.refit()
    world.go(batch=5)
    warm = in_force()
    session.write_text(CLAIM.format(0.7))
    learning.refit()

    desk.forget()
    cold = desk._at(stages.position("desk"))

    assert {
        each.name: getattr(each, "inputs", "") for each in cold.strategies if each.name in warm
    } == warm
    world.go(batch=5)
    assert told(6) != told(5)
    assert told(6) == in_force()["value_bet_v1"]


def test_a_file_that_broke_keeps_the_last_good_and_one_taken_away_is_forgotten(session, settings):
    learning.refit()
    world.go(batch=5)
    session.write_text("nonsense")
    assert learning.refit() == []
    world.go(batch=5)
    assert told(10) == told(5) != ""

    settings.PQAP = replace(settings.PQAP, forecasts=None)
    assert learning.refit() == ["forecasts"]
    assert recorded()[-1] == ("forecasts", "")
    world.go(batch=5)
    assert told(11) == ""


def test_a_body_that_cannot_be_read_stops_no_desk(caplog):
    learning.refit()
    Learnt.objects.update(body="{")

    assert world.go(batch=5) == 5
    assert told(5) == ""
    assert "Rules go without forecasts" in caplog.text


@pytest.mark.parametrize(
    ("scope", "value", "said"),
    [
        ("weather", "a" * 64, "scope: 'weather' is not allowed; it must be one of calibration"),
        ("seasons", "spring", "value: 'spring' is not allowed; it must be a digest, or empty"),
    ],
)
def test_only_knowledge_can_be_recorded(scope, value, said):
    with pytest.raises(changes.BadChange, match=said):
        world.decide(ChangeKind.LEARNT, scope, value)


class TestBacktest:
    def inputs(self, asked: Asked, monkeypatch) -> dict[int, str]:
        """What the value rule had been told, by tick."""
        found: dict[int, str] = {}
        rule = REGISTRY["value_bet_v1"].built.make
        evaluate = rule.evaluate

        def keep(each, panel):
            found[panel.tick.id] = each.inputs
            return evaluate(each, panel)

        with monkeypatch.context() as spied:
            spied.setattr(rule, "evaluate", keep)
            backtesting.run(asked)
        return found

    def test_it_knows_what_was_fitted_by_its_beginning_and_nothing_later(self, monkeypatch):
        at = world.START + 10 * 10_000
        learning.refit(at)

        early = self.inputs(Asked(since=at - 1), monkeypatch)
        late = self.inputs(Asked(since=at), monkeypatch)

        assert set(early.values()) == {""}
        assert len(set(late.values())) == 1
        assert "" not in late.values()

    def test_recorded_decisions_tell_it_at_their_ticks(self, monkeypatch):
        world.go(batch=5)
        learning.refit()
        while world.go(batch=5):
            pass

        with_them = self.inputs(Asked(decisions=True), monkeypatch)

        rows = Evaluation.objects.filter(strategy="value_bet_v1")
        assert with_them == dict(rows.values_list("tick_id", "inputs"))
        assert len(set(with_them.values())) == 2
        assert set(self.inputs(Asked(), monkeypatch).values()) == {""}
