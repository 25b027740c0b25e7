"""A newcomer's rule, market by market: the page's example runs as written, and faults are told."""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from markets.core.panel import Panel
from markets.core.types import ONE
from strategies import library
from strategies.core.evaluate import evaluate
from strategies.core.per_market import Idea, MarketView, PerMarket
from strategies.core.types import LEAVE_BOTH, LEAVE_YES, Silence
from tests.core.markets import histories
from tests.core.strategies import moments
from tests.core.strategies.scenes import Scene, code

PAGE = (Path(__file__).parents[3] / "docs" / "write-a-strategy.md").read_text(encoding="utf-8")
[EXAMPLE] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[BLOCK] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The page's file where the page says, on the path."""
    folder = tmp_path / "my_desk"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "my_rule.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "my_desk"]:
        del sys.modules[name]


@lru_cache
def lively():
    return moments.walking_ticks(51, count=420, size=0.03)


class Simple(PerMarket):
    name = "simple_v1"
    description = "Says whatever the test wants."

    @dataclass(frozen=True)
    class Params:
        pass

    def __init__(self, look, leave=None) -> None:
        super().__init__(self.Params())
        self.wanted, self.wants_out = look, leave

    def look(self, market: MarketView) -> Idea | None:
        return self.wanted(market)


class Leaving(Simple):
    def leave(self, market: MarketView, token: str) -> bool:
        return token == "YES" and market.about.id == "m-1"


class Forever(Simple):
    hold_hours = None


@lru_cache
def scene() -> Scene:
    rule = Simple(lambda market: Idea("YES", worth=min(market.chance + 0.1, 0.99)))
    return moments.first(rule, lively(), "Yes", 300)


def say(rule: PerMarket):
    [opinion] = evaluate([rule], scene().panel())
    return opinion


class TestThePage:
    def test_its_example_is_a_strategy_that_trades_as_written(self, desk):
        entry = library.from_outside("my_rule_v1", "my_desk.my_rule.MyRule")
        rule = entry.built(entry.built.params())
        bets = [bet for each in moments.opinions(rule, lively(), 300) for bet in each.signals]

        assert bets
        assert {bet.outcome for bet in bets} == {"Yes"}
        assert all(re.fullmatch(r"was 0\.\d\d", bet.why) for bet in bets)
        assert all(bet.plan.max_hold_ms == 6 * 3_600_000 for bet in bets)
        assert all(bet.edge >= 10_000 for bet in bets)

    def test_its_rule_is_twenty_lines(self):
        lines = EXAMPLE[EXAMPLE.index("class MyRule") :].splitlines()

        assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 20
        assert len(lines) <= 20

    def test_its_configuration_is_one_that_loads(self, desk):
        from pqap_site import config

        file = desk / "x.yaml"
        file.write_text(f"env: dev\n{BLOCK}")
        found = config.load(file, {})

        assert found.enabled_strategies == ("my_rule_v1",)
        assert found.strategies["my_rule_v1"].dip == 0.08

    def test_it_names_what_there_is(self):
        fields = set(re.findall(r"`(\w+)`", PAGE))
        views = {name for name in vars(MarketView) if not name.startswith("_")}

        assert views <= {re.sub(r"\(.*", "", name) for name in re.findall(r"`([\w(=)]+)`", PAGE)}
        assert set(Idea.__dataclass_fields__) <= fields
        for name in ("name", "version", "description", "hold_hours", "limits"):
            assert name in fields


class TestTheView:
    def test_it_shows_the_last_close_in_dollars(self):
        panel, column = scene().panel(), scene().column
        view, shown = MarketView(panel, column), panel.features

        assert view.chance == shown.micro[column] / ONE
        assert (view.sell_yes, view.buy_yes) == (
            shown.bid[column] / ONE,
            shown.ask[column] / ONE,
        )
        assert view.buy_no == pytest.approx(1 - view.sell_yes)
        assert view.sell_no == pytest.approx(1 - view.buy_yes)
        assert view.hours_left == (view.about.terms.end_at - shown.at) / 3_600_000
        assert view.volume == 50_000
        assert view.question == "Question m-0?" or view.question.startswith("Question")

    def test_it_shows_the_past_and_its_gaps(self):
        panel, column = scene().panel(), scene().column
        view = MarketView(panel, column)

        assert view.chances(1)[-1] == view.chance == view.chance_ago(0)
        assert len(view.chances(2)) == 24
        assert view.chances(2)[-13] == view.chance_ago(1)
        assert view.chance_ago(160) is None
        assert len(view.chances(1_000)) == len(scene().bars)


class TestWhatItSays:
    def test_costs_are_taken_off_and_the_limit_keeps_what_it_demands(self):
        bet = scene().bet(Simple(lambda m: Idea("YES", worth=0.9, least=0.05)))
        view = MarketView(scene().panel(), scene().column)
        fee = 0.02

        net = 0.9 - fee * 0.9 * 0.1 - (view.buy_yes - view.sell_yes) / 2
        spent = view.buy_yes + fee * view.buy_yes * (1 - view.buy_yes)
        assert bet.edge == pytest.approx((net - spent) * ONE, abs=2)
        limit = bet.limit / ONE
        assert net - limit - fee * limit * (1 - limit) >= 0.05 - 1e-9

    def test_what_is_held_to_the_outcome_is_not_sold(self):
        kept = scene().bet(Forever(lambda m: Idea("YES", worth=0.9)))
        sold = scene().bet(Simple(lambda m: Idea("YES", worth=0.9)))

        assert kept.plan.hold_to_resolution
        assert kept.variance == 0
        assert kept.edge > sold.edge

    def test_take_and_stop_lie_on_the_grid(self):
        plan = scene().bet(Simple(lambda m: Idea("YES", 0.9, take=0.85551, stop=0.10049))).plan

        assert (plan.take_profit, plan.stop) == (856_000, 100_000)

    def test_it_may_buy_no(self):
        bet = scene().bet(Simple(lambda m: Idea("NO", worth=0.9)))

        assert bet.outcome == "No"
        assert bet.fair == 900_000

    def test_too_dear_is_edge_nothing_is_no_signal_and_a_gate_comes_first(self):
        dear = say(Simple(lambda m: Idea("YES", worth=max(m.chance - 0.1, 0.01))))
        nothing = say(Simple(lambda m: None))
        wide = scene().with_column(ask=scene().tick.ask[scene().column] + 50_000)

        assert set(dear.silence.tolist()) == {code(Silence.EDGE)}
        assert "after costs / needs 0.0100" in dear.detail[0]
        assert set(nothing.silence.tolist()) == {code(Silence.NO_SIGNAL)}
        assert wide.silence(Simple(lambda m: Idea("YES", 0.99))) == code(Silence.SPREAD)

    def test_fewer_shares_than_the_smallest_order_are_no_bet(self):
        few = say(Simple(lambda m: Idea("YES", worth=0.99, most=2)))

        assert few.signals == ()
        assert few.detail[0] == "2 shares / the smallest order is 5"

    def test_holders_leave_when_it_says_so_or_the_market_ends(self):
        leaving = say(Leaving(lambda m: None))
        soon = scene().with_terms(end_at=scene().tick.at + 3_600_000)

        assert leaving.close.tolist() == [0, LEAVE_YES] + [0] * 14
        assert soon.opinion(Simple(lambda m: None)).close[scene().column] == LEAVE_BOTH
        assert soon.opinion(Forever(lambda m: None)).close[scene().column] == 0

    def test_markets_not_fit_to_trade_are_not_shown_to_it(self):
        asked = []
        warming = moments.last(lively()[:100])
        Simple(lambda m: asked.append(m)).evaluate(warming)

        assert asked == []

    def test_it_is_asked_once_a_bar(self):
        asked, rule = [], None
        rule = Simple(lambda m: asked.append(m.about.id))
        panel: Panel = scene().panel()
        rule.evaluate(panel)
        rule.evaluate(panel)

        assert sorted(asked) == sorted({*asked})


class TestFaults:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"buy": "Yes", "worth": 0.5}, 'buy must be "YES" or "NO"; found'),
            ({"buy": "YES", "worth": 1.0}, "worth must be between 0 and 1, both exclusive"),
            ({"buy": "YES", "worth": float("nan")}, "found nan"),
            ({"buy": "YES", "worth": 0.5, "take": 0}, "take must be"),
            ({"buy": "YES", "worth": 0.5, "stop": 2}, "stop must be"),
            ({"buy": "YES", "worth": 0.5, "most": 0}, "most must be above 0"),
        ],
    )
    def test_an_impossible_idea_is_refused(self, values, words):
        with pytest.raises(ValueError, match=words):
            Idea(**values)

    @pytest.mark.parametrize(
        ("look", "words"),
        [
            (lambda m: 1 / 0, "LookFailed: 'Question m-0?': ZeroDivisionError"),
            (lambda m: 0.7, "look must return an Idea or None; 0.7"),
            (lambda m: Idea("YES", worth=7), "worth must be between 0 and 1"),
            (lambda m: SimpleNamespace().missing, "AttributeError"),
        ],
    )
    def test_a_rule_that_fails_is_silent_and_names_the_market(self, look, words):
        opinion = say(Simple(look))

        assert opinion.signals == ()
        assert set(opinion.silence.tolist()) == {code(Silence.ERROR)}
        assert words in opinion.detail[0]

    def test_a_rule_without_look_says_so(self):
        class Empty(PerMarket):
            name, description = "empty_v1", "Has no rule."

        assert "Empty has no look(market)" in say(Empty(None)).detail[0]


def test_it_sees_nothing_that_comes_later():
    rule = Simple(lambda m: Idea("YES", worth=min(m.chance + 0.05, 0.99)))
    ticks = lively()[:330]
    other = [*ticks, *histories.mirrored(lively()[330:340])]
    for one, same in zip(
        moments.opinions(rule, ticks, 310), moments.opinions(rule, other, 310), strict=False
    ):
        assert one.signals == same.signals
        assert np.array_equal(one.fair, same.fair)
